"""Files through the door: orders, SKUs, nodes and stock, with a report per row."""

from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from app.events import IMPORT_QUEUED
from app.imports import service, slices
from tenants.scope import inside, opened
from tests.factories import Merchant
from workers.runner import run


def upload(merchant: Merchant, text: str | bytes, kind: str = "orders", **fields: str) -> Any:
    content = text.encode() if isinstance(text, str) else text
    return merchant.client.post(
        "/v1/imports",
        headers={"Authorization": f"Bearer {merchant.key}"},
        data={"file": (io.BytesIO(content), fields.pop("filename", "table.csv")), "kind": kind, **fields},
        content_type="multipart/form-data",
    )


def import_all(merchant: Merchant, text: str | bytes, kind: str = "orders", **fields: str) -> dict[str, Any]:
    """Send it, have it worked through, and read the whole report."""
    answer = upload(merchant, text, kind, **fields)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    merchant.drain()
    return merchant.ok("GET", f"/imports/{answer.get_json()['id']}?rows=all&limit=200")


def orders(merchant: Merchant) -> list[dict[str, Any]]:
    with inside(merchant.tenant_id) as scope:
        rows = scope.rows(
            "SELECT id, external_ref, total, reference_date, ship_to, placed_at, charges_total, discounts_total"
            " FROM orders WHERE tenant_id = :tenant ORDER BY number"
        )
        return [dict(row._mapping) for row in rows]


HEADER = "external_ref,customer.email,ship_to.postal_code,line.sku,line.quantity,line.unit_price"


def test_orders_grouped_wherever_their_rows_stand(merchant: Merchant) -> None:
    sku, other = merchant.sku(), merchant.sku()
    merchant.stock(merchant.node(), sku, 10)
    rows = [
        f"A-1,a@example.com,83702,{sku},2,10.00",
        f"A-2,b@example.com,10001,{sku},1,10.00",
        f"A-1,,,{other},1,5.50",
        "A-3,c@example.com,10001,NOTHING,1,1.00",
        f",d@example.com,10001,{sku},1,1.00",
        f"A-4,no mail,10001,{sku},1,1.00",
    ]
    done = import_all(merchant, "\n".join([HEADER, *rows]))
    assert (done["state"], done["rows_total"], done["rows_done"]) == ("done", 6, 6)
    assert (done["created"], done["existing"], done["refused"]) == (2, 0, 3)
    said = {row["row"]: (row["reference"], row["outcome"]) for row in done["rows"]}
    assert said == {
        2: ("A-1", "created"),
        3: ("A-2", "created"),
        5: ("A-3", "refused"),
        6: ("", "refused"),
        7: ("A-4", "refused"),
    }
    messages = {row["row"]: row["message"] for row in done["rows"]}
    assert "NOTHING" in messages[5]
    assert "reference" in messages[6]
    assert "email" in messages[7]
    first = merchant.ok("GET", f"/orders/{done['rows'][0]['subject']}")
    assert [line["ordered"] for line in first["lines"]] == [2, 1]
    assert first["lines"][1]["backordered"] == 1


def test_the_same_file_again_makes_nothing_twice(merchant: Merchant) -> None:
    sku = merchant.sku()
    text = f"{HEADER}\nA-1,a@example.com,83702,{sku},2,10.00\n"
    import_all(merchant, text)
    again = import_all(merchant, text)
    assert (again["created"], again["existing"]) == (0, 1)
    changed = import_all(merchant, text.replace(",2,", ",3,"))
    assert (changed["existing"], changed["refused"]) == (0, 1)
    assert "another body" in changed["rows"][0]["message"]
    assert len(orders(merchant)) == 1


