"""The table of policies: made-up instances of each shape and seed, every policy, against the bound.

    python -m app.routing.replay.table [--seeds 201 202 203] [--shapes NAME ...] [--no-bound]
    python -m app.routing.replay.table --instance INSTANCE

After the seeds of a shape come their means, with the least and the greatest.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.routing.replay.bound import bound
from app.routing.replay.instance import Instance, Profile
from app.routing.replay.policies import route
from app.routing.replay.reading import instance_of, read_instance
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


Results = Mapping[str, Result]
COLUMNS: Sequence[tuple[str, Callable[[Results, str], float | None], str]] = (
    ("against nearest", lambda found, policy: found[policy].cost / found["nearest"].cost - 1, "+.1%"),
    ("against myopic", lambda found, policy: found[policy].cost / found["myopic"].cost - 1, "+.2%"),
    ("over the bound", lambda found, policy: found[policy].over, "+.1%"),
    ("split", lambda found, policy: found[policy].split, ".1%"),
    ("against single, else nearest", lambda found, policy: _fewer(found, policy), "+.0%"),
    ("units lost", lambda found, policy: found[policy].lost, ".0f"),
    ("CPU s", lambda found, policy: found[policy].seconds, ".1f"),
)
HEAD = "\n".join(
    "|" + "|".join(cells) + "|"
    for cells in (
        [" shape, seed ", " policy ", *(f" {name} " for name, _, _ in COLUMNS)],
        ["---"] * (len(COLUMNS) + 2),
    )
)


def _fewer(found: Results, policy: str) -> float | None:
    """Split orders beside those of single, else nearest."""
    usual = found["single_else_nearest"].split
    return found[policy].split / usual - 1 if usual else None


def text(name: str, found: Sequence[Results]) -> str:
    """Rows of a Markdown table, one per policy: of one instance, or the mean of several with least and greatest."""
    return "\n".join(
        "| " + " | ".join([name, policy, *(_cell(found, policy, *column[1:]) for column in COLUMNS)]) + " |"
        for policy in ORDER
    )


def _cell(
    found: Sequence[Results], policy: str, value: Callable[[Results, str], float | None], form: str
) -> str:
    values = [one for one in (value(results, policy) for results in found) if one is not None]
    if not values:
        return ""
    mean = format(sum(values) / len(values), form)
    return (
        mean if len(values) == 1 else f"{mean} ({format(min(values), form)} .. {format(max(values), form)})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app.routing.replay.table", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202, 203])
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--instance", type=Path, help="a file in place of shapes")
    parser.add_argument("--no-bound", action="store_true", help="leave out the bound, which takes longest")
    options = parser.parse_args()
    print(HEAD)
    if options.instance:
        instance = read_instance(options.instance)
        bounded = not options.no_bound and instance.carrier.card is None
        print(text(options.instance.name, [results(instance, Profile(), bounded=bounded)]))
        return
    for name in options.shapes:
        every = []
        for seed in options.seeds:
            ((*_, found),) = measured({name: SHAPES[name]}, [seed], bounded=not options.no_bound)
            every.append(found)
            print(text(f"{name}, {seed}", [found]), flush=True)
        if len(every) > 1:
            print(text(f"{name}, {len(every)} seeds", every), flush=True)


if __name__ == "__main__":
    main()
