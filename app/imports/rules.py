"""Reading rows by a mapping: cells in, values out, refusals by name. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from app.imports.mappings import NAMED, RATES, REFERENCE, REQUIRED, TARGETS
from app.imports.transforms import Transform, figure, integer, transform
from app.money import DECIMALS, round_half_up
from infra.errors import invalid, refused

MOST_TRANSFORMS = 10
ROUNDED = ("line.total", "list_price.total")
"""Money that a program worked out, and that is split again: parts of a cent are no mistake."""
NEAR = Decimal("0.0001")
"""Of a minor unit: what binary fractions leave behind (19.990000000000002)."""
FLAGS = dict.fromkeys(("yes", "y", "true", "1", "x"), True) | dict.fromkeys(("no", "n", "false", "0"), False)


class Unreadable(Exception):
    """A row that cannot be taken over; the message says why, in words for the report."""


@dataclass(frozen=True)
class Source:
    """Where a target's text comes from: a column (by its place in the row), or a constant."""

    target: str
    holds: str
    column: int | None
    title: str
    const: str
    transforms: tuple[Transform, ...]
    minor: bool

    def text(self, cells: Sequence[str]) -> str:
        """The cell after its transforms. Raises Unreadable."""
        text = self.const
        if self.column is not None:
            text = cells[self.column].strip() if self.column < len(cells) else ""
        try:
            for transform in self.transforms:
                text = transform(text)
        except ValueError as error:
            raise Unreadable(f"{self.title}: {error}") from error
        return text


@dataclass(frozen=True)
class Refusal:
    """Rows that must not be taken over: a cell among `values`, or any cell that is not empty."""

    column: int
    values: frozenset[str]
    message: str

    def applies(self, cells: Sequence[str]) -> bool:
        """Whether this row is such a row."""
        cell = cells[self.column].strip().casefold() if self.column < len(cells) else ""
        return cell in self.values if self.values else bool(cell)


class Reader:
    """Reads the rows of one file by one mapping."""

    def __init__(self, kind: str, mapping: Mapping[str, Any], header: Sequence[str], zone: tzinfo) -> None:
        """Raises Problem 422 naming the columns that the file lacks and whatever the mapping gets wrong."""
        self.kind, self.zone, self.width = kind, zone, len(header)
        places = {title: at for at, title in enumerate(header)}
        loose = bool(mapping.get("name"))
        self.sources: dict[str, Source] = {}
        missing = []
        for target, given in mapping["columns"].items():
            spec = _spec(kind, target, given)
            column = spec.get("column")
            if column is not None and column not in places:
                if not loose or target in REQUIRED[kind]:
                    missing.append(column)
                continue
            self.sources[target] = Source(
                target,
                TARGETS[kind][target],
                None if column is None else places[column],
                column or target,
                spec.get("const", ""),
                tuple(transform(target, one) for one in spec.get("transforms", [])),
                bool(spec.get("minor", False)),
            )
        if missing:
            raise invalid("/file", f"The file has no column {', '.join(missing)}. Choose another mapping.")
        for title in read(mapping):
            if header.count(title) > 1:
                raise invalid("/file", f"The file has the column {title} twice. Keep one of them.")
        for target in REQUIRED[kind]:
            if target not in self.sources:
                raise invalid("/mapping", f"Say which column holds {target}.")
        self.refusals = [
            Refusal(
                places[one["column"]],
                frozenset(str(value).casefold() for value in one.get("values", [])),
                one["message"],
            )
            for one in mapping.get("refuse", [])
            if one["column"] in places
        ]

    def reference(self, cells: Sequence[str]) -> str:
        """What names the row; '' when it cannot be read."""
        try:
            return self.sources[REFERENCE[self.kind]].text(cells)[:200]
        except Unreadable:
            return ""

    def check(self, cells: Sequence[str]) -> None:
        """Raises Unreadable for a row that is longer than the header or must not be taken over."""
        if len(cells) > self.width:
            raise Unreadable(f"The row has {len(cells)} cells, the header {self.width}. Check its quotes.")
        for refusal in self.refusals:
            if refusal.applies(cells):
                raise Unreadable(refusal.message)

    def values(self, cells: Sequence[str], *, lines: bool | None = None) -> dict[str, Any]:
        """Target -> value, without the empty ones. lines: only the `line.` targets, or only the others."""
        found: dict[str, Any] = {}
        for target, source in self.sources.items():
            if lines is not None and target.startswith("line.") != lines:
                continue
            text = source.text(cells)
            if text:
                found[target] = self._value(source, text)
        return found

    def _value(self, source: Source, text: str) -> Any:
        try:
            match source.holds:
                case "integer" | "figure" | "money":
                    return _figure(source, text)
                case "flag":
                    return FLAGS[text.casefold()]
                case "day":
                    return datetime.fromisoformat(text).date().isoformat()
                case "instant":
                    moment = datetime.fromisoformat(text)
                    return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).isoformat()
        except (ValueError, KeyError) as error:
            what = {
                "flag": "yes or no",
                "day": "a day as YYYY-MM-DD",
                "instant": "a time as YYYY-MM-DD HH:MM:SS",
            }
            raise Unreadable(f"{source.title}: {text!r} is not {what[source.holds]}.") from error
        return text


