"""The geometry of clocks, trends, arcs and pins."""

from __future__ import annotations

from datetime import date

from app.pages.drawing import arc_path, clock_note, clock_track, labeled_first, most_work, pin_size, spark

PLACED, TODAY = date(2026, 11, 21), date(2026, 11, 24)


def test_a_shipped_line_ends_at_its_day() -> None:
    track = clock_track(PLACED, date(2026, 11, 25), TODAY, shipped=date(2026, 11, 23))
    assert (track.now, track.by, track.expected, track.slips, track.shipped) == (50, 100, 50, False, True)


def test_an_open_line_shows_today() -> None:
    track = clock_track(PLACED, date(2026, 12, 7), TODAY, expected=date(2026, 12, 1))
    assert (track.now, track.by, track.expected, track.slips) == (18.8, 100, None, False)


def test_a_slip_runs_from_the_promise_to_the_expected_day() -> None:
    track = clock_track(PLACED, date(2026, 12, 4), TODAY, expected=date(2026, 12, 15))
    assert (track.now, track.by, track.expected, track.slips) == (12.5, 54.2, 100, True)


def test_a_late_line_ends_today() -> None:
    track = clock_track(date(2026, 11, 8), date(2026, 11, 22), TODAY)
    assert (track.now, track.by, track.expected) == (100, 87.5, None)


def test_a_line_shipped_late_slipped_too() -> None:
    track = clock_track(PLACED, date(2026, 11, 22), TODAY, shipped=date(2026, 11, 24))
    assert (track.by, track.expected, track.slips) == (33.3, 100, True)


def test_same_day_and_clocks_set_back_stay_inside_the_track() -> None:
    track = clock_track(PLACED, PLACED, date(2026, 11, 20))
    assert (track.now, track.by) == (0, 100)


def test_notes() -> None:
    due = date(2026, 12, 4)
    assert clock_note(due, TODAY, shipped=date(2026, 12, 2)) == "Shipped Dec 2, 2 days early"
    assert clock_note(due, TODAY, expected=date(2026, 12, 15)) == "Expected Dec 15, 11 days late"
    assert clock_note(due, TODAY, expected=date(2026, 12, 1)) == "10 days left"


def test_a_trend_ends_at_its_last_value() -> None:
    line = spark([0, 5, 10])
    assert (line.path, line.x, line.y) == ("M0.0 18.0L35.0 10.0L70.0 2.0", 70, 2)
    assert spark([0, 0]).y == 18
    assert spark([3]).path == "M0.0 2.0"


def test_arcs_need_both_ends_on_the_map() -> None:
    reno, boise = (-119.8138, 39.5296), (-116.2023, 43.615)
    assert arc_path(reno, boise) == "M89 235Q116 182 170 158"
    assert arc_path(reno, (13.4, 52.5)) is None


def test_pins_grow_with_the_area_of_work() -> None:
    assert [pin_size(work, 688) for work in (0, 22, 412, 688)] == [12, 12, 25, 32]
    assert pin_size(5, 0) == 12


def test_labels_go_to_the_buyer_then_to_the_busiest() -> None:
    pins = [
        {"name": "off", "role": "off"},
        {"name": "small", "work": 1},
        {"name": "big", "work": 9},
        {"role": "dest"},
    ]
    assert [pin.get("name") for pin in labeled_first(pins)] == [None, "big", "small", "off"]
    assert most_work(pins) == 9
