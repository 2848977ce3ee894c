"""An order's money as a reader adds it up: what was agreed, how it was paid, and whether that fits what shipped.
Pure; amounts are minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.calendar import day_in_words
from app.money import Money
from app.pages import formats
from app.payments.rules import PAY_NOW, parts

KINDS = {
    "card": "Card",
    "gift_card": "Gift card",
    "credit": "Store credit",
    "check": "Check",
    "terms": "Invoice on terms",
    "cash": "Cash",
    "external": "Paid at the channel",
}
BRANDS = {"amex": "American Express", "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay"}
Row = Mapping[str, Any]


def tender_name(tender: Row) -> str:
    """ "Visa ••4242", "Check 1024"."""
    card = tender["card"]
    if card:
        brand = BRANDS.get(card.get("brand", ""), str(card.get("brand") or "card").capitalize())
        return f"{brand} ••{card.get('last4', '????')}"
    name = KINDS[tender["kind"]]
    return f"{name} {tender['reference']}" if tender["reference"] and tender["kind"] == "check" else name


def agreed(order: Row, lines: int, tax_region: str) -> list[dict[str, Any]]:
    """The rows up to the agreed total."""
    currency = order["currency"]
    rows = [_row(f"Goods, {formats.plural(lines, 'line')}", order["items_total"], currency)]
    rows += [_row(_code(one), -one["amount"], currency) for one in order["discounts"]]
    rows += [_row(_code(one), one["amount"], currency) for one in order["charges"]]
    state = {"estimated": "estimated", "given": "as given by the channel"}.get(order["tax_status"], "")
    label = f"{tax_region} tax" if tax_region else "Tax"
    rows.append(_row(label, order["tax_total"], currency, sub=state))
    rows.append(_row("Agreed total", order["total"], currency, kind="sum"))
    return rows


def _code(adjustment: Row) -> str:
    return str(adjustment["code"]).replace("_", " ").capitalize()


def _row(label: str, amount: int, currency: str, sub: Any = "", kind: str = "") -> dict[str, Any]:
    return {"label": label, "amount": Money(amount, currency), "sub": sub, "kind": kind}


def paid(tenders: Sequence[Row], entries: Sequence[Row], currency: str, lapse: Any) -> list[dict[str, Any]]:
    """How it was paid, what went back, and what is still held. `lapse(moment)` writes a date."""
    names = {tender["id"]: tender_name(tender) for tender in tenders}
    rows, total = [], 0
    for kind, word, sign in (("capture", "taken", 1), ("refund", "given back", -1)):
        for tender in tenders:
            done = [e for e in entries if _is(e, kind, "succeeded") and e["tender_id"] == tender["id"]]
            if done:
                amount = sign * sum(entry["amount"] for entry in done)
                total += amount
                in_hand = tender["kind"] in PAY_NOW and sign > 0
                label = names[tender["id"]] if in_hand else f"{names[tender['id']]}, {word}"
                rows.append(_row(label, amount, currency, sub=lapse(done[-1]["at"])))
    if rows:
        rows.append(_row("Paid", total, currency, kind="sum"))
    for entry in entries:
        if _is(entry, "authorize", "succeeded") and entry["ended_at"] is None:
            until = f"Expires {lapse(entry['capture_before'])}" if entry["capture_before"] else ""
            rows.append(
                _row(f"{names[entry['tender_id']]}, authorized", entry["amount"], currency, sub=until)
            )
        elif entry["kind"] in ("authorize", "capture") and entry["outcome"] in ("pending", "unknown"):
            word = "authorization" if entry["kind"] == "authorize" else "to be taken"
            sub = entry["error"] or (
                "The answer is being checked" if entry["outcome"] == "unknown" else "Under way"
            )
            rows.append(_row(f"{names[entry['tender_id']]}, {word}", entry["amount"], currency, sub=sub))
    return rows


def owed(dues: Sequence[Any], names: Mapping[Any, str], now: datetime) -> list[dict[str, Any]]:
    """What is owed back, and what went: [{id, s, amount, words}]. `names`: of tenders by id."""
    return [
        {
            "id": due.id,
            "s": "kept" if due.proven_at else "late" if due.due_at <= now else "risk" if due.taken else "due",
            "amount": Money(due.amount, due.currency),
            "words": f"{names[due.tender_id]}: {_owed_words(due)}",
        }
        for due in dues
    ]


def _owed_words(due: Any) -> str:
    if due.proven_at is not None:
        sent = f"{'sent back' if due.taken else 'let go'} {day_in_words(due.sent_on)}"
        return f"{sent}, buyer told {day_in_words(due.stated_on)}"
    if due.paid_at is not None:
        return "gone, the buyer's statement is missing"
    return f"{'owed back' if due.taken else 'to be let go'} by {day_in_words(due.strict_on)}"


def _is(entry: Row, kind: str, outcome: str) -> bool:
    return entry["kind"] == kind and entry["outcome"] == outcome


def balance(order: Row, tenders: Sequence[Row], entries: Sequence[Row], shipped: int) -> dict[str, Any]:
    """Whether what was taken equals what it must be: money in hand as paid, the others' share of what shipped."""
    currency = order["currency"]
    shares = parts([(tender["kind"], tender["amount"]) for tender in tenders], shipped)
    due = sum(
        tender["amount"] if tender["kind"] in PAY_NOW else share
        for tender, share in zip(tenders, shares, strict=True)
    )
    taken = sum(entry["amount"] for entry in entries if _is(entry, "capture", "succeeded"))
    under_way = sum(
        entry["amount"]
        for entry in entries
        if entry["kind"] == "capture" and entry["outcome"] in ("pending", "unknown")
    )
    if taken == due:
        in_hand = any(tender["kind"] in PAY_NOW for tender in tenders)
        if not taken:
            return {"ok": True, "text": "In balance: nothing has shipped, nothing was taken."}
        meaning = (
            "what was paid in advance and what shipped"
            if in_hand and taken != shipped
            else "the value shipped"
        )
        return {"ok": True, "text": f"In balance: taken {Money(taken, currency)} equals {meaning}."}
    if taken + under_way == due:
        return {
            "ok": True,
            "text": f"{Money(under_way, currency)} is being taken for what shipped.",
        }
    return {
        "ok": False,
        "text": f"Out of balance: {Money(due, currency)} is due for what shipped,"
        f" {Money(taken, currency)} was taken.",
    }
