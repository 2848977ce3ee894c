"""Money: whole minor units and a currency as one value, and how a sum is split without losing a cent.

One rounding rule for the whole house: half away from zero (`round_half_up`), so that a refund rounds as the
mirror image of the charge it undoes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import pairwise

# ISO 4217: decimals of the minor unit. Two, unless the code stands under another figure.
_TWO = """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP
MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR
SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES
WST XCD XCG YER ZAR ZMW ZWG"""
_OTHERS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DECIMALS: dict[str, int] = dict.fromkeys(_TWO.split(), 2) | {
    code: places for places, codes in _OTHERS.items() for code in codes.split()
}
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CAD": "CA$", "AUD": "A$", "MXN": "MX$"}


LARGEST = 10**15
"""The largest figure that is read, in minor units: "1e999999" is a figure too, and would be written out in full."""


_THOUSANDS = re.compile(r"[-+−]?\d{1,3}(,\d{3})+(\.\d*)?")


def ungrouped(figure: str) -> str:
    """A typed figure without the commas that part thousands. Any other comma stays and makes it unreadable: it may be
    a decimal one, and "1,50" is not 150."""
    return figure.replace(",", "") if _THOUSANDS.fullmatch(figure) else figure


class UnknownCurrency(ValueError):
    """The code is not an ISO 4217 currency."""


class MixedCurrency(ValueError):
    """Two currencies met in one sum or comparison."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of whole minor units in one currency. Raises UnknownCurrency, and TypeError for a
    non-integer."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"an amount is a whole number of minor units, not {self.amount!r}")
        if self.currency not in DECIMALS:
            raise UnknownCurrency(f"{self.currency!r} is not an ISO 4217 currency")

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @classmethod
    def total(cls, parts: Iterable[Money], currency: str) -> Money:
        """Sum of the parts; zero in `currency` when there are none. Raises MixedCurrency."""
        result = cls(0, currency)
        for part in parts:
            result = result + part
        return result

    @classmethod
    def parse(cls, figure: str | Decimal | int, currency: str) -> Money:
        """Money from a figure in major units ("12.99"). Raises ValueError when it is finer than a minor
        unit, or above what any column holds."""
        places = decimals(currency)
        try:
            minor = Decimal(figure).scaleb(places)
        except InvalidOperation as wrong:
            raise ValueError(f"{figure!r} is not a figure") from wrong
        if not minor.is_finite() or minor != minor.to_integral_value():
            raise ValueError(f"{figure!r} has more decimals than {currency} allows ({places})")
        if abs(minor) > LARGEST:
            raise ValueError(f"{figure!r} is too large")
        return cls(int(minor), currency)

    def decimal(self) -> Decimal:
        """The amount in major units, with the currency's own number of decimals."""
        return Decimal(self.amount).scaleb(-DECIMALS[self.currency])

    def __str__(self) -> str:
        """US form: $1,268.00, −$37.80, €5.00, CHF 5.00 (true minus sign)."""
        places = DECIMALS[self.currency]
        major, minor = divmod(abs(self.amount), 10**places)
        figure = f"{major:,}.{minor:0{places}}" if places else f"{major:,}"
        symbol = _SYMBOLS.get(self.currency, f"{self.currency} ")
        return f"{'−' if self.amount < 0 else ''}{symbol}{figure}"

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, quantity: int) -> Money:
        return Money(self.amount * quantity, self.currency)

    __rmul__ = __mul__

    def __bool__(self) -> bool:
        return self.amount != 0

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def _same(self, other: Money) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money and {type(other).__name__} do not mix")
        if other.currency != self.currency:
            raise MixedCurrency(f"{self.currency} and {other.currency} do not mix")
        return other.amount


def decimals(currency: str) -> int:
    """Decimals of the currency's minor unit (ISO 4217). Raises UnknownCurrency."""
    try:
        return DECIMALS[currency]
    except KeyError:
        raise UnknownCurrency(f"{currency!r} is not an ISO 4217 currency") from None


def round_half_up(value: Decimal) -> int:
    """The one rounding rule: to whole minor units, a half goes away from zero (0.5 -> 1, -0.5 -> -1)."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` minor units over `weights` by the method of largest remainder.

    The parts always sum to `total`; a tie goes to the earlier part. When every weight is zero the split is
    equal; beside others a zero weight gets nothing. A negative total is the mirror image of the positive one.
    Raises ValueError for a negative weight, or when there is nothing to spread over.
    """
    if not weights:
        if total:
            raise ValueError("nothing to spread over")
        return []
    if min(weights) < 0:
        raise ValueError("a weight is negative")
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    size = abs(total)
    parts = [size * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % whole), i))
    for i in by_remainder[: size - sum(parts)]:
        parts[i] += 1
    return parts if total >= 0 else [-part for part in parts]


def share(total: int, units: int, consumed: int, of: int) -> int:
    """Worth, in minor units, of the units `consumed` to `consumed + units` of a line of `of` units worth
    `total`.

    The first n units are together worth total x n / of, rounded toward zero. So the shares of any split sum
    to `total`, and the last unit takes the rest. Raises ValueError when the units are not there.
    """
    if units < 0 or consumed < 0 or of <= 0 or consumed + units > of:
        raise ValueError(f"units {consumed} to {consumed + units} of {of} do not exist")
    size = abs(total)
    worth = size * (consumed + units) // of - size * consumed // of
    return worth if total >= 0 else -worth


def shares(total: int, groups: Sequence[int]) -> list[int]:
    """Worth of each group of units in turn; the groups make up the whole line."""
    of = sum(groups)
    edges = [sum(groups[:i]) for i in range(len(groups) + 1)]
    return [share(total, after - before, before, of) for before, after in pairwise(edges)]
