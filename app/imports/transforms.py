"""What a mapping can do to a cell's text, one transform after the other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.imports.states import US_STATES
from app.money import ungrouped
from infra.errors import invalid

MOST_FIGURE = Decimal(10) ** 15

Transform = Callable[[str], str]


def transform(target: str, given: Any) -> Transform:
    """One transform as a function of text. Raises Problem 422."""
    pointer = f"/mapping/columns/{target}/transforms"
    if isinstance(given, str) and given in _PLAIN:
        return _PLAIN[given]
    if isinstance(given, Mapping) and len(given) == 1:
        name, value = next(iter(given.items()))
        maker = _WITH_VALUE.get(name)
        if maker is not None:
            try:
                return maker(value)
            except (TypeError, ValueError, InvalidOperation, AttributeError) as error:
                raise invalid(pointer, f"{name} cannot take {value!r}.") from error
    known = ", ".join([*_PLAIN, *_WITH_VALUE])
    raise invalid(pointer, f"There is no such transform. Choose from: {known}.")


def _us_state(text: str) -> str:
    """A state's name as its postal code; anything else stays."""
    return US_STATES.get(text.casefold(), text)


def _decimal_comma(text: str) -> str:
    """1.234,50 as 1234.50."""
    return text.replace(".", "").replace(",", ".")


_PLAIN: dict[str, Transform] = {
    "upper": str.upper,
    "lower": str.lower,
    "us_state": _us_state,
    "decimal_comma": _decimal_comma,
}


def _zfill(width: Any) -> Transform:
    places = int(width)
    if not 0 < places <= 50:
        raise ValueError
    return lambda text: text.zfill(places) if text else text


def _affix(before: str, after: str) -> Transform:
    if len(before + after) > 200:
        raise ValueError
    return lambda text: before + text + after if text else text


def _date(form: Any) -> Transform:
    wanted = str(form)
    timed = any(mark in wanted for mark in ("%H", "%I", "%c", "%X"))
    date.today().strftime(wanted)

    def read(text: str) -> str:
        if not text:
            return text
        try:
            moment = datetime.strptime(text, wanted)
        except ValueError as error:
            raise ValueError(f"{text!r} is not a date like {wanted}.") from error
        return moment.isoformat() if timed else moment.date().isoformat()

    return read


def _multiply(by: Any) -> Transform:
    factor = Decimal(str(by))
    if not factor.is_finite() or abs(factor) > MOST_FIGURE:
        raise ValueError
    return lambda text: format((figure(text) * factor).normalize(), "f") if text else text


def _lookup(table: Any) -> Transform:
    found = {str(key).casefold(): str(value) for key, value in table.items()}

    def read(text: str) -> str:
        value = found.get(text.casefold(), found.get("*"))
        if value is None:
            raise ValueError(f"{text!r} is not one of {', '.join(table)}.")
        return value

    return read


_WITH_VALUE: dict[str, Callable[[Any], Transform]] = {
    "zfill": _zfill,
    "prefix": lambda value: _affix(str(value), ""),
    "suffix": lambda value: _affix("", str(value)),
    "strip": lambda value: lambda text: text.strip(str(value)),
    "date": _date,
    "multiply": _multiply,
    "lookup": _lookup,
    "default": lambda value: lambda text: text or str(value),
}


def integer(text: str) -> int:
    """A whole number. Raises ValueError."""
    found = figure(text)
    if found != found.to_integral_value():
        raise ValueError(f"{text!r} is not a whole number.")
    return int(found)


def figure(text: str) -> Decimal:
    """A figure as people write it: 1,234.50 or $12. A comma that does not part thousands may be a decimal one: it is
    not guessed at. Raises ValueError."""
    plain = text.replace("$", "").replace("−", "-").strip()
    plain = ungrouped(plain)
    if "," in plain:
        raise ValueError(
            f"{text!r} has a comma. Write 1234.50, or give the column the transform decimal_comma."
        )
    try:
        found = Decimal(plain)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not a figure.") from error
    if not found.is_finite() or abs(found) > MOST_FIGURE:
        raise ValueError(f"{text!r} is not a figure.")
    return found
