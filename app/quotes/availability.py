"""Available to promise: the formula by which orders reserve, with its parts shown.

What is on its way tells when more can ship; it is sold by no channel before it has come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from app.calendar import end_of_day, local_date
from app.catalog.rules import there_from
from app.inbound.queries import Coverage, coverage, due_by
from app.inventory.rules import MADE
from app.inventory.shelf import Shelf
from app.network.rules import ships_on
from app.routing.configuration import Configuration, configuration, loads
from app.routing.rules import line_routes
from infra.errors import invalid, not_found
from tenants.scope import Scope

SKU = """
SELECT s.id, s.code, s.kind, s.release_date, s.lead_time_days,
    coalesce((SELECT jsonb_agg(jsonb_build_array(c.id, c.code, CAST(part->>'quantity' AS bigint)) ORDER BY c.code)
        FROM jsonb_array_elements(s.components) part JOIN skus c
            ON c.tenant_id = :tenant AND c.code = part->>'sku'), '[]') AS components
FROM skus s WHERE s.tenant_id = :tenant AND s.code = :sku
"""
STOCK = """
SELECT p.id, p.sku_id, p.node_id, p.segment, p.on_hand, p.reserved, p.safety,
    (SELECT coalesce(sum(h.units), 0) FROM quote_holds h WHERE h.tenant_id = :tenant AND h.position_id = p.id)
        AS for_quotes
FROM stock_positions p
WHERE p.tenant_id = :tenant AND p.sku_id = ANY(:skus) AND p.disposition = 'sellable' AND p.on_hand > 0
ORDER BY p.id
"""
WAITING = """
SELECT sku_id, sum(quantity) AS units FROM reservations
WHERE tenant_id = :tenant AND supply = 'none' AND sku_id = ANY(:skus) GROUP BY sku_id
"""
Part = tuple[str, str, int]
"""(SKU id, code, units per unit asked for)"""


def availability(
    scope: Scope,
    sku: str,
    *,
    quantity: int = 1,
    channel: str | None = None,
    node: str | None = None,
    by: date | None = None,
) -> dict[str, Any]:
    """What can be promised of a SKU now, or by a day, network-wide or at one node.

    Raises Problem 404 for a SKU or node that is not there, 422 for an unknown channel.
    """
    found = scope.row(SKU, sku=sku)
    if found is None:
        raise not_found("SKU")
    configured = configuration(scope)
    _check(scope, configured, channel, node)
    answer: dict[str, Any] = {
        "sku": sku,
        "kind": found.kind,
        "channel": channel,
        "node": node,
        "by": by,
        "quantity": quantity,
    }
    nodes = _nodes(configured, found.kind, node)
    if found.kind in MADE:
        return answer | _made(scope, configured, found, nodes, by)
    parts: list[Part] = [(str(found.id), found.code, 1)]
    if found.kind == "kit":
        parts = [tuple(part) for part in found.components]
    skus = [UUID(part[0]) for part in parts]
    stock = [row for row in scope.rows(STOCK, skus=skus) if str(row.node_id) in nodes]
    waiting = {str(row.sku_id): int(row.units) for row in scope.rows(WAITING, skus=skus)}
    shelf = Shelf(_slots(stock, channel), waiting, {}, configured.allotments)
    days, codes = _days(scope, configured, nodes, found), configured.network.codes
    units = {one: _whole(shelf, parts, one, channel) for one in nodes if by is None or days[one] <= by}
    available = {one: count for one, count in units.items() if count}
    there = {one: codes[at] for one, at in nodes.items()}
    coming = _coming(scope, coverage(scope, skus), parts, set(there.values()), by)
    return answer | {
        "unlimited": False,
        "available": sum(available.values()),
        "inbound": min((sum(one["unreserved"] for one in own) // part[2] for part, own in coming), default=0),
        "earliest_ship": _earliest(available, days, quantity)
        or _earliest_with(scope, configured, sum(available.values()), coming, quantity, found.release_date),
        "parts": [
            _part(part, stock, waiting, shelf, channel, there) | {"inbound": own} for part, own in coming
        ],
    }


def _coming(
    scope: Scope, found: Coverage, parts: Sequence[Part], nodes: set[str], by: date | None
) -> list[tuple[Part, list[dict[str, Any]]]]:
    """For each part the deliveries that are ahead, at these nodes, and what of each nobody waits for."""
    today = local_date(scope.now(), scope.tenant.timezone)
    return [(part, due_by(found, UUID(part[0]), nodes, today, by)) for part in parts]


def _earliest_with(
    scope: Scope,
    configured: Configuration,
    available: int,
    coming: Sequence[tuple[Part, Sequence[Mapping[str, Any]]]],
    quantity: int,
    release: date | None,
) -> date | None:
    """The first day by which stock and deliveries together have shipped that many units; None when they are too few,
    or more than one part is needed."""
    if len(coming) != 1:
        return None
    sent, latest = available, scope.now().date()
    for one in coming[0][1]:
        sent += one["unreserved"]
        at = configured.network.position[one["node"]]
        table = configured.network.timetables[at]
        leaves = ships_on(end_of_day(one["expected_on"], table.zone), table)
        latest = max(latest, local_date(leaves, table.zone), release or latest)
        if sent >= quantity:
            return latest
    return None


def _check(scope: Scope, configured: Configuration, channel: str | None, node: str | None) -> None:
    if node is not None and node not in configured.network.position:
        raise not_found("node")
    if channel is not None and not scope.row(
        "SELECT code FROM channels WHERE tenant_id = :tenant AND code = :channel", channel=channel
    ):
        raise invalid("/channel", f"There is no channel {channel}. See Settings for the codes.")


def _nodes(configured: Configuration, kind: str, only: str | None) -> dict[str, int]:
    """Ids of the nodes that may serve this kind today -> their position."""
    network = configured.network
    allowed = network.open & network.route_kinds[line_routes(kind)]
    return {
        network.ids[at]: at
        for at, code in enumerate(network.codes)
        if allowed[at] and (only is None or code == only)
    }


def _slots(stock: Sequence[Any], channel: str | None) -> list[tuple[str, str, str, str, int]]:
    return [
        (str(row.id), str(row.sku_id), str(row.node_id), row.segment, _free(row))
        for row in stock
        if row.segment in ("shared", channel) and _free(row)
    ]


def _free(row: Any) -> int:
    return max(0, int(row.on_hand - row.reserved - row.safety))


def _whole(shelf: Shelf, parts: Sequence[Part], node: str, channel: str | None) -> int:
    return min((shelf.free(sku, node, channel or "") // each for sku, _, each in parts), default=0)


def _days(scope: Scope, configured: Configuration, nodes: Mapping[str, int], found: Any) -> dict[str, date]:
    """The day, in each node's zone, on which a unit asked of it now should leave."""
    network, now = configured.network, scope.now()
    there = there_from(now, found.kind, found.lead_time_days, found.release_date, scope.tenant.timezone)
    ahead = loads(scope, configured).ahead(network.ids)
    return {
        one: local_date(network.departures.leaves(at, there, ahead=int(ahead[at])), configured.zones[at])
        for one, at in nodes.items()
    }


