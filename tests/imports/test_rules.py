"""Reading rows: transforms, list prices, grouping, refusals by their words."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.imports import files
from app.imports.bodies import list_price, order_request, sku_body, stock_body
from app.imports.mappings import KINDS, NAMED, TARGETS
from app.imports.rules import Reader, Unreadable, resolve
from infra.errors import Problem

ZONE = ZoneInfo("America/New_York")
SUPERSTORE = (
    "Order ID,Order Date,Customer ID,Customer Name,City,State,Postal Code,Product ID,Sales,Quantity,Discount"
)


def reader(kind: str, mapping: object, header: str) -> Reader:
    return Reader(kind, resolve(kind, mapping), header.split(","), ZONE)


@pytest.mark.parametrize(
    ("transforms", "cell", "read"),
    [
        (["upper"], "ab", "AB"),
        ([{"zfill": 5}], "1824", "01824"),
        ([{"zfill": 5}], "", ""),
        (["lower", {"suffix": "@example.com"}], "CG-12520", "cg-12520@example.com"),
        (["us_state"], "New York", "NY"),
        (["us_state"], "Ontario", "Ontario"),
        ([{"date": "%m/%d/%Y"}], "11/23/2026", "2026-11-23"),
        ([{"multiply": "453.592"}], "2", "907.184"),
        ([{"lookup": {"y": "yes", "*": "no"}}], "?", "no"),
        ([{"strip": "'"}], "'02139", "02139"),
        ([{"default": "web"}], "", "web"),
    ],
)
def test_transforms(transforms: list, cell: str, read: str) -> None:
    document = {"columns": {"sku": "sku", "title": {"column": "a", "transforms": transforms}}}
    source = reader("skus", document, "sku,a").sources["title"]
    assert source.text(["x", cell]) == read


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"columns": {"colour": "a"}}, "no such target"),
        ({"columns": {"sku": {"column": "a", "transforms": ["reverse"]}}}, "no such transform"),
        ({"columns": {"sku": {"column": "a", "transforms": [{"zfill": "many"}]}}}, "cannot take"),
        ({"columns": {"sku": {"column": "a", "const": "b"}}}, "column's name"),
        ({"columns": {}}, "Send {columns"),
        ({"columns": {"sku": "a"}, "delimiter": ";;"}, "one character"),
        ({"columns": {"sku": "a"}, "refuse": [{"column": "a"}]}, "refuse|values"),
        ("nowhere", "Send one of"),
    ],
)
def test_mappings_that_are_none(mapping: object, words: str) -> None:
    with pytest.raises(Problem, match=words) as found:
        resolve("skus", mapping)
    assert found.value.status == 422


def test_every_named_mapping_is_sound() -> None:
    for name, kinds in NAMED.items():
        for kind, document in kinds.items():
            assert kind in KINDS
            assert set(document["columns"]) <= set(TARGETS[kind])
            columns = {
                one if isinstance(one, str) else one.get("column") for one in document["columns"].values()
            }
            Reader(kind, resolve(kind, name), sorted(columns - {None}), ZONE)


def test_missing_columns_are_named() -> None:
    with pytest.raises(Problem, match="Quantity"):
        reader("orders", "superstore", SUPERSTORE.replace(",Quantity", ""))


@pytest.mark.parametrize(
    ("total", "quantity", "rate", "unit"),
    [
        (26196, 2, "0", 13098),
        (95758, 5, "0.45", 34821),
        (1000, 3, "0", 334),
        (0, 1, "0", 0),
        (1, 3, "0.8", 2),
    ],
)
def test_list_price_leads_to_the_total_to_the_cent(total: int, quantity: int, rate: str, unit: int) -> None:
    found = list_price(total, quantity, Decimal(rate))
    assert found == unit
    assert found * quantity >= total


def test_no_list_price_of_nothing() -> None:
    for quantity, rate in ((0, "0"), (1, "1")):
        with pytest.raises(Unreadable):
            list_price(100, quantity, Decimal(rate))


def test_superstore_order_with_a_repeated_product() -> None:
    read = reader("orders", "superstore", SUPERSTORE)
    buyer = ["US-1", "2016-11-08", "CG-12520", "Claire Gute", "Boston", "Massachusetts", "2118"]
    first = [*buyer, "FUR-1", "957.5775", "5", "0.45"]
    again = [*buyer, "FUR-1", "10.00", "3", "0"]
    body, reference_date = order_request(read, [(2, first), (9, again)], "USD")
    assert reference_date == "2016-11-08"
    assert body["ship_to"] == {
        "name": "Claire Gute",
        "city": "Boston",
        "region": "MA",
        "postal_code": "02118",
        "country": "US",
    }
    assert body["customer"]["email"] == "cg-12520@example.com"
    assert body["tenders"] == [{"kind": "card", "payment_method": "pm_card_visa"}]
    assert [(line["sku"], line["quantity"]) for line in body["lines"]] == [("FUR-1", 5), ("FUR-1", 3)]
    sums = [line["unit_price"]["amount"] * line["quantity"] for line in body["lines"]]
    off = {one["line"]: one["amount"]["amount"] for one in body["discounts"]}
    assert [sums[0] - off[0], sums[1] - off[1]] == [95758, 1000]
    assert "placed_at" not in body


def test_figures_dates_and_quantities_that_are_none() -> None:
    read = reader("orders", "superstore", SUPERSTORE)
    row = [
        "US-1",
        "2016-11-08",
        "CG-12520",
        "Claire Gute",
        "Boston",
        "Massachusetts",
        "2118",
        "FUR-1",
        "10",
        "5",
        "0",
    ]
    for at, cell, words in (
        (8, "ten", "Sales"),
        (9, "1.5", "Quantity"),
        (1, "soon", "Order Date"),
        (9, "", "quantity"),
    ):
        bad = [*row[:at], cell, *row[at + 1 :]]
        with pytest.raises(Unreadable, match=words):
            order_request(read, [(2, bad)], "USD")
    with pytest.raises(Unreadable, match="12 cells"):
        order_request(read, [(2, [*row, "more"])], "USD")


@pytest.mark.parametrize(
    ("cell", "units"),
    [
        ("12.99", 1299),
        ("$1,234.50", 123450),
        ("1,234", 123400),
        ("-0.5", -50),
        ("1E+3", 100000),
        ("19.990000000000002", 1999),
        ("12,99", "decimal_comma"),
        ("1.234,50", "decimal_comma"),
        ("1,23,456", "decimal_comma"),
        ("12.999", "more decimals"),
        ("12,99 €", "comma"),
        ("NaN", "not a figure"),
        ("1.2.3", "not a figure"),
    ],
)
def test_money_is_read_as_written_or_not_at_all(cell: str, units: int | str) -> None:
    read = reader("skus", {"columns": {"sku": "s", "title": "t", "price": "p"}}, "s,t,p")
    if isinstance(units, int):
        assert sku_body(read, ["A", "Apron", cell], "USD")[1]["price"] == {"amount": units, "currency": "USD"}
    else:
        with pytest.raises(Unreadable, match=units):
            sku_body(read, ["A", "Apron", cell], "USD")


def test_a_decimal_comma_said_to_be_one() -> None:
    price = {"column": "p", "transforms": ["decimal_comma"]}
    read = reader("skus", {"columns": {"sku": "s", "title": "t", "price": price}}, "s,t,p")
    assert sku_body(read, ["A", "Apron", "1.234,50"], "EUR")[1]["price"] == {
        "amount": 123450,
        "currency": "EUR",
    }


def test_a_quantity_is_never_guessed_at() -> None:
    read = reader("stock", "kept", "node,sku,on_hand")
    assert stock_body(read, ["N", "A", "1,500"], "USD")[1]["on_hand"] == 1500
    for cell, words in (("1,5", "comma"), ("1.5", "whole number"), ("many", "not a figure")):
        with pytest.raises(Unreadable, match=words):
            stock_body(read, ["N", "A", cell], "USD")


def test_a_column_that_is_read_stands_once() -> None:
    with pytest.raises(Problem, match="sku twice"):
        reader("stock", "kept", "node,sku,on_hand,sku")
    assert reader("stock", "kept", "node,sku,on_hand,note,note").sources


def cells(text: str | bytes, **options: str) -> list[tuple[int, list[str]]]:
    content = text if isinstance(text, bytes) else text.encode()
    return list(files.rows(io.BytesIO(content), **options))


def test_files_in_their_dialects() -> None:
    assert cells("\ufeffa,b\r\n1,2\r\n") == [(1, ["a", "b"]), (2, ["1", "2"])]
    assert cells("a;b\n1;Caf\u00e9".encode("latin-1")) == [(1, ["a", "b"]), (2, ["1", "Caf\u00e9"])]
    assert cells('a\tb\n"two\nlines"\tx\n\n3\t4') == [
        (1, ["a", "b"]),
        (2, ["two\nlines", "x"]),
        (5, ["3", "4"]),
    ]
    assert cells("a|b\n1|2", delimiter="|")[1] == (2, ["1", "2"])
    assert cells(b"a;b\n1;\x80 5\x81")[1] == (2, ["1", "\u20ac 5\ufffd"])
    assert cells('a,b\n1,"x"\n2,y"z')[1:] == [(2, ["1", "x"]), (3, ["2", 'y"z'])]


@pytest.mark.parametrize("tail", ['2,"two\n3,three\n', '2,"two'])
def test_a_quote_that_is_never_closed_swallows_nothing(tail: str) -> None:
    with pytest.raises(Problem, match="Line 3 cannot be read: a quote is opened there"):
        cells("a,b\n1,one\n" + tail)


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04\x00\x00", b"\x1f\x8bnot really", "\ufeffa".encode("utf-16")]
)
def test_files_that_are_no_tables(content: bytes) -> None:
    with pytest.raises(Problem) as found:
        cells(content)
    assert found.value.status == 422


def test_every_target_and_mapping_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "imports.md").read_text()
    for kind, targets in TARGETS.items():
        section = page.partition(f"`kind={kind}`")[2].partition("\n## ")[0]
        assert [target for target in targets if f"| `{target}` |" not in section] == []
    assert [name for name in NAMED if f"| `{name}` |" not in page] == []
