"""Which tender bears what, and what a card needs next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.payments.rules import (
    NOTHING,
    CardState,
    Next,
    concerns,
    covered,
    lapses_at,
    next_step,
    parts,
    refund_shares,
    renewal_at,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
KINDS = some.sampled_from(["card", "terms", "check", "cash", "external"])


def test_money_in_hand_covers_first_then_by_position() -> None:
    tenders = [("card", 50), ("check", 30), ("terms", 20)]
    assert parts(tenders, 25) == [0, 25, 0]
    assert parts(tenders, 60) == [30, 30, 0]
    assert parts(tenders, 100) == [50, 30, 20]
    assert parts(tenders, 0) == [0, 0, 0]


@given(
    some.lists(some.tuples(KINDS, some.integers(0, 10**9)), min_size=1, max_size=6), some.integers(0, 10**10)
)
def test_parts_are_within_the_tenders_and_lose_nothing(tenders: list[tuple[str, int]], value: int) -> None:
    shares = parts(tenders, value)
    assert all(0 <= share <= amount for share, (_, amount) in zip(shares, tenders, strict=True))
    assert sum(shares) == min(value, sum(amount for _, amount in tenders))


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (CardState(open=100), Next("authorize", 100)),
        (CardState(open=100, has_card=False), Next("ask", 100)),
        (CardState(open=100, refused=True), NOTHING),
        (CardState(open=100, authorizing=True), NOTHING),
        (CardState(open=100, held=(100,)), NOTHING),
        (CardState(open=60, held=(100,)), NOTHING),
        (CardState(open=100, held=(60,)), Next("authorize", 100)),
        (CardState(open=0, held=(100,)), Next("void", holds=(0,))),
        (CardState(open=0, held=(100,), voiding=True), NOTHING),
        (CardState(open=100, held=(100, 100)), Next("void", holds=(1,))),
        (CardState(open=100, held=(100,), waiting=40), Next("capture", 40)),
        (CardState(open=100, held=(100,), waiting=40, stuck=True), NOTHING),
        (CardState(open=100, held=(30,), waiting=40), Next("authorize", 100)),
        (CardState(open=100, waiting=40), Next("authorize", 100)),
        (CardState(open=100, waiting=40, refused=True), NOTHING),
        (CardState(open=100, held=(100,), waiting=40, capturing=True), NOTHING),
        (CardState(open=0, authorizing=True, asking=True), Next("drop")),
        (CardState(open=0, authorizing=True, asking=True, voiding=True), NOTHING),
        (CardState(open=100, authorizing=True, asking=True), NOTHING),
        (CardState(open=0), NOTHING),
    ],
)
def test_what_a_card_needs_next(card: CardState, expected: Next) -> None:
    assert next_step(card) == expected


def test_the_whole_grid_never_begins_two_things_nor_exceeds_a_hold() -> None:
    flags = ("authorizing", "asking", "capturing", "voiding", "refused", "stuck", "has_card")
    for open_, held, waiting in product((0, 40, 100), ((), (30,), (100,), (100, 60)), (None, 40)):
        for values in product((False, True), repeat=len(flags)):
            card = CardState(open_, held, waiting, **dict(zip(flags, values, strict=True)))
            step = next_step(card)
            if (card.capturing or card.authorizing) and not card.asking:
                assert step == NOTHING
            if step.step == "capture":
                assert (step.amount, step.amount <= card.held[0]) == (waiting, True)
            if step.step == "authorize":
                assert (step.amount, card.refused, card.authorizing) == (open_, False, False)
            if step.step == "void":
                assert not card.voiding
                assert card.open <= 0 or 0 not in step.holds


def test_covered_is_held_or_being_taken() -> None:
    assert covered(CardState(open=0))
    assert covered(CardState(open=100, held=(100,)))
    assert covered(CardState(open=100, capturing=True))
    assert not covered(CardState(open=100))
    assert not covered(replace(CardState(open=100), held=(99,)))


def test_a_renewal_comes_a_day_before_or_half_way() -> None:
    assert lapses_at(NOW, None) is None
    assert lapses_at(NOW, 86400) == NOW + timedelta(days=1)
    assert renewal_at(NOW, NOW + timedelta(days=7)) == NOW + timedelta(days=6)
    assert renewal_at(NOW, NOW + timedelta(hours=10)) == NOW + timedelta(hours=5)


def test_a_refund_over_captures_never_exceeds_them() -> None:
    assert refund_shares([(100, 0), (50, 20)], 120) == [100, 20]
    assert refund_shares([(100, 100), (50, 0)], 50) == [0, 50]
    with pytest.raises(ValueError, match="more than was captured"):
        refund_shares([(100, 0), (50, 20)], 131)


@pytest.mark.parametrize(
    ("event", "kind", "outcome", "ended", "expected"),
    [
        ("payment_intent.created", "authorize", "pending", False, True),
        ("anything", "refund", "unknown", False, True),
        ("payment_intent.canceled", "authorize", "succeeded", False, True),
        ("payment_intent.canceled", "authorize", "succeeded", True, False),
        ("payment_intent.amount_capturable_updated", "authorize", "succeeded", False, False),
        ("refund.failed", "refund", "succeeded", False, True),
        ("refund.created", "refund", "succeeded", False, False),
        ("payment_intent.payment_failed", "authorize", "failed", True, False),
    ],
)
def test_which_events_make_us_ask(event: str, kind: str, outcome: str, ended: bool, expected: bool) -> None:
    assert concerns(event, kind, outcome, ended) is expected
