"""The verb of the network: put nodes, one or many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from app.events import NETWORK_CHANGED
from app.network.queries import by_code
from app.network.rules import code_error, placed
from infra.errors import FieldError, Problem
from infra.ids import new_id
from tenants import audit
from tenants.scope import Scope
from tenants.service import configuration_changed

VIRTUAL = "digital"
"""Code of the node that delivers digital goods."""

WRITE = """
INSERT INTO nodes (tenant_id, id, code, name, kind, address, latitude, longitude, timezone, capacity_per_day,
    handling_per_package, handling_per_unit, priority, cutoff, calendar, open, updated_at)
SELECT :tenant, n.id, n.code, n.name, n.kind, n.address, n.latitude, n.longitude, n.timezone,
    n.capacity_per_day, n.handling_per_package, n.handling_per_unit, n.priority, n.cutoff, n.calendar, n.open,
    :now
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS n(id uuid, code text, name text, kind text, address jsonb,
    latitude float8, longitude float8, timezone text, capacity_per_day bigint, handling_per_package bigint,
    handling_per_unit bigint, priority bigint, cutoff text, calendar jsonb, open boolean)
ORDER BY n.code
ON CONFLICT (tenant_id, code) DO UPDATE SET name = EXCLUDED.name, kind = EXCLUDED.kind,
    address = EXCLUDED.address, latitude = EXCLUDED.latitude, longitude = EXCLUDED.longitude,
    timezone = EXCLUDED.timezone, capacity_per_day = EXCLUDED.capacity_per_day,
    handling_per_package = EXCLUDED.handling_per_package, handling_per_unit = EXCLUDED.handling_per_unit,
    priority = EXCLUDED.priority, cutoff = EXCLUDED.cutoff, calendar = EXCLUDED.calendar,
    open = EXCLUDED.open, updated_at = EXCLUDED.updated_at
RETURNING id, code
"""


def put_nodes(scope: Scope, given: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    """Put nodes (code -> a loaded schemas.NodeIn), all or none. Returns code -> whether it is new.

    Raises Problem 422 (pointers begin with the node's place when there are several).
    """
    rows = _rows(scope, given)
    written = scope.rows(WRITE, doc=orjson.dumps(rows, default=str).decode(), now=scope.now())
    configuration_changed(scope)
    scope.later(NETWORK_CHANGED, scope.tenant_id)
    first = next(iter(given))
    audit.record(scope, "node.saved", first if len(given) == 1 else f"{first} and {len(given) - 1} more")
    fresh = {row["id"] for row in rows}
    return {row.code: row.id in fresh for row in written}


def put_node(scope: Scope, code: str, given: Mapping[str, Any]) -> bool:
    """Put one node. Returns whether it is new. Raises as `put_nodes`."""
    return put_nodes(scope, {code: given})[code]


def ensure_virtual_node(scope: Scope) -> None:
    """The node that delivers digital goods, made when there is none."""
    if VIRTUAL in by_code(scope, [VIRTUAL]):
        return
    put_node(
        scope,
        VIRTUAL,
        {
            "name": "Digital delivery",
            "kind": "virtual",
            "address": {},
            "latitude": None,
            "longitude": None,
            "timezone": None,
            "capacity_per_day": None,
            "handling_per_package": None,
            "handling_per_unit": None,
            "priority": 100,
            "cutoff": None,
            "calendar": {},
            "open": True,
        },
    )


def _rows(scope: Scope, given: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows, errors = [], []
    for at, (code, one) in enumerate(given.items()):
        place, wrong = placed(one, scope.tenant.timezone)
        unfit = code_error(code)
        wrong += [FieldError("/node", unfit)] if unfit else []
        amounts = {}
        for name in ("handling_per_package", "handling_per_unit"):
            amounts[name], foreign = _amount(one[name], name, scope.tenant.currency)
            wrong += foreign
        prefix = f"/{at}" if len(given) > 1 else ""
        errors += [FieldError(prefix + error.pointer, error.message) for error in wrong]
        rows.append({**one, **place, **amounts, "id": new_id(), "code": code})
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)
    return rows


def _amount(given: Mapping[str, Any] | None, name: str, currency: str) -> tuple[int, list[FieldError]]:
    if given is None:
        return 0, []
    if given.get("currency", currency) != currency:
        return 0, [FieldError(f"/{name}/currency", f"This account keeps its costs in {currency}.")]
    return given["amount"], []