def _figure(source: Source, text: str) -> int | Decimal | Amount:
    try:
        if source.holds == "integer":
            return integer(text)
        found = figure(text)
    except ValueError as error:
        raise Unreadable(f"{source.title}: {error}") from error
    return Amount(found, source.minor, source.target in ROUNDED) if source.holds == "money" else found


@dataclass(frozen=True)
class Amount:
    """Money as read, before the row's currency is known."""

    figure: Decimal
    minor: bool
    rounded: bool = False
    """Whether parts of a minor unit may be rounded away."""

    def minor_units(self, currency: str) -> int:
        """Whole minor units, a half away from zero. Raises Unreadable for an unknown currency, and for parts of a
        minor unit: 12.999 may be thirteen dollars or twelve thousand."""
        if currency not in DECIMALS:
            raise Unreadable(f"{currency} is not an ISO 4217 currency.")
        exact = self.figure if self.minor else self.figure.scaleb(DECIMALS[currency])
        units = round_half_up(exact)
        if abs(exact - units) > NEAR and not self.rounded:
            raise Unreadable(f"{self.figure} {currency} has more decimals than the currency. Round it.")
        return units


def read(mapping: Mapping[str, Any]) -> set[str]:
    """The columns that a mapping looks at."""
    sources = [
        {"column": one} if isinstance(one, str) else one for one in mapping.get("columns", {}).values()
    ]
    return {one["column"] for one in (*sources, *mapping.get("refuse", [])) if "column" in one}


def resolve(kind: str, given: str | Mapping[str, Any]) -> dict[str, Any]:
    """A mapping by name or as a document. Raises Problem 422; 409 when the name does not fit the kind."""
    if isinstance(given, str):
        if given not in NAMED:
            raise invalid("/mapping", f"Send one of {', '.join(NAMED)}, or a mapping as JSON.")
        if kind not in NAMED[given]:
            raise refused("mapping-not-for-kind", f"The mapping {given} does not read {kind}.")
        return {"name": given, **NAMED[given][kind]}
    columns = given.get("columns")
    if not isinstance(columns, Mapping) or not columns or set(given) - {"columns", "refuse", "delimiter"}:
        raise invalid("/mapping", "Send {columns: {target: source}, refuse?, delimiter?}.")
    for target, source in columns.items():
        for one in _spec(kind, target, source).get("transforms", []):
            transform(target, one)
    delimiter = given.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise invalid("/mapping/delimiter", "Send one character, such as a comma.")
    _check_refusals(given.get("refuse", []))
    return dict(given)


def of_card(kind: str, mapping: dict[str, Any], header: Sequence[str], code: str) -> dict[str, Any]:
    """The mapping with the rate card whose prices or zones the rows are; other kinds have none.

    Raises Problem 422 when neither `code` nor the file says which card it is.
    """
    if kind not in RATES:
        if code:
            raise invalid("/rate_card", f"A file of {kind} belongs to no rate card. Leave it out.")
        return mapping
    if code:
        return {**mapping, "columns": {**mapping["columns"], "rate_card": {"const": code}}}
    source = mapping["columns"].get("rate_card")
    column = source.get("column") if isinstance(source, Mapping) else source
    if source is None or (column is not None and column not in header):
        raise invalid("/rate_card", "Say whose prices or zones these are: the code of a rate card.")
    return mapping


def _spec(kind: str, target: str, given: Any) -> Mapping[str, Any]:
    """A source as a whole document. Raises Problem 422."""
    pointer = f"/mapping/columns/{target}"
    if target not in TARGETS[kind]:
        raise invalid(pointer, f"There is no such target. Choose from: {', '.join(TARGETS[kind])}.")
    spec = {"column": given} if isinstance(given, str) else given
    sound = (
        isinstance(spec, Mapping)
        and ("column" in spec) != ("const" in spec)
        and not set(spec) - {"column", "const", "transforms", "minor"}
        and isinstance(spec.get("column", spec.get("const")), str)
        and isinstance(spec.get("transforms", []), list)
        and len(spec.get("transforms", [])) <= MOST_TRANSFORMS
    )
    if not sound:
        raise invalid(pointer, "Send a column's name, {const: text} or {column: name, transforms: [...]}.")
    return spec


def _check_refusals(given: Any) -> None:
    sound = isinstance(given, list) and all(
        isinstance(one, Mapping)
        and isinstance(one.get("column"), str)
        and isinstance(one.get("message"), str)
        and isinstance(one.get("values", []), list)
        for one in given
    )
    if not sound:
        raise invalid("/mapping/refuse", "Send [{column, values?, message}].")
