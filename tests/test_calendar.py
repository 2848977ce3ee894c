import csv
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.calendar import (
    UnknownZone,
    add_month,
    add_weeks,
    add_working_days,
    day_in_words,
    earliest_local_date,
    end_of_day,
    federal_holidays,
    is_working_day,
    local_date,
    strict_deadline,
    time_in_words,
    zone,
)

SHARED = Path(__file__).resolve().parents[2] / "shared/data/calendar/us_federal_holidays_2023_2030.csv"
NY, LA = "America/New_York", "America/Los_Angeles"


@pytest.mark.skipif(not SHARED.exists(), reason="the shared holiday table is not on this machine")
def test_the_federal_holidays_are_those_of_the_shared_table():
    with SHARED.open(encoding="utf-8") as lines:
        listed = {date.fromisoformat(row["date"]) for row in csv.DictReader(lines)}
    assert set().union(*(federal_holidays(year) for year in range(2023, 2031))) == listed


def test_an_observed_friday_is_free_unless_strict():
    friday, monday = date(2026, 7, 3), date(2027, 7, 5)
    assert not is_working_day(friday)
    assert is_working_day(friday, strict=True)
    assert not is_working_day(monday)
    assert not is_working_day(monday, strict=True)
    assert is_working_day(date(2027, 12, 31), strict=True)  # observed for New Year's Day of the next year
    assert not is_working_day(date(2027, 12, 31))


@pytest.mark.parametrize(
    ("start", "count", "legal", "strict"),
    [
        (date(2026, 1, 31), 7, date(2026, 2, 10), date(2026, 2, 10)),
        (date(2026, 12, 18), 7, date(2026, 12, 30), date(2026, 12, 30)),
        (date(2027, 12, 22), 7, date(2028, 1, 4), date(2027, 12, 31)),
        (date(2026, 7, 1), 7, date(2026, 7, 13), date(2026, 7, 10)),
        (date(2026, 7, 1), 0, date(2026, 7, 1), date(2026, 7, 1)),
    ],
)
def test_working_days_count_from_the_day_after(start, count, legal, strict):
    assert add_working_days(start, count) == legal
    assert add_working_days(start, count, strict=True) == strict


def test_working_days_are_not_counted_backward():
    with pytest.raises(ValueError):
        add_working_days(date(2026, 1, 1), -1)


@pytest.mark.parametrize(
    ("day", "name", "instant"),
    [
        (date(2026, 1, 31), NY, datetime(2026, 2, 1, 5, tzinfo=UTC)),
        (date(2026, 7, 31), NY, datetime(2026, 8, 1, 4, tzinfo=UTC)),
        (date(2026, 3, 8), NY, datetime(2026, 3, 9, 4, tzinfo=UTC)),  # a day of 23 hours
        (date(2026, 11, 1), NY, datetime(2026, 11, 2, 5, tzinfo=UTC)),  # a day of 25 hours
        (date(2026, 9, 5), "America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),  # midnight skipped
        (date(2026, 10, 31), "America/Havana", datetime(2026, 11, 1, 4, tzinfo=UTC)),  # midnight repeated
    ],
)
def test_a_day_ends_at_the_first_instant_of_the_next(day, name, instant):
    assert end_of_day(day, name) == instant
    assert local_date(instant, name) == day + timedelta(days=1)
    assert local_date(instant - timedelta(microseconds=1), name) == day


def test_the_strict_deadline_is_the_earliest_midnight_and_the_strict_day_the_earliest_date():
    assert strict_deadline(date(2026, 1, 31), [LA, NY]) == end_of_day(date(2026, 1, 31), NY)
    assert earliest_local_date(datetime(2026, 1, 2, 7, 30, tzinfo=UTC), [NY, LA]) == date(2026, 1, 1)


def test_an_instant_needs_a_zone_and_a_zone_must_exist():
    with pytest.raises(ValueError):
        local_date(datetime(2026, 1, 1), NY)
    for name in ("America/Gotham", "", "../etc/passwd", "/etc/localtime"):
        with pytest.raises(UnknownZone):
            zone(name)


def test_weeks_and_months():
    assert add_weeks(date(2026, 4, 1), 8) == date(2026, 5, 27)
    assert add_month(date(2026, 1, 31)) == date(2026, 2, 28)
    assert add_month(date(2026, 12, 15)) == date(2027, 1, 15)


def test_days_and_times_in_words():
    day = date(2026, 12, 4)
    assert day_in_words(day, today=date(2026, 11, 1)) == "Fri, Dec 4"
    assert day_in_words(day, today=date(2027, 1, 1)) == day_in_words(day) == "Fri, Dec 4, 2026"
    assert day_in_words(day, today=day, long=True) == "Friday, December 4"
    noon = datetime(2026, 12, 4, 21, 40, tzinfo=timezone(timedelta(0)))
    assert time_in_words(noon, NY) == "4:40 PM EST"
    assert time_in_words(noon - timedelta(hours=16, minutes=35), NY) == "12:05 AM EST"
