"""Figures, dates and times read as the look's chapter "Words" says."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.money import Money
from app.pages import formats

EASTERN = "America/New_York"
TODAY = date(2026, 11, 24)
PLACED = datetime(2026, 11, 21, 23, 12, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (3780, "USD", "$37.80"),
        (-3780, "USD", "−$37.80"),
        (128450, "USD", "$1,284.50"),
        (1500, "JPY", "¥1,500"),
        (1500, "KWD", "KWD 1.500"),
        (Money(5, "EUR"), "USD", "€0.05"),
        (None, "USD", "–"),
    ],
)
def test_money_has_its_currencys_decimals_and_a_true_minus(amount, currency, text) -> None:
    assert formats.money(amount, currency) == text


def test_a_difference_shows_its_sign() -> None:
    assert [formats.signed_money(value) for value in (355, -31, 0, None)] == [
        "+$3.55",
        "−$0.31",
        "$0.00",
        "–",
    ]
    assert [formats.signed_number(value) for value in (28, -4, 0, None)] == ["+28", "−4", "0", "–"]
    assert [formats.signed_percent(value, 1) for value in (0.0123, -0.004, 0, None)] == [
        "+1.2%",
        "−0.4%",
        "0.0%",
        "–",
    ]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1268, 0, "1,268"), (-4, 0, "−4"), (0.5, 0, "1"), (2.45, 1, "2.5"), (-0.2, 0, "0"), (None, 0, "–")],
)
def test_numbers(value, decimals, text) -> None:
    assert formats.number(value, decimals) == text


def test_shares_and_distances() -> None:
    assert [formats.percent(0.156), formats.percent(0.156, 1), formats.percent(1.04)] == [
        "16%",
        "15.6%",
        "104%",
    ]
    assert [formats.miles(m) for m in (338.7, 1, 0.42, 1717, None)] == [
        "339 miles", "1 mile", "0.4 miles", "1,717 miles", "–"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (3, "3 s"),
        (252, "4 min 12 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (273600, "3 days 4 h"),
    ],
)
def test_durations_show_two_units(seconds, text) -> None:
    assert formats.duration(seconds) == text


def test_dates_name_the_year_only_when_it_is_another() -> None:
    assert formats.short_date(date(2026, 12, 4), EASTERN, TODAY) == "Fri, Dec 4"
    assert formats.short_date(date(2027, 1, 4), EASTERN, TODAY) == "Mon, Jan 4, 2027"
    assert formats.short_date(date(2026, 12, 4), EASTERN, TODAY, weekday=False) == "Dec 4"
    assert formats.long_date(date(2026, 12, 4), EASTERN, TODAY) == "Friday, December 4"
    assert formats.short_date(None, EASTERN, TODAY) == "–"


def test_moments_are_shown_in_the_tenants_zone() -> None:
    late_evening = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
    assert formats.short_date(late_evening, EASTERN, TODAY) == "Mon, Nov 23"
    assert formats.clock_time(PLACED, EASTERN) == "6:12 PM"
    assert formats.clock_time(datetime(2026, 11, 24, 5, 0, tzinfo=UTC), EASTERN) == "12:00 AM"
    assert formats.moment(datetime(2026, 11, 24, 14, 20, tzinfo=UTC), EASTERN, TODAY) == "Today, 9:20 AM"
    assert formats.moment(late_evening, EASTERN, TODAY) == "Yesterday, 11:30 PM"
    assert formats.moment(PLACED, EASTERN, TODAY) == "Nov 21, 6:12 PM"
    assert formats.brief(datetime(2026, 11, 24, 15, 38, tzinfo=UTC), EASTERN, TODAY) == "10:38 AM"
    assert formats.brief(PLACED, EASTERN, TODAY) == "Nov 21"


def test_hovering_shows_seconds_and_zone() -> None:
    assert formats.exact(PLACED, EASTERN) == "Nov 21, 2026, 6:12:09 PM Eastern"
    assert formats.exact(PLACED, "Europe/Berlin") == "Nov 22, 2026, 12:12:09 AM CET"
    assert (
        formats.stands_at(datetime(2026, 11, 26, 14, 5, tzinfo=UTC), EASTERN) == "Thu, Nov 26, 2026, 9:05 AM"
    )
    tag = formats.time_tag(PLACED, "<6 PM>", EASTERN)
    assert tag == (
        '<time datetime="2026-11-21T23:12:09+00:00" title="Nov 21, 2026, 6:12:09 PM Eastern">&lt;6 PM&gt;</time>'
    )


def test_days_are_counted_from_today() -> None:
    days = [date(2026, 11, day) for day in (22, 23, 24, 25, 27)]
    assert [formats.relative_day(day, EASTERN, TODAY) for day in days] == [
        "2 days ago", "yesterday", "today", "tomorrow", "in 3 days"
    ]  # fmt: skip
    assert [formats.days_left(day, TODAY) for day in days] == [
        "2 days over", "1 day over", "due today", "1 day left", "3 days left"
    ]  # fmt: skip
    assert formats.against(date(2026, 12, 15), date(2026, 12, 4)) == "11 days late"
    assert formats.against(date(2026, 12, 4), date(2026, 12, 4)) == "on the day"
    assert formats.against(date(2026, 12, 3), date(2026, 12, 4)) == "1 day early"


def test_chart_figures_and_entry_fields() -> None:
    assert formats.in_unit(123456, "money:USD") == "$1,234.56"
    assert formats.in_unit(0.825, "percent") == "82.5%"
    assert [formats.in_unit(1053), formats.in_unit(0.6), formats.in_unit(None)] == ["1,053", "0.6", "–"]
    assert [formats.money_input(value) for value in (Money(126800, "USD"), "12,5", None)] == [
        "1268.00",
        "12,5",
        "",
    ]
