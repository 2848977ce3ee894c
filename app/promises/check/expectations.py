"""Compares what a scenario file expects with what was found. Whatever is expected is compared; a name that means
nothing is refused, so that no check holds by being misspelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.promises.check.findings import LineFound, run
from app.promises.check.goods import TENDERS
from app.promises.check.report import (
    Findings,
    clock_values,
    delivery_values,
    evaluate,
    merged,
    notice_values,
    plain,
    refund_values,
)
from app.promises.check.scenarios import Scenario
from app.promises.check.words import ScenarioFault, amount, as_list, known_keys, one_of, word
from app.promises.vocabulary import LIVE, Case, NoticeKind, Outcome, Phase


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One expectation that does not hold, both sides as text, number or list."""

    path: str
    expected: Any
    found: Any


# How what is expected under a name is read before it is compared.
_CLOCK = {
    "T": "day",
    "ship_by": "day",
    "deadline": "instant",
    "basis": "text",
    "pco": "instant",
    "day_zero": "day",
    "express_by": "day",
    "express_deadline": "instant",
    "strict_by": "day",
    "decide_on": "day",
    "conflicting": "as it is",
}
_GROUP = {
    "group": "text",
    "units": "as it is",
    "state": "state",
    "R": "day",
    "revised": "day",
    "proposed": "day",
    "alive_to": "day",
    "silence": "silence",
    "case": "case",
    "vests_on": "day",
    "vested_at": "instant",
    "cancelled_at": "instant",
    "shipped_at": "instant",
}
_NOTICE = {
    "at": "instant",
    "key": "text",
    "kind": "kind",
    "revised": "day",
    "R": "day",
    "send_by": "instant",
    "reply_day": "day",
    "reply_by": "instant",
    "silence": "text",
    "outcome": "outcome",
    "valid": "as it is",
}
_REFUND = {
    "tender": "tender",
    "amount": "amount",
    "share": "as it is",
    "form": "text",
    "within": "text",
    "vests_on": "day",
    "latest": "day",
    "latest_strict": "day",
    "target": "day",
    "lines": "as it is",
    "status": "text",
    "refunded_on": "day",
}
_DELIVERY = {
    "deliver_by": "day",
    "deadline": "instant",
    "state": "text",
    "may_end_from": "instant",
    "ended_at": "instant",
    "refund_target": "day",
}
_SAME = {"R": "revised", "ship_by": "T"}
_OF_LINE = (
    "covered",
    "exemption",
    "clock",
    "delivery",
    "notice",
    "notices",
    "outcomes",
    "blocked",
    "groups",
    "states",
)
_OF_ORDER = ("lines", "refund", "refunds", "faults", "regimes", "asked")
_STATES = {
    **{phase.value: phase.value for phase in Phase},
    "deemed_cancelled": "cancelled",
    "canceled": "cancelled",
    "consented_definite": "consent_definite",
    "consented_indefinite": "consent_indefinite",
    "consent_def": "consent_definite",
    "consent_indef": "consent_indefinite",
    "silent_consent": "wait_silent",
    "alive": "alive",
}


def mismatches(scenario: Scenario, found: Findings) -> list[Mismatch]:
    """Every expectation of the scenario that does not hold. Raises ScenarioFault for one that cannot be read."""
    if scenario.expected is None:
        return []
    return _Comparison(scenario, found).all()


