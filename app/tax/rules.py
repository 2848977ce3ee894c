"""Sales tax by the base rate of the state of delivery: an estimate that is exact to the cent and says what it
is.

`rates.csv` holds the states' base rates (mrpartnerai/taxrates-us, MIT license, citing the state revenue
departments; California: the statewide minimum of 7.25%). County and city taxes are not in it. Two
simplifications stand in the table, one word per state: whether a separately stated shipping charge is taxed,
and whether digital goods are. They are a plain reading, not advice; a merchant who must collect exactly names
a tax service instead (adapters.py).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

BUILT_IN = "state base rate"
NOT_COLLECTED = "not collected"

# Tax codes that bear no tax: goods the merchant declares exempt, and stored value, taxed when it is spent.
UNTAXED = frozenset({"exempt", "nontaxable", "gift_card"})
DIGITAL = "digital"
# Charges that follow the state's word on shipping; any other charge (handling, gift wrap) is taxed like
# goods.
SHIPPING_CHARGES = frozenset({"shipping", "freight", "delivery", "postage"})
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class TaxableLine:
    """What the buyer pays for a line after discounts, in minor units, and its tax code ("" is ordinary
    goods)."""

    amount: int
    tax_code: str = ""


@dataclass(frozen=True, slots=True)
class TaxableCharge:
    """A charge of the order (shipping, handling...) in minor units."""

    code: str
    amount: int


@dataclass(frozen=True, slots=True)
class TaxQuote:
    """Tax in minor units: the total, and its parts in the order asked; `rate` is a fraction (0.0625).

    `source` names who worked it out and is kept with the order.
    """

    total: int
    lines: tuple[int, ...]
    charges: tuple[int, ...]
    rate: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class StateRate:
    rate: Decimal
    millionths: int
    shipping_taxed: bool
    digital_taxed: bool


def estimate(
    region: str | None, country: str, lines: Sequence[TaxableLine], charges: Sequence[TaxableCharge] = ()
) -> TaxQuote:
    """Tax on lines and charges shipped to a state, by the built-in rates.

    The total is the state's rate on all that is taxed, rounded half up once; the parts sum to it by largest
    remainder. A discount may be a negative amount. Outside the 50 states and DC nothing is collected.
    """
    state = state_rate(region, country)
    if state is None:
        return TaxQuote(0, (0,) * len(lines), (0,) * len(charges), Decimal(0), NOT_COLLECTED)
    taxed = [line.amount if _is_taxed(line.tax_code, state) else 0 for line in lines]
    taxed += [charge.amount if _is_charged(charge.code, state) else 0 for charge in charges]
    parts = _by_largest_remainder(taxed, state.millionths)
    cut = len(lines)
    return TaxQuote(sum(parts), tuple(parts[:cut]), tuple(parts[cut:]), state.rate, BUILT_IN)


def state_rate(region: str | None, country: str) -> StateRate | None:
    """The built-in facts of a state by its two-letter code; None outside the 50 states and DC."""
    if country.strip().upper() not in ("US", "USA") or not region:
        return None
    return _rates().get(region.strip().upper())


def _is_taxed(tax_code: str, state: StateRate) -> bool:
    code = tax_code.strip().lower()
    if code in UNTAXED:
        return False
    return state.digital_taxed if code == DIGITAL else True


def _is_charged(code: str, state: StateRate) -> bool:
    return state.shipping_taxed if code.strip().lower() in SHIPPING_CHARGES else True


def _by_largest_remainder(amounts: Sequence[int], millionths: int) -> list[int]:
    """Tax per amount; together the rate on their sum, rounded half away from zero. Ties go to the earlier
    amount."""
    base = sum(amounts)
    if base < 0:
        return [-part for part in _by_largest_remainder([-amount for amount in amounts], millionths)]
    total = (2 * base * millionths + _MILLION) // (2 * _MILLION)
    parts = [amount * millionths // _MILLION for amount in amounts]
    by_remainder = sorted(range(len(amounts)), key=lambda i: (-(amounts[i] * millionths % _MILLION), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


@lru_cache(maxsize=1)
def _rates() -> dict[str, StateRate]:
    with Path(__file__).with_name("rates.csv").open(encoding="utf-8", newline="") as lines:
        return {
            row["state"]: StateRate(
                Decimal(row["rate"]),
                int(Decimal(row["rate"]) * _MILLION),
                row["shipping"] == "taxed",
                row["digital"] == "taxed",
            )
            for row in csv.DictReader(lines)
        }
