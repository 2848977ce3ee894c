"""Orders as the demo merchant's buyers place them: who, where, what, when, by which channel. Pure, from a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.demo.places import CITIES


def _names(words: str, mark: str | None = None) -> tuple[str, ...]:
    return tuple(words.split(mark))


FIRST = _names(
    "Ada Amara Ana Asher Beatriz Ben Caleb Camila Carmen Chloe Clara Daniel David Delia Diego Eleanor Elena Eli"
    " Emeka Esther Ezra Farah Felix Fiona Grace Hana Hannah Henry Hugo Imani Ines Iris Isaac Jada James Jin Joan"
    " Jonah Josephine Julian Kai Kenji Layla Leah Leo Lena Lucia Luis Mae Marcus Maren Margot Maria Mateo Maya Mei"
    " Micah Miriam Nadia Naomi Nathan Nell Nina Noah Nora Oliver Omar Oscar Paul Petra Priya Quinn Rafael Rosa Ruth"
    " Samir Samuel Sara Simon Sofia Stella Tess Theo Tomas Uma Vera Victor Willa Yara Yusuf Zoe"
)
LAST = _names(
    "Abbott Acosta Adeyemi Aguilar Alvarez Anders Baker Banerjee Barnes Bauer Bell Bishop Boone Brandt Brooks Burke"
    " Calloway Carver Castillo Chan Cho Clarke Cohen Cole Cruz Dalton Diaz Doyle Duarte Eaton Ellis Falk Farrow"
    " Fischer Flores Ford Frost Garner Gill Grant Greer Hale Hansen Hart Hayes Herrera Holm Howell Hughes Ibarra"
    " Ito Jensen Joshi Kane Keller Kim Klein Lane Larsen Lee Levine Lowe Lund Marsh Mendez Meyer Mills Moss Nakamura"
    " Navarro Nguyen Novak Nunez Okafor Olsen Ortiz Osei Park Patel Pierce Porter Quist Ramos Reed Reyes Rhodes Rivera"
    " Rossi Sato Schmidt Shaw Silva Singh Sloan Stone Sutton Tanaka Thorne Torres Tran Vance Vega Wade Walsh Webb Wong"
    " Wynn Yates Young Zimmer"
)
STREETS = _names(
    "Maple Ave,Oak St,Cedar St,Elm St,Park Ave,Washington St,Franklin St,Prospect St,Highland Ave,Lincoln Ave,"
    "Church St,Spring St,Willow Ln,Chestnut St,River Rd,Walnut St,Union St,Hawthorne Blvd,Orchard St,Linden Ave",
    ",",
)
CHANNELS = {
    "web": 46,
    "marketplace": 17,
    "phone_app": 11,
    "store": 8,
    "phone": 6,
    "social": 4,
    "email": 3,
    "tablet_app": 2,
    "mail": 1.2,
    "broadcast": 1,
    "edi": 0.8,
}
SOURCES = {
    "email": ("NOV-LETTER", "HARVEST", "EARLY-ACCESS"),
    "social": ("REEL-CERAMICS", "STORY-LINEN"),
    "mail": ("FALL-CATALOG", "HOLIDAY-CATALOG"),
    "phone": ("FALL-CATALOG", "HOLIDAY-CATALOG"),
    "broadcast": ("WNYC-MORNING", "KQED-EVENING"),
}
QUICK = frozenset({"web", "phone_app", "tablet_app"})
"""Channels whose pages promise a day for what is in stock."""
NO_SHIPPING_FROM = 7500
SHIPPING = 795


@dataclass(frozen=True)
class Shelf:
    """The catalog as a buyer meets it: codes with their prices and how often they are bought."""

    codes: tuple[str, ...]
    weights: tuple[float, ...]
    kinds: Mapping[str, str]
    prices: Mapping[str, int]

    @classmethod
    def of(cls, skus: Mapping[str, Mapping[str, Any]]) -> Shelf:
        """From code -> {kind, price}. Dear things are bought less often; a few things sell best."""
        draw = random.Random(20)
        codes = tuple(sorted(skus))
        weights = []
        for code in codes:
            kind, price = skus[code]["kind"], skus[code]["price"]["amount"]
            weight = draw.paretovariate(1.4) / math.sqrt(price)
            weights.append(weight * {"preorder": 0.35, "made_to_order": 0.5, "kit": 0.9}.get(kind, 1.0))
        return cls(
            codes,
            tuple(weights),
            {code: skus[code]["kind"] for code in codes},
            {code: skus[code]["price"]["amount"] for code in codes},
        )


def daily_orders(day: datetime, base: float = 21.0) -> int:
    """How many orders a day brings: weekends are quiet, the weeks from mid October to Christmas are not."""
    of_year = day.timetuple().tm_yday
    season = (
        1 + 1.1 * math.exp(-(((of_year - 334) / 24) ** 2)) + 0.2 * math.exp(-(((of_year - 130) / 14) ** 2))
    )
    return round(base * season * (1.15, 1.1, 1.0, 1.0, 0.95, 0.75, 0.95)[day.weekday()])


def hour_share(hour: float) -> float:
    """How busy an hour of the merchant's day is, about 1 on average: a lunch peak and a longer one at night."""
    return 0.25 + 1.1 * math.exp(-(((hour - 12.5) / 3) ** 2)) + 1.9 * math.exp(-(((hour - 20.3) / 2.6) ** 2))


