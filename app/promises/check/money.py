"""What a scenario's cancellations cost the seller: refunds due per tender, and whether what was sent counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from app.promises.check.findings import LineFound
from app.promises.check.scenarios import Scenario
from app.promises.refunds import (
    RefundDue,
    RefundFault,
    RefundForm,
    Sent,
    Tender,
    amount_due,
    due_by_terms,
    fault_of,
    latest,
    pro_rata_share,
    refunded_on,
    refunds_due,
)
from app.promises.regimes import Regime, california_latest
from app.promises.vocabulary import Cancellation


@dataclass(frozen=True, slots=True)
class RefundFound:
    """A refund due, the lines and the cancellation it is for, and how far it has come."""

    due: RefundDue
    lines: tuple[str, ...]
    cancellation: Cancellation
    fault: RefundFault | None
    refunded: date | None
    begun: bool = False

    @property
    def status(self) -> str:
        if self.refunded is not None:
            return "refunded" if self.refunded <= self.due.latest else "refunded_late"
        return self.fault.value if self.fault and self.begun else "open"


def refunds_found(
    scenario: Scenario, lines: Sequence[LineFound], until: datetime | None
) -> list[RefundFound]:
    """Every refund due, in the order in which the rights to them vested."""
    tenders = _tenders(scenario, until)
    goods = kept = sum(found.line.goods for found in lines)
    given_back, refunds = 0, []
    for cancellation, named, worth in _cancellations(lines):
        kept -= worth
        due = _due(scenario, sum(tender.paid for tender in tenders), goods, kept)
        part = max(0, due - given_back)
        given_back += part
        dues = refunds_due(cancellation.vests_on, part, tenders, settings=scenario.settings)
        tenders = [_less(tender, dues) for tender in tenders]
        refunds += [_found(scenario, due, named, cancellation, until) for due in dues]
    return refunds


def _tenders(scenario: Scenario, until: datetime | None) -> list[Tender]:
    """What was tendered and honored; a new payment may be of another kind."""
    tenders, honored = list(scenario.tenders), True
    for event in scenario.told(until):
        if event.verb in ("dishonored", "credit_refused"):
            honored = False
        if event.verb == "paid_again":
            honored = True
            if event.get("tender") is not None and tenders:
                tenders[0] = replace(tenders[0], kind=event.get("tender"), cycle_ends=None)
    return tenders if honored else []


def _cancellations(lines: Sequence[LineFound]) -> list[tuple[Cancellation, tuple[str, ...], int]]:
    """Cancellations in the order in which they vested, the lines of each, and their worth in goods."""
    found: dict[Cancellation, dict[str, int]] = {}
    for line in lines:
        for group in line.groups:
            if group.state.cancellation is not None:
                worth = line.line.goods * group.units // line.line.quantity
                by_line = found.setdefault(group.state.cancellation, {})
                by_line[line.line.id] = by_line.get(line.line.id, 0) + worth
    ordered = sorted(found.items(), key=lambda item: (item[0].vests_on, item[0].vested_at))
    return [(one, tuple(by_line), sum(by_line.values())) for one, by_line in ordered]


def _due(scenario: Scenario, paid: int, goods: int, kept: int) -> int:
    """All that is due when only the goods kept are left: by the amount the file gives for them alone, by the
    ordering terms, or, with neither, the share of the others."""
    if not kept:
        return paid
    if scenario.alone is not None:
        return amount_due(paid, scenario.alone)
    if scenario.terms is not None:
        return due_by_terms(paid, goods, kept, scenario.terms)
    return pro_rata_share(paid, goods, kept)


def _less(tender: Tender, dues: Sequence[RefundDue]) -> Tender:
    return replace(tender, refunded=tender.refunded + sum(due.amount for due in dues if due.tender is tender))


def _found(
    scenario: Scenario,
    due: RefundDue,
    lines: tuple[str, ...],
    cancellation: Cancellation,
    until: datetime | None,
) -> RefundFound:
    impossible = _last(scenario, "refund_impossible", due.tender.kind, until)
    if impossible is not None:
        due = _by_check(scenario, due, scenario.zones.seller_day(impossible))
    if Regime.US_CALIFORNIA in scenario.regimes:
        due = replace(
            due,
            latest=california_latest(due.latest, cancellation.vests_on),
            latest_strict=california_latest(due.latest_strict, cancellation.vests_on),
        )
    sent = _sent(scenario, due, until)
    if sent is None:
        return RefundFound(due, lines, cancellation, None, None)
    fault = fault_of(due, sent, impossible=impossible is not None)
    return RefundFound(due, lines, cancellation, fault, None if fault else refunded_on(sent), True)


def _by_check(scenario: Scenario, due: RefundDue, discovered: date) -> RefundDue:
    kind = due.tender.refund_class
    return replace(
        due,
        form=RefundForm.CASH_OR_CHECK,
        latest=latest(discovered, kind, impossible_since=discovered, settings=scenario.settings),
        latest_strict=latest(
            discovered, kind, impossible_since=discovered, strict=True, settings=scenario.settings
        ),
    )


def _last(scenario: Scenario, verb: str, kind: str, until: datetime | None) -> datetime | None:
    """When that last happened to the tender (an event that names none happens to every one)."""
    times = [
        event.at for event in scenario.told(until) if event.verb == verb and event.get("tender", kind) == kind
    ]
    return max(times, default=None)


def _sent(scenario: Scenario, due: RefundDue, until: datetime | None) -> Sent | None:
    kind, zones = due.tender.kind, scenario.zones
    money = [
        event
        for event in scenario.told(until)
        if event.verb == "refund_sent" and event.get("tender", kind) == kind
    ]
    statement = _last(scenario, "statement_sent", kind, until)
    for event in money:
        told = event.get("statement")
        if told:
            statement = event.at if told is True else told
    if not money and statement is None:
        return None
    return Sent(
        form=_form(money[-1].get("form"), due) if money else due.form,
        amount=sum(event.get("amount", due.amount) for event in money) if money else due.amount,
        money_on=zones.seller_day(max(event.at for event in money)) if money else None,
        statement_on=None if statement is None else zones.seller_day(statement),
    )


def _form(given: str | None, due: RefundDue) -> str:
    """The form of a refund in words; without one it is the lawful form."""
    if given is None:
        return due.form
    spoken = str(given).strip().lower().replace(" ", "_")
    cash = spoken in ("cash", "check", "cheque", "money_order")
    return RefundForm.CASH_OR_CHECK if cash else spoken
