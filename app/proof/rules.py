"""The proof file of an order as a document, and how anybody checks its seals. Pure; times are UTC."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app import events
from app.shapes import instant, money

Row = Mapping[str, Any]
HOW = (
    "Each history row's hash is the SHA-256 of its text (UTF-8). A seal's digest is the SHA-256 of the digest before"
    " it (empty for the first), a line break, and its rows sorted by id, each as 'id hash', joined by line breaks."
    " `python -m app.proof.verify FILE` recomputes all of it. The newest digest, kept elsewhere, shows later whether"
    " anything before it was changed."
)
CANCELLED = (events.LINES_CANCELLED, events.ORDER_CANCELLED)


def document(
    found: Mapping[str, Any], merchant: Mapping[str, Any], aware: Sequence[str], now: datetime
) -> dict[str, Any]:
    """The proof file as JSON data. `found`: rows by name (queries.gathered); `aware`: events that told of a delay."""
    order, currency = found["order"], found["order"]["currency"]
    promises = {row["order_line_id"]: row for row in found["promises"]}
    sealed = {key for seal in found["seals"] for key in seal["rows"]}
    return plain(
        {
            "made_at": now,
            "merchant": merchant,
            "order": {
                "id": order["id"],
                "number": f"K-{order['number']}",
                "channel": order["channel"],
                "external_ref": order["external_ref"],
                "source_code": order["source_code"],
                "status": order["status"],
                "placed_at": order["placed_at"],
                "buyer": order["customer"],
                "buyer_zone": order["buyer_zone"],
                "ship_to": order["ship_to"],
                "total": money(order["total"], currency),
            },
            "first_aware_at": _first_aware(found, aware),
            "lines": [
                _line(line, promises.get(line["id"]), found["events"], currency) for line in found["lines"]
            ],
            "notices": [_notice(row, found["deliveries"]) for row in found["notices"]],
            "answers": [_but(row, "tenant_id", "order_id") for row in found["answers"]],
            "cancellations": [
                {"at": row["at"], "event": row["name"], "actor": row["actor"], **row["data"]}
                for row in found["timeline"]
                if row["name"] in CANCELLED
            ],
            "shipments": [_shipment(row, found["parcels"]) for row in found["shipments"]],
            "refunds": found["refunds"],
            "money": {
                "tenders": [
                    _but(row, "tenant_id", "order_id", "processor_customer", "payment_method")
                    for row in found["tenders"]
                ],
                "entries": [_but(row, "tenant_id", "order_id", "next_action") for row in found["entries"]],
            },
            "timeline": [_but(row, "tenant_id", "order_id") for row in found["timeline"]],
            "seal": {
                "digest": found["seals"][-1]["digest"] if found["seals"] else "",
                "seals": len(found["seals"]),
                "unsealed_rows": sum(row["id"] not in sealed for row in found["history"]),
                "how_to_verify": HOW,
            },
            "seals": [_but(row, "tenant_id", "order_id", "id") for row in found["seals"]],
            "history": found["history"],
        }
    )


def _first_aware(found: Mapping[str, Any], aware: Sequence[str]) -> datetime | None:
    """When the merchant first knew of a delay: its earliest sign, or the first delay notice."""
    signs = [row["at"] for row in found["timeline"] if row["name"] in aware]
    signs += [row["created_at"] for row in found["notices"] if row["kind"] == "delay"]
    return min(signs, default=None)


def _line(line: Row, promise: Row | None, told: Sequence[Row], currency: str) -> dict[str, Any]:
    happened = [
        _but(one, "tenant_id", "order_id", "order_line_id")
        for one in told
        if one["order_line_id"] == line["id"]
    ]
    return {
        "id": line["id"],
        "sku": line["sku"],
        "title": line["title"],
        "covered": line["covered"],
        **{name: line[name] for name in ("ordered", "shipped", "cancelled", "backordered", "allocated")},
        "total": money(line["total"], currency),
        "promise": _but(promise, "tenant_id", "order_id", "order_line_id") if promise else None,
        "promise_events": happened,
    }


def _notice(row: Row, deliveries: Sequence[Row]) -> dict[str, Any]:
    own = [_but(one, "tenant_id", "notice_id") for one in deliveries if one["notice_id"] == row["id"]]
    return {**_but(row, "tenant_id", "order_id"), "deliveries": own}


def _shipment(row: Row, parcels: Sequence[Row]) -> dict[str, Any]:
    names = ("id", "kind", "carrier", "service", "tracking_number", "shipped_at", "recorded_at", "handed_to")
    lines = [
        {"sku": part["sku"], "quantity": part["quantity"], "line": part["order_line_id"]}
        for part in parcels
        if part["shipment_id"] == row["id"]
    ]
    return {**{name: row[name] for name in names}, "lines": lines}


def _but(row: Row, *names: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}


def plain(value: Any) -> Any:
    """JSON data of whatever rows hold."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date | UUID | Decimal):
        return str(value)
    return value


# ---- checking


def faults(proof: Mapping[str, Any]) -> list[str]:
    """What of a proof file's history is not as it was sealed, in words; empty when all of it is."""
    found, hashes = [], {}
    for row in proof["history"]:
        hashes[row["id"]] = _sha256(row["text"])
        if hashes[row["id"]] != row["hash"]:
            found.append(f"{row['source']} {row['id']}: the text is not what its hash says")
    before = ""
    for at, seal in enumerate(proof["seals"], 1):
        rows = "\n".join(f"{key} {seal['rows'][key]}" for key in sorted(seal["rows"]))
        if seal["position"] != at or seal["previous"] != before:
            found.append(f"seal {seal['position']} does not follow the one before")
        if _sha256(f"{seal['previous']}\n{rows}") != seal["digest"]:
            found.append(f"seal {seal['position']} was changed")
        found += [
            f"row {key} of seal {seal['position']} is {'changed' if key in hashes else 'gone'}"
            for key, value in seal["rows"].items()
            if hashes.get(key) != value
        ]
        before = seal["digest"]
    return found


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
