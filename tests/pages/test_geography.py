"""Pins fall where d3's geoAlbersUsa puts them; places off the map have no pin."""

from __future__ import annotations

import math

import pytest

from app.pages.geography import place, project

KNOWN = {
    "Reno": (-119.8138, 39.5296, 9.18, 38.46),
    "Columbus": (-82.9988, 39.9612, 73.98, 42.77),
    "Atlanta": (-84.388, 33.749, 73.33, 66.41),
    "Portland": (-122.6765, 45.5231, 8.14, 14.78),
    "Brooklyn": (-73.9442, 40.6782, 89.33, 35.44),
    "Asheville": (-82.5515, 35.5951, 76.22, 58.8),
    "Boise": (-116.2023, 43.615, 17.45, 25.83),
}
"""Longitude, latitude, then left and top in percent as on the design's own pages (made with d3)."""


@pytest.mark.parametrize("name", KNOWN)
def test_pins_of_the_design(name: str) -> None:
    longitude, latitude, left, top = KNOWN[name]
    assert place(longitude, latitude) == (pytest.approx(left, abs=0.1), pytest.approx(top, abs=0.1))


def test_the_centers_of_the_three_maps() -> None:
    """Each projection puts its own center of rotation and tilt exactly on its origin."""
    assert project(-96.6, 38.7) == (pytest.approx(487.5), pytest.approx(305))
    assert project(-156, 58.5) == (pytest.approx(88.4), pytest.approx(566.3))
    assert project(-160, 19.9) == (pytest.approx(221), pytest.approx(580.6))


def test_every_place_on_the_map_lies_inside_it() -> None:
    for longitude, latitude in (
        (-149.9, 61.2),
        (-157.86, 21.31),
        (-155.07, 19.7),
        (-80.19, 25.76),
        (-68.78, 44.8),
    ):
        left, top = place(longitude, latitude)
        assert 0 < left < 100
        assert 0 < top < 100


@pytest.mark.parametrize(
    ("longitude", "latitude"),
    [
        (13.4, 52.5),
        (-66.1, 18.4),
        (-79.38, 60.0),
        (144.8, 13.4),
        (None, 40.0),
        (-90.0, None),
        (math.nan, 40.0),
    ],
)
def test_no_pin_off_the_map(longitude, latitude) -> None:
    assert place(longitude, latitude) is None
