"""Everything found of a scenario as one value, and how it is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from app import calendar
from app.money import Money
from app.promises.check import findings
from app.promises.check.findings import END_OF_TIME, Group, LineFound, last_day, run, silence_of
from app.promises.check.money import RefundFound, refunds_found
from app.promises.check.scenarios import Scenario
from app.promises.check.words import ScenarioFault, known_keys
from app.promises.regimes import Delivery, delivery_refund_target
from app.promises.vocabulary import Outcome, Phase


@dataclass(frozen=True, slots=True)
class Findings:
    """What the rule makes of a scenario at one instant (None: when all time is over)."""

    until: datetime | None
    lines: dict[str, LineFound]
    refunds: list[RefundFound]
    faults: list[str]
    asked: list[dict[str, Any]]


def evaluate(scenario: Scenario, until: datetime | None = None) -> Findings:
    """Everything the rule says of the scenario, at `until` or as the scenario asks. Raises ScenarioFault."""
    until = until or scenario.as_of
    lines = {line.id: run(scenario, line, until) for line in scenario.lines}
    refunds = refunds_found(scenario, list(lines.values()), until)
    faults = sorted({fault for found in lines.values() for fault in findings.faults_of(scenario, found)})
    return Findings(until, lines, refunds, faults, _asked(scenario))


def _asked(scenario: Scenario) -> list[dict[str, Any]]:
    answers = []
    for at, one in enumerate(scenario.asked):
        path = f"ask[{at}]"
        body = known_keys(one, ("at", "revised", "line"), path)
        named = str(body.get("line", scenario.lines[0].id))
        line = next((line for line in scenario.lines if line.id == named), None)
        if line is None:
            raise ScenarioFault(f"{path}.line", "There is no such line.")
        if "revised" not in body or "at" not in body:
            raise ScenarioFault(path, "Say `at` when, and the `revised` day (or null).")
        revised = None if body["revised"] is None else scenario.times.day(body["revised"], f"{path}.revised")
        when = scenario.times.instant(body["at"], f"{path}.at")
        answers.append(findings.ask(scenario, line, when, revised))
    return answers


# --- One group, as it is compared and printed ---


def group_values(found: LineFound, group: Group, refunds: list[RefundFound]) -> dict[str, Any]:
    """State of a group of units under the names of docs/promises.md."""
    state, ended = group.state, group.state.cancellation
    means, day = silence_of(state)
    return {
        "group": group.name,
        "units": group.units,
        "state": phase_of(found, group, refunds).value,
        "revised": state.revised,
        "proposed": state.proposed,
        "alive_to": last_day(state),
        "silence": {"means": means, "on": day},
        "case": ended and ended.case.value,
        "vests_on": ended and ended.vests_on,
        "vested_at": ended and ended.vested_at,
        "cancelled_at": ended and ended.learned_at,
        "shipped_at": state.shipped_at,
    }


def phase_of(found: LineFound, group: Group, refunds: list[RefundFound]) -> Phase:
    """The group's phase; refunded once every refund of its cancellation was."""
    mine = [
        one
        for one in refunds
        if one.loss.cancellation == group.state.cancellation and found.line.id in one.loss.lines
    ]
    done = bool(mine) and all(one.refunded is not None for one in mine)
    return Phase.REFUNDED if done and group.state.phase is Phase.CANCELLED else group.state.phase


def clock_values(found: LineFound) -> dict[str, Any] | None:
    """The clock under the names of docs/promises.md; None when none runs."""
    it = found.clock if found.groups[0].state.clock is None else found.groups[0].state.clock
    if it is None:
        return None
    return {
        "T": it.ship_by,
        "deadline": it.deadline_at,
        "basis": it.basis,
        "pco": it.pco,
        "day_zero": it.day_zero,
        "express_by": it.express_by,
        "express_deadline": it.express_at,
        "strict_by": it.strict_by,
        "decide_on": it.decide_on,
        "conflicting": it.conflicting,
    }


