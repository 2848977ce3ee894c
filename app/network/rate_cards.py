"""The verbs of rate cards: put one, replace its prices, say its zones between ZIP areas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

import orjson

from app.network.rules import code_error
from app.network.schemas import VALUED
from app.network.tariffs import AREAS
from infra.errors import FieldError, Problem, not_found
from infra.ids import new_id
from tenants import audit
from tenants.scope import Scope
from tenants.service import configuration_changed

Step = tuple[int, list[int | None]]
"""(up to grams, minor units by zone)"""
WRITE = """
INSERT INTO rate_cards (tenant_id, id, code, name, carrier, service, currency, zone_by, zone_miles, dim_divisor,
    dim_unit, dim_over, surcharges, fuel_basis_points, transit_days, prices, updated_at)
SELECT :tenant, c.id, c.code, c.name, c.carrier, c.service, c.currency, c.zone_by, c.zone_miles, c.dim_divisor,
    c.dim_unit, c.dim_over, c.surcharges, c.fuel_basis_points, c.transit_days, c.prices, :now
FROM jsonb_to_record(CAST(:doc AS jsonb)) AS c(id uuid, code text, name text, carrier text, service text,
    currency text, zone_by text, zone_miles jsonb, dim_divisor bigint, dim_unit text, dim_over bigint,
    surcharges jsonb, fuel_basis_points bigint, transit_days jsonb, prices jsonb)
ON CONFLICT (tenant_id, code) DO UPDATE SET name = EXCLUDED.name, carrier = EXCLUDED.carrier,
    service = EXCLUDED.service, currency = EXCLUDED.currency, zone_by = EXCLUDED.zone_by,
    zone_miles = EXCLUDED.zone_miles, dim_divisor = EXCLUDED.dim_divisor, dim_unit = EXCLUDED.dim_unit,
    dim_over = EXCLUDED.dim_over, surcharges = EXCLUDED.surcharges,
    fuel_basis_points = EXCLUDED.fuel_basis_points, transit_days = EXCLUDED.transit_days,
    prices = EXCLUDED.prices, updated_at = EXCLUDED.updated_at
RETURNING id
"""
CARD = "SELECT * FROM rate_cards WHERE tenant_id = :tenant AND code = :code FOR UPDATE"


def put_rate_card(scope: Scope, code: str, given: Mapping[str, Any]) -> bool:
    """Put one card (loaded schemas.RateCardIn). Prices left out stay as they are. Returns whether it is new.

    Raises Problem 422 naming each field.
    """
    kept = scope.row(CARD, code=code)
    prices = given.get("prices")
    steps: list[Step] = [(one["weight_g"], one["amounts"]) for one in prices] if prices is not None else []
    if prices is None and kept is not None:
        steps = [(grams, amounts) for grams, amounts in kept.prices]
    currency = given["currency"] or scope.tenant.currency
    errors = _faults(code, given, currency, scope.tenant.currency) + step_errors(steps, given)
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)
    card_id = new_id()
    row = {name: value for name, value in given.items() if name != "fuel_percent"} | {
        "id": card_id,
        "code": code,
        "currency": currency,
        "fuel_basis_points": round(given["fuel_percent"] * 100),
        "prices": steps,
    }
    written = scope.row(WRITE, doc=orjson.dumps(row, default=str).decode(), now=scope.now())
    assert written is not None
    _changed(scope, code)
    return bool(written.id == card_id)


def put_prices(scope: Scope, code: str, steps: Sequence[Step]) -> None:
    """Replace a card's price list. Raises Problem 404, 422 at /prices."""
    kept = _kept(scope, code)
    errors = step_errors(steps, kept._mapping)
    if errors:
        raise Problem(422, "invalid", errors[0].message, errors=errors)
    scope.execute(
        "UPDATE rate_cards SET prices = CAST(:prices AS jsonb), updated_at = :now"
        " WHERE tenant_id = :tenant AND code = :code",
        code=code,
        prices=orjson.dumps(steps).decode(),
        now=scope.now(),
    )
    _changed(scope, code)


def priced_zones(scope: Scope, code: str) -> int:
    """How many zones a card's prices have; 0 where it has none yet, or where there is no such card."""
    row = scope.row(CARD, code=code)
    return len(row.prices[0][1]) if row is not None and row.prices else 0


