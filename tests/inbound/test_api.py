"""Inbound orders at the API's door: made, amended, received, canceled; refusals change nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app import integrity
from app.calendar import local_date
from app.inbound import listing
from tenants.scope import inside, operator
from tests.factories import Merchant


@pytest.fixture
def coming(merchant: Merchant) -> dict[str, Any]:
    """Ten mugs and four pens in a week."""
    merchant.drain()
    merchant.node("RENO")
    merchant.sku("MUG")
    merchant.sku("PEN")
    lines = [("MUG", 10, day(merchant, 7)), ("PEN", 4, day(merchant, 7))]
    return put(merchant, *lines)


def day(merchant: Merchant, days: int) -> str:
    with inside(merchant.tenant_id) as scope:
        return (local_date(scope.now(), scope.tenant.timezone) + timedelta(days=days)).isoformat()


def body(*lines: tuple[str, int, str | None], **fields: Any) -> dict[str, Any]:
    shown = [{"sku": sku, "quantity": units, "expected_on": on} for sku, units, on in lines]
    return {"supplier": "Dune Pottery", "node": "RENO", "lines": shown} | fields


def put(merchant: Merchant, *lines: tuple[str, int, str | None], **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = merchant.ok("PUT", "/inbound/PO-1", body(*lines, **fields))
    return made


def receipt(number: str, **units: int) -> dict[str, Any]:
    return {"receipt": number, "lines": [{"sku": sku, "quantity": count} for sku, count in units.items()]}


def on_hand(merchant: Merchant, sku: str) -> int:
    return sum(one["on_hand"] for one in merchant.ok("GET", f"/stock?sku={sku}")["data"])


def test_amended_it_keeps_the_first_day_and_says_what_changed(
    merchant: Merchant, coming: dict[str, Any]
) -> None:
    first = coming["lines"][0]["expected_on"]
    changed = put(merchant, ("MUG", 12, day(merchant, 9)))
    assert [(one["sku"], one["quantity"], one["first_expected_on"]) for one in changed["lines"]] == [
        ("MUG", 12, first)
    ]
    assert changed["lines"][0]["expected_on"] == day(merchant, 9)
    assert changed["ordered_on"] == coming["ordered_on"]
    assert [one["reference"] for one in merchant.ok("GET", "/inbound?state=open&sku=MUG")["data"]] == ["PO-1"]
    assert merchant.ok("GET", "/inbound?sku=PEN")["data"] == []


def test_a_delivery_is_taken_once_into_the_ledger(merchant: Merchant, coming: dict[str, Any]) -> None:
    for _ in range(2):
        taken = merchant.ok("POST", "/inbound/PO-1/receipts", receipt("GRN-1", MUG=6, PEN=4))
    assert [(one["sku"], one["received"], one["open"]) for one in taken["lines"]] == [
        ("MUG", 6, 4),
        ("PEN", 4, 0),
    ]
    assert (on_hand(merchant, "MUG"), on_hand(merchant, "PEN")) == (6, 4)
    moved = merchant.ok("GET", "/stock/movements?sku=MUG")["data"]
    assert [(one["cause"], one["delta"], one["reason"]) for one in moved] == [
        ("receipt", 6, "Received on PO-1 from Dune Pottery, GRN-1")
    ]
    again = merchant.post("/inbound/PO-1/receipts", receipt("GRN-1", MUG=5))
    assert (again.status_code, again.get_json()["type"].rpartition("/")[2]) == (409, "receipt-taken")
    assert taken["state"] == "open"
    assert merchant.ok("POST", "/inbound/PO-1/receipts", receipt("GRN-2", MUG=4))["state"] == "received"
    record = merchant.ok("GET", "/inbound/PO-1")["record"]
    assert record == {"lines": 2, "on_time": 2, "promised_days": 7.0, "real_days": 0.0}
    with operator() as session:
        assert not [one for one in integrity.check(session, merchant.tenant_id) if one.faults]


def test_the_books_find_units_that_came_past_the_ledger(merchant: Merchant, coming: dict[str, Any]) -> None:
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE inbound_lines SET received = 3 WHERE tenant_id = :tenant AND id = (SELECT i.id"
            " FROM inbound_lines i JOIN skus s ON s.tenant_id = :tenant AND s.id = i.sku_id"
            " WHERE i.tenant_id = :tenant AND s.code = 'MUG')"
        )
    with operator() as session:
        faults = [one for one in integrity.check(session, merchant.tenant_id) if one.faults]
    assert [one.book.name for one in faults] == [
        "what came of inbound orders is what the ledger received by them"
    ]
    assert "received 3, in the ledger 0" in faults[0].examples[0]


def test_another_supplier_or_day_of_the_order_is_written_down(
    merchant: Merchant, coming: dict[str, Any]
) -> None:
    lines = [("MUG", 10, day(merchant, 7)), ("PEN", 4, day(merchant, 7))]
    for fields in ({"supplier": "Mesa Clay"}, {"ordered_on": day(merchant, -3)}, {}):
        put(merchant, *lines, **{"supplier": "Mesa Clay"} | fields)
    with inside(merchant.tenant_id) as scope:
        rows = scope.rows(
            "SELECT detail FROM audit_entries WHERE tenant_id = :tenant AND action = 'inbound.saved' ORDER BY id"
        )
    assert [(row.detail["supplier"], row.detail["ordered_on"]) for row in rows] == [
        ("Dune Pottery", coming["ordered_on"]),
        ("Mesa Clay", coming["ordered_on"]),
        ("Mesa Clay", day(merchant, -3)),
    ]


def test_inbound_orders_are_counted_by_view_in_one_statement(
    merchant: Merchant, coming: dict[str, Any]
) -> None:
    merchant.ok("PUT", "/inbound/PO-2", body(("MUG", 1, day(merchant, -2))))
    with inside(merchant.tenant_id) as scope:
        assert listing.counts(scope) == {"open": 2, "late": 1, "received": 0, "cancelled": 0}


@pytest.mark.parametrize(
    ("path", "sent", "status", "code", "pointer"),
    [
        ("", body(("MUG", 5, "9999-12-31"), ("PEN", 4, None)), 422, "invalid", "/lines/0/expected_on"),
        ("", body(("MUG", 5, None), ("PEN", 4, "0001-01-01")), 422, "invalid", "/lines/1/expected_on"),
        ("", body(("MUG", 5, None), ordered_on="9999-12-31"), 422, "invalid", "/ordered_on"),
        ("", body(("MUG", 5, None), node="NOWHERE"), 422, "invalid", "/node"),
        ("", body(("MUG", 5, None), ("CUP", 5, None)), 422, "invalid", "/lines/1/sku"),
        ("", body(("MUG", 5, None), ("MUG", 5, None)), 422, "invalid", "/lines/1/sku"),
        ("", body(("MUG", 5, None), ("PEN", 1, None)), 422, "invalid", "/lines/1/quantity"),
        ("", body(("MUG", 5, None)), 409, "already-received", None),
        ("", body(("MUG", 5, None), ("PEN", 4, None), node="ELSEWHERE"), 409, "already-received", None),
        ("/receipts", receipt("G", MUG=11), 409, "more-than-ordered", None),
        ("/receipts", receipt("G", CUP=1), 422, "invalid", "/lines/0/sku"),
    ],
)
def test_a_refusal_names_the_field_and_changes_nothing(
    merchant: Merchant,
    coming: dict[str, Any],
    path: str,
    sent: dict[str, Any],
    status: int,
    code: str,
    pointer: str | None,
) -> None:
    merchant.node("ELSEWHERE")
    before = merchant.ok("POST", "/inbound/PO-1/receipts", receipt("GRN-1", PEN=2))
    answer = merchant.call("POST" if path else "PUT", f"/inbound/PO-1{path}", sent)
    problem = answer.get_json()
    assert (answer.status_code, problem["type"].rpartition("/")[2]) == (status, code), problem
    assert [one["pointer"] for one in problem.get("errors", [])] == ([pointer] if pointer else [])
    assert merchant.ok("GET", "/inbound/PO-1") == before
    assert on_hand(merchant, "MUG") == 0


def test_what_was_canceled_neither_comes_nor_changes(merchant: Merchant, coming: dict[str, Any]) -> None:
    merchant.ok("POST", "/inbound/PO-1/receipts", receipt("GRN-1", MUG=1))
    for _ in range(2):
        gone = merchant.ok("POST", "/inbound/PO-1/cancellation", {"reason": "the kiln is gone"})
    assert (gone["state"], [one["open"] for one in gone["lines"]]) == ("cancelled", [0, 0])
    for answer in (
        merchant.post("/inbound/PO-1/receipts", receipt("GRN-2", MUG=1)),
        merchant.put("/inbound/PO-1", body(("MUG", 5, None))),
    ):
        assert (answer.status_code, answer.get_json()["type"].rpartition("/")[2]) == (
            409,
            "inbound-cancelled",
        )
    assert on_hand(merchant, "MUG") == 1
