"""Who gives units back: values in, values out."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from app.allocation.rules import give_back, outcome, take_from
from app.inventory.rules import parts, target

A, B, C = (UUID(int=number) for number in (1, 2, 3))


def holder(id_: UUID, open_: int, held: int, each: int = 1) -> dict:
    return {"id": id_, "open": open_, "each": each, "held": held}


@pytest.mark.parametrize(
    ("short", "holders", "expected"),
    [
        (0, [holder(A, 5, 5)], {}),
        (3, [], {}),
        (3, [holder(A, 5, 5), holder(B, 5, 5)], {A: 3}),
        (7, [holder(A, 5, 5), holder(B, 5, 5)], {A: 5, B: 2}),
        (3, [holder(A, 5, 2), holder(B, 5, 5)], {A: 2, B: 1}),
        (3, [holder(A, 4, 8, each=2)], {A: 2}),
        (9, [holder(A, 4, 8, each=2), holder(B, 1, 1)], {A: 4, B: 1}),
        (5, [holder(A, 2, 3, each=2), holder(B, 9, 9)], {A: 2, B: 2}),
    ],
)
def test_the_first_holders_give_back_until_enough_is_free(short, holders, expected):
    assert give_back(short, holders) == expected


def reservation(id_: UUID, line: UUID, quantity: int, position: UUID | None = None) -> dict:
    return {"id": id_, "order_line_id": line, "sku_id": C, "quantity": quantity, "position_id": position}


def test_the_newest_reservation_gives_first_unless_another_position_is_short():
    held = [reservation(A, C, 3, position=A), reservation(B, C, 3, position=B)]
    assert take_from(held, {(C, C): 4}) == {B: 3, A: 1}
    assert take_from(held, {(C, C): 4}, short={A}) == {A: 3, B: 1}


def test_reservations_that_hold_too_little_are_an_error():
    with pytest.raises(ValueError, match="less than the work"):
        take_from([reservation(A, C, 1)], {(C, C): 2})


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([(3, 0, 2)], None),
        ([(3, 0, 3)], "cancelled"),
        ([(3, 1, 2)], "incomplete"),
        ([(3, 0, 3), (2, 2, 0)], "incomplete"),
        ([(3, 0, 3), (2, 1, 0)], None),
    ],
)
def test_work_ends_when_nothing_is_open(lines, expected):
    rows = [{"quantity": q, "shipped": s, "released": r} for q, s, r in lines]
    assert outcome(rows) == expected


def test_a_kit_is_its_parts_and_everything_else_itself():
    own = uuid4()
    frozen = [{"sku_id": str(A), "quantity": 2}, {"sku_id": str(B), "quantity": 1}]
    assert parts("stock", own, []) == [(own, 1)]
    assert parts("kit", own, frozen) == [(A, 2), (B, 1)]


def test_a_delta_moves_and_a_figure_sets():
    assert target(5, {"delta": -7}) == -2
    assert target(5, {"on_hand": 0}) == 0
