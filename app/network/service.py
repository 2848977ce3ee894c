"""The verb of the network: put nodes, one or many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from app.events import NETWORK_CHANGED
from app.network.queries import by_code, rate_card_codes
from app.network.rules import calendar_errors, code_error, placed
from app.network.schemas import NodeIn
from infra.errors import FieldError, Problem
from infra.ids import new_id
from tenants import audit
from tenants.scope import Scope
from tenants.service import configuration_changed

VIRTUAL = "digital"
"""Code of the node that delivers digital goods."""

COLUMNS = {
    "code": "text",
    "name": "text",
    "kind": "text",
    "address": "jsonb",
    "latitude": "float8",
    "longitude": "float8",
    "timezone": "text",
    "capacity_per_day": "bigint",
    "capacity_per_hour": "bigint",
    "handling_minutes": "bigint",
    "handling_per_package": "bigint",
    "handling_per_unit": "bigint",
    "priority": "bigint",
    "cutoff": "text",
    "cutoffs": "jsonb",
    "calendar": "jsonb",
    "capabilities": "jsonb",
    "zones": "jsonb",
    "rate_card": "text",
    "open": "boolean",
}
"""What is written of a node, with its type."""
NEW = ", ".join(COLUMNS)
TYPED = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
WRITE = f"""
INSERT INTO nodes (tenant_id, id, {NEW}, updated_at)
SELECT :tenant, n.id, {", ".join(f"n.{name}" for name in COLUMNS)}, :now
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS n(id uuid, {TYPED})
ORDER BY n.code
ON CONFLICT (tenant_id, code) DO UPDATE SET
    {", ".join(f"{name} = EXCLUDED.{name}" for name in (*COLUMNS, "updated_at") if name != "code")}
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
        NodeIn().load({"name": "Digital delivery", "kind": "virtual"}),
    )


def _rows(scope: Scope, given: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows, errors = [], []
    cards = rate_card_codes(scope, {one["rate_card"] for one in given.values()} - {None})
    for at, (code, one) in enumerate(given.items()):
        place, wrong = placed(one, scope.tenant.timezone)
        unfit = code_error(code)
        wrong += [FieldError("/node", unfit)] if unfit else []
        wrong += calendar_errors(one["calendar"])
        if one["rate_card"] is not None and one["rate_card"] not in cards:
            wrong.append(FieldError("/rate_card", f"There is no rate card {one['rate_card']}. PUT it first."))
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
