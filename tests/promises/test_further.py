"""The most dangerous of further.json through the running service: the seconds about each deadline, a change of the
clocks, year's end, a leap day, late bounces, letters of an earlier date."""

from __future__ import annotations

from tests.promises.story import HOME
from tests.promises.test_scenarios import AUTUMN, JUNE, Begin, autumn, begin

__all__ = ["begin"]


def test_the_last_second_of_winter_time_and_thanksgiving(begin: Begin) -> None:
    story = begin("2026-10-25").ordered().must_ship_by("2026-11-24").unreachable()
    story.on("2026-11-24 23:59:30").is_state("open")
    story.on("2026-11-25 00:00:30").cancelled("c5", "2026-11-24").latest("2026-12-04")


def test_a_day_of_summer_time_ends_four_hours_behind(begin: Begin) -> None:
    story = begin("2026-02-12").ordered().must_ship_by("2026-03-14").unreachable()
    story.on("2026-03-14 23:59:30").is_state("open")
    story.on("2026-03-15 00:00:30").cancelled("c5", "2026-03-14").latest("2026-03-24")


def test_a_leap_day_is_the_thirtieth(begin: Begin) -> None:
    story = begin("2028-01-30").ordered().must_ship_by("2028-02-29").unreachable()
    story.on("2028-03-01 00:01").cancelled("c5", "2028-02-29").latest("2028-03-09")


def test_seven_working_days_over_new_year(begin: Begin) -> None:
    story = begin("2026-12-01").ordered().must_ship_by("2026-12-31").unreachable()
    story.on("2027-01-01 00:01").cancelled("c5", "2026-12-31").latest("2027-01-12")


def test_the_express_kind_ships_inside_thirty_days_without_a_word(begin: Begin) -> None:
    story = begin("2026-05-20").ordered(**JUNE).on("2026-06-05").told("2026-07-11", "express_definite")
    assert story.on("2026-07-10 23:50").ship("2026-07-10 23:45").state() == "shipped"


def test_the_express_kind_lapses_at_thirty_days_not_at_its_date(begin: Begin) -> None:
    story = begin("2026-05-20").ordered(**JUNE).on("2026-06-05").told("2026-07-25", "express_definite")
    story.on("2026-07-11 00:01").cancelled("c2", "2026-07-10").latest("2026-07-21")


def test_a_further_date_does_not_move_the_thirty_days(begin: Begin) -> None:
    story = begin("2026-05-20").ordered(**JUNE).on("2026-06-05").told(None, "express_indefinite")
    story.on("2026-06-20").told("2026-08-01", "express_definite").on("2026-07-11 00:01")
    story.cancelled("c2", "2026-07-10")


def test_a_second_delay_within_thirty_days_is_a_renewed_one(begin: Begin) -> None:
    story = begin("2026-08-20").ordered(**AUTUMN).on("2026-09-02").told("2026-09-20", "silent_consent")
    story.on("2026-09-18").told("2026-10-08", "renewed").on("2026-09-21 00:01").cancelled("c3", "2026-09-20")


def test_each_further_delay_needs_its_own_consent(begin: Begin) -> None:
    story = autumn(begin).on("2026-10-01").answer("consent").is_state("consent_definite")
    story.on("2026-10-20").told("2026-11-20", "renewed").on("2026-10-24 00:01")
    story.cancelled("c3", "2026-10-23").latest("2026-11-03")


def test_friday_night_in_los_angeles_is_too_late(begin: Begin) -> None:
    there = HOME | {"city": "Portland", "region": "OR", "postal_code": "97201"}
    story = begin("2026-08-20").ordered(**AUTUMN, ship_to=there).on("2026-09-02")
    story.told("2026-10-02", "silent_consent").on("2026-09-27").told("2026-10-23", "renewed")
    story.on("2026-10-03 00:01").cancelled("c3", "2026-10-02").answer("consent", 409)


def test_agreed_then_canceled_on_a_saturday(begin: Begin) -> None:
    story = autumn(begin).on("2026-09-28").answer("consent").on("2026-10-10").answer("cancel")
    story.cancelled("c1", "2026-10-10").latest("2026-10-21").answer("consent", 409)


def test_a_scan_of_the_last_hour_reported_in_the_morning(begin: Begin) -> None:
    story = begin("2026-05-20", stock=10).ordered(**JUNE)
    story.accepted()
    story.on("2026-06-05").told("2026-07-10", "silent_consent").on("2026-07-11 00:30")
    assert story.ship("2026-07-10 23:30").state() == "shipped"
    assert story.refunds() == []