def merged(found: LineFound, refunds: list[RefundFound]) -> list[dict[str, Any]]:
    """The groups' values, those alike but for their number of units as one."""
    groups: list[dict[str, Any]] = []
    for group in found.groups:
        values = group_values(found, group, refunds)
        like = next((one for one in groups if {**one, "units": 0} == {**values, "units": 0}), None)
        if like is None:
            groups.append(values)
        else:
            like["units"] += values["units"]
    return groups


def refund_values(scenario: Scenario, one: RefundFound) -> dict[str, Any]:
    """A refund under the names of docs/promises.md; the amount in minor units, its share of all paid in percent."""
    due = one.due
    return {
        "tender": due.tender.kind,
        "amount": due.amount,
        "share": round(100 * due.amount / scenario.paid, 2) if scenario.paid else 0,
        "form": due.form.value,
        "within": one.within,
        "vests_on": one.loss.vests_on,
        "latest": due.latest,
        "latest_strict": due.latest_strict,
        "target": due.target,
        "lines": list(one.loss.lines),
        "status": one.status,
        "refunded_on": one.refunded,
    }


def delivery_values(it: Delivery, until: datetime | None, scenario: Scenario) -> dict[str, Any]:
    """A delivery clock under the names of docs/promises.md."""
    ended = it.ended_at and scenario.zones.seller_day(it.ended_at)
    return {
        "deliver_by": it.deliver_by,
        "deadline": it.deadline_at,
        "state": it.phase(until or END_OF_TIME).value,
        "may_end_from": it.may_end_at,
        "ended_at": it.ended_at,
        "refund_target": ended and delivery_refund_target(ended, scenario.settings),
    }


# --- Printing ---


def report(scenario: Scenario, found: Findings) -> dict[str, Any]:
    """Everything found, as JSON: days as days, instants in the seller's zone, amounts in major units."""
    told: dict[str, Any] = {
        "as_of": found.until or "when all time is over",
        "regimes": [one.value for one in scenario.regimes],
        "settings": scenario.settings.version,
        "lines": {name: _line(scenario, one, found) for name, one in found.lines.items()},
        "refunds": [_refund(scenario, one) for one in found.refunds],
        "faults": found.faults,
    }
    if found.asked:
        told["asked"] = found.asked
    shown: dict[str, Any] = plain(told, scenario.zones.seller)
    return shown


def _line(scenario: Scenario, one: LineFound, found: Findings) -> dict[str, Any]:
    names = {event.number: event.name for event in scenario.events}
    return {
        "covered": one.coverage.covered,
        "exemption": one.coverage.exemption,
        "clock": clock_values(one),
        "delivery": one.delivery and delivery_values(one.delivery, found.until, scenario),
        "notices": [notice_values(notice) for notice in one.notices],
        "outcomes": [{"event": names[at], "outcome": one.outcomes[at]} for at in sorted(one.outcomes)],
        "blocked": one.blocked,
        "groups": [
            {
                **values,
                "history": [{"at": at, "state": phase, "revised": day} for at, phase, day in group.history],
            }
            for group, values in ((group, group_values(one, group, found.refunds)) for group in one.groups)
        ],
    }


def notice_values(one: findings.NoticeFound) -> dict[str, Any]:
    """A notice under the names of docs/promises.md."""
    return {
        "at": one.at,
        "key": one.key,
        "kind": one.kind,
        "revised": one.revised,
        "send_by": one.send_by,
        "reply_day": one.reply_day,
        "reply_by": one.reply_by,
        "silence": one.silence,
        "outcome": one.outcome,
        "valid": one.outcome in (Outcome.APPLIED, Outcome.CORRECTED),
    }


def _refund(scenario: Scenario, one: RefundFound) -> dict[str, Any]:
    values = refund_values(scenario, one)
    return {**values, "amount": str(Money(values["amount"], scenario.currency).decimal())}


def plain(value: Any, zone: str) -> Any:
    """The value with enumerations, days and instants as text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(calendar.zone(zone)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: plain(one, zone) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, zone) for one in value]
    return value
