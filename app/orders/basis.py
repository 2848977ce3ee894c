"""On what each date rests that a buyer was given, in words: stock, deliveries, suppliers, capacity, and how promises
were kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.calendar import day_in_words, local_date
from app.inbound.rules import in_words
from app.pages.formats import number, plural
from tenants.scope import Scope

SHOWN = """
SELECT l.id, l.title, l.position, p.made_at AS at, 'promised' AS kind, p.evidence AS basis, NULL AS day
FROM order_lines l JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
WHERE l.tenant_id = :tenant AND l.order_id = :order
UNION ALL
SELECT l.id, l.title, l.position, e.at, e.kind, CASE WHEN e.kind = 'made' THEN e.data ELSE e.data->'basis' END,
    coalesce(e.data->>'revised', e.data->>'proposed')
FROM promise_events e JOIN order_lines l ON l.tenant_id = :tenant AND l.id = e.order_line_id
WHERE e.tenant_id = :tenant AND e.order_id = :order AND e.kind IN ('made', 'late_known', 'revised')
ORDER BY position, at
"""
TITLES = {"promised": "Promised", "late_known": "A delay was noticed", "revised": "The buyer was told"}


@dataclass(frozen=True)
class Basis:
    """What one date of a line rested on."""

    line: str
    at: datetime
    title: str
    facts: list[str]


def bases(scope: Scope, order_id: UUID) -> list[Basis]:
    """The basis of each date, by line, in the order in which they were given; one statement."""
    zone, today = scope.tenant.timezone, local_date(scope.now(), scope.tenant.timezone)
    rows = scope.rows(SHOWN, order=order_id)
    kept = {row.id: row.basis for row in rows if row.kind == "made"}
    return [
        Basis(
            row.title, row.at, _title(row, today), list(_facts(row.basis | _supply(row, kept), zone, today))
        )
        for row in rows
        if row.kind != "made" and row.basis
    ]


def _supply(row: Any, kept: Mapping[UUID, Mapping[str, Any]]) -> dict[str, Any]:
    """What was kept beside the evidence, of units that waited from the first."""
    if row.kind != "promised" or row.id not in kept:
        return {}
    made = kept[row.id]
    return {name: made[name] for name in ("inbound", "waiting", "expected_ship_at") if name in made}


def _title(row: Any, today: date) -> str:
    if row.kind == "promised":
        return TITLES[row.kind]
    day = (
        f"to ship {day_in_words(date.fromisoformat(row.day), today=today)}"
        if row.day
        else "no date can be given"
    )
    return f"{TITLES[row.kind]}: {day}"


def _facts(basis: Mapping[str, Any], zone: str, today: date) -> Iterator[str]:
    quoted = basis.get("quote")
    if quoted:
        day = day_in_words(local_date(datetime.fromisoformat(quoted["quoted_at"]), zone), today=today)
        free = quoted["basis"].get("free")
        had = "" if free is None else f", with {plural(free, 'unit')} free then"
        yield f"As the buyer was quoted {day}{had}"
    if basis.get("free") is not None:
        waiting = f", {number(basis['waiting'])} waited for" if basis.get("waiting") else ""
        yield f"{plural(basis['free'], 'unit')} free{waiting}"
    for one in basis.get("work", []):
        yield _work(one, today)
    for one in basis.get("inbound", []):
        day = day_in_words(date.fromisoformat(one["expected_on"]), today=today)
        yield f"{one['reference']} from {one['supplier']}, due {day}: {plural(one['units'], 'unit')} of it"
        yield f"{one['supplier']}: {in_words(one['lead_time'])}"
    if basis.get("backordered") and not basis.get("inbound"):
        yield f"{plural(basis['backordered'], 'unit')} without known supply"
    if basis.get("expected_ship_at"):
        leaves = local_date(datetime.fromisoformat(basis["expected_ship_at"]), zone)
        yield f"Expected to ship {day_in_words(leaves, today=today)}"
    seller = basis.get("seller")
    if seller and seller["shipped"]:
        yield f"Lately {number(seller['in_time'])} of {plural(seller['shipped'], 'line')} shipped in time"


def _work(one: Mapping[str, Any], today: date) -> str:
    if not one.get("leaves_on"):
        return f"Work given to {one['node']}"
    leaves = day_in_words(date.fromisoformat(one["leaves_on"]), today=today)
    full = f", {number(one['packages'])} of {number(one['capacity'])} packages" if one.get("capacity") else ""
    return f"Work given to {one['node']} for {leaves}{full}"