class _Comparison:
    def __init__(self, scenario: Scenario, found: Findings) -> None:
        self.scenario, self.found = scenario, found
        self.times, self.zone = scenario.times, scenario.zones.seller
        self.wrong: list[Mismatch] = []

    def all(self) -> list[Mismatch]:
        expected = known_keys(self.scenario.expected, (*_OF_ORDER, *_OF_LINE, *_CLOCK, *_GROUP), "expected")
        for name, one in self.found.lines.items():
            own = {key: value for key, value in expected.items() if key not in _OF_ORDER}
            if "lines" not in expected or own:
                self._line(one, own, "expected" if len(self.found.lines) == 1 else f"expected[{name}]")
        by_line = expected.get("lines") or {}
        if not isinstance(by_line, Mapping):
            raise ScenarioFault("expected.lines", "Give an object: what is expected, by the line's id.")
        for name, value in by_line.items():
            if str(name) not in self.found.lines:
                raise ScenarioFault(f"expected.lines.{name}", "There is no such line.")
            path = f"expected.lines.{name}"
            body = known_keys(value, (*_OF_LINE, *_CLOCK, *_GROUP), path)
            self._line(self.found.lines[str(name)], body, path)
        self._order(expected)
        return self.wrong

    # --- The order ---

    def _order(self, expected: Mapping[str, Any]) -> None:
        if "refund" in expected:
            self._refunds(
                as_list(None if expected["refund"] == "none" else expected["refund"]), "expected.refund"
            )
        if "refunds" in expected:
            self._refunds(as_list(expected["refunds"]), "expected.refunds")
        if "faults" in expected:
            self._same("expected.faults", sorted(map(word, as_list(expected["faults"]))), self.found.faults)
        if "regimes" in expected:
            names = [one.value for one in self.scenario.regimes]
            self._same("expected.regimes", [word(one) for one in as_list(expected["regimes"])], names)
        if "asked" in expected:
            wanted = as_list(expected["asked"])
            self._same("expected.asked (number)", len(wanted), len(self.found.asked))
            for at, (one, answer) in enumerate(zip(wanted, self.found.asked, strict=False)):
                self._values(one, answer, _NOTICE, f"expected.asked[{at}]")

    def _refunds(self, wanted: list[Any], path: str) -> None:
        """In any order: each one wanted takes the found one that differs from it least."""
        left = [refund_values(self.scenario, one) for one in self.found.refunds]
        self._same(f"{path} (number)", len(wanted), len(left))
        for at, one in enumerate(wanted):
            if not left:
                break
            here = f"{path}[{at}]" if len(wanted) > 1 else path
            best = min(left, key=lambda values: len(self._differences(one, values, _REFUND, here)))
            left.remove(best)
            self.wrong += self._differences(one, best, _REFUND, here)

    # --- A line ---

    def _line(self, line: LineFound, expected: Mapping[str, Any], path: str) -> None:
        groups = merged(line, self.found.refunds)
        clock = clock_values(line) or {}
        for name, value in expected.items():
            here = f"{path}.{name}"
            if name == "clock":
                self._values(value, clock, _CLOCK, here)
            elif name in _CLOCK:
                self._one(value, clock.get(_SAME.get(name, name)), _CLOCK[name], here)
            elif name in _GROUP:
                for group in groups:
                    self._one(value, group[_SAME.get(name, name)], _GROUP[name], here)
            else:
                self._part(line, name, value, here, groups)

    def _part(self, line: LineFound, name: str, value: Any, path: str, groups: list[dict[str, Any]]) -> None:
        if name == "covered":
            self._same(path, value, line.coverage.covered)
        elif name == "exemption":
            found = line.coverage.exemption and line.coverage.exemption.value
            self._same(path, value and word(value), found)
        elif name == "delivery":
            self._delivery(line, value, path)
        elif name in ("notice", "notices"):
            self._notices(line, name, value, path)
        elif name == "outcomes":
            self._outcomes(line, value, path)
        elif name == "blocked":
            self._blocked(line, value, path)
        elif name == "groups":
            self._groups(value, groups, path)
        else:
            self._states(line, value, path)

    def _delivery(self, line: LineFound, value: Any, path: str) -> None:
        it = line.delivery
        values = None if it is None else delivery_values(it, self.found.until, self.scenario)
        if values is None or value in (None, "none"):
            self._same(path, None if value == "none" else value, plain(values, self.zone))
        else:
            self._values(value, values, _DELIVERY, path)

    def _notices(self, line: LineFound, name: str, value: Any, path: str) -> None:
        found = [notice_values(one) for one in line.notices]
        wanted = as_list(None if value == "none" else value)
        if name == "notice" and wanted:
            found = found[-1:]  # the last one sent
        self._same(f"{path} (number)", len(wanted), len(found))
        for at, (one, values) in enumerate(zip(wanted, found, strict=False)):
            self._values(one, values, _NOTICE, f"{path}[{at}]" if name == "notices" else path)

    def _outcomes(self, line: LineFound, value: Any, path: str) -> None:
        """A list in the order of the file (null: whatever), or an object by the event's id, word or number."""
        known = {one.value for one in Outcome}
        if isinstance(value, Mapping):
            names = {event.name: event.number for event in self.scenario.events}
            numbers = {str(event.number): event.number for event in self.scenario.events}
            pairs = [
                (name, {**numbers, **names}.get(word(name), {**numbers, **names}.get(name)), one)
                for name, one in value.items()
            ]
        else:
            ordered = sorted(line.outcomes)
            self._same(f"{path} (number)", len(as_list(value)), len(ordered))
            pairs = [(str(at), at, one) for at, one in zip(ordered, as_list(value), strict=False)]
        for name, at, one in pairs:
            if at is None or at not in line.outcomes:
                raise ScenarioFault(f"{path}.{name}", "There is no such event.")
            if one is not None:
                self._same(f"{path}[{name}]", one_of(one, known, f"{path}.{name}"), line.outcomes[at].value)

    def _blocked(self, line: LineFound, value: Any, path: str) -> None:
        """True or false, how many, or when."""
        if isinstance(value, bool):
            self._same(path, value, bool(line.blocked))
        elif isinstance(value, int):
            self._same(path, value, len(line.blocked))
        else:
            wanted = [self.times.instant(one, path) for one in as_list(value)]
            self._same(path, plain(wanted, self.zone), plain(line.blocked, self.zone))

    def _groups(self, wanted: Any, groups: list[dict[str, Any]], path: str) -> None:
        left = list(groups)
        self._same(f"{path} (number)", len(as_list(wanted)), len(left))
        for at, one in enumerate(as_list(wanted)):
            if not left:
                break
            here = f"{path}[{at}]"
            best = min(left, key=lambda values: len(self._differences(one, values, _GROUP, here)))
            left.remove(best)
            self.wrong += self._differences(one, best, _GROUP, here)

    def _states(self, line: LineFound, value: Any, path: str) -> None:
        """How the line stands at chosen instants: a list with `at`, or an object of instant and state."""
        wanted = (
            [{"at": at, **(one if isinstance(one, Mapping) else {"state": one})} for at, one in value.items()]
            if isinstance(value, Mapping)
            else as_list(value)
        )
        for at, one in enumerate(wanted):
            here = f"{path}[{at}]"
            body = known_keys(one, ("at", *_GROUP), here)
            if "at" not in body or len(body) < 2:
                raise ScenarioFault(here, "Say `at` when, and what is expected then.")
            when = self.times.instant(body.pop("at"), f"{here}.at")
            refunds = evaluate(self.scenario, when).refunds
            for group in merged(run(self.scenario, line.line, when), refunds):
                self.wrong += self._differences(body, group, _GROUP, here)

    # --- Values ---

    def _values(self, expected: Any, found: Mapping[str, Any], shapes: Mapping[str, str], path: str) -> None:
        self.wrong += self._differences(expected, found, shapes, path)

    def _differences(
        self, expected: Any, found: Mapping[str, Any], shapes: Mapping[str, str], path: str
    ) -> list[Mismatch]:
        body = known_keys(expected, shapes, path)
        wrong = []
        for name, value in body.items():
            have = found.get(_SAME.get(name, name))
            if name == "amount" and isinstance(value, str) and value.strip().endswith("%"):
                have, value = found["share"], float(value.strip().rstrip("%"))
                wrong += _differ(f"{path}.amount (%)", value, have)
                continue
            wrong += self._compared(value, have, shapes[name], f"{path}.{name}")
        return wrong

    def _one(self, expected: Any, found: Any, shape: str, path: str) -> None:
        self.wrong += self._compared(expected, found, shape, path)

    def _compared(self, expected: Any, found: Any, shape: str, path: str) -> list[Mismatch]:
        if shape == "silence":
            body = known_keys(
                expected if isinstance(expected, Mapping) else {"means": expected}, ("means", "on"), path
            )
            return self._differences(body, found, {"means": "text", "on": "day"}, path)
        if shape == "state" and expected == "alive":
            return [] if found in {phase.value for phase in LIVE} else [Mismatch(path, "alive", found)]
        return _differ(path, plain(self._read(expected, shape, path), self.zone), plain(found, self.zone))

    def _read(self, value: Any, shape: str, path: str) -> Any:
        if value is None or value == "none" or shape == "as it is":
            return None if value == "none" else value
        if shape == "day":
            return self.times.day(value, path)
        if shape == "instant":
            return self.times.instant(value, path)
        if shape == "amount":
            return amount(value, self.scenario.currency, path)
        words: Mapping[str, Any] = {
            "state": _STATES,
            "case": {**{one.value: one.value for one in Case}, **{f"(c)({n})": f"c{n}" for n in range(1, 6)}},
            "kind": {one.value: one.value for one in NoticeKind},
            "outcome": {one.value: one.value for one in Outcome},
            "tender": TENDERS,
        }.get(shape, {})
        return one_of(value, words, path) if words else str(value)

    def _same(self, path: str, expected: Any, found: Any) -> None:
        self.wrong += _differ(path, expected, found)


def _differ(path: str, expected: Any, found: Any) -> list[Mismatch]:
    return [] if expected == found else [Mismatch(path, expected, found)]