def put_pairs(scope: Scope, code: str, pairs: Sequence[tuple[int, int, int]]) -> list[bool]:
    """Say zones (origin area, destination area, zone from 1) of a card; the last of a pair stands. Returns, by
    pair, whether the card did not say it before. Raises Problem 404."""
    card = _kept(scope, code)
    origins = sorted({origin for origin, _, _ in pairs})
    rows = {origin: bytearray(AREAS) for origin in origins}
    for row in scope.rows(
        "SELECT origin, zones FROM rate_card_zones WHERE tenant_id = :tenant AND rate_card_id = :card"
        " AND origin = ANY(:origins)",
        card=card.id,
        origins=origins,
    ):
        rows[row.origin] = bytearray(row.zones)
    fresh = []
    for origin, destination, zone in pairs:
        fresh.append(rows[origin][destination] == 0)
        rows[origin][destination] = zone
    _write_zones(scope, card.id, rows)
    _changed(scope, code)
    return fresh


def _write_zones(scope: Scope, card_id: UUID, rows: Mapping[int, bytearray]) -> None:
    document = [{"id": new_id(), "origin": origin, "zones": bytes(row).hex()} for origin, row in rows.items()]
    scope.execute(
        "INSERT INTO rate_card_zones (tenant_id, id, rate_card_id, origin, zones)"
        " SELECT :tenant, z.id, :card, z.origin, decode(z.zones, 'hex')"
        " FROM jsonb_to_recordset(CAST(:doc AS jsonb)) AS z(id uuid, origin bigint, zones text) ORDER BY z.origin"
        " ON CONFLICT (tenant_id, rate_card_id, origin) DO UPDATE SET zones = EXCLUDED.zones",
        card=card_id,
        doc=orjson.dumps(document, default=str).decode(),
    )


def step_errors(steps: Sequence[Step], card: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with a price list for this card, each at its place. Pure."""
    if not steps:
        return []
    errors = []
    zones = len(steps[0][1])
    for at, (grams, amounts) in enumerate(steps):
        if at and grams <= steps[at - 1][0]:
            errors.append(
                FieldError(f"/prices/{at}/weight_g", "Send the steps from light to heavy, each weight once.")
            )
        if len(amounts) != zones:
            errors.append(
                FieldError(f"/prices/{at}/amounts", f"The first step has {zones} zones. Send as many.")
            )
    if all(amount is None for _, amounts in steps for amount in amounts):
        errors.append(FieldError("/prices", "The card has no price at all. Send at least one."))
    reached = len(card["zone_miles"]) + 1
    if zones < reached:
        errors.append(
            FieldError(
                "/prices", f"zone_miles makes {reached} zones, the prices have {zones}. Send one for each."
            )
        )
    if card["transit_days"] and len(card["transit_days"]) != zones:
        days = len(card["transit_days"])
        told = f"The card has days for {days} zones, the prices have {zones}. Give the card the days of each first."
        errors.append(FieldError("/transit_days", told))
    return errors


def _faults(code: str, given: Mapping[str, Any], currency: str, own: str) -> list[FieldError]:
    errors = []
    if wrong := code_error(code):
        errors.append(FieldError("/rate_card", wrong))
    if currency != own:
        errors.append(FieldError("/currency", f"This account keeps its costs in {own}."))
    miles = given["zone_miles"]
    if any(after <= before for before, after in pairwise(miles)):
        errors.append(FieldError("/zone_miles", "Send the thresholds from near to far, each once."))
    if given["zone_by"] == "zip3" and not miles:
        errors.append(
            FieldError("/zone_miles", "Send the thresholds that hold where the file of zones says nothing.")
        )
    for at, one in enumerate(given["surcharges"]):
        if (one["when"] in VALUED) != (one["value"] is not None):
            what = "Send the value from which it applies." if one["when"] in VALUED else "Leave it out here."
            errors.append(FieldError(f"/surcharges/{at}/value", what))
    return errors


def _kept(scope: Scope, code: str) -> Any:
    row = scope.row(CARD, code=code)
    if row is None:
        raise not_found("rate card")
    return row


def _changed(scope: Scope, code: str) -> None:
    configuration_changed(scope)
    audit.record(scope, "rate_card.saved", code)
