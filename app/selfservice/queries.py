"""What a buyer sees of their order: plain words, no account, nothing of anybody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from app.calendar import local_date
from app.cancellation.service import pending
from app.notices.letters import TRACKING, shop_of
from app.orders.queries import work_rows
from app.orders.shapes import order_number
from app.orders.standing import promised_day
from app.pages import formats
from app.payments.queries import needed
from app.promises.queries import open_question
from app.promises.regimes import DELIVERY_LAWS, IN_WORDS, Regime
from app.selfservice.words import Words
from tenants.scope import Scope

Row = dict[str, Any]
DIGITAL = ("digital", "gift_card_digital")


def order_page(scope: Scope, order_id: UUID) -> Row | None:
    """Everything the page shows, a fixed number of statements; None when there is no such order."""
    found = scope.row(
        "SELECT id, number, status, currency, customer, ship_to, buyer_zone, placed_at, total, captured_total,"
        " refunded_total FROM orders WHERE tenant_id = :tenant AND id = :id",
        id=order_id,
    )
    if found is None:
        return None
    order = dict(found._mapping)
    now, zone = scope.now(), scope.tenant.timezone
    t = Words(order["customer"].get("language") or "en", zone, local_date(now, zone))
    lines = _lines(scope, order_id)
    asked = {one["id"] for one in pending(scope, order_id)}
    answers = _answers(scope, order_id)
    given_up = {line for one in answers if one.answer == "cancel" for line in one.facts["lines"]}
    for line in lines:
        line["open"] = line["allocated"] + line["backordered"]
        line["asked"] = str(line["id"]) in asked or line["vested_at"] is not None
        line["words"], line["s"] = _words(line, order, t, asked=line["asked"])
        if line["open"] and str(line["id"]) in given_up and not line["asked"]:
            # The answer is taken; its effect on stock and money follows in a moment.
            line["words"], line["s"], line["asked"] = t("Being canceled, as you asked"), "idle", True
    payment = needed(scope, order_id)
    question = open_question(scope, order_id)
    question = question if question is not None and _is_open(question.facts, lines) else None
    return {
        "t": t,
        "order": order,
        "number": order_number(order["number"]),
        "shop": shop_of(scope),
        "writes_to": (scope.tenant.settings.get("contact") or {}).get("email") or "",
        "lines": lines,
        "title": t(_title(order, lines, payment=payment is not None)),
        "shipments": _shipments(scope, order_id, lines),
        "question": question,
        "answers": answers,
        "payment": payment,
        "deliveries": _deliveries(lines, local_date(now, order["buyer_zone"])),
        "can_cancel": order["status"] == "placed"
        and any(line["open"] and not line["asked"] for line in lines),
        "now": now,
    }


def _lines(scope: Scope, order_id: UUID) -> list[Row]:
    rows = scope.rows(
        """
        SELECT l.id, l.title, l.kind, l.ordered, l.cancelled, l.allocated, l.backordered, l.shipped, l.items,
            p.state, p.deadline, p.original_deadline, p.original_date, p.vested_at, p.regimes, p.deliver_by,
            p.delivery_state
        FROM order_lines l LEFT JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
        WHERE l.tenant_id = :tenant AND l.order_id = :order ORDER BY l.position
        """,
        order=order_id,
    )
    return [dict(row._mapping) for row in rows]


def _words(line: Mapping[str, Any], order: Mapping[str, Any], t: Words, *, asked: bool) -> tuple[str, str]:
    """How a line stands, to the buyer, and its color."""
    if line["cancelled"] == line["ordered"]:
        return t("Canceled"), "idle"
    if not line["open"]:
        return t("Sent by email" if line["kind"] in DIGITAL else "Shipped"), "kept"
    if line["vested_at"] is not None:
        return t("Canceled, as you asked or because its time was over; we confirm it in writing"), "idle"
    if asked:
        return t("We asked our warehouse to stop it and tell you as soon as it answers"), "due"
    if (line["state"] or "").startswith("wait_"):
        return t("Delayed: we asked you whether to wait or to cancel"), "risk"
    if line["delivery_state"] in ("late", "terminable"):
        return t("Late: it should have reached you by {}", t.day(line["deliver_by"])), "late"
    promised = line["state"] not in (None, "not_covered", "consent_indefinite") and line["deadline"]
    day = t.day(promised_day(line, order["buyer_zone"])) if promised else ""
    wanted = formats.number(line["ordered"] - line["cancelled"])
    start = t("{} of {} shipped. ", formats.number(line["shipped"]), wanted) if line["shipped"] else ""
    if line["backordered"]:
        return start + (t("On order with us, ships by {}", day) if day else t("On order with us")), "due"
    return start + (t("Being prepared, ships by {}", day) if day else t("Being prepared")), "due"


def _deliveries(lines: Sequence[Row], today: date) -> list[Row]:
    """What the law of delivery lets the buyer do, by state: [{state, by, lines, law, soonest}]; the states that ask
    for something first."""
    found = []
    for state in ("terminable", "late", "extended", "due"):
        own = [line for line in lines if line["delivery_state"] == state]
        for by in sorted({line["deliver_by"] for line in own}):
            chosen = [line for line in own if line["deliver_by"] == by]
            found.append(
                {
                    "state": state,
                    "by": by,
                    "lines": chosen,
                    "law": next(
                        IN_WORDS[law] for law in map(Regime, chosen[0]["regimes"]) if law in DELIVERY_LAWS
                    ),
                    "soonest": today + timedelta(days=1),
                }
            )
    return found


def _title(order: Mapping[str, Any], lines: Sequence[Row], *, payment: bool) -> str:
    if order["status"] == "cancelled":
        return "Your order is canceled"
    if payment:
        return "Your order needs a payment"
    shipped = any(line["shipped"] for line in lines)
    if not any(line["open"] for line in lines):
        return "Your order is on its way"
    return "Part of your order is on its way" if shipped else "We are getting your order ready"


def _is_open(facts: Mapping[str, Any], lines: Sequence[Row]) -> bool:
    """Whether any unit the notice asks about is still to ship."""
    return any(line["open"] for line in lines if str(line["id"]) in facts["lines"])


def _shipments(scope: Scope, order_id: UUID, lines: Sequence[Row]) -> list[Row]:
    """Parcels, the newest first, with what was in them and where to follow them."""
    titles = {line["id"]: line["title"] for line in lines}
    found = [
        {
            "at": parcel["shipped_at"],
            "kind": parcel["kind"],
            "carrier": parcel["carrier"],
            "number": parcel["tracking_number"],
            "url": _tracking(parcel["carrier"], parcel["tracking_number"]),
            "items": [
                f"{formats.number(part['quantity'])} × {titles[part['order_line_id']]}"
                for part in parcel["lines"]
            ],
        }
        for work in work_rows(scope, "order_id", [order_id])
        for parcel in work["shipments"]
    ]
    return sorted(found, key=_when, reverse=True)


def _when(parcel: Row) -> datetime:
    at: datetime = parcel["at"]
    return at


def _tracking(carrier: str, number: str) -> str:
    pattern = TRACKING.get(carrier.split()[0].lower() if carrier else "")
    return pattern.format(quote(number)) if pattern and number else ""


def _answers(scope: Scope, order_id: UUID) -> list[Any]:
    """What the buyer answered to delay notices, the newest first."""
    return scope.rows(
        "SELECT a.answer, a.received_at, n.facts FROM delay_answers a JOIN notices n ON n.tenant_id = :tenant"
        " AND n.id = a.notice_id WHERE a.tenant_id = :tenant AND a.order_id = :order"
        " ORDER BY a.received_at DESC, a.id DESC",
        order=order_id,
    )
