"""Where the demo merchant keeps goods, and where its buyers live. Points and zones come from the ZIP codes."""

from __future__ import annotations

from typing import Any, NamedTuple

from app.demo.rules import CARD


class Site(NamedTuple):
    """One node: its assortment is `depth`, the share of the catalog it keeps."""

    code: str
    name: str
    kind: str
    line1: str
    city: str
    region: str
    postal_code: str
    depth: float
    priority: int = 100


NORTHLINE = "Northline Logistics"
WESTBAY = "Westbay Fulfillment"

SITES = (
    Site(
        "WH-COL", "Columbus warehouse", "warehouse", "4100 Lockbourne Rd", "Columbus", "OH", "43207", 0.9, 50
    ),
    Site("WH-RNO", "Reno warehouse", "warehouse", "9650 N Virginia St", "Reno", "NV", "89506", 0.85, 50),
    Site(
        "WH-GSO",
        "Greensboro warehouse",
        "warehouse",
        "7025 Albert Pick Rd",
        "Greensboro",
        "NC",
        "27409",
        0.6,
        60,
    ),
    Site("NL-MEM", "Northline Memphis", "warehouse", "3800 E Holmes Rd", "Memphis", "TN", "38118", 0.7),
    Site("NL-DFW", "Northline Dallas", "warehouse", "4500 Mountain Creek Pkwy", "Dallas", "TX", "75236", 0.7),
    Site("NL-ATL", "Northline Atlanta", "warehouse", "350 Wharton Cir SW", "Atlanta", "GA", "30336", 0.6),
    Site("NL-JOL", "Northline Joliet", "warehouse", "2900 Ellis Rd", "Joliet", "IL", "60433", 0.65),
    Site(
        "NL-ABE", "Northline Allentown", "warehouse", "8451 Willard Dr", "Breinigsville", "PA", "18031", 0.75
    ),
    Site(
        "NL-MCI",
        "Northline Kansas City",
        "warehouse",
        "1800 N Topping Ave",
        "Kansas City",
        "MO",
        "64120",
        0.45,
    ),
    Site("WB-ONT", "Westbay Ontario", "warehouse", "5491 E Francis St", "Ontario", "CA", "91761", 0.75),
    Site("WB-SCK", "Westbay Stockton", "warehouse", "4532 Newcastle Rd", "Stockton", "CA", "95215", 0.5),
    Site("WB-SEA", "Westbay Kent", "warehouse", "8420 S 200th St", "Kent", "WA", "98032", 0.6),
    Site("WB-PHX", "Westbay Phoenix", "warehouse", "6835 W Buckeye Rd", "Phoenix", "AZ", "85043", 0.45),
    Site("WB-DEN", "Westbay Denver", "warehouse", "19500 E 35th Dr", "Aurora", "CO", "80011", 0.45),
    Site("ST-BKN", "Brooklyn store", "store", "221 Smith St", "Brooklyn", "NY", "11201", 0.25, 140),
    Site("ST-BOS", "Boston store", "store", "172 Newbury St", "Boston", "MA", "02116", 0.22, 140),
    Site("ST-PWM", "Portland, Maine store", "store", "55 Exchange St", "Portland", "ME", "04101", 0.15, 140),
    Site(
        "ST-PHL", "Philadelphia store", "store", "1727 Chestnut St", "Philadelphia", "PA", "19103", 0.2, 140
    ),
    Site("ST-DCA", "Georgetown store", "store", "3077 M St NW", "Washington", "DC", "20007", 0.2, 140),
    Site("ST-CLT", "Charlotte store", "store", "2120 South Blvd", "Charlotte", "NC", "28203", 0.15, 140),
    Site("ST-SAV", "Savannah store", "store", "314 W Broughton St", "Savannah", "GA", "31401", 0.12, 140),
    Site(
        "ST-MIA", "Coral Gables store", "store", "250 Miracle Mile", "Coral Gables", "FL", "33134", 0.18, 140
    ),
    Site("ST-BNA", "Nashville store", "store", "1205 4th Ave N", "Nashville", "TN", "37208", 0.18, 140),
    Site("ST-CHI", "Chicago store", "store", "1649 N Damen Ave", "Chicago", "IL", "60647", 0.25, 140),
    Site("ST-MSP", "Minneapolis store", "store", "920 W Lake St", "Minneapolis", "MN", "55408", 0.18, 140),
    Site("ST-DTW", "Ann Arbor store", "store", "215 S Main St", "Ann Arbor", "MI", "48104", 0.15, 140),
    Site("ST-AUS", "Austin store", "store", "1600 S Congress Ave", "Austin", "TX", "78704", 0.22, 140),
    Site("ST-DEN", "Denver store", "store", "2930 Larimer St", "Denver", "CO", "80205", 0.2, 140),
    Site(
        "ST-SLC", "Salt Lake City store", "store", "244 S 300 E", "Salt Lake City", "UT", "84111", 0.12, 140
    ),
    Site("ST-SEA", "Seattle store", "store", "1501 Melrose Ave", "Seattle", "WA", "98122", 0.2, 140),
    Site("ST-PDX", "Portland store", "store", "809 NW 23rd Ave", "Portland", "OR", "97210", 0.2, 140),
    Site(
        "ST-SFO",
        "San Francisco store",
        "store",
        "3252 Sacramento St",
        "San Francisco",
        "CA",
        "94115",
        0.22,
        140,
    ),
    Site("ST-LAX", "Los Angeles store", "store", "8301 W 3rd St", "Los Angeles", "CA", "90048", 0.25, 140),
    Site("WS-AVL", "Asheville workshop", "workshop", "12 Foundy St", "Asheville", "NC", "28801", 0.0, 80),
    Site(
        "WS-TTD",
        "Troutdale wood workshop",
        "workshop",
        "302 E Columbia Hwy",
        "Troutdale",
        "OR",
        "97060",
        0.0,
        80,
    ),
)
PROVIDERS = {
    NORTHLINE: [site.code for site in SITES if site.code.startswith("NL-")],
    WESTBAY: [site.code for site in SITES if site.code.startswith("WB-")],
}


