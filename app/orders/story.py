"""One order as one story: its lines, where they ship from and why, its money, what happened, what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.inbound.queries import sources
from app.money import Money
from app.orders import acts, alternatives, ledger, moments, moves, summary
from app.orders.ahead import ahead
from app.orders.drawing import drawing
from app.orders.queries import work_rows
from app.orders.refusals import refused
from app.orders.rules import fulfillment_status
from app.orders.shapes import order_number
from app.orders.standing import WORST, promised_day
from app.pages import formats
from app.payments.queries import needed
from app.promises.regimes import IN_WORDS, Regime
from app.refunds.queries import of_order as refunds_of
from app.routing.configuration import configuration
from app.routing.explanations import explain_table
from app.routing.queries import given_up
from infra.errors import not_found
from tenants.scope import Scope

Row = dict[str, Any]
MOST_MOMENTS = 200
ICONS = {
    "made_to_order": "tools",
    "digital": "mail",
    "gift_card_digital": "mail",
    "gift_card_physical": "gift",
    "kit": "box",
}
KIND_WORDS = {
    "stock": "stock",
    "preorder": "pre-order",
    "made_to_order": "made to order",
    "digital": "digital",
    "gift_card_digital": "gift card by email",
    "gift_card_physical": "gift card",
    "kit": "kit",
}
STATUS_WORDS = {
    "unfulfilled": "Not started",
    "backordered": "Waits for stock",
    "in_progress": "In work",
    "partly_shipped": "Partly shipped",
    "shipped": "Shipped",
    "cancelled": "Canceled",
}
OTHER_KIND = "Ruled out: not for goods of this kind"
CAUSES = {
    "placed": "When it was placed",
    "rejected": "After a rejection",
    "short_pick": "After a short pick",
    "restocked": "When stock came in",
    "moved": "After the address changed",
    "network_changed": "When places or rules changed",
    "rested": "When a place could give again",
    "window": "With the others of its window",
    "asked": "When a person asked again",
    "assigned": "Chosen by a person",
}


def story(scope: Scope, order_id: UUID, tab: str = "") -> Row:
    """Everything the order's page shows; a fixed number of statements. Raises Problem 404."""
    now, zone = scope.now(), scope.tenant.timezone
    order = _one(scope, order_id)
    lines = _lines(scope, order_id)
    holds = _all(
        scope,
        "SELECT kind, reason, placed_at, placed_by FROM order_holds WHERE tenant_id = :tenant"
        " AND order_id = :order AND released_at IS NULL ORDER BY placed_at",
        order_id,
    )
    nodes = {
        row.code: dict(row._mapping)
        for row in scope.rows(
            "SELECT code, name, kind, latitude, longitude FROM nodes WHERE tenant_id = :tenant"
        )
    }
    work = _work(scope, order_id, nodes)
    facts = _facts(scope, order, work, nodes)
    decisions = _all(
        scope,
        "SELECT made_at, cause, rule_version, plan, explanation, sentence, packages, miles FROM routing_decisions"
        " WHERE tenant_id = :tenant AND order_id = :order ORDER BY id DESC",
        order_id,
    )
    tenders = _all(
        scope,
        "SELECT * FROM tenders WHERE tenant_id = :tenant AND order_id = :order ORDER BY position",
        order_id,
    )
    entries = _all(
        scope,
        "SELECT * FROM ledger_entries WHERE tenant_id = :tenant AND order_id = :order ORDER BY at, id",
        order_id,
    )
    notices = _all(
        scope,
        "SELECT n.id, n.kind, n.channel, n.recipient, n.subject, n.state, n.error, n.created_at, n.sent_at,"
        " n.delivered_at, n.bounced_at, (SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'state', d.state,"
        " 'address', d.address) ORDER BY d.attempt) FROM notice_deliveries d WHERE d.tenant_id = :tenant"
        " AND d.notice_id = n.id AND d.state IN ('refused', 'bounced', 'given_up')) AS missed FROM notices n"
        " WHERE n.tenant_id = :tenant AND n.order_id = :order ORDER BY n.id",
        order_id,
    )
    coming = sources(scope, {line["sku_id"] for line in lines if line["backordered"]})
    for line in lines:
        line["comes"] = summary.comes(coming.get(line["id"], []), formats.local_day(now, zone))
        _describe(line, order, work, now, zone, held=bool(holds))
    payment = needed(scope, order_id) if any(hold["kind"] == "payment" for hold in holds) else None
    late = [
        line for line in lines if line["s"] in ("risk", "late") and line["backordered"] + line["allocated"]
    ]
    stands = min((line["s"] for line in lines), key=WORST.index, default="idle")
    tab = tab if tab in moments.TABS else ""
    names = {code: node["name"] for code, node in nodes.items()}
    for decision in decisions:
        decision["said"] = moves.spoken(
            decision["cause"], decision["explanation"], decision["sentence"], names
        )
    since = refused(scope, order_id, decisions[0]["made_at"]) if decisions else None
    owed = refunds_of(scope, order_id)
    network = configuration(scope).network
    candidates = explain_table(decisions[0]["explanation"], network, order["currency"]) if decisions else []
    return {
        "order": order,
        "number": order_number(order["number"]),
        "status": STATUS_WORDS[fulfillment_status(lines, [one["work_status"] for one in work])],
        "s": stands,
        "lines": lines,
        "lines_note": _lines_note(lines),
        "holds": holds,
        "payment": payment,
        "late_lines": late,
        "work": work,
        "decision": decisions[0] if decisions else None,
        "decisions": decisions,
        "since": since,
        "refusal": since.words(decisions[0]["plan"]) if since else "",
        "moved": moves.moved(decisions[0]["explanation"]["window"], names, order["currency"])
        if decisions and "window" in decisions[0]["explanation"]
        else [],
        "causes": CAUSES,
        "candidates": [row for row in candidates if row.outcome != OTHER_KIND],
        "compared": alternatives.compared(decisions[0], names) if decisions else [],
        "given_up": given_up(scope, decisions[0]) if decisions else "",
        "names": names,
        "other_kinds": sum(row.outcome == OTHER_KIND for row in candidates),
        "drawing": drawing(order, lines, work, decisions, nodes, since.nodes if since else set()),
        "nodes": nodes,
        "ledger_rows": ledger.agreed(order, len(lines), str(order["ship_to"].get("region") or ""))
        + ledger.paid(tenders, entries, order["currency"], lambda at: _day(at, zone, now)),
        "refunds": ledger.owed(owed, {one["id"]: ledger.tender_name(one) for one in tenders}, now),
        "balance": ledger.balance(order, tenders, entries, sum(line["value_shipped"] for line in lines)),
        "ahead": ahead(lines, notices, tenders, entries, owed, now, order["currency"], tab),
        "moments": moments.timeline(_events(scope, order_id), notices, facts, tab),
        "tabs": moments.TABS,
        "tab": tab,
        "acts": acts.acts(
            order,
            lines,
            holds,
            work,
            needs_payment=payment is not None,
            delay_lines=sum(
                line["s"] == "risk" and not line["asked"] and line["state"] != "delivery" for line in late
            ),
            asked=order["status"] == "placed" and any(notice["kind"] == "delay" for notice in notices),
        ),
        "town": summary.town(order["ship_to"]),
    }


