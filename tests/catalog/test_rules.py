"""Attributes of a SKU that routing reads."""

from __future__ import annotations

import pytest

from app.catalog.rules import attribute_errors, volume_cm3


@pytest.mark.parametrize(
    ("attributes", "volume"),
    [
        ({}, 0),
        ({"length_mm": 100, "width_mm": 100, "height_mm": 100}, 1000),
        ({"length_mm": 10, "width_mm": 10, "height_mm": 5}, 1),
        ({"length_mm": 7, "width_mm": 7, "height_mm": 7, "hazard": True, "temperature": "frozen"}, 0),
    ],
)
def test_volume(attributes: dict, volume: int):
    assert attribute_errors(attributes) == []
    assert volume_cm3(attributes) == volume
