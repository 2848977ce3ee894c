"""Who is served by which delivery, without a database."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from uuid import UUID

import pytest

from app.inbound.rules import Demand, Supply, attribute, in_words, standing, unreserved

MUG, PEN = UUID(int=1), UUID(int=2)
TODAY = date(2026, 3, 10)


def demand(line: int, units: int, sku: UUID = MUG) -> Demand:
    return Demand(UUID(int=100 + line), sku, units)


def supply(line: int, units: int, day: int, sku: UUID = MUG, reference: str = "") -> Supply:
    return Supply(UUID(int=line), sku, units, date(2026, 3, day), reference or f"PO-{line}", "Dune", "RENO")


def served(shares: list) -> list[tuple[int, str | None, int]]:
    return [(one.demand.line.int - 100, one.supply and one.supply.reference, one.units) for one in shares]


def test_the_first_to_wait_is_served_from_the_shelf_then_by_day() -> None:
    shares = attribute(
        [demand(1, 3), demand(2, 4), demand(3, 9)], {MUG: 2}, [supply(8, 5, 20), supply(9, 4, 12)]
    )
    assert served(shares) == [
        (1, None, 2),
        (1, "PO-9", 1),
        (2, "PO-9", 3),
        (2, "PO-8", 1),
        (3, "PO-8", 4),
    ], "five units of the third have no supply"


def test_each_sku_has_its_own_queue_and_units_nobody_waits_for_stay() -> None:
    supplies = [supply(8, 5, 20), supply(9, 4, 12, PEN)]
    shares = attribute([demand(1, 2), demand(1, 1, PEN)], {PEN: 1}, supplies)
    assert served(shares) == [(1, "PO-8", 2), (1, None, 1)]
    assert [(one.reference, free) for one, free in unreserved(supplies, shares)] == [("PO-9", 4), ("PO-8", 3)]


def test_the_order_in_which_deliveries_are_read_changes_nothing() -> None:
    supplies = [supply(3, 1, 12, reference="B"), supply(4, 1, 12, reference="A"), supply(5, 1, 11)]
    ways = {tuple(served(attribute([demand(1, 2)], {}, order))) for order in permutations(supplies)}
    assert ways == {((1, "PO-5", 1), (1, "A", 1))}


@pytest.mark.parametrize(
    ("lines", "cancelled", "state"),
    [
        ([(5, 0, TODAY)], None, "open"),
        ([(5, 0, date(2026, 3, 9))], None, "late"),
        ([(5, 5, date(2026, 3, 9)), (5, 0, None)], None, "undated"),
        ([(5, 5, None)], None, "received"),
        ([(5, 2, TODAY)], TODAY, "cancelled"),
    ],
)
def test_how_an_order_stands(lines: list, cancelled: date | None, state: str) -> None:
    rows = [{"quantity": units, "received": came, "expected_on": day} for units, came, day in lines]
    assert standing({"cancelled_at": cancelled}, rows, TODAY) == state


def test_a_suppliers_record_in_words() -> None:
    assert in_words(None) == "no delivery on record"
    record = {"lines": 4, "on_time": 3, "promised_days": 20.0, "real_days": 22.5}
    assert in_words(record) == "3 of 4 on time; promised in 20 days, came in 22.5"
