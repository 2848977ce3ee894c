"""What a scenario's cancellations cost the seller: refunds due per tender, and whether what was sent counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from app.promises.check.events import Happening
from app.promises.check.findings import LineFound
from app.promises.check.scenarios import Scenario
from app.promises.check.words import ScenarioFault
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
from app.promises.regimes import (
    DELIVERY_LAWS,
    Regime,
    california_latest,
    delivery_refund_latest,
    delivery_refund_target,
)
from app.promises.vocabulary import Cancellation


@dataclass(frozen=True, slots=True)
class Loss:
    """Goods that will not reach the buyer: of which lines, worth how much, and the day from which their refund
    counts. `cancellation` is the delay rule's; None where a contract of delivery was ended."""

    vests_on: date
    lines: tuple[str, ...]
    worth: int
    cancellation: Cancellation | None = None


@dataclass(frozen=True, slots=True)
class RefundFound:
    """A refund due, the loss it is for, and how far it has come."""

    due: RefundDue
    loss: Loss
    within: str
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
    for loss in _losses(scenario, lines):
        kept -= loss.worth
        due = _due(scenario, sum(tender.paid for tender in tenders), goods, kept)
        part = max(0, due - given_back)
        given_back += part
        dues = refunds_due(loss.vests_on, part, tenders, settings=scenario.settings)
        tenders = [_less(tender, dues) for tender in tenders]
        refunds += [_found(scenario, due, loss, until) for due in dues]
    return refunds


def _tenders(scenario: Scenario, until: datetime | None) -> list[Tender]:
    """What was tendered and is honored; a new payment may be of another kind than the one it replaces."""
    tenders, bounced = list(scenario.tenders), set[int]()
    for event in scenario.told(until):
        if event.verb in ("dishonored", "credit_refused"):
            bounced |= _named(tenders, event)
        if event.verb in ("paid_again", "credit_approved"):
            if event.get("tender") is not None and tenders:
                replaced = min(bounced, default=0)
                tenders[replaced] = replace(tenders[replaced], kind=event.get("tender"), cycle_ends=None)
            bounced = set()
    return [tender for at, tender in enumerate(tenders) if at not in bounced]


def _named(tenders: Sequence[Tender], event: Happening) -> set[int]:
    """Which of the tenders the event is about: of the kind it names, else all; of a refused credit those on credit."""
    kind = event.get("tender", "terms" if event.verb == "credit_refused" else None)
    named = {at for at, tender in enumerate(tenders) if tender.kind == kind}
    if not named and event.get("tender") is not None:
        raise ScenarioFault(f"events[{event.number - 1}].tender", f"Nothing was paid by {kind}.")
    return named or set(range(len(tenders)))


def _losses(scenario: Scenario, lines: Sequence[LineFound]) -> list[Loss]:
    """What was canceled, and what contracts of delivery were ended about, in the order in which it vested."""
    cancelled: dict[Cancellation, dict[str, int]] = {}
    ended: dict[date, dict[str, int]] = {}
    for found in lines:
        for group in found.groups:
            worth = found.line.goods * group.units // found.line.quantity
            if group.state.cancellation is not None:
                by_line = cancelled.setdefault(group.state.cancellation, {})
            elif found.delivery is not None and found.delivery.ended_at is not None:
                by_line = ended.setdefault(scenario.zones.seller_day(found.delivery.ended_at), {})
            else:
                continue
            by_line[found.line.id] = by_line.get(found.line.id, 0) + worth
    in_order = sorted(cancelled.items(), key=lambda item: (item[0].vests_on, item[0].vested_at))
    losses = [Loss(one.vests_on, tuple(part), sum(part.values()), one) for one, part in in_order]
    losses += [Loss(day, tuple(part), sum(part.values())) for day, part in ended.items()]
    return sorted(losses, key=lambda loss: loss.vests_on)


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


def _found(scenario: Scenario, due: RefundDue, loss: Loss, until: datetime | None) -> RefundFound:
    impossible = _last(scenario, "refund_impossible", due.tender.kind, until)
    if impossible is not None:
        due = _by_check(scenario, due, scenario.zones.seller_day(impossible))
    elif Regime.US_CALIFORNIA in scenario.regimes:
        due = _no_later(due, california_latest(due.latest, loss.vests_on))
    due, within = _by_law_of_delivery(
        scenario, due, loss.vests_on if impossible is None else scenario.zones.seller_day(impossible)
    )
    sent = _sent(scenario, due, until)
    if sent is None:
        return RefundFound(due, loss, within, None, None)
    fault = fault_of(due, sent, impossible=impossible is not None)
    return RefundFound(due, loss, within, fault, None if fault else refunded_on(sent), True)


def _no_later(due: RefundDue, day: date) -> RefundDue:
    return replace(due, latest=min(due.latest, day), latest_strict=min(due.latest_strict, day))


def _by_law_of_delivery(scenario: Scenario, due: RefundDue, since: date) -> tuple[RefundDue, str]:
    """The refund by the laws of delivery, where they govern alone or are stricter; and within what it is due."""
    creditor = due.form is RefundForm.ACCOUNT_STATEMENT
    within = "one billing cycle" if creditor else "7 working days"
    if not DELIVERY_LAWS & set(scenario.regimes):
        return due, within
    last = delivery_refund_latest(since)
    if Regime.US_FEDERAL in scenario.regimes:
        return _no_later(due, last), within if due.latest <= last else "14 days"
    target = delivery_refund_target(since, scenario.settings)
    return replace(due, latest=last, latest_strict=last, target=target), "14 days"


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
        form=_form(money[-1], due) if money else due.form,
        amount=sum(due.amount if event.get("amount") is None else event.get("amount") for event in money)
        if money
        else due.amount,
        money_on=zones.seller_day(max(event.at for event in money)) if money else None,
        statement_on=None if statement is None else zones.seller_day(statement),
    )


def _form(sent: Happening, due: RefundDue) -> str:
    """The form of a refund sent; without one it is the lawful form. A gift card that paid may be loaded again."""
    form: str = sent.get("form", due.form)
    own = {"gift_card": "gift_card", "store_credit": "credit"}.get(form)
    return RefundForm.SAME_FORM_AND_STATEMENT if own == due.tender.kind else form
