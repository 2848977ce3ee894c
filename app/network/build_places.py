"""Builds `places.npz` from the package `zipcodes` (a development dependency, MIT license, see places.py).

Run `python -m app.network.build_places` after taking a newer package; the file it writes is committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

TARGET = Path(__file__).with_name("places.npz")
MILITARY_PREFIXES = frozenset({*range(90, 100), 340, *range(962, 967)})
_MISPRINTS = {"Napakiak": "America/Anchorage"}


def build(target: Path = TARGET) -> int:
    """Write the table of civilian ZIP codes; returns how many. A place the source cannot locate has latitude
    0."""
    import zipcodes

    rows = sorted((row for row in zipcodes.list_all() if _is_civilian(row)), key=lambda row: row["zip_code"])
    zones = sorted({_zone(row) for row in rows}, key=_earliest_first)
    states = sorted({row["state"] for row in rows})
    np.savez_compressed(
        target,
        zips=np.array([int(row["zip_code"]) for row in rows], np.int32),
        lat=_ten_thousandths(rows, "lat"),
        lon=_ten_thousandths(rows, "long"),
        zone=np.array([zones.index(_zone(row)) for row in rows], np.uint8),
        state=np.array([states.index(row["state"]) for row in rows], np.uint8),
        zones=np.array(zones),
        states=np.array(states),
    )
    return len(rows)


def _is_civilian(row: Mapping[str, str]) -> bool:
    return row["zip_code_type"] != "MILITARY" and int(row["zip_code"][:3]) not in MILITARY_PREFIXES


def _zone(row: Mapping[str, str]) -> str:
    return _MISPRINTS.get(row["timezone"], row["timezone"])


def _earliest_first(zone: str) -> tuple[float, float, str]:
    """Sort key: the zone where a day ends first comes first, so that the least index of a group is the strict
    one."""
    july, january = (
        ZoneInfo(zone).utcoffset(datetime(2026, month, 15)).total_seconds()  # type: ignore[union-attr]
        for month in (7, 1)
    )
    return -july, -january, zone


def _ten_thousandths(rows: list[dict[str, str]], field: str) -> np.ndarray:
    return np.array([round(float(row[field] or 0) * 10_000) for row in rows], np.int32)


if __name__ == "__main__":
    print(f"{build():,} ZIP codes in {TARGET.name}, {TARGET.stat().st_size:,} bytes")