def test_a_killed_worker_repeats_one_slice_and_no_order(
    merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "ORDERS_AT_ONCE", 3)
    monkeypatch.setattr(service, "CHUNK_ROWS", 2)
    monkeypatch.setattr(slices, "STAGED_CHUNKS", 1)
    sku = merchant.sku()
    rows = [f"A-{n % 7},a{n % 7}@example.com,83702,{sku},1,10.00" for n in range(14)]
    import_id = upload(merchant, "\n".join([HEADER, *rows])).get_json()["id"]
    placed = []
    for _ in range(40):
        with inside(merchant.tenant_id) as scope:
            row = scope.row(
                "SELECT id FROM outbox WHERE tenant_id = :tenant AND topic = :topic AND state = 'waiting'",
                topic=IMPORT_QUEUED,
            )
        if row is None:
            break
        killed(merchant)
        assert run(merchant.tenant_id, row.id)
        assert not run(merchant.tenant_id, row.id), "a slice that is done stays done"
        placed.append(len(orders(merchant)))
    assert placed[-4:] == [3, 6, 7, 7] or placed[-3:] == [3, 6, 7]
    done = merchant.ok("GET", f"/imports/{import_id}?rows=created")
    assert (done["state"], done["created"], done["rows_done"]) == ("done", 7, 14)
    with inside(merchant.tenant_id) as scope:
        left = scope.row(
            "SELECT (SELECT count(*) FROM import_chunks WHERE tenant_id = :tenant)"
            " + (SELECT count(*) FROM import_lines WHERE tenant_id = :tenant) AS n"
        )
    assert left is not None
    assert left.n == 0


def killed(merchant: Merchant) -> None:
    """The slice runs and its process dies before the commit."""
    with opened(merchant.tenant_id) as scope:
        row = scope.row("SELECT id FROM imports WHERE tenant_id = :tenant AND state <> 'done'")
        assert row is not None
        service.work(scope, row.id)


SHOPIFY = (
    "Name,Email,Financial Status,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,"
    "Created at,Lineitem quantity,Lineitem price,Lineitem sku,Shipping Name,Shipping Address1,Shipping City,"
    "Shipping Zip,Shipping Province,Shipping Country,Cancelled at,Payment Reference"
)


def test_shopify_export_with_several_lines_discount_and_tax(merchant: Merchant) -> None:
    cup, pot = merchant.sku("CUP"), merchant.sku("POT")
    address = "Ada Park,1 Main St,Boston,'02118,MA,US"
    paid = f"USD,45.00,5.00,2.81,52.81,HELLO,2026-10-02 10:12:33 -0400,2,10.00,{cup},{address},,ch_1"
    rows = [
        f"#1001,ada@example.com,paid,,{paid}",
        f"#1001,ada@example.com,,,,,,,,,,1,30.00,{pot},,,,,,,,",
        f"#1002,bo@example.com,paid,fulfilled,{paid}",
        f"#1003,bo@example.com,pending,,{paid}",
        f"#1004,bo@example.com,paid,,{paid.replace('52.81', '59.99').replace('45.00', '20.00')}",
        f"#1005,bo@example.com,partially_refunded,,{paid}",
    ]
    done = import_all(merchant, "\n".join([SHOPIFY, *rows]), mapping="shopify")
    assert [row["outcome"] for row in done["rows"]] == ["created", "refused", "refused", "refused", "refused"]
    assert "shipped" in done["rows"][1]["message"]
    assert "not paid" in done["rows"][2]["message"]
    assert "its total says 5999" in done["rows"][3]["message"]
    assert "gave back" in done["rows"][4]["message"]
    order = merchant.ok("GET", f"/orders/{done['rows'][0]['subject']}")
    totals = {name: sum_["amount"] for name, sum_ in order["totals"].items()}
    assert (totals["items"], totals["discounts"], totals["charges"], totals["tax"]) == (5000, 500, 500, 281)
    assert (totals["total"], totals["captured"]) == (5281, 5281)
    assert order["ship_to"]["postal_code"] == "02118"
    assert order["placed_at"] == "2026-10-02T14:12:33Z"


