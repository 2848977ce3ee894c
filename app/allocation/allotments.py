"""The verbs of allotments: say what each channel may count on, all at once or one by one; and what is held now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from app.catalog.queries import by_code as skus_by_code
from app.events import NETWORK_CHANGED
from app.inventory.allotments import Allotments, Hold
from app.network.queries import by_code as nodes_by_code
from infra.errors import FieldError, Problem, invalid, refused
from infra.ids import new_id
from tenants import audit
from tenants.scope import Scope
from tenants.service import configuration_changed

WRITE = """
INSERT INTO allotments (tenant_id, id, channel, sku_id, node_id, share_percent, units, borrow)
SELECT :tenant, a.id, a.channel, a.sku_id, a.node_id, a.share_percent, a.units, a.borrow
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS a(id uuid, channel text, sku_id uuid, node_id uuid,
    share_percent bigint, units bigint, borrow boolean)
"""
ALL = """
SELECT a.channel, s.code AS sku, n.code AS node, a.share_percent, a.units, a.borrow
FROM allotments a
LEFT JOIN skus s ON s.tenant_id = :tenant AND s.id = a.sku_id
LEFT JOIN nodes n ON n.tenant_id = :tenant AND n.id = a.node_id
WHERE a.tenant_id = :tenant ORDER BY a.channel, s.code NULLS FIRST, n.code NULLS FIRST
"""
STANDING = """
WITH shared AS (
    SELECT sku_id, node_id, greatest(on_hand - reserved - safety, 0) AS free FROM stock_positions
    WHERE tenant_id = :tenant AND disposition = 'sellable' AND segment = 'shared'
), fit AS (
    SELECT DISTINCT ON (a.channel, p.sku_id, p.node_id) a.id, a.channel, a.units, a.borrow, p.sku_id, p.node_id,
        least(p.free, coalesce(a.units, p.free * a.share_percent / 100)) AS held
    FROM allotments a JOIN shared p ON p.sku_id = coalesce(a.sku_id, p.sku_id)
        AND p.node_id = coalesce(a.node_id, p.node_id)
    WHERE a.tenant_id = :tenant
    ORDER BY a.channel, p.sku_id, p.node_id, a.sku_id IS NULL, a.node_id IS NULL
), used AS (
    SELECT o.channel, p.sku_id, p.node_id, sum(r.quantity) AS units FROM reservations r
    JOIN stock_positions p ON p.tenant_id = :tenant AND p.id = r.position_id AND p.segment = 'shared'
    JOIN order_lines l ON l.tenant_id = :tenant AND l.id = r.order_line_id
    JOIN orders o ON o.tenant_id = :tenant AND o.id = l.order_id
    WHERE r.tenant_id = :tenant AND o.channel IN (SELECT channel FROM fit) GROUP BY 1, 2, 3
), place AS (
    SELECT fit.*, coalesce(used.units, 0) AS used,
        greatest(coalesce(fit.units, 0) - fit.held - coalesce(used.units, 0), 0) AS taken
    FROM fit LEFT JOIN used USING (channel, sku_id, node_id)
), lent AS (
    SELECT place.*, sum(taken) OVER (PARTITION BY sku_id, node_id) - taken AS lent FROM place
), total AS (
    SELECT id, sum(held) AS held, sum(used) AS used,
        sum(CASE WHEN borrow THEN least(used, lent) ELSE 0 END) AS borrowed,
        sum(taken) AS taken, count(*) AS places
    FROM lent GROUP BY id
)
SELECT a.id, a.channel, c.name AS channel_name, s.code AS sku, s.title, n.code AS node, n.name AS node_name,
    a.share_percent, a.units, a.borrow, coalesce(t.held, 0)::bigint AS held, coalesce(t.used, 0)::bigint AS used,
    coalesce(t.borrowed, 0)::bigint AS borrowed, coalesce(t.taken, 0)::bigint AS taken,
    coalesce(t.places, 0)::bigint AS places
