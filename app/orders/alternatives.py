"""What an order's routing would have been otherwise: the best single node, the runner-up, and the plan without each
of the constraints that bounded it; as sentences for the agent, as figures for the analyst."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.pages import formats
from app.routing import replays
from app.routing.clauses import counted, listed
from app.routing.policy import COST
from tenants.scope import Scope

NEWEST = """
SELECT made_at, cause, rule_version, plan, explanation, sentence, input_hash, inputs FROM routing_decisions
WHERE tenant_id = :tenant AND order_id = :order AND made_at = (
    SELECT max(made_at) FROM routing_decisions WHERE tenant_id = :tenant AND order_id = :order) ORDER BY id
"""
WEIGHED = {
    "best_single": ("Best single node", "In one package"),
    "runner_up": ("Runner-up", "As the next best plan"),
}
"""Plans that a decision keeps: how a table and how a sentence calls them."""
LIMITS = {
    "max_packages": "Without the limit on packages",
    "least_package_value": "Without the least value of a package",
    "capacity": "If no node were full",
}


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another plan: where from, and how it differs from the one chosen. Costs in minor units, where rules weigh
    money."""

    label: str
    lead: str
    where: str
    packages: int
    packages_more: int
    miles: float
    miles_more: float
    units_more: int = 0
    cost_more: int | None = None

    @property
    def sentence(self) -> str:
        """For the agent."""
        found = [
            counted(abs(self.units_more), "unit") + _direction(self.units_more, "more", "fewer"),
            counted(abs(self.packages_more), "package") + _direction(self.packages_more, "more", "fewer"),
            formats.miles(round(abs(self.miles_more))) + _direction(self.miles_more, "more", "less"),
        ]
        differs = [self.units_more, self.packages_more, round(self.miles_more)]
        said = _listed([words for words, by in zip(found, differs, strict=True) if by])
        place = f"it would ship from {self.where}" if self.where else "nothing would ship"
        return f"{self.lead}, {place}: {said or 'no more packages and no more miles'}."


def _listed(words: Sequence[str]) -> str:
    return listed(words, "and") if words else ""


def _direction(by: float, more: str, less: str) -> str:
    return f" {more if by > 0 else less}"


def compared(decision: Mapping[str, Any], names: Mapping[str, str]) -> list[Alternative]:
    """The plans that the decision itself was weighed against, with what goes its own way in each."""
    explanation = decision["explanation"]
    chosen = explanation.get("chosen")
    found: list[tuple[str, Mapping[str, Any]]] = []
    for key in WEIGHED:
        other = explanation.get(key)
        if chosen and other and all(_nodes(other) != _nodes(earlier) for _, earlier in found):
            found.append((key, other))
    return [_alternative(key, chosen or {}, other, decision, names) for key, other in found]


def _nodes(plan: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*plan["nodes"], plan["filled"])


def _dearer(explanation: Mapping[str, Any], key: str) -> int | None:
    """Minor units that a plan costs more than the chosen one, where plans are weighed in money."""
    if explanation.get("objective") != COST or "terms" not in explanation:
        return None
    at = ("chosen", "runner_up", "best_single").index(key)
    amounts = explanation["terms"].values()
    return (
        None if any(one[at] is None for one in amounts) else round(sum(one[at] - one[0] for one in amounts))
    )


def _alternative(
    key: str,
    chosen: Mapping[str, Any],
    other: Mapping[str, Any],
    decision: Mapping[str, Any],
    names: Mapping[str, str],
) -> Alternative:
    label, lead = WEIGHED[key]
    packages, miles = (other[figure] - chosen[figure] for figure in ("packages", "miles"))
    return Alternative(
        label=label,
        lead=lead,
        where=_listed([names.get(code, code) for code in (*other["nodes"], *_besides(decision, other))]),
        packages=decision["packages"] + packages,
        packages_more=packages,
        miles=decision["miles"] + miles,
        miles_more=round(other["miles"]) - round(chosen["miles"]),  # of the miles that are told
        units_more=other["filled"] - chosen["filled"],
        cost_more=_dearer(decision["explanation"], key),
    )


def _besides(decision: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Nodes that send lines of a way of their own, which no other plan was sought for."""
    shown = decision["explanation"]["nodes"]
    chosen = {code for code, outcome in zip(shown["code"], shown["outcome"], strict=True) if outcome == "C"}
    placed = dict.fromkeys(part["node"] for part in decision["plan"])
    return [code for code in placed if code not in chosen and code not in other["nodes"]]


def without_each(scope: Scope, order_id: UUID, names: Mapping[str, str]) -> list[Alternative] | None:
    """What the newest decision would have been without each constraint that changes it, by deciding it again; None
    where what it was decided from was not kept."""
    made = [replays.replay(scope, row) for row in scope.rows(NEWEST, order=order_id)]
    if not any(one["recorded"] for one in made):
        return None
    return [found for one in made for found in _dropped(one["sensitivity"], names)]


def _dropped(sensitivity: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[Alternative]:
    for one in sensitivity:
        codes = sorted({part["node"] for part in one["plan"]})
        yield Alternative(
            label=_without(one, names),
            lead=_without(one, names),
            where=_listed([names.get(code, code) for code in codes]),
            packages=one["packages"],
            packages_more=one["packages_more"],
            miles=one["miles"],
            miles_more=one["miles_more"],
            units_more=one["units_more"],
        )


def _without(one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if one["kind"] == "limit":
        return LIMITS[one["constraint"]]
    if one["kind"] == "excluded":
        return f"If {names.get(one['constraint'], one['constraint'])} were not ruled out"
    return f"Without the filter “{one['words']}”"
