"""Pricing an order and splitting its money over its lines: values in, values out.

Order-level charges and discounts are spread over the lines by value (largest remainder), so that every line,
and every unit of it, is worth an exact number of cents and all of them together the order's total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.money import spread
from app.tax.rules import TaxableCharge, TaxableLine, estimate
from infra.errors import FieldError, Problem


@dataclass(frozen=True, slots=True)
class SkuFacts:
    """A SKU as read for intake."""

    id: str
    code: str
    title: str
    kind: str
    price: int
    currency: str
    weight_g: int
    tax_code: str
    release_date: str | None
    lead_time_days: int | None
    components: list[dict[str, Any]]
    exempt: bool
    attributes: dict[str, Any]


@dataclass(slots=True)
class PricedLine:
    """One line with its share of the order's money, in minor units."""

    sku: SkuFacts
    quantity: int
    unit_price: int
    items: int
    discount: int = 0
    charges: int = 0
    tax: int = 0

    @property
    def total(self) -> int:
        """What the line is worth to the buyer."""
        return self.items - self.discount + self.charges + self.tax


@dataclass(slots=True)
class Priced:
    """An order's money, exact to the cent."""

    currency: str
    lines: list[PricedLine]
    tax_status: str
    charges: list[dict[str, Any]] = field(default_factory=list)
    discounts: list[dict[str, Any]] = field(default_factory=list)

    def sum(self, part: str) -> int:
        """The total of one part over all lines."""
        return sum(getattr(line, part) for line in self.lines)


def price(request: Mapping[str, Any], skus: Mapping[str, SkuFacts], currency: str) -> Priced:
    """Price every line, spread discounts and charges, and put tax on top.

    Raises Problem 422 naming each unknown SKU, foreign currency, or amount that does not fit.
    """
    errors: list[FieldError] = []
    lines = [_line(at, line, skus, currency, errors) for at, line in enumerate(request["lines"])]
    if errors:
        raise _invalid(errors)
    priced = Priced(currency, [line for line in lines if line is not None], "estimated")
    priced.discounts = _adjust(priced, request.get("discounts") or [], "discount", "discounts", errors)
    priced.charges = _adjust(priced, request.get("charges") or [], "charges", "charges", errors)
    for at, line in enumerate(priced.lines):
        if line.items - line.discount < 0:
            errors.append(FieldError(f"/lines/{at}", "Discounts exceed the line's value. Lower them."))
    if errors:
        raise _invalid(errors)
    _tax(priced, request, errors)
    if errors:
        raise _invalid(errors)
    return priced


def _line(
    at: int,
    line: Mapping[str, Any],
    skus: Mapping[str, SkuFacts],
    currency: str,
    errors: list[FieldError],
) -> PricedLine | None:
    sku = skus.get(line["sku"])
    if sku is None:
        errors.append(FieldError(f"/lines/{at}/sku", f"There is no SKU {line['sku']}. PUT it first."))
        return None
    given = line.get("unit_price")
    if given is not None and given["currency"] != currency:
        errors.append(FieldError(f"/lines/{at}/unit_price/currency", f"The order is in {currency}."))
        return None
    if given is None and sku.currency != currency:
        errors.append(
            FieldError(
                f"/lines/{at}/unit_price",
                f"{sku.code} is priced in {sku.currency}. Give a price in {currency}.",
            )
        )
        return None
    unit = sku.price if given is None else given["amount"]
    return PricedLine(sku, line["quantity"], unit, unit * line["quantity"])


def _adjust(
    priced: Priced, given: Sequence[Mapping[str, Any]], part: str, name: str, errors: list[FieldError]
) -> list[dict[str, Any]]:
    kept = []
    for at, one in enumerate(given):
        amount = one["amount"]
        if amount["currency"] != priced.currency:
            errors.append(FieldError(f"/{name}/{at}/amount/currency", f"The order is in {priced.currency}."))
            continue
        if "line" in one and one["line"] >= len(priced.lines):
            errors.append(FieldError(f"/{name}/{at}/line", "There is no such line. Lines count from 0."))
            continue
        targets = [priced.lines[one["line"]]] if "line" in one else priced.lines
        for line, share in zip(
            targets, spread(amount["amount"], [line.items for line in targets]), strict=True
        ):
            setattr(line, part, getattr(line, part) + share)
        kept.append({"code": one["code"], "amount": amount["amount"], "line": one.get("line")})
    return kept


