"""The verb of allotments: say what each channel may count on, all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.catalog.queries import by_code as skus_by_code
from app.events import NETWORK_CHANGED
from app.network.queries import by_code as nodes_by_code
from infra.errors import FieldError, Problem
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


def put_allotments(scope: Scope, given: Sequence[Mapping[str, Any]]) -> None:
    """Replace all allotments (loaded schemas.AllotmentIn). Orders that wait are asked again afterwards.

    Raises Problem 422 naming each unknown code and each place named twice.
    """
    nodes = nodes_by_code(scope, (one["node"] for one in given if one["node"] is not None))
    skus = skus_by_code(scope, (one["sku"] for one in given if one["sku"] is not None))
    rows = scope.rows("SELECT code FROM channels WHERE tenant_id = :tenant")
    errors = _unknown(given, {row.code for row in rows}, nodes, skus)
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)
    scope.execute("DELETE FROM allotments WHERE tenant_id = :tenant")
    document = [
        {
            **one,
            "id": new_id(),
            "sku_id": one["sku"] and skus[one["sku"]].id,
            "node_id": one["node"] and nodes[one["node"]].id,
        }
        for one in given
    ]
    scope.execute(WRITE, doc=orjson.dumps(document, default=str).decode())
    configuration_changed(scope)
    scope.later(NETWORK_CHANGED, scope.tenant_id)
    audit.record(scope, "allotments.saved", f"{len(given)} allotments")


def allotments(scope: Scope) -> list[dict[str, Any]]:
    """All allotments, by channel."""
    return [dict(row._mapping) for row in scope.rows(ALL)]


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