def node_body(site: Site) -> dict[str, Any]:
    """The site as PUT /nodes takes it."""
    address = {"line1": site.line1, "city": site.city, "region": site.region, "postal_code": site.postal_code}
    store = site.kind == "store"
    return {
        "name": site.name,
        "kind": site.kind,
        "address": {**address, "country": "US"},
        "priority": site.priority,
        "capacity_per_day": 25 if store else 12 if site.kind == "workshop" else 600,
        "handling_per_package": 240 if store else 165,
        "handling_per_unit": 55 if store else 35,
        "cutoff": "14:00" if store else "16:00",
        "rate_card": CARD,
        "capabilities": ["gift_wrap", "pickup"] if store else ["gift_wrap"],
    }


CITIES = tuple(
    tuple(entry.split("|"))
    for entry in (
        "New York|NY|10003|9",
        "Brooklyn|NY|11215|8",
        "Queens|NY|11375|4",
        "Buffalo|NY|14209|2",
        "Albany|NY|12203|1",
        "Jersey City|NJ|07302|3",
        "Princeton|NJ|08540|1",
        "Philadelphia|PA|19147|5",
        "Pittsburgh|PA|15206|3",
        "Boston|MA|02118|5",
        "Cambridge|MA|02139|3",
        "Northampton|MA|01060|1",
        "Providence|RI|02906|2",
        "New Haven|CT|06511|2",
        "Portland|ME|04101|2",
        "Burlington|VT|05401|1",
        "Concord|NH|03301|1",
        "Washington|DC|20009|4",
        "Arlington|VA|22201|3",
        "Richmond|VA|23220|2",
        "Baltimore|MD|21218|3",
        "Wilmington|DE|19806|1",
        "Raleigh|NC|27608|3",
        "Asheville|NC|28801|1",
        "Charlotte|NC|28205|3",
        "Charleston|SC|29401|2",
        "Savannah|GA|31401|1",
        "Atlanta|GA|30307|4",
        "Athens|GA|30605|1",
        "Jacksonville|FL|32205|2",
        "Orlando|FL|32803|3",
        "Tampa|FL|33606|3",
        "Miami|FL|33133|4",
        "Birmingham|AL|35205|1",
        "Jackson|MS|39202|1",
        "New Orleans|LA|70115|2",
        "Nashville|TN|37206|3",
        "Memphis|TN|38104|2",
        "Louisville|KY|40204|2",
        "Cincinnati|OH|45208|2",
        "Columbus|OH|43206|3",
        "Cleveland|OH|44106|2",
        "Detroit|MI|48207|2",
        "Ann Arbor|MI|48103|2",
        "Grand Rapids|MI|49503|1",
        "Indianapolis|IN|46220|2",
        "Chicago|IL|60614|7",
        "Evanston|IL|60201|2",
        "Milwaukee|WI|53211|2",
        "Madison|WI|53703|2",
        "Minneapolis|MN|55408|4",
        "Duluth|MN|55804|1",
        "Des Moines|IA|50312|1",
        "St. Louis|MO|63110|2",
        "Kansas City|MO|64111|2",
        "Omaha|NE|68132|1",
        "Fargo|ND|58102|1",
        "Sioux Falls|SD|57105|1",
        "Wichita|KS|67208|1",
        "Oklahoma City|OK|73103|1",
        "Tulsa|OK|74104|1",
        "Little Rock|AR|72205|1",
        "Dallas|TX|75206|4",
        "Fort Worth|TX|76107|2",
        "Austin|TX|78704|5",
        "Houston|TX|77008|5",
        "San Antonio|TX|78209|2",
        "El Paso|TX|79902|1",
        "Santa Fe|NM|87501|2",
        "Albuquerque|NM|87106|1",
        "Denver|CO|80206|4",
        "Boulder|CO|80302|2",
        "Fort Collins|CO|80521|1",
        "Cheyenne|WY|82001|1",
        "Billings|MT|59101|1",
        "Missoula|MT|59801|1",
        "Boise|ID|83702|2",
        "Salt Lake City|UT|84103|3",
        "Phoenix|AZ|85016|3",
        "Tucson|AZ|85719|2",
        "Las Vegas|NV|89117|2",
        "Reno|NV|89509|1",
        "Los Angeles|CA|90027|7",
        "Pasadena|CA|91106|2",
        "San Diego|CA|92103|4",
        "Santa Barbara|CA|93101|1",
        "San Francisco|CA|94110|6",
        "Oakland|CA|94611|4",
        "San Jose|CA|95126|3",
        "Sacramento|CA|95818|2",
        "Eureka|CA|95501|1",
        "Portland|OR|97214|4",
        "Eugene|OR|97405|1",
        "Seattle|WA|98103|5",
        "Spokane|WA|99203|1",
        "Bellingham|WA|98225|1",
        "Anchorage|AK|99501|1",
        "Honolulu|HI|96816|1",
    )
)
"""(city, state, ZIP code, weight)"""