def _day(at: datetime | None, zone: str, now: datetime) -> str:
    return formats.short_date(at, zone, formats.local_day(now, zone))


def _one(scope: Scope, order_id: UUID) -> Row:
    row = scope.row(
        """
        SELECT o.*, c.name AS channel_name, c.kind AS channel_kind, t.actor AS placed_by,
            u.orders AS customer_orders, u.since AS customer_since, u.value AS customer_value
        FROM orders o JOIN channels c ON c.tenant_id = :tenant AND c.code = o.channel
        LEFT JOIN LATERAL (SELECT actor FROM timeline WHERE tenant_id = :tenant AND order_id = o.id
            AND name = 'order.placed' LIMIT 1) t ON true
        LEFT JOIN LATERAL (SELECT count(*) AS orders, min(x.placed_at) AS since,
            (sum(x.total) FILTER (WHERE x.currency = o.currency AND x.status <> 'cancelled'))::bigint AS value
            FROM orders x WHERE x.tenant_id = :tenant AND x.customer_id = o.customer_id) u ON true
        WHERE o.tenant_id = :tenant AND o.id = :id
        """,
        id=order_id,
    )
    if row is None:
        raise not_found("order")
    return dict(row._mapping)


def _all(scope: Scope, sql: str, order_id: UUID) -> list[Row]:
    return [dict(row._mapping) for row in scope.rows(sql, order=order_id)]


def _lines(scope: Scope, order_id: UUID) -> list[Row]:
    return _all(
        scope,
        """
        SELECT l.*, p.state, p.stated, p.basis, p.evidence, p.made_at, p.deadline, p.original_deadline,
            p.original_date, p.expected_ship_at, p.regimes, p.deliver_by, p.delivery_state,
            gone.at AS shipped_at, asked.units AS cancel_requested
        FROM order_lines l
        LEFT JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
        LEFT JOIN LATERAL (SELECT max(s.shipped_at) AS at FROM shipment_lines sl
            JOIN shipments s ON s.tenant_id = :tenant AND s.id = sl.shipment_id
            WHERE sl.tenant_id = :tenant AND sl.order_line_id = l.id) gone ON true
        LEFT JOIN LATERAL (SELECT coalesce(sum(fl.cancel_requested), 0) AS units FROM fulfillment_order_lines fl
            WHERE fl.tenant_id = :tenant AND fl.order_line_id = l.id) asked ON true
        WHERE l.tenant_id = :tenant AND l.order_id = :order ORDER BY l.position
        """,
        order_id,
    )


