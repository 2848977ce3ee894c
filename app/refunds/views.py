"""Refunds as pages: what is owed by its last day, and what a person records about one."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from app.calendar import local_date
from app.forms import Form
from app.money import Money
from app.pages import register_nav, toast
from app.refunds import queries, rules, service
from app.shapes import identifier
from app.web import page
from infra.errors import Problem, not_found
from tenants.scope import Scope, current

blueprint = Blueprint("refund_pages", __name__, template_folder="templates")
register_nav("", "Refunds", "refund_pages.list", "receipt-refund", permission="payments:read", order=26)

MOST = 200
VIEWS = {"todo": "To do", "open": "Open", "proven": "Done"}
TENDERS = {
    "card": "Card",
    "gift_card": "Gift card",
    "credit": "Store credit",
    "check": "Check",
    "terms": "On terms",
    "cash": "Cash",
    "external": "Paid at the channel",
}
FORMS = {
    "cash_or_check": "Cash, check or money order sent to the buyer",
    "credit_memo_and_copy": "Credit to the card, and a statement to the buyer",
    "not_charged_statement": "A statement that nothing was or will be charged",
    "account_statement": "A statement that the charge is gone from the buyer's account with you",
    "same_form_and_statement": "Back in the form that was tendered, and a statement to the buyer",
}
SENT = {
    "check": "Check",
    "money_order": "Money order",
    "cash": "Cash",
    "original": "The way it was paid",
    "not_charged": "Let go, never charged",
}
TO_DO = {"send": "Send the money and record it", "statement": "Tell the buyer: our message did not arrive"}


@blueprint.get("/refunds", endpoint="list")
@page("payments:read")
def list_refunds() -> str:
    """What is owed to buyers: what needs a person, all that is open by the last day, and what is done."""
    scope = current()
    asked = request.args.get("view", "todo")
    view = asked if asked in VIEWS else "todo"
    return render_template(
        "refunds/list.html",
        rows=[_row(row, scope) for row in queries.board(scope, view, MOST)],
        view=view,
        views=VIEWS,
        counts=queries.counts(scope),
        most=MOST,
    )


@blueprint.get("/refunds/<due_id>", endpoint="detail")
@page("payments:read")
def detail(due_id: str) -> str:
    """One refund: its days, what became of it, and what can be recorded."""
    return _page(Form(), due_id)


@blueprint.post("/refunds/<due_id>/payment", endpoint="pay")
@page("payments:write")
def pay(due_id: str) -> Any:
    """Record what was sent."""
    form = Form(request.form)
    kind, reference = form.choice("form", SENT), form.text("reference", most=100)
    sent_on = _day(form, "sent_on")
    return _done(
        form,
        due_id,
        lambda scope: service.pay(scope, identifier(due_id), kind, reference, sent_on),
        "Recorded. The buyer gets the statement.",
    )


@blueprint.post("/refunds/<due_id>/impossible", endpoint="impossible")
@page("payments:write")
def impossible(due_id: str) -> Any:
    """Record that the money cannot go back the way it came."""
    form = Form(request.form)
    reason = form.text("reason", "Say why it cannot go back that way.", most=500)
    found_on = _day(form, "discovered_on")
    return _done(
        form,
        due_id,
        lambda scope: service.cannot(scope, identifier(due_id), reason, found_on),
        "Recorded. Cash, a check or a money order is due now.",
    )


@blueprint.post("/refunds/<due_id>/statement", endpoint="statement")
@page("payments:write")
def statement(due_id: str) -> Any:
    """Record how the buyer was told."""
    form = Form(request.form)
    how = form.text("how", "Say how the buyer was told.", most=200)
    told_on = _day(form, "told_on")
    return _done(
        form,
        due_id,
        lambda scope: service.state_by_hand(scope, identifier(due_id), how, told_on),
        "Recorded. The refund is proven.",
    )


def _done(form: Form, due_id: str, act: Any, words: str) -> Any:
    """Do it unless the form has faults; a refusal is told at its field or above the form, and changes nothing."""
    scope = current()
    if not form.has_faults:
        try:
            act(scope)
        except Problem as problem:
            if problem.status == 404:
                raise
            at = problem.errors[0].pointer.lstrip("/") if problem.errors else ""
            form.refused(problem, "told_on" if at == "sent_on" and "told_on" in form.sent else at)
    if form.has_faults:
        return _page(form, due_id), 422
    toast(words)
    return redirect(url_for("refund_pages.detail", due_id=due_id), 303)


def _day(form: Form, name: str) -> date:
    moment = form.day(name, current().tenant.timezone, needed=True)
    return local_date(moment, current().tenant.timezone) if moment else date.min


def _page(form: Form, due_id: str) -> str:
    scope = current()
    row = queries.one(scope, identifier(due_id))
    if row is None:
        raise not_found("refund due")
    allowed = rules.lawful_forms(row.tender_kind, impossible=row.impossible_on is not None)
    waits = row.paid_at is None and row.taken
    return render_template(
        "refunds/detail.html",
        due=_row(row, scope),
        form=form,
        today=local_date(scope.now(), scope.tenant.timezone),
        sent=SENT,
        forms=[(one, words) for one, words in SENT.items() if one in allowed] if waits else [],
        may_give_up=waits and row.impossible_on is None,
        may_state=row.paid_at is not None and row.proven_at is None,
        may_write=scope.actor.may("payments:write"),
    )


def _row(row: Any, scope: Scope) -> dict[str, Any]:
    """A refund as the pages show it."""
    to_do = rules.to_do(row, row.tender_kind)
    return {
        **row._mapping,
        "amount": Money(row.amount, row.currency),
        "tender_name": TENDERS[row.tender_kind],
        "form_words": FORMS[row.form],
        "to_do": TO_DO.get(to_do, ""),
        **_stands(row, scope, to_do),
    }


def _stands(row: Any, scope: Scope, to_do: str) -> dict[str, str]:
    """The mark of a refund: its state and its word."""
    if row.proven_at is not None:
        late = row.sent_on > row.latest_on
        return {"s": "late" if late else "kept", "word": "Done late" if late else "Done"}
    if row.due_at <= scope.now():
        return {"s": "late", "word": "Late"}
    if row.alarm or to_do:
        return {"s": "risk", "word": "Needs you"}
    return {"s": "due", "word": "On its way" if row.paid_at is None else "Statement on its way"}