def test_own_mapping_with_constants_and_semicolons(merchant: Merchant) -> None:
    sku = merchant.sku()
    columns = {
        "external_ref": "No",
        "channel": {"const": "mail"},
        "customer.email": "Mail",
        "ship_to.region": {"column": "State", "transforms": ["us_state"]},
        "line.sku": {"const": sku},
        "line.quantity": "Pieces",
        "line.unit_price": {"column": "Cents", "minor": True},
        "placed_at": {"column": "Day", "transforms": [{"date": "%d.%m.%Y"}]},
    }
    text = "No;Mail;State;Pieces;Cents;Day\n7;x@example.com;Texas;2;1250;03.11.2026\n"
    done = import_all(merchant, text, mapping=json.dumps({"columns": columns}))
    assert done["rows"][0]["outcome"] == "created", done
    assert done["mapping"] == "own"
    (order,) = orders(merchant)
    assert order["ship_to"]["region"] == "TX"
    assert order["placed_at"].date().isoformat() == "2026-11-03"


def test_skus_and_nodes_of_the_sample_files(merchant: Merchant) -> None:
    header = "Product ID,Product Name,Sales,Quantity,Discount"
    rows = [
        "FUR-1,Bookcase,261.96,2,0",
        "FUR-1,Another name,100,1,0",
        "OFF-2,Labels,14.62,2,0.2",
        "OFF-3,None,x,1,0",
    ]
    skus = import_all(merchant, "\n".join([header, *rows]), "skus", mapping="superstore")
    assert [row["outcome"] for row in skus["rows"]] == ["created", "existing", "created", "refused"]
    assert "Row 2" in skus["rows"][1]["message"]
    sku = merchant.ok("GET", "/skus/FUR-1")
    assert (sku["title"], sku["price"]["amount"]) == ("Bookcase", 13098)
    nodes = import_all(
        merchant,
        "node_id,type,name,city,state,zip,lat,lon,timezone\n"
        "DC1,warehouse,Reno,Reno,NV,89506,39.64,-119.87,America/Los_Angeles\n"
        "ST1,store,Cullman,Cullman,AL,35055,34.16,-86.82,\n"
        "ST2,kiosk,Nowhere,Nowhere,AL,35055,34.16,-86.82,\n",
        "nodes",
        mapping="network",
    )
    assert [row["outcome"] for row in nodes["rows"]] == ["created", "created", "refused"]
    assert merchant.ok("GET", "/nodes/ST1")["timezone"] == "America/Chicago"


def test_stock_from_a_file_zipped(merchant: Merchant) -> None:
    node, sku = merchant.node(), merchant.sku()
    text = f"node,sku,on_hand\n{node},{sku},7\n{node},NONE,1\n{node},{sku},many\n"
    done = import_all(merchant, gzip.compress(text.encode()), "stock", filename="stock.csv.gz")
    assert [row["outcome"] for row in done["rows"]] == ["created", "refused", "refused"]
    found = merchant.ok("GET", f"/stock?sku={sku}")["data"]
    assert [position["on_hand"] for position in found] == [7]


@pytest.mark.parametrize(
    ("text", "kind", "fields", "status", "words"),
    [
        ("", "orders", {}, 422, "empty"),
        ("a,b\n1,2\n", "orders", {}, 422, "external_ref"),
        (f"{HEADER}\n", "orders", {}, 422, "no rows"),
        (f"{HEADER}\n1", "people", {}, 422, "Must be one of"),
        (f"{HEADER}\n1", "orders", {"mapping": "network"}, 409, "does not read orders"),
        (f"{HEADER}\n1", "orders", {"mapping": "{"}, 422, "not readable JSON"),
        (f"{HEADER}\n1", "orders", {"mapping": '{"columns": {"x": "y"}}'}, 422, "no such target"),
        (b"\x1f\x8bxx", "orders", {}, 422, "unzipped"),
    ],
)
def test_refused_at_the_door(
    merchant: Merchant, text: Any, kind: str, fields: dict[str, str], status: int, words: str
) -> None:
    answer = upload(merchant, text, kind, **fields)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert words in answer.get_data(as_text=True)
    assert merchant.ok("GET", "/imports")["data"] == []


