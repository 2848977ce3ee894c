"""The verb of the catalog: put SKUs, one or many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from app.catalog.queries import by_code, ties
from app.catalog.rules import DIGITAL, bad, check_kind_change, component_errors
from app.network.rules import code_error
from app.network.service import ensure_virtual_node
from infra.errors import FieldError
from infra.ids import new_id
from tenants import audit
from tenants.scope import Scope

WRITE = """
INSERT INTO skus (tenant_id, id, code, title, kind, price, currency, weight_g, tax_code, release_date,
    lead_time_days, components, attributes, exempt_from_delay_rule, updated_at)
SELECT :tenant, s.id, s.code, s.title, s.kind, s.price, s.currency, s.weight_g, s.tax_code, s.release_date,
    s.lead_time_days, s.components, s.attributes, s.exempt_from_delay_rule, :now
FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS s(id uuid, code text, title text, kind text, price bigint,
    currency text, weight_g bigint, tax_code text, release_date date, lead_time_days bigint, components jsonb,
    attributes jsonb, exempt_from_delay_rule boolean)
ORDER BY s.code
ON CONFLICT (tenant_id, code) DO UPDATE SET title = EXCLUDED.title, kind = EXCLUDED.kind,
    price = EXCLUDED.price, currency = EXCLUDED.currency, weight_g = EXCLUDED.weight_g,
    tax_code = EXCLUDED.tax_code, release_date = EXCLUDED.release_date,
    lead_time_days = EXCLUDED.lead_time_days, components = EXCLUDED.components,
    attributes = EXCLUDED.attributes, exempt_from_delay_rule = EXCLUDED.exempt_from_delay_rule,
    updated_at = EXCLUDED.updated_at
RETURNING id, code
"""


def put_skus(scope: Scope, given: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    """Put SKUs (code -> a loaded schemas.SkuIn), all or none. Returns code -> whether it is new.

    Raises Problem 422 (pointers begin with the SKU's place when there are several) and 409 for a change of
    kind that open orders, stock or a kit forbid.
    """
    _check_codes(given)
    known = by_code(scope, [*given, *(part["sku"] for one in given.values() for part in one["components"])])
    _check(given, {code: row.kind for code, row in known.items()})
    for code, one in given.items():
        if code in known and known[code].kind != one["kind"]:
            tied = ties(scope, known[code].id, code)
            check_kind_change(
                code,
                known[code].kind,
                one["kind"],
                open_units=tied.open_units,
                stock=tied.stock,
                component=tied.component,
            )
    rows = [{"id": new_id(), "code": code, **_row(one)} for code, one in given.items()]
    written = scope.rows(WRITE, doc=orjson.dumps(rows, default=str).decode(), now=scope.now())
    if any(one["kind"] in DIGITAL for one in given.values()):
        ensure_virtual_node(scope)
    first = next(iter(given))
    audit.record(scope, "sku.saved", first if len(given) == 1 else f"{first} and {len(given) - 1} more")
    fresh = {row["id"] for row in rows}
    return {row.code: row.id in fresh for row in written}


def put_sku(scope: Scope, code: str, given: Mapping[str, Any]) -> bool:
    """Put one SKU. Returns whether it is new. Raises as `put_skus`."""
    return put_skus(scope, {code: given})[code]


def _check_codes(given: Mapping[str, Any]) -> None:
    errors = [
        FieldError(f"/{at}/sku" if len(given) > 1 else "/sku", wrong)
        for at, code in enumerate(given)
        if (wrong := code_error(code))
    ]
    if errors:
        raise bad(errors)


def _check(given: Mapping[str, Mapping[str, Any]], known: Mapping[str, str]) -> None:
    kinds = {**known, **{code: one["kind"] for code, one in given.items()}}
    errors = []
    for at, (code, one) in enumerate(given.items()):
        place = f"/{at}" if len(given) > 1 else ""
        errors += [FieldError(place + pointer, text) for pointer, text in component_errors(code, one, kinds)]
    if errors:
        raise bad(errors)


def _row(given: Mapping[str, Any]) -> dict[str, Any]:
    price = given["price"]
    return {**given, "price": price["amount"], "currency": price["currency"]}
