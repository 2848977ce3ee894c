"""Where canceled units come from, walked over every kind of place they can be."""

from __future__ import annotations

from typing import Any

import pytest

from app.cancellation.rules import cancellable, plan
from infra.errors import Problem


def line(ordered: int = 4, **counters: int) -> dict[str, Any]:
    zero = {"cancelled": 0, "backordered": 0, "allocated": 0, "shipped": 0}
    return {"id": "L", "sku": "MUG", "ordered": ordered} | zero | counters


def work(status: str, quantity: int, name: str = "", **counters: int) -> dict[str, Any]:
    zero = {"shipped": 0, "released": 0, "cancel_requested": 0}
    return (
        {
            "id": name or status,
            "order_line_id": "L",
            "request_status": status,
            "quantity": quantity,
        }
        | zero
        | counters
    )


@pytest.mark.parametrize(
    ("status", "place"),
    [("held", "withdrawn"), ("submitted", "withdrawn"), ("accepted", "asked"), ("cancel_requested", "asked")],
)
@pytest.mark.parametrize("units", [None, 1, 2])
def test_each_state_of_work_has_its_way(status: str, place: str, units: int | None) -> None:
    made = plan([line(2, allocated=2)], [work(status, 2)], {"L": units})
    assert getattr(made, place) == {status: units or 2}
    assert not made.waiting
    assert not (made.asked if place == "withdrawn" else made.withdrawn)


def test_what_is_cheapest_to_undo_goes_first() -> None:
    lines = [line(8, backordered=2, allocated=6)]
    works = [work("accepted", 2), work("submitted", 2), work("held", 2)]
    assert plan(lines, works, {"L": 3}).waiting == {"L": 2}
    assert plan(lines, works, {"L": 3}).withdrawn == {"held": 1}
    all_of_it = plan(lines, works, None)
    assert all_of_it.waiting == {"L": 2}
    assert all_of_it.withdrawn == {"held": 2, "submitted": 2}
    assert all_of_it.asked == {"accepted": 2}


def test_units_that_were_asked_for_are_not_asked_for_again() -> None:
    asked = work("cancel_requested", 3, cancel_requested=2)
    assert cancellable(line(3, allocated=3), [asked]) == 1
    assert plan([line(3, allocated=3)], [asked], None).asked == {"cancel_requested": 1}


@pytest.mark.parametrize(
    ("counters", "wanted", "code"),
    [
        ({"shipped": 4}, None, "nothing-open"),
        ({"cancelled": 4}, None, "nothing-open"),
        ({"shipped": 4}, {"L": None}, "too-few-open"),
        ({"shipped": 3, "backordered": 1}, {"L": 2}, "too-few-open"),
        ({"cancelled": 3, "backordered": 1}, {"L": 4}, "too-few-open"),
    ],
)
def test_refusals_by_name(counters: dict[str, int], wanted: Any, code: str) -> None:
    with pytest.raises(Problem) as refusal:
        plan([line(4, **counters)], [], wanted)
    assert (refusal.value.status, refusal.value.code) == (409, code)


def test_the_refusal_says_how_many_can() -> None:
    with pytest.raises(Problem, match="1 of 4 units of MUG can be canceled"):
        plan([line(4, shipped=3, backordered=1)], [], {"L": 3})