FROM allotments a
LEFT JOIN channels c ON c.tenant_id = :tenant AND c.code = a.channel
LEFT JOIN total t ON t.id = a.id
LEFT JOIN skus s ON s.tenant_id = :tenant AND s.id = a.sku_id
LEFT JOIN nodes n ON n.tenant_id = :tenant AND n.id = a.node_id
WHERE a.tenant_id = :tenant ORDER BY c.name, s.code NULLS FIRST, n.name NULLS FIRST
"""


def put_allotments(scope: Scope, given: Sequence[Mapping[str, Any]]) -> None:
    """Replace all allotments (loaded schemas.AllotmentIn). Orders that wait are asked again afterwards.

    Raises Problem 422 naming each unknown code, each place named twice, and each where the shares of all channels
    come to more than the whole.
    """
    document = _document(scope, given)
    errors = [
        FieldError(f"/allotments/{at}/share_percent", words) for at, words in _overdrawn(given, given).items()
    ]
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)
    scope.execute("DELETE FROM allotments WHERE tenant_id = :tenant")
    scope.execute(WRITE, doc=document)
    _changed(scope, f"{len(given)} allotments")


def save_allotment(scope: Scope, given: Mapping[str, Any], replaces: UUID | None) -> None:
    """Write one allotment (a loaded schemas.AllotmentIn), in place of the one it was opened as.

    Raises Problem 409 `allotment-changed` when that one is no more, 422 for an unknown code, a place that has
    one, or one where the shares of all channels come to more than the whole.
    """
    try:
        document = _document(scope, [given])
    except Problem as problem:
        raise _of_one(problem) from None
    if replaces is not None:
        _drop(scope, replaces)
    over = _overdrawn([*allotments(scope), given], [given])
    if over:
        raise invalid("/share_percent", over[0])
    if not scope.rows(
        f"{WRITE} ON CONFLICT (tenant_id, channel, sku_id, node_id) DO NOTHING RETURNING id", doc=document
    ):
        raise invalid(
            "/sku", "This channel has an allotment for that item and node already. Change that one."
        )
    _changed(scope, given["channel"])


def remove_allotment(scope: Scope, allotment_id: UUID) -> None:
    """Hold it no more. Raises Problem 409 `allotment-changed` when it is no more."""
    _changed(scope, _drop(scope, allotment_id))


def _overdrawn(every: Sequence[Mapping[str, Any]], named: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Which of the allotments named (by their place) speak of an item and node of which all channels together hold
    more than there is, in words: none of them could count on its share."""
    held = Allotments(
        Hold(**{name: one[name] for name in ("channel", "sku", "node", "share_percent", "units", "borrow")})
        for one in every
    )
    sums = {at: held.shares(one["sku"], one["node"]) for at, one in enumerate(named) if one["share_percent"]}
    return {
        at: f"The shares of all channels there come to {total} %. Send shares of at most 100 % together."
        for at, total in sums.items()
        if total > 100
    }


def _drop(scope: Scope, allotment_id: UUID) -> str:
    """Every change gives a new id, so whoever opened an older state is told."""
    gone = scope.rows(
        "DELETE FROM allotments WHERE tenant_id = :tenant AND id = :id RETURNING channel", id=allotment_id
    )
    if not gone:
        raise refused(
            "allotment-changed", "Somebody changed or removed this one meanwhile. Look at the list again."
        )
    return str(gone[0].channel)


def _of_one(problem: Problem) -> Problem:
    """Faults of a list of one, at the one's own fields."""
    errors = [FieldError(each.pointer.removeprefix("/allotments/0"), each.message) for each in problem.errors]
    return Problem(422, "invalid", errors[0].message, errors=errors)


def _changed(scope: Scope, what: str) -> None:
    configuration_changed(scope)
    scope.later(NETWORK_CHANGED, scope.tenant_id)
    audit.record(scope, "allotments.saved", what)


def _document(scope: Scope, given: Sequence[Mapping[str, Any]]) -> str:
    """What is written, as JSON. Raises as `put_allotments`."""
    nodes = nodes_by_code(scope, (one["node"] for one in given if one["node"] is not None))
    skus = skus_by_code(scope, (one["sku"] for one in given if one["sku"] is not None))
    rows = scope.rows("SELECT code FROM channels WHERE tenant_id = :tenant")
    errors = _unknown(given, {row.code for row in rows}, nodes, skus)
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)
    document = [
        {
            **one,
            "id": new_id(),
            "sku_id": one["sku"] and skus[one["sku"]].id,
            "node_id": one["node"] and nodes[one["node"]].id,
        }
        for one in given
    ]
    return orjson.dumps(document, default=str).decode()


def allotments(scope: Scope) -> list[dict[str, Any]]:
    """All allotments, by channel."""
    return [dict(row._mapping) for row in scope.rows(ALL)]


def standing(scope: Scope) -> list[Any]:
    """All allotments, by channel, with how they stand in units over all items and nodes they speak of: `held` of what
    is free now; `used`: reserved by the channel's open orders; `borrowed`: of these, what others hold; `taken`: of
    units held by number, those that others reserved."""
    return scope.rows(STANDING)


def _unknown(
    given: Sequence[Mapping[str, Any]],
    channels: set[str],
    nodes: Mapping[str, Any],
    skus: Mapping[str, Any],
) -> list[FieldError]:
    errors = []
    seen = set()
    for at, one in enumerate(given):
        pointer, place = f"/allotments/{at}", (one["channel"], one["sku"], one["node"])
        if one["channel"] not in channels:
            errors.append(FieldError(f"{pointer}/channel", f"There is no channel {one['channel']}."))
        if one["sku"] is not None and one["sku"] not in skus:
            errors.append(FieldError(f"{pointer}/sku", f"There is no SKU {one['sku']}. PUT it first."))
        if one["node"] is not None and one["node"] not in nodes:
            errors.append(FieldError(f"{pointer}/node", f"There is no node {one['node']}. PUT it first."))
        if place in seen:
            errors.append(FieldError(pointer, "This channel, SKU and node are named twice. Send them once."))
        seen.add(place)
    return errors