def moment_of_day(draw: random.Random) -> float:
    """An hour of the day (0 to 24), as orders fall on it."""
    while True:
        hour = draw.uniform(0, 24)
        if draw.uniform(0, 2.2) < hour_share(hour):
            return hour


class Buyers:
    """The people who buy, some of them often."""

    def __init__(self, draw: random.Random, people: int = 1600) -> None:
        self._draw = draw
        weights = [float(city[3]) for city in CITIES]
        homes = draw.choices(CITIES, weights=weights, k=people)
        self._people = [self._person(at, home) for at, home in enumerate(homes)]

    def _person(self, at: int, home: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        first, last = self._draw.choice(FIRST), self._draw.choice(LAST)
        name = f"{first} {last}"
        customer = {"email": f"{first}.{last}{at}@example.com".lower(), "name": name, "phone": ""}
        street = f"{self._draw.randint(8, 2990)} {self._draw.choice(STREETS)}"
        city, region, postal_code, _ = home
        address = {"name": name, "line1": street, "city": city, "region": region, "postal_code": postal_code}
        return customer, {**address, "country": "US"}

    def someone(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """(customer, address) of whoever buys next."""
        return self._people[min(len(self._people) - 1, int(self._draw.paretovariate(0.55)) - 1)]


def request(
    draw: random.Random, shelf: Shelf, buyers: Buyers, reference: str, *, channel: str | None = None
) -> dict[str, Any]:
    """One order as POST /orders takes it, without its tenders."""
    channel = channel or draw.choices(list(CHANNELS), weights=list(CHANNELS.values()))[0]
    customer, ship_to = buyers.someone()
    lines = _lines(draw, shelf, channel)
    items = sum(shelf.prices[line["sku"]] * line["quantity"] for line in lines)
    body: dict[str, Any] = {
        "channel": channel,
        "external_ref": reference,
        "currency": "USD",
        "customer": customer,
        "ship_to": ship_to,
        "lines": lines,
    }
    if channel in SOURCES and draw.random() < 0.8:
        body["source_code"] = draw.choice(SOURCES[channel])
    if items < NO_SHIPPING_FROM and any(_is_physical(shelf, line) for line in lines):
        body["charges"] = [{"code": "shipping", "amount": {"amount": SHIPPING, "currency": "USD"}}]
    if (
        channel in QUICK
        and draw.random() < 0.45
        and all(shelf.kinds[line["sku"]] == "stock" for line in lines)
    ):
        body["promise"] = {
            "within": {"value": 2, "unit": "business_days"},
            "text": "Ships within two business days",
        }
    if draw.random() < 0.14:
        body["discounts"] = [{"code": "WELCOME10", "amount": {"amount": items // 10, "currency": "USD"}}]
    return body


def _is_physical(shelf: Shelf, line: Mapping[str, Any]) -> bool:
    return shelf.kinds[line["sku"]] not in ("digital", "gift_card_digital")


def _lines(draw: random.Random, shelf: Shelf, channel: str) -> list[dict[str, Any]]:
    many = draw.choices((1, 2, 3, 4, 5, 6), weights=(44, 28, 14, 8, 4, 2))[0]
    codes = list(dict.fromkeys(draw.choices(shelf.codes, weights=shelf.weights, k=many)))
    if channel in ("marketplace", "edi"):
        codes = [code for code in codes if shelf.kinds[code] in ("stock", "kit")] or ["CN-SOY-CEDAR"]
    return [{"sku": code, "quantity": _units(draw, shelf, code, channel)} for code in codes]


def _units(draw: random.Random, shelf: Shelf, code: str, channel: str) -> int:
    if channel == "edi":
        return draw.choice((6, 12, 24))
    if shelf.kinds[code] == "stock" and shelf.prices[code] < 6000:
        return draw.choices((1, 2, 3, 4, 6), weights=(60, 22, 6, 9, 3))[0]
    return 1