def test_the_kind_needs_its_own_permission(merchant: Merchant) -> None:
    limited = Merchant(merchant.client, merchant.another_key("imports:write").key)
    assert upload(limited, f"{HEADER}\n1").status_code == 403


def test_another_merchant_sees_nothing(merchant: Merchant, other_merchant: Merchant) -> None:
    done = import_all(merchant, f"{HEADER}\nA-1,a@example.com,83702,X,2,10.00\n")
    assert other_merchant.get(f"/imports/{done['id']}?rows=all").status_code == 404
    assert other_merchant.ok("GET", "/imports")["data"] == []


def test_columns_that_nobody_reads_are_named(merchant: Merchant) -> None:
    done = import_all(merchant, f"{HEADER},gift note,shiping\nA-1,a@example.com,83702,X,2,10.00,hi,5\n")
    assert done["ignored"] == ["gift note", "shiping"]


def test_report_by_outcome_and_page(merchant: Merchant) -> None:
    rows = [f"A-{n},a@example.com,83702,NONE,1,1.00" for n in range(5)]
    done = import_all(merchant, "\n".join([HEADER, *rows]))
    path = f"/imports/{done['id']}?rows=refused&limit=3"
    first = merchant.ok("GET", path)
    assert [row["row"] for row in first["rows"]] == [2, 3, 4]
    assert [row["row"] for row in merchant.ok("GET", f"{path}&after={first['next']}")["rows"]] == [5, 6]
    assert merchant.get(f"{path}&after=x").status_code == 422
    assert merchant.ok("GET", f"/imports/{done['id']}?rows=created")["rows"] == []


CARD = {"name": "Ground", "zone_miles": [150, 600], "transit_days": [1, 2, 4]}
WIDE = "weight_g,zone_1,zone_2,zone_3\n500,5.00,6.00,\n1000,7.00,8.00,9.00\n"


def prices(merchant: Merchant, code: str = "GA") -> list[tuple[int, list]]:
    return [(one["weight_g"], one["amounts"]) for one in merchant.ok("GET", f"/rate-cards/{code}")["prices"]]


def test_a_price_list_wide_and_long_replaces_the_card_s_prices(merchant: Merchant) -> None:
    merchant.ok("PUT", "/rate-cards/GA", CARD)
    done = import_all(merchant, WIDE, "rate_card", rate_card="GA")
    assert (done["created"], done["refused"], done["rows"][0]["reference"]) == (2, 0, "GA")
    assert prices(merchant) == [(500, [500, 600, None]), (1000, [700, 800, 900])]
    long = "rate_card,weight_lb,zone,price\n" + "".join(
        f"GA,{pounds},{zone},{zone}.50\n" for pounds in (2, 1) for zone in (1, 2, 3)
    )
    done = import_all(merchant, long, "rate_card")
    assert (done["created"], done["refused"]) == (6, 0)
    assert prices(merchant) == [(454, [150, 250, 350]), (907, [150, 250, 350])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{WIDE}0,1.00,1.00,1.00\n", "no weight above 0"),
        (f"{WIDE}2000,1.00,cheap,1.00\n", "is not a figure"),
        (f"{WIDE}2000,,,\n", "no price"),
        (f"{WIDE}1000,1.00,1.00,1.00\n", "priced twice"),
        (f"{WIDE}2000,-1.00,1.00,1.00\n", "below 0"),
        ("weight_g,zone,price\n500,1,2.00\n", "zone_miles makes 3 zones"),
        ("weight_g,zone_1,zone_2,zone_3,zone_4\n1,1,1,1,1\n", "has days for 3 zones, the prices have 4"),
        ("weight_g,zone,price\n500,99,2.00\n", "from 1 to 30"),
    ],
)
def test_a_price_list_is_taken_whole_or_not_at_all(merchant: Merchant, text: str, words: str) -> None:
    merchant.ok("PUT", "/rate-cards/GA", CARD)
    import_all(merchant, WIDE, "rate_card", rate_card="GA")
    before = prices(merchant)
    done = import_all(merchant, text, "rate_card", rate_card="GA")
    assert (done["created"], done["refused"]) == (0, done["rows_total"])
    assert any(words in row["message"] for row in done["rows"]), done["rows"]
    assert prices(merchant) == before


