"""Zones and prices of parcels, on cards made here and on a carrier's own table where the data is there."""

from __future__ import annotations

import csv
import gzip
import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.money import round_half_up
from app.network.places import locate
from app.network.tariffs import NOT_CARRIED, Origin, Tariff, Tariffs

DATA = Path(os.environ.get("KEPT_DATA", "/work/shared/data")) / "shipping"
PRICES = DATA / "usps_ground_advantage_commercial_2026-07-12.csv"
PAIRS = DATA / "usps_zone_pairs_2018_sample.csv.gz"
MICRO = 1_000_000


def card(**changes: Any) -> dict[str, Any]:
    """Three zones by distance, two weight steps."""
    return {
        "code": "C",
        "service": "Ground",
        "zone_by": "distance",
        "zone_miles": [150, 600],
        "dim_divisor": None,
        "dim_unit": "in3_per_lb",
        "dim_over": 0,
        "surcharges": [],
        "fuel_basis_points": 0,
        "transit_days": [1, 2, 4],
        "prices": [[500, [500, 600, 800]], [2000, [700, 900, 1300]]],
    } | changes


def miles(*values: float) -> np.ndarray:
    return np.array([round(value * MICRO) for value in values], dtype=np.int64)


def grams(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_zones_by_distance_days_and_the_table():
    tariff = Tariff.build(card(), [])
    zones = tariff.zones(None, miles(0, 150, 150.1, 600, 601, 9000))
    assert zones.tolist() == [0, 0, 1, 1, 2, 2]
    assert tariff.transit_days(zones).tolist() == [1, 1, 2, 2, 4, 4]
    assert tariff.table(grams(0, 1, 500, 501, 2000)).tolist() == [
        [500, 500, 500, 700, 700],
        [600, 600, 600, 900, 900],
        [800, 800, 800, 1300, 1300],
    ]
    assert tariff.price(np.array([2, 0]), grams(2000, 1)).tolist() == [1300, 500]


def test_what_is_heavier_than_the_last_step_goes_in_several_cartons():
    tariff = Tariff.build(card(), [])
    assert tariff.table(grams(2001, 4000, 4400, 4501)).tolist()[0] == [1200, 1400, 1900, 2100]


def test_where_a_carrier_does_not_go_nothing_is_dearer():
    tariff = Tariff.build(
        card(prices=[[500, [500, None, 800]], [2000, [700, 900, None]]], fuel_basis_points=1000), []
    )
    assert tariff.table(grams(1, 2000, 9000)).tolist() == [
        [550, 770, 770 * 4 + 770],
        [NOT_CARRIED, 990, 990 * 4 + 990],
        [880, NOT_CARRIED, NOT_CARRIED],
    ]


@pytest.mark.parametrize(
    ("surcharge", "expected"),
    [
        ({"when": "always", "value": None}, [[550, 750], [650, 950], [850, 1350]]),
        ({"when": "residential", "value": None}, [[550, 750], [650, 950], [850, 1350]]),
        ({"when": "weight_over_g", "value": 500}, [[500, 750], [600, 950], [800, 1350]]),
        ({"when": "volume_over_cm3", "value": 999}, [[500, 750], [600, 950], [800, 1350]]),
        ({"when": "zone_at_least", "value": 3}, [[500, 700], [600, 900], [850, 1350]]),
    ],
)
def test_surcharges(surcharge: dict, expected: list):
    tariff = Tariff.build(card(surcharges=[{"code": "s", "amount": 50, **surcharge}]), [])
    assert tariff.table(grams(500, 501), grams(999, 1000)).tolist() == expected
    commercial = tariff.table(grams(500, 501), grams(999, 1000), residential=False)
    assert (commercial.tolist() == expected) == (surcharge["when"] != "residential")


def test_fuel_is_rounded_half_up_on_price_and_surcharges():
    tariff = Tariff.build(
        card(
            fuel_basis_points=1250, surcharges=[{"code": "s", "amount": 4, "when": "always", "value": None}]
        ),
        [],
    )
    for zone, price in enumerate((500, 600, 800)):
        whole = price + 4
        assert tariff.table(grams(1))[zone, 0] == whole + round_half_up(Decimal(whole * 1250) / 10000)


@pytest.mark.parametrize(
    ("dim", "volume", "billed"),
    [
        ({"dim_divisor": 5000, "dim_unit": "cm3_per_kg"}, 5001, 1001),
        ({"dim_divisor": 5000, "dim_unit": "cm3_per_kg"}, 100, 300),
        ({"dim_divisor": 139}, 139 * 16, 443),
        ({"dim_divisor": 166, "dim_over": 1728}, 28316, 300),
        ({"dim_divisor": 166, "dim_over": 1728}, 28320, 4723),
        ({}, 10**6, 300),
    ],
)
def test_dimensional_weight(dim: dict, volume: int, billed: int):
    assert Tariff.build(card(**dim), []).billed(grams(300), grams(volume)).tolist() == [billed]


def byte_row(**zones: int) -> bytes:
    row = bytearray(1000)
    for area, one in zones.items():
        row[int(area[1:])] = one
    return bytes(row)


def test_zones_by_area_use_the_pair_its_way_back_and_then_the_distance():
    origins = [Origin("89501", None, None), Origin("10001", None, None), Origin(None, 40.75, -73.99)]
    pairs = {895: byte_row(a100=1, a112=9), 100: byte_row(a941=2)}
    tariff = Tariff.build(card(zone_by="zip3"), origins, pairs)
    far = miles(3000, 3000, 3000)
    assert tariff.zones(100, far).tolist() == [0, 0, 0]
    assert tariff.zones(895, far).tolist() == [0, 0, 2]
    assert tariff.zones(941, far).tolist() == [1, 1, 2]
    assert tariff.zones(112, far).tolist() == [2, 0, 0], "a zone beyond the prices is the last"
    assert tariff.zones(None, miles(1, 200, 700)).tolist() == [0, 1, 2]
    assert tariff.zones(0, miles(1, 200, 700)).tolist() == [0, 1, 2], "an area nobody knows"


def test_a_network_of_several_cards_is_one_table():
    near, dear = card(), card(code="D", prices=[[1000, [100]]], zone_miles=[], transit_days=[])
    tariffs = Tariffs.build(
        [Tariff.build(one, [Origin(None, 0.0, 0.0)] * 4) for one in (near, dear)], ["D", "C", None, "X"]
    )
    rows = tariffs.rows("US", "83702", miles(700, 700, 700, 700))
    assert tariffs.priced.tolist() == [True, True, False, False]
    assert tariffs.table(grams(400))[rows, 0].tolist() == [100, 800, 0, 0]
    assert tariffs.transit_days(rows).tolist() == [-1, 4, -1, -1]
    none = Tariffs.build([], [None, None])
    assert none.table(grams(5))[none.rows("US", "1", miles(1, 1))].tolist() == [[0], [0]]


@pytest.mark.skipif(not PRICES.exists(), reason="the carrier's table is not on this machine")
def test_the_carriers_own_table_to_the_cent():
    with PRICES.open() as file:
        rows = [[int(cell) for cell in row] for row in list(csv.reader(file))[1:]]
    steps = [[round(pounds * 453.59237), amounts] for pounds, *amounts in rows]
    tariff = Tariff.build(
        card(prices=steps, transit_days=[], zone_miles=[50, 150, 300, 600, 1000, 1400, 1800]), []
    )
    weights = grams(*(int(row[0] * 453.59237) for row in rows))
    assert tariff.table(weights).T.tolist() == [row[1:] for row in rows]
    assert tariff.table(grams(454, 1))[0].tolist() == [761, 761]


@pytest.mark.skipif(not PAIRS.exists(), reason="the carrier's zones are not on this machine")
def test_the_carriers_own_zones_and_the_distance_rule_beside_them():
    rows: dict[int, bytearray] = {}
    with gzip.open(PAIRS, "rt") as file:
        pairs = [(int(row[0]), int(row[1]), int(row[2])) for row in list(csv.reader(file))[1:]]
    for origin, destination, zone in pairs:
        rows.setdefault(origin, bytearray(1000))[destination] = zone
    used = card(
        zone_by="zip3",
        zone_miles=[50, 150, 300, 600, 1000, 1400, 1800],
        transit_days=[],
        prices=[[1000, [100] * 9]],
    )
    areas = [895, 100, 606, 303, 902, 841]
    origins = [Origin(f"{area:03}01", *locate(f"{area:03}01")[:2]) for area in areas]
    said = Tariff.build(used, origins, {area: bytes(row) for area, row in rows.items()})
    guessed = Tariff.build(used, origins)
    none = np.zeros(len(areas), dtype=np.int64)
    mine = [(areas.index(origin), to, zone - 1) for origin, to, zone in pairs if origin in areas]
    assert len(mine) > 1000
    assert all(said.zones(to, none)[node] == zone for node, to, zone in mine)
    hit = sum(guessed.zones(to, none)[node] == zone for node, to, zone in mine) / len(mine)
    assert hit > 0.75


def test_a_whole_network_is_asked_in_microseconds():
    origins = [Origin(f"{area:05}", None, None) for area in range(10001, 99900, 400)]
    tariffs = Tariffs.build([Tariff.build(card(zone_by="zip3"), origins)], ["C"] * len(origins))
    distances = np.full(len(origins), 500 * MICRO)
    began = time.perf_counter()
    for _ in range(200):
        tariffs.rows("US", "83702", distances)
    assert (time.perf_counter() - began) / 200 < 0.001