def _tax(priced: Priced, request: Mapping[str, Any], errors: list[FieldError]) -> None:
    given = request.get("tax")
    if given is None:
        for line, tax in zip(priced.lines, _estimated(priced, request["ship_to"]), strict=True):
            line.tax = tax
        return
    priced.tax_status = "given"
    amounts = [given["total"]] if "total" in given else [one["amount"] for one in given["lines"]]
    if any(amount["currency"] != priced.currency for amount in amounts):
        errors.append(FieldError("/tax", f"The order is in {priced.currency}."))
    elif "total" in given:
        weights = [max(0, line.items - line.discount + line.charges) for line in priced.lines]
        for line, tax in zip(priced.lines, spread(given["total"]["amount"], weights), strict=True):
            line.tax = tax
    else:
        for at, one in enumerate(given["lines"]):
            if one["line"] >= len(priced.lines):
                errors.append(
                    FieldError(f"/tax/lines/{at}/line", "There is no such line. Lines count from 0.")
                )
            else:
                priced.lines[one["line"]].tax += one["amount"]["amount"]


def _estimated(priced: Priced, ship_to: Mapping[str, Any]) -> list[int]:
    quote = estimate(
        ship_to.get("region"),
        ship_to["country"],
        [TaxableLine(line.items - line.discount, line.sku.tax_code) for line in priced.lines],
        [TaxableCharge(charge["code"], charge["amount"]) for charge in priced.charges],
    )
    taxes = list(quote.lines)
    for charge, tax in zip(priced.charges, quote.charges, strict=True):
        if charge["line"] is not None:
            taxes[charge["line"]] += tax
        else:
            for at, share in enumerate(spread(tax, [line.items for line in priced.lines])):
                taxes[at] += share
    return taxes


def cannot_fill(units: Sequence[tuple[int, int]]) -> Problem:
    """409 naming each line that lacks units; `units`: of each line those a place was found for, and those ordered."""
    errors = [
        FieldError(
            f"/lines/{at}/quantity",
            f"{now} of {ordered} could be reserved. Order fewer, or allow a backorder.",
        )
        for at, (now, ordered) in enumerate(units)
        if now < ordered
    ]
    detail = "Not every unit is available now, and the order is fill-or-kill."
    return Problem(409, "cannot-fill", detail, errors=errors)


def tender_amounts(tenders: Sequence[Mapping[str, Any]], total: int, currency: str) -> list[int]:
    """What each tender bears: as given, the one without an amount the rest. Raises Problem 422."""
    for at, one in enumerate(tenders):
        if "amount" in one and one["amount"]["currency"] != currency:
            raise _invalid([FieldError(f"/tenders/{at}/amount/currency", f"The order is in {currency}.")])
    open_at = [at for at, one in enumerate(tenders) if "amount" not in one]
    if len(open_at) > 1:
        raise _invalid(
            [FieldError(f"/tenders/{open_at[1]}/amount", "Only one tender may leave its amount open.")]
        )
    amounts = [one["amount"]["amount"] if "amount" in one else 0 for one in tenders]
    rest = total - sum(amounts)
    if rest < 0 or (rest > 0 and not open_at):
        raise _invalid(
            [
                FieldError(
                    "/tenders",
                    f"The tenders pay {sum(amounts)} of a total of {total} minor units. "
                    "Leave one amount out, or make them add up; send `tax` if the channel worked it out.",
                )
            ]
        )
    if open_at:
        amounts[open_at[0]] = rest
    return amounts


def _invalid(errors: list[FieldError]) -> Problem:
    return Problem(422, "invalid", errors[0].message, errors=errors)
