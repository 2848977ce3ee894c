"""When a line is looked at, and when it counts as late. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.promises.rules import PromiseInput, clock
from app.promises.states import advance, opened
from app.promises.timing import decide_at, final_call, first_look, is_late, last_call, next_look, proposed_day
from app.promises.vocabulary import NoticeSent, State

NEW_YORK = "America/New_York"
MADE = datetime(2026, 2, 10, 17, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def promised(days: int) -> State:
    return opened(clock(MADE, NEW_YORK, NEW_YORK, PromiseInput(within=days)))


STATE = promised(19)  # by Sunday, March 1
END = datetime(2026, 3, 2, 5, tzinfo=UTC)
FRIDAY = datetime(2026, 2, 27, 5, tzinfo=UTC)


def test_the_last_call_is_a_working_day_before_and_never_before_half_of_the_time() -> None:
    assert STATE.expires_at == END
    assert last_call(END, MADE) == FRIDAY
    assert last_call(MADE + 2 * DAY, MADE) == MADE + DAY


def test_a_line_is_looked_at_to_decide_at_the_last_call_at_the_final_one_and_at_the_end() -> None:
    looks, now = [], MADE
    while now < END:
        found = next_look(STATE, END - 6 * HOUR, MADE, now)
        assert found is not None
        looks.append(found)
        now = found
    assert looks == [decide_at(END, 5), FRIDAY, END - 3 * HOUR, END]
    assert first_look(END, MADE, 5) == looks[0]
    assert next_look(STATE, None, MADE, END + DAY) == END, "what has passed is due at once"


@pytest.mark.parametrize(
    ("expected", "now", "late"),
    [
        (END, MADE, True),
        (END - HOUR, MADE, False),
        (END - HOUR, END - 2 * HOUR, False),
        (END - HOUR, END - HOUR, True),
        (FRIDAY, END - 4 * HOUR, False),
        (FRIDAY, END - 3 * HOUR, True),
        (None, FRIDAY - HOUR, False),
        (None, FRIDAY, True),
        (None, END, False),
    ],
)
def test_late_is_what_is_known_to_be_or_what_nobody_knows_at_the_last_moment(
    expected: datetime | None, now: datetime, *, late: bool
) -> None:
    assert is_late(STATE, expected, MADE, now) is late


def test_who_was_asked_and_need_only_answer_is_not_asked_again() -> None:
    asked = advance(STATE, NoticeSent(MADE + DAY, "one", None)).state
    assert not is_late(asked, None, MADE + DAY, END - HOUR)
    assert next_look(asked, None, MADE + DAY, MADE + 2 * DAY) == asked.expires_at
    assert final_call(END, FRIDAY) == END - 3 * HOUR


def test_the_day_offered_is_after_the_one_in_force() -> None:
    assert str(proposed_day(STATE, END + HOUR, MADE, NEW_YORK)) == "2026-03-02"
    assert str(proposed_day(STATE, END + 9 * DAY, MADE, NEW_YORK)) == "2026-03-11"
    assert proposed_day(STATE, None, MADE, NEW_YORK) is None
    assert proposed_day(STATE, MADE - DAY, MADE, NEW_YORK) is None
