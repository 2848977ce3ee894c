"""The provider's handshake, as a grid: every action in every state, with the refusal by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.fulfillment import rules
from app.fulfillment.vocabulary import REQUEST, WORK
from infra.errors import Problem

ALLOWED = {
    "accept": {"submitted"},
    "reject": {"submitted", "accepted"},
    "pick": {"accepted"},
    "pack": {"accepted"},
    "ship": {"accepted", "cancel_requested"},
    "answer": {"cancel_requested"},
}


def expected(action: str, request: str, work: str) -> str | None:
    if request not in ALLOWED[action]:
        return f"request-{request.replace('_', '-')}"
    if work in ("shipped", "incomplete", "cancelled"):
        return f"work-{work}"
    return "work-packed" if action == "pick" and work == "packed" else None


@pytest.mark.parametrize("action", rules.ACTIONS)
@pytest.mark.parametrize("request_status", REQUEST)
@pytest.mark.parametrize("work_status", WORK)
def test_every_action_in_every_state(action: str, request_status: str, work_status: str) -> None:
    code = expected(action, request_status, work_status)
    if code is None:
        rules.check(action, request_status, work_status)
        return
    with pytest.raises(Problem) as refusal:
        rules.check(action, request_status, work_status)
    assert (refusal.value.status, refusal.value.code) == (409, code)


def line(sku: str = "MUG", quantity: int = 5, **counters: int) -> dict[str, Any]:
    zero = {"picked": 0, "packed": 0, "shipped": 0, "released": 0}
    return {"sku": sku, "quantity": quantity} | zero | counters


def test_the_oldest_line_of_a_sku_gives_first() -> None:
    first, other, second = line(quantity=2), line("CUP", 9), line(quantity=3)
    lines = [(one, rules.open_units(one)) for one in (first, other, second)]
    assert rules.assign({"MUG": 4}, lines) == [(first, 2), (second, 2)]
    assert rules.assign(None, lines) == [(first, 2), (other, 9), (second, 3)]


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"MUG": 6}, 409, "more-than-open"),
        ({"PAN": 1}, 422, "invalid"),
        ({"MUG": 1, "PAN": 1}, 422, "invalid"),
    ],
)
def test_too_many_or_strange_units_are_refused(wanted: dict[str, int], status: int, code: str) -> None:
    with pytest.raises(Problem) as refusal:
        rules.assign(wanted, [(line(), 5)])
    assert (refusal.value.status, refusal.value.code) == (status, code)


@pytest.mark.parametrize(
    ("counters", "ended"),
    [
        ({}, None),
        ({"shipped": 4}, None),
        ({"shipped": 5}, "shipped"),
        ({"shipped": 3, "released": 2}, "incomplete"),
        ({"released": 5}, "cancelled"),
    ],
)
def test_how_work_ends(counters: dict[str, int], ended: str | None) -> None:
    assert rules.outcome([line(**counters)]) == ended


@pytest.mark.parametrize(
    ("counters", "unpicked", "unpacked"),
    [({}, 5, 5), ({"picked": 2}, 3, 5), ({"picked": 3, "released": 2}, 0, 3), ({"shipped": 2}, 3, 3)],
)
def test_what_is_left_to_pick_and_pack(counters: dict[str, int], unpicked: int, unpacked: int) -> None:
    assert (rules.unpicked(line(**counters)), rules.unpacked(line(**counters))) == (unpicked, unpacked)


def test_a_repeat_is_told_by_number_or_time_not_by_units_alone() -> None:
    report = {"kind": "carrier", "carrier": "UPS", "tracking_number": "", "shipped_at": None}
    assert rules.report_digest(report, {"MUG": 1}) is None
    numbered = report | {"tracking_number": "1Z"}
    assert rules.report_digest(numbered, {"MUG": 1}) == rules.report_digest(numbered, {"MUG": 1})
    at = datetime(2026, 6, 1, tzinfo=UTC)
    digests = {
        rules.report_digest(one, units)
        for one in (
            numbered,
            numbered | {"carrier": "DHL"},
            numbered | {"shipped_at": at},
            report | {"shipped_at": at},
        )
        for units in ({"MUG": 1}, {"MUG": 2})
    }
    assert len(digests) == 8


def test_a_hand_over_lies_in_the_past_give_or_take_a_clock() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    rules.check_time(now + timedelta(minutes=5), now)
    with pytest.raises(Problem) as refusal:
        rules.check_time(now + timedelta(minutes=6), now)
    assert refusal.value.status == 422


@pytest.mark.parametrize("kind", ["payment", "fraud", "address", "credit", "manual", "review"])
def test_a_hold_is_named(kind: str) -> None:
    rules.check_holds([])
    with pytest.raises(Problem) as refusal:
        rules.check_holds([kind])
    assert (refusal.value.status, refusal.value.code) == (409, f"hold-{kind}")


@pytest.mark.parametrize(
    ("cancelled", "authorized", "other", "goes"),
    [
        (0, 0, 0, False),
        (0, 99, 0, False),
        (0, 100, 0, True),
        (0, 60, 40, True),
        (0, 0, 100, True),
        (40, 60, 0, True),
    ],
)
def test_work_goes_out_when_all_that_is_wanted_is_covered(
    cancelled: int, authorized: int, other: int, goes: bool
) -> None:
    assert rules.payment_allows(total=100, cancelled=cancelled, authorized=authorized, other=other) is goes
