"""Rows of carriers' files become prices and zones of rate cards, through the verbs of the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.imports.files import Row
from app.imports.loading import Outcome, attempt, said
from app.imports.rules import Amount, Reader, Unreadable
from app.money import round_half_up
from app.network.rate_cards import priced_zones, put_pairs, put_prices
from app.network.schemas import MOST_CARD_ZONES
from app.network.tariffs import AREAS, GRAMS_PER_LB
from infra.errors import Problem
from tenants.scope import Scope

MOST_GRAMS = 100_000_000
NOT_ALONE = "A price list is taken whole or not at all: see the other rows."
Load = Callable[[Scope, Reader, Sequence[Row]], list[Outcome]]
Read = tuple[int, str, Any]
"""(row, rate card, what it says)"""


def load_prices(scope: Scope, reader: Reader, rows: Sequence[Row]) -> list[Outcome]:
    """Replace the price lists of the cards that the rows name: each whole, or not at all."""
    sound, refused = _read(reader, rows, lambda values: _price(values, scope.tenant.currency))
    wrong = {reader.reference(cells) for row, cells in rows if row in refused}
    outcomes = [Outcome(row, "", "refused", message) for row, message in refused.items()]
    for code in dict.fromkeys(code for _, code, _ in sound):
        own = [one for one in sound if one[1] == code]
        if wrong & {code, ""}:
            outcomes += [Outcome(row, code, "refused", NOT_ALONE) for row, _, _ in own]
        else:
            outcomes += _replaced(scope, code, own)
    return sorted(outcomes, key=lambda one: one.row)


def _replaced(scope: Scope, code: str, own: Sequence[Read]) -> list[Outcome]:
    by_weight: dict[int, dict[int, int]] = {}
    for row, _, (grams, amounts) in own:
        step = by_weight.setdefault(grams, {})
        if twice := sorted(step.keys() & amounts.keys()):
            message = f"Weight {grams} g in zone {twice[0]} is priced twice, again in row {row}."
            return [Outcome(each, code, "refused", message) for each, _, _ in own]
        step |= amounts
    zones = max(max(step) for step in by_weight.values())
    steps = [
        (grams, [by_weight[grams].get(zone) for zone in range(1, zones + 1)]) for grams in sorted(by_weight)
    ]
    try:
        with attempt(scope):
            put_prices(scope, code, steps)
    except Problem as problem:
        return [Outcome(row, code, "refused", _words(problem, code)) for row, _, _ in own]
    return [Outcome(row, code, "created") for row, _, _ in own]


def load_pairs(scope: Scope, reader: Reader, rows: Sequence[Row]) -> list[Outcome]:
    """Say the zones of the pairs that the rows name; what a card said of a pair before is replaced."""
    sound, refused = _read(reader, rows, _pair)
    outcomes = [Outcome(row, "", "refused", message) for row, message in refused.items()]
    for code in dict.fromkeys(code for _, code, _ in sound):
        own = [one for one in sound if one[1] == code]
        if zones := priced_zones(scope, code):
            beyond = [(row, pair[2]) for row, _, pair in own if pair[2] > zones]
            outcomes += [Outcome(row, code, "refused", _no_zone(code, zones, zone)) for row, zone in beyond]
            own = [one for one in own if one[2][2] <= zones]
        try:
            with attempt(scope):
                fresh = put_pairs(scope, code, [pair for _, _, pair in own])
        except Problem as problem:
            outcomes += [Outcome(row, code, "refused", _words(problem, code)) for row, _, _ in own]
            continue
        outcomes += [
            Outcome(row, f"{code} {pair[0]:03}-{pair[1]:03}", "created" if new else "existing")
            for (row, _, pair), new in zip(own, fresh, strict=True)
        ]
    return sorted(outcomes, key=lambda one: one.row)


def _read(
    reader: Reader, rows: Sequence[Row], read: Callable[[dict[str, Any]], Any]
) -> tuple[list[Read], dict[int, str]]:
    """What the rows say, and why those cannot be taken that say nothing."""
    sound: list[Read] = []
    refused: dict[int, str] = {}
    for row, cells in rows:
        try:
            reader.check(cells)
            values = reader.values(cells)
            if not values.get("rate_card"):
                raise Unreadable("It names no rate card.")
            sound.append((row, values["rate_card"], read(values)))
        except Unreadable as error:
            refused[row] = str(error)
    return sound, refused


def _price(values: dict[str, Any], currency: str) -> tuple[int, dict[int, int]]:
    """(up to grams, zone -> minor units)"""
    grams = 0
    if "weight_g" in values:
        grams = round_half_up(values["weight_g"])
    elif "weight_lb" in values:
        grams = round(float(values["weight_lb"]) * GRAMS_PER_LB)
    if not 0 < grams <= MOST_GRAMS:
        raise Unreadable("It has no weight above 0.")
    amounts: dict[int, Amount] = {
        int(name.removeprefix("zone_")): value for name, value in values.items() if name.startswith("zone_")
    }
    if "zone" in values and "price" in values:
        amounts[_zone(values["zone"])] = values["price"]
    if not amounts:
        raise Unreadable("It has no price: send a zone with its price, or a column for each zone.")
    found = {zone: amount.minor_units(currency) for zone, amount in amounts.items()}
    if min(found.values()) < 0:
        raise Unreadable("A price is below 0.")
    return grams, found


def _pair(values: dict[str, Any]) -> tuple[int, int, int]:
    """(origin area, destination area, zone)"""
    for name in ("origin", "destination", "zone"):
        if name not in values:
            raise Unreadable(f"It has no {name}.")
    return _area(values["origin"]), _area(values["destination"]), _zone(values["zone"])


def _area(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < AREAS):
        raise Unreadable(f"{text} is no three-digit ZIP area.")
    return int(text)


def _zone(number: int) -> int:
    if not 1 <= number <= MOST_CARD_ZONES:
        raise Unreadable(f"Zones count from 1 to {MOST_CARD_ZONES}; {number} is none.")
    return number


def _no_zone(code: str, zones: int, zone: int) -> str:
    return f"Rate card {code} has prices for zones 1 to {zones}. Send a price for zone {zone} first, or correct it."


def _words(problem: Problem, code: str) -> str:
    if problem.status == 404:
        return f"There is no rate card {code}. Add it first."
    return said(problem)