def _events(scope: Scope, order_id: UUID) -> list[Row]:
    return _all(
        scope,
        "SELECT id, name, at, actor, data FROM timeline WHERE tenant_id = :tenant AND order_id = :order"
        f" ORDER BY id DESC LIMIT {MOST_MOMENTS}",
        order_id,
    )


def _work(scope: Scope, order_id: UUID, nodes: Mapping[str, Row]) -> list[Row]:
    return [
        {**row, "node_name": nodes.get(row["node"], {}).get("name", row["node"])}
        for row in work_rows(scope, "order_id", [order_id])
    ]


def _facts(scope: Scope, order: Row, work: Sequence[Row], nodes: Mapping[str, Row]) -> moments.Facts:
    return moments.Facts(
        nodes={code: node["name"] for code, node in nodes.items()},
        work={str(one["id"]): one for one in work},
        shipments={str(parcel["id"]): parcel for one in work for parcel in one["shipments"]},
        channels={order["channel"]: order["channel_name"]},
        currency=order["currency"],
    )


def _describe(line: Row, order: Row, work: Sequence[Row], now: datetime, zone: str, *, held: bool) -> None:
    """Give a line what its row shows: state, bar, promise, origin."""
    line["s"] = summary.of_line(line, now)
    line["parts"], line["bar_words"] = summary.bar([line], now, held=held)
    line["day"] = promised_day(line, order["buyer_zone"]) if line["deadline"] else None
    line["shipped_on"] = (
        summary.shipped_day(line, zone) if line["state"] == "shipped" and line["shipped_at"] else None
    )
    line["asked"] = (line["state"] or "").startswith("wait_")
    line["clock_words"] = summary.clock_words(line, line["day"], formats.local_day(now, zone))
    line["laws"] = [IN_WORDS[Regime(law)] for law in line["regimes"] or ()]
    line["delivery_words"] = summary.delivery_words(line, formats.local_day(now, zone))
    line["icon"] = ICONS.get(line["kind"], "package")
    line["kind_words"] = KIND_WORDS[line["kind"]]
    line["origin"] = _origin(line, work, now, zone)
    line["each"] = (
        f"{formats.number(line['ordered'])} × {Money(line['unit_price'], order['currency'])}"
        if line["ordered"] > 1
        else ""
    )


def _origin(line: Row, work: Sequence[Row], now: datetime, zone: str) -> list[Row]:
    """Where a line ships from: [{node, what}]."""
    found = []
    for one in work:
        own = [part for part in one["lines"] if part["order_line_id"] == line["id"]]
        units = sum(part["quantity"] - part["released"] for part in own)
        if not units:
            continue
        parcels = [
            parcel
            for parcel in one["shipments"]
            if any(part["order_line_id"] == line["id"] for part in parcel["lines"])
        ]
        found.append({"node": one["node_name"], "units": units, "what": _progress(one, parcels, now, zone)})
    return found


def _progress(work: Row, parcels: Sequence[Row], now: datetime, zone: str) -> str:
    if parcels:
        last = parcels[-1]
        if last["kind"] == "digital":
            return "sent by email"
        if last["kind"] == "counter":
            return "handed over at the counter"
        return " ".join(word for word in (last["carrier"], last["service"]) if word)
    if work["work_status"] in ("picking", "packed"):
        return "being picked" if work["work_status"] == "picking" else "packed"
    if work["request_status"] == "held" and work["gathered_until"] and work["gathered_until"] > now:
        return (
            f"goes out at {formats.clock_time(work['gathered_until'], zone)}, with the others of its window"
        )
    return {
        "held": "not released yet",
        "submitted": "waits for the node's answer",
        "accepted": "accepted",
        "cancel_requested": "asked to give it back",
    }.get(work["request_status"], "")


def _lines_note(lines: Sequence[Row]) -> str:
    sums = {
        word: sum(line[name] for line in lines)
        for name, word in (
            ("shipped", "shipped"),
            ("allocated", "in work"),
            ("backordered", "waiting"),
            ("cancelled", "canceled"),
        )
    }
    parts = ", ".join(f"{formats.number(units)} {word}" for word, units in sums.items() if units)
    units = sum(line["ordered"] for line in lines)
    return f"{formats.plural(len(lines), 'line')}, {formats.plural(units, 'unit')}: {parts}"
