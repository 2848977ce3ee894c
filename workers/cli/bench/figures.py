"""What the bench found, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One figure. `ratio` is to the raw limit of the same run, where there is one."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    note: str = ""


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    width = max(len(figure.name) for figure in figures) + 2
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:6.2f} of the limit"
        print(f"{figure.name:<{width}}{figure.value:>12,.2f} {figure.unit:<14}{ratio:<22}{figure.note}")


def write(figures: Sequence[Figure], file: Path) -> None:
    """Write them as the contract says: a list of {name, value, unit, ratio_to_limit}."""
    rows = [
        {"name": one.name, "value": one.value, "unit": one.unit, "ratio_to_limit": one.ratio}
        for one in figures
    ]
    file.write_text(json.dumps(rows, indent=1) + "\n")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the sorted values lies; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
