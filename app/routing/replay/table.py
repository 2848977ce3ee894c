"""The table of policies: made-up instances of each shape and seed, every policy, against the bound.

python -m app.routing.replay.table [--seeds 201 202 203] [--shapes NAME ...] [--no-bound]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.routing.replay.bound import bound
from app.routing.replay.instance import Instance, Profile
from app.routing.replay.policies import POLICIES, route
from app.routing.replay.reading import instance_of
from app.routing.replay.shapes import SHAPES, Shape, document

ORDER = ("nearest", "single_else_nearest", "fewest_nearest", "myopic", "priced", "windowed")


@dataclass(frozen=True, slots=True)
class Result:
    """A policy on an instance. `over` is cost above the bound, as a share of it; None where none was sought."""

    cost: float
    split: float  # share of orders in more than one package
    packages: int
    lost: int  # units
    seconds: float
    over: float | None = None


def results(instance: Instance, profile: Profile, *, bounded: bool = True) -> dict[str, Result]:
    """Every policy on one instance."""
    found, least = {}, None
    for policy in ORDER:
        started = time.process_time()
        decisions = list(route(instance, profile, policy))
        seconds = time.process_time() - started
        if bounded and least is None:
            least = bound(instance, decisions)
        cost = sum(decision.cost for decision in decisions)
        found[policy] = Result(
            cost=cost,
            split=sum(decision.packages > 1 for decision in decisions) / max(len(decisions), 1),
            packages=sum(decision.packages for decision in decisions),
            lost=sum(units for decision in decisions for _, units in decision.unfilled),
            seconds=seconds,
            over=cost / least - 1 if least else None,
        )
    return found


def measured(
    shapes: Mapping[str, Shape], seeds: Sequence[int], *, bounded: bool = True
) -> list[tuple[str, int, dict[str, Result]]]:
    """(shape, seed, results by policy) for every shape and seed."""
    return [
        (name, seed, results(instance_of(document(shape, seed)), Profile(), bounded=bounded))
        for name, shape in shapes.items()
        for seed in seeds
    ]


def text(name: str, seed: int, found: Mapping[str, Result]) -> str:
    """One instance as rows of a Markdown table."""
    nearest, myopic = found["nearest"].cost, found["myopic"].cost
    rows = []
    for policy, result in found.items():
        over = "" if result.over is None else f"{result.over:+.1%}"
        cells = (
            f"{name}, {seed}", policy, f"{result.cost / nearest - 1:+.1%}", f"{result.cost / myopic - 1:+.2%}",
            over, f"{result.split:.1%}", str(result.lost), f"{result.seconds:.1f} s",
        )  # fmt: skip
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


HEAD = """\
| shape, seed | policy | against nearest | against myopic | over the bound | split | units lost | CPU |
|---|---|---|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app.routing.replay.table", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202, 203])
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--no-bound", action="store_true", help="leave out the bound, which takes longest")
    options = parser.parse_args()
    assert set(ORDER) == set(POLICIES)
    print(HEAD)
    for name in options.shapes:
        for seed in options.seeds:
            for row in measured({name: SHAPES[name]}, [seed], bounded=not options.no_bound):
                print(text(*row), flush=True)


if __name__ == "__main__":
    main()
