"""By which way a message goes and when: order, patience, deadlines, quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.notices.addresses import telephone
from app.notices.ways import (
    MARGIN,
    PATIENCE,
    Attempt,
    Exhausted,
    GiveUp,
    Quiet,
    Take,
    Wait,
    Way,
    decide,
    tries_again_at,
    ways,
)

NOON = datetime(2026, 12, 1, 17, tzinfo=UTC)  # in New York
NIGHT = datetime(2026, 12, 2, 3, tzinfo=UTC)  # ten in the evening
MORNING = datetime(2026, 12, 2, 13, tzinfo=UTC)  # eight o'clock
QUIET = Quiet(21, 8, courtesy=True, zone="America/New_York")
NONE = Quiet(0, 0, courtesy=True, zone="America/New_York")
EMAIL, SMS, POST = Way("email", "a@b.example"), Way("sms", "+12025550136"), Way("post", "12 Elm St")
ALL = [EMAIL, SMS, POST]


def attempt(number: int, way: Way, *states: str, begun: datetime = NOON) -> Attempt:
    return Attempt(number, way, begun, frozenset({"started", *states}))


def test_the_buyers_choice_comes_first_then_the_merchants_order_of_what_leads_somewhere() -> None:
    addresses = {"email": "a@b.example", "sms": "", "post": "12 Elm St"}
    assert [way.channel for way in ways(("email", "sms", "post"), addresses)] == ["email", "post"]
    assert [way.channel for way in ways(("email", "sms", "post"), addresses, "post")] == ["post", "email"]
    assert [way.channel for way in ways(("email",), addresses, "post")] == ["email"]


@pytest.mark.parametrize(
    ("attempts", "step"),
    [
        ([], Take(1, EMAIL)),
        ([attempt(1, EMAIL)], Take(1, EMAIL)),
        ([attempt(1, EMAIL, "deferred")], Take(1, EMAIL)),
        ([attempt(1, EMAIL, "refused")], Take(2, SMS)),
        ([attempt(1, EMAIL, "accepted", "bounced")], Take(2, SMS)),
        ([attempt(1, EMAIL, "bounced"), attempt(2, SMS, "given_up")], Take(3, POST)),
        ([attempt(1, EMAIL, "refused"), attempt(2, SMS, "refused"), attempt(3, POST, "refused")],
         Exhausted("No way leads to the buyer.")),
    ],
)  # fmt: skip
def test_one_way_after_another(attempts: list[Attempt], step: object) -> None:
    assert decide(NOON, ALL, attempts, NONE, send_by=None, courtesy=False) == step


def test_a_way_that_does_not_answer_is_left_after_a_while_or_while_there_is_time_for_another() -> None:
    tried = attempt(1, EMAIL, "deferred", begun=NOON - PATIENCE)
    assert decide(NOON, ALL, [tried], NONE, send_by=None, courtesy=False) == GiveUp(tried)
    near = NOON + MARGIN
    tried = attempt(1, EMAIL, "deferred", begun=NOON - timedelta(minutes=1))
    assert decide(NOON, ALL, [tried], NONE, send_by=near, courtesy=False) == GiveUp(tried)
    early = near + timedelta(minutes=1)
    assert decide(NOON, ALL, [tried], NONE, send_by=early, courtesy=False) == Take(1, EMAIL)


def test_the_last_way_is_tried_to_the_last_moment_and_not_after_it() -> None:
    tried = attempt(1, EMAIL, "deferred", begun=NOON - timedelta(days=2))
    late = NOON + timedelta(seconds=1)
    assert decide(NOON, [EMAIL], [tried], NONE, send_by=late, courtesy=False) == Take(1, EMAIL)
    assert isinstance(decide(NOON, [EMAIL], [tried], NONE, send_by=NOON, courtesy=False), Exhausted)
    assert isinstance(decide(NOON, ALL, [], NONE, send_by=NOON, courtesy=False), Exhausted)


def test_a_letter_waits_for_a_person_until_the_next_way_must_be_taken() -> None:
    lies, send_by = attempt(1, POST), NOON + timedelta(days=3)
    assert decide(NOON, [POST, EMAIL], [lies], NONE, send_by=send_by, courtesy=False) == Wait(
        send_by - MARGIN
    )
    assert decide(send_by - MARGIN, [POST, EMAIL], [lies], NONE, send_by=send_by, courtesy=False) == GiveUp(
        lies
    )
    soon = NOON + timedelta(hours=20)
    assert decide(NOON, [POST, EMAIL], [], NONE, send_by=soon, courtesy=False) == Take(1, EMAIL)
    assert decide(NOON, [POST], [], NONE, send_by=soon, courtesy=False) == Take(1, POST)


@pytest.mark.parametrize(
    ("way", "courtesy", "send_by", "step"),
    [
        (SMS, False, None, Wait(MORNING)),
        (EMAIL, True, None, Wait(MORNING)),
        (EMAIL, False, None, Take(1, EMAIL)),
        (POST, True, None, Take(1, POST)),
        (SMS, False, MORNING + MARGIN + timedelta(minutes=1), Wait(MORNING)),
        (SMS, False, MORNING + MARGIN, Take(1, SMS)),
        (SMS, False, MORNING - timedelta(hours=2), Take(1, SMS)),
    ],
)
def test_quiet_hours_give_way_to_a_deadline(
    way: Way, courtesy: bool, send_by: datetime | None, step: object
) -> None:
    assert decide(NIGHT, [way], [], QUIET, send_by=send_by, courtesy=courtesy) == step


@pytest.mark.parametrize(
    ("now", "begins", "ends", "over"),
    [
        (NIGHT, 21, 8, MORNING),
        (MORNING, 21, 8, MORNING),
        (NIGHT + timedelta(hours=6), 21, 8, MORNING),
        (NOON, 21, 8, NOON),
        (NOON, 12, 14, NOON + timedelta(hours=2)),
        (NOON, 0, 0, NOON),
        # The night in which the clock goes forward, 2027-03-14: eight o'clock is an hour nearer.
        (datetime(2027, 3, 14, 6, 30, tzinfo=UTC), 21, 8, datetime(2027, 3, 14, 12, tzinfo=UTC)),
        (datetime(2027, 3, 14, 3, tzinfo=UTC), 21, 8, datetime(2027, 3, 14, 12, tzinfo=UTC)),
    ],
)
def test_when_quiet_hours_are_over_by_the_buyers_clock(
    now: datetime, begins: int, ends: int, over: datetime
) -> None:
    assert Quiet(begins, ends, courtesy=True, zone="America/New_York").over(now) == over


def test_pauses_double_and_end_when_the_way_is_left() -> None:
    def pause(elapsed: timedelta, send_by: datetime | None = None) -> timedelta:
        return tries_again_at(NOON, attempt(1, EMAIL, begun=NOON - elapsed), True, send_by) - NOON

    assert [pause(timedelta(minutes=n)) for n in (0, 1, 3, 100)] == [
        timedelta(minutes=1), timedelta(minutes=1), timedelta(minutes=3), timedelta(hours=1)]  # fmt: skip
    assert pause(timedelta(hours=3, minutes=59)) == timedelta(minutes=1)
    assert pause(timedelta(minutes=50), NOON + MARGIN + timedelta(minutes=5)) == timedelta(minutes=5)
    assert pause(timedelta(minutes=50), NOON + timedelta(minutes=1)) == timedelta(0)


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("(202) 555-0136", "+12025550136"),
        ("1 202 555 0136", "+12025550136"),
        ("+44 20 7946 0018", "+442079460018"),
        ("555-0136", ""),
        ("", ""),
        ("call me", ""),
    ],
)
def test_a_telephone_number_as_gateways_take_it(given: str, number: str) -> None:
    assert telephone(given) == number