def test_rates_need_a_card_and_the_permission(merchant: Merchant) -> None:
    assert (
        "no rate card NOBODYS"
        in import_all(merchant, WIDE, "rate_card", rate_card="NOBODYS")["rows"][0]["message"]
    )
    answer = upload(merchant, WIDE, "rate_card")
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/rate_card")
    answer = upload(merchant, f"{HEADER}\n", "orders", rate_card="GA")
    assert answer.get_json()["errors"][0]["pointer"] in ("/rate_card", "/file")
    reader = merchant.another_key("imports:write")
    answer = reader.client.post(
        "/v1/imports",
        headers={"Authorization": f"Bearer {reader.key}"},
        data={"file": (io.BytesIO(WIDE.encode()), "x.csv"), "kind": "rate_card", "rate_card": "GA"},
    )
    assert (answer.status_code, "nodes:write" in answer.get_json()["detail"]) == (403, True)


def test_zones_between_zip_areas_zipped_or_not(merchant: Merchant) -> None:
    merchant.ok("PUT", "/rate-cards/GA", CARD)
    text = "origin_zip3,dest_zip3,zone\n005,012,2\n5,27,3\n895,837,4\n1005,1,1\n005,012,99\n,1,1\n"
    done = import_all(merchant, gzip.compress(text.encode()), "zone_pairs", mapping="usps", rate_card="GA")
    assert (done["created"], done["refused"]) == (3, 3)
    assert done["rows"][0]["reference"] == "GA 005-012"
    assert merchant.ok("GET", "/rate-cards/GA")["zone_origins"] == 2
    again = import_all(merchant, "origin,destination,zone\n005,012,1\n", "zone_pairs", rate_card="GA")
    assert (again["created"], again["existing"]) == (0, 1)
    with inside(merchant.tenant_id) as scope:
        row = scope.row("SELECT zones FROM rate_card_zones WHERE tenant_id = :tenant AND origin = 5")
        assert row is not None
        assert {at: zone for at, zone in enumerate(bytes(row.zones)) if zone} == {12: 1, 27: 3}


def test_a_zone_without_a_price_is_refused_by_its_row(merchant: Merchant) -> None:
    merchant.ok("PUT", "/rate-cards/GA", CARD)
    import_all(merchant, WIDE, "rate_card", rate_card="GA")
    zones = len(prices(merchant)[0][1])
    text = f"origin,destination,zone\n005,012,{zones}\n005,013,{zones + 1}\n"
    done = import_all(merchant, text, "zone_pairs", rate_card="GA")
    assert (done["created"], done["refused"]) == (1, 1)
    message = f"Rate card GA has prices for zones 1 to {zones}. Send a price for zone {zones + 1} first, or correct it."
    assert [row["message"] for row in done["rows"] if row["row"] == 3] == [message]


