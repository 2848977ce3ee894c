"""When parcels leave a node, in several zones, over weekends, holidays, opening hours and changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.network.departures import Departures, arrivals
from app.network.rules import Timetable, busy_minutes, ships_on

NEW_YORK, LOS_ANGELES, PHOENIX = "America/New_York", "America/Los_Angeles", "America/Phoenix"


def timetable(zone: str = NEW_YORK, **node: Any) -> Timetable:
    return Timetable.of(
        {"timezone": zone, "calendar": {}, "cutoff": None, "cutoffs": {}, "handling_minutes": None} | node
    )


def local(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def leaves(zone: str, now: str, service: str = "", **node: Any) -> str:
    """The local time at which work given at a local time leaves."""
    found = ships_on(local(zone, now), timetable(zone, **node), service)
    assert found.tzinfo is UTC
    return found.astimezone(ZoneInfo(zone)).strftime("%a %m-%d %H:%M")


def test_without_any_fact_a_day_is_reckoned_and_weekends_are_left_out():
    assert leaves(NEW_YORK, "2026-12-01 10:15") == "Wed 12-02 10:15"
    assert leaves(NEW_YORK, "2026-12-04 10:15") == "Mon 12-07 10:15"
    hours = {"hours": {"wed": ["12:00", "20:00"]}}
    assert leaves(NEW_YORK, "2026-12-01 10:15", calendar=hours) == "Wed 12-02 12:00"


@pytest.mark.parametrize("zone", [NEW_YORK, LOS_ANGELES, PHOENIX, "Pacific/Honolulu", "Europe/Berlin"])
def test_what_is_ready_by_the_cut_off_leaves_that_day_in_the_nodes_own_zone(zone: str):
    node = {"cutoff": "15:00", "handling_minutes": 30}
    assert leaves(zone, "2026-12-01 14:30", **node) == "Tue 12-01 15:00"
    assert leaves(zone, "2026-12-01 14:31", **node) == "Wed 12-02 15:00"
    assert leaves(zone, "2026-12-04 14:31", **node) == "Mon 12-07 15:00"
    assert leaves(zone, "2026-12-06 03:00", **node) == "Mon 12-07 15:00"


def test_a_service_may_have_a_cut_off_of_its_own():
    node = {"cutoff": "15:00", "cutoffs": {"Next day": "11:00"}}
    assert leaves(NEW_YORK, "2026-12-01 12:00", **node) == "Tue 12-01 15:00"
    assert leaves(NEW_YORK, "2026-12-01 12:00", "Next day", **node) == "Wed 12-02 11:00"
    assert leaves(NEW_YORK, "2026-12-01 12:00", "Freight", **node) == "Tue 12-01 15:00"


def test_handling_takes_opening_time_only():
    calendar = {
        "open_days": ["mon", "tue", "wed"],
        "hours": {"tue": ["09:00", "17:00"], "wed": ["10:00", "12:00"]},
    }
    node = {"calendar": calendar, "handling_minutes": 120}
    assert leaves(NEW_YORK, "2026-12-01 06:00", **node) == "Tue 12-01 11:00"
    assert leaves(NEW_YORK, "2026-12-01 16:00", **node) == "Wed 12-02 11:00"
    assert leaves(NEW_YORK, "2026-12-02 11:30", **node) == "Mon 12-07 01:30"
    assert leaves(NEW_YORK, "2026-12-01 17:00", calendar=calendar, handling_minutes=0) == "Wed 12-02 10:00"


def test_work_ahead_takes_opening_time_at_the_nodes_pace():
    hours = {"calendar": {"hours": {"thu": ["09:00", "17:00"], "fri": ["09:00", "17:00"]}}}
    at = local(NEW_YORK, "2026-12-03 14:00")
    for ahead, day in ((0, "Thu"), (4, "Thu"), (5, "Fri")):
        busy = busy_minutes(ahead, 2)  # two an hour, two hours to the cut-off
        assert f"{ships_on(at, timetable(cutoff='16:00', **hours), busy=busy):%a}" == day
    assert busy_minutes(5, 2) == 150
    assert busy_minutes(1, 7) == 9  # a begun minute counts
    assert busy_minutes(99, None) == 0


def test_departures_know_the_pace_of_each_node():
    tables = [timetable(cutoff="16:00"), timetable(cutoff="16:00"), timetable(cutoff="16:00")]
    departures = Departures(tables, [2, None, 2])
    at = local(NEW_YORK, "2026-12-03 14:00")
    ahead = np.array([5, 5, 4])
    assert [date.fromordinal(day).day for day in departures.at(at, "", ahead).days] == [4, 3, 3]
    assert [date.fromordinal(day).day for day in departures.at(at).days] == [3, 3, 3]


def test_what_is_done_at_midnight_leaves_on_a_day_the_node_works():
    assert leaves(NEW_YORK, "2026-12-04 22:59", handling_minutes=60) == "Fri 12-04 23:59"
    assert leaves(NEW_YORK, "2026-12-04 23:00", handling_minutes=60) == "Mon 12-07 00:00"
    assert leaves(NEW_YORK, "2026-12-03 23:00", handling_minutes=60) == "Fri 12-04 00:00"
    late = {"calendar": {"hours": {"fri": ["09:00", "24:00"]}}, "handling_minutes": 60}
    assert leaves(NEW_YORK, "2026-12-04 23:00", **late) == "Mon 12-07 00:00"


def test_a_begun_minute_is_over():
    for now, leaving in (("16:58:30", "Fri 12-04 16:59"), ("16:59:01", "Mon 12-07 00:00")):
        hours = {"calendar": {"hours": {"fri": ["09:00", "17:00"]}}, "handling_minutes": 0}
        assert leaves(NEW_YORK, f"2026-12-04 {now}", **hours) == leaving


def test_closed_days_and_federal_holidays_are_kept_where_asked_for():
    node = {"cutoff": "15:00"}
    assert leaves(NEW_YORK, "2026-11-25 16:00", **node) == "Thu 11-26 15:00"
    holidays = {"holidays": "us_federal"}
    assert leaves(NEW_YORK, "2026-11-25 16:00", calendar=holidays, **node) == "Fri 11-27 15:00"
    both = holidays | {"closed": ["2026-11-27"]}
    assert leaves(NEW_YORK, "2026-11-25 16:00", calendar=both, **node) == "Mon 11-30 15:00"


def test_clock_changes_move_instants_not_local_times():
    node = {"cutoff": "15:00"}
    before = ships_on(local(NEW_YORK, "2026-03-06 14:00"), timetable(**node))
    after = ships_on(local(NEW_YORK, "2026-03-07 14:00"), timetable(**node))
    assert (before.hour, after.hour, after.date()) == (20, 19, date(2026, 3, 9))
    every = {"open_days": ["sun", "mon"]}
    spring = {"calendar": every, "handling_minutes": 120}
    assert leaves(NEW_YORK, "2026-03-08 01:00", **spring) == "Sun 03-08 04:00"
    assert leaves(NEW_YORK, "2026-11-01 00:30", **spring) == "Sun 11-01 01:30"
    assert leaves(PHOENIX, "2026-03-08 01:00", **spring) == "Sun 03-08 03:00"
    gap = {"calendar": every | {"hours": {"sun": ["02:30", "12:00"]}}, "handling_minutes": 0}
    assert leaves(NEW_YORK, "2026-03-08 00:00", **gap) == "Sun 03-08 03:30"


def test_a_node_that_never_works_ships_after_more_than_a_year():
    closed = timetable(
        calendar={"open_days": ["sun"], "hours": {"sun": ["00:00", "00:01"]}}, handling_minutes=99
    )
    now = local(NEW_YORK, "2026-12-01 10:00")
    assert (ships_on(now, closed) - now).days >= 365


def test_departures_of_a_network_are_those_of_its_nodes_to_the_minute():
    tables = [
        timetable(LOS_ANGELES, cutoff="15:00"),
        timetable(cutoff="15:00"),
        timetable(handling_minutes=5),
    ]
    departures = Departures(tables)
    for now in ("2026-12-01 14:59:30", "2026-12-01 15:00:00", "2026-12-01 15:00:01", "2026-12-01 23:59:30"):
        at = local(NEW_YORK, now)
        found = departures.at(at)
        whole = (
            at.replace(second=0)
            if at.second == 0
            else datetime.fromtimestamp(at.timestamp() // 60 * 60 + 60, UTC)
        )
        assert found.instants.tolist() == [int(ships_on(whole, one).timestamp()) for one in tables]
        assert departures.at(at) is found
    late = departures.at(local(NEW_YORK, "2026-12-01 15:00:01"))
    assert [date.fromordinal(day).day for day in late.days] == [1, 2, 1]


def test_arrivals_count_business_days_and_say_when_nothing_is_known():
    friday, saturday = date(2026, 12, 4).toordinal(), date(2026, 12, 5).toordinal()
    before_christmas = date(2026, 12, 24).toordinal()
    days = np.array([friday, friday, saturday, before_christmas, friday])
    found = arrivals(days, np.array([0, 2, 1, 1, -1]))
    assert [date.fromordinal(day).isoformat() for day in found[:4]] == [
        "2026-12-04",
        "2026-12-08",
        "2026-12-08",
        "2026-12-28",
    ]
    assert found[4] == -1


def test_a_day_turns_with_the_cut_off_or_at_midnight_without_one():
    tables = [
        timetable(cutoff="16:00", cutoffs={"Next day": "13:30"}, handling_minutes=30),
        timetable(handling_minutes=5),
        timetable(PHOENIX, cutoff="23:59"),
    ]
    departures = Departures(tables)
    friday = local(NEW_YORK, "2026-12-04 10:15:20")

    def turns(node: int, service: str = "") -> str:
        return departures.turns(node, friday, service).astimezone(ZoneInfo(NEW_YORK)).strftime("%a %H:%M")

    assert turns(0) == "Fri 15:31"
    assert turns(0, "Next day") == "Fri 13:01"
    assert turns(1) == "Fri 23:55"
    assert turns(2) == "Sat 02:00"