def _earliest(available: Mapping[str, int], days: Mapping[str, date], quantity: int) -> date | None:
    """The first day by which nodes together have shipped that many units; None when they hold fewer."""
    sent = 0
    for node in sorted(available, key=lambda one: days[one]):
        sent += available[node]
        if sent >= quantity:
            return days[node]
    return None


def _made(
    scope: Scope, configured: Configuration, found: Any, nodes: Mapping[str, int], by: date | None
) -> dict[str, Any]:
    """Made or sent on order: unlimited where a node can do it, from the day its lead time allows."""
    day = None
    if nodes and MADE[found.kind] == "unlimited":
        today = local_date(scope.now(), scope.tenant.timezone)
        day = max(today, found.release_date or today)
    elif nodes and found.lead_time_days is not None:
        day = min(_days(scope, configured, nodes, found).values())
    late = by is not None and (day is None or day > by)
    unlimited = bool(nodes) and not late
    return {
        "unlimited": unlimited,
        "available": None if unlimited else 0,
        "inbound": 0,
        "earliest_ship": day,
        "parts": [],
    }


def _part(
    part: Part,
    stock: Sequence[Any],
    waiting: Mapping[str, int],
    shelf: Shelf,
    channel: str | None,
    codes: Mapping[str, str],
) -> dict[str, Any]:
    sku, code, each = part
    own = [row for row in stock if str(row.sku_id) == sku]
    shown, held = [], 0
    for node in sorted({str(row.node_id) for row in own}, key=lambda one: codes[one]):
        here = _sums([row for row in own if str(row.node_id) == node], channel)
        kept = shelf.kept(sku, node, channel or "")
        here["held"] += kept
        held += kept
        shown.append({"node": codes[node], **here, "available": shelf.free(sku, node, channel or "")})
    whole = _sums(own, channel)
    return {
        "sku": code,
        "quantity": each,
        **whole,
        "held": whole["held"] + held,
        "waiting": waiting.get(sku, 0),
        "nodes": shown,
    }


def _sums(rows: Sequence[Any], channel: str | None) -> dict[str, int]:
    return {
        "on_hand": sum(row.on_hand for row in rows),
        "reserved": sum(row.reserved for row in rows),
        "for_quotes": sum(int(row.for_quotes) for row in rows),
        "safety": sum(row.safety for row in rows),
        "held": sum(_free(row) for row in rows if row.segment not in ("shared", channel)),
    }