def test_node_facts_in_cells_and_sizes_of_items(merchant: Merchant) -> None:
    merchant.ok("PUT", "/rate-cards/GA", CARD)
    columns = (
        "node,address.postal_code,capacity_per_hour,handling_minutes,cutoffs,open_days,hours,closed,holidays,"
        "capabilities,zones,rate_card"
    )
    text = (
        f"{columns}\n"
        'A,89501,6,90,"Ground 16:00; Next day 12:30",mon tue wed,mon-tue 09:00-17:00; wed 10:00-24:00,2026-12-24,'
        'us_federal,hazard gift_wrap,"US: NV, 96; CA",GA\n'
        "B,89501,,,Ground at four,,,,,,,\n"
        "C,89501,,,,,mon 9-5,,,,,\n"
        "D,89501,,,,,,,,,,NOBODYS\n"
    )
    done = import_all(merchant, text, "nodes")
    assert (done["created"], done["refused"]) == (1, 3)
    node = merchant.ok("GET", "/nodes/A")
    assert node["cutoffs"] == {"Ground": "16:00", "Next day": "12:30"}
    assert node["calendar"] == {
        "open_days": ["mon", "tue", "wed"],
        "hours": {"mon": ["09:00", "17:00"], "tue": ["09:00", "17:00"], "wed": ["10:00", "24:00"]},
        "closed": ["2026-12-24"],
        "holidays": "us_federal",
    }
    assert node["capabilities"] == ["gift_wrap", "hazard"]
    assert node["zones"] == [
        {"country": "US", "regions": ["NV"], "zip_prefixes": ["96"]},
        {"country": "CA", "regions": [], "zip_prefixes": []},
    ]
    assert (node["rate_card"], node["capacity_per_hour"], node["handling_minutes"]) == ("GA", 6, 90)
    columns = "sku,title,price,length_mm,width_mm,height_mm,hazard,temperature"
    skus = f"{columns}\nX,X,1,10,20,30,yes,frozen\nY,Y,1,,,,maybe,\n"
    done = import_all(merchant, skus, "skus")
    assert (done["created"], done["refused"]) == (1, 1)
    assert merchant.ok("GET", "/skus/X")["attributes"] == {
        "length_mm": 10,
        "width_mm": 20,
        "height_mm": 30,
        "hazard": True,
        "temperature": "frozen",
    }


def test_safety_stock_in_a_stock_file(merchant: Merchant) -> None:
    node, sku = merchant.node(), merchant.sku()
    done = import_all(merchant, f"node,sku,on_hand,safety\n{node},{sku},9,2\n{node},{sku},,3\n", "stock")
    assert (done["created"], done["refused"]) == (2, 0)
    [position] = merchant.ok("GET", f"/stock?sku={sku}")["data"]
    assert (position["on_hand"], position["safety"], position["available"]) == (9, 3, 6)


SHIPPING = Path(os.environ.get("KEPT_DATA", "/work/shared/data")) / "shipping"


@pytest.mark.skipif(not SHIPPING.exists(), reason="the carrier's files are not on this machine")
def test_a_carrier_s_real_price_list_and_some_of_its_zones(merchant: Merchant) -> None:
    merchant.ok(
        "PUT", "/rate-cards/GA", {"name": "Ground Advantage", "zone_by": "zip3", "zone_miles": USPS_MILES}
    )
    table = (SHIPPING / "usps_ground_advantage_commercial_2026-07-12.csv").read_bytes()
    done = import_all(merchant, table, "rate_card", mapping="usps", rate_card="GA")
    assert (done["created"], done["refused"]) == (70, 0)
    assert prices(merchant)[0] == (454, [761, 768, 800, 815, 874, 963, 998, 1067, 1067])
    with gzip.open(SHIPPING / "usps_zone_pairs_2018_sample.csv.gz") as file:
        some = b"".join(line for at, line in enumerate(file) if at % 40 == 0)
    done = import_all(merchant, gzip.compress(some), "zone_pairs", mapping="usps", rate_card="GA")
    assert done["refused"] == 0
    assert done["created"] == done["rows_total"] > 5000
    assert merchant.ok("GET", "/rate-cards/GA")["zone_origins"] > 800


USPS_MILES = [50, 150, 300, 600, 1000, 1400, 1800]
