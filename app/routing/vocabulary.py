"""The typed list of what rules may speak of: one source for validation, evaluation, documentation, editor and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.catalog.vocabulary import KINDS as LINE_KINDS
from app.network.vocabulary import KINDS as NODE_KINDS

TEXT, CODE, NUMBER, FLAG, SET, DATE = "text", "code", "number", "flag", "set", "date"

MEMBER_OPS = ("eq", "ne", "in", "not_in")
ORDER_OPS = ("lt", "lte", "gt", "gte")
AMOUNT_OPS = (*ORDER_OPS, "between")
OPS: Mapping[str, tuple[str, ...]] = {
    TEXT: (*MEMBER_OPS, "exists"),
    CODE: (*MEMBER_OPS, "zip_prefix", "exists"),
    NUMBER: (*MEMBER_OPS, *ORDER_OPS, "between", "exists"),
    FLAG: ("eq", "ne"),
    SET: ("has_any", "has_all", "exists"),
    DATE: (*MEMBER_OPS, *ORDER_OPS, "between", "exists"),
}
"""What a field of each type may be compared with."""
LIST_OPS = ("in", "not_in", "zip_prefix", "has_any", "has_all")
"""Operators that take a list; `between` takes two values, the smaller one first."""
REF_OPS = ("eq", "ne", *ORDER_OPS, "has_any", "has_all")
"""Operators that may compare with another field (`ref`) instead of a value."""
OP_WORDS: Mapping[str, str] = {
    "eq": "equal",
    "ne": "not equal",
    "in": "one of a list",
    "not_in": "none of a list",
    "lt": "less than",
    "lte": "at most",
    "gt": "more than",
    "gte": "at least",
    "between": "between two values, both included",
    "exists": "known (true) or not known (false)",
    "has_any": "has at least one of a list",
    "has_all": "has every one of a list",
    "zip_prefix": "begins with one of a list",
}

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DISTANCES = ("lane.distance_miles", "node.distance_miles")


@dataclass(frozen=True, slots=True)
class Field:
    """A word of the rule language: its type, how it reads, its unit, and the only values it takes, if bounded."""

    words: str
    kind: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    """Operators, where fewer than the type's make sense."""

    @property
    def ops(self) -> tuple[str, ...]:
        """The operators it may be compared with."""
        return self.only or OPS[self.kind]

    @property
    def number(self) -> bool:
        """Whether its values are numbers."""
        return self.kind == NUMBER

    def fits(self, other: Field) -> bool:
        """Whether two fields may be compared with each other: same type, same unit."""
        same = {TEXT, CODE}
        kinds = self.kind == other.kind or (self.kind in same and other.kind in same)
        return kinds and self.unit == other.unit


ORDER_FIELDS: Mapping[str, Field] = {
    "order.channel": Field("the channel", TEXT),
    "order.units": Field("the number of units", NUMBER, "units"),
    "order.lines": Field("the number of lines", NUMBER, "lines"),
    "order.weight_g": Field("the weight", NUMBER, "g"),
    "order.value": Field("the order's value", NUMBER, "money"),
    "order.ship_complete": Field("the buyer asks for one shipment", FLAG),
    "order.service": Field("the delivery service", TEXT),
    "order.source_code": Field("the source code", TEXT),
    "destination.country": Field("the destination country", TEXT),
    "destination.region": Field("the destination region", TEXT),
    "destination.postal_code": Field("the destination postal code", CODE),
    "lines.kinds": Field("the kinds of its lines", SET, choices=LINE_KINDS),
    "lines.skus": Field("its SKUs", SET),
    "lines.hazards": Field("the hazards of its items", SET),
    "lines.temperatures": Field("the temperatures its items need", SET),
    "lines.vendors": Field("the vendors of its items", SET),
    "customer.email_domain": Field("the buyer's email domain", TEXT),
    "customer.is_business": Field("it goes to a business", FLAG),
    "time.weekday": Field("the day of the week", TEXT, choices=WEEKDAYS),
    "time.hour_local": Field("the hour of the day", NUMBER, "hour"),
    "time.date": Field("the date", DATE),
}
"""What a strategy's `when` may speak of. Times are those of the merchant's own zone."""

LINE_FIELDS: Mapping[str, Field] = {
    "line.kind": Field("the kind", TEXT, choices=LINE_KINDS),
    "line.quantity": Field("the quantity", NUMBER, "units"),
    "line.weight_g": Field("the weight of the line", NUMBER, "g"),
    "line.value": Field("the value of the line", NUMBER, "money"),
    "line.tax_code": Field("the tax code", TEXT),
    "product.sku": Field("the SKU", CODE),
    "product.kind": Field("the product's kind", TEXT, choices=LINE_KINDS),
    "product.hazard": Field("the hazard", TEXT),
    "product.temperature": Field("the temperature", TEXT),
    "product.vendor": Field("the vendor", TEXT),
    "product.attributes": Field("the attributes it has", SET),
    "product.price": Field("the price of one", NUMBER, "money"),
}
"""What a line route's `when` may speak of, besides everything of its order."""

NODE_FIELDS: Mapping[str, Field] = {
    "node.kind": Field("kind", TEXT, choices=NODE_KINDS, only=MEMBER_OPS),
    "node.code": Field("code", TEXT, only=MEMBER_OPS),
    "node.region": Field("region", TEXT),
    "node.country": Field("country", TEXT),
    "node.priority": Field("priority number", NUMBER, only=(*MEMBER_OPS, *AMOUNT_OPS)),
    "node.capabilities": Field("capabilities", SET),
    "node.capacity_left": Field("room left today", NUMBER, "packages", only=AMOUNT_OPS),
    "node.handling_per_package": Field("handling of a package", NUMBER, "money"),
    "node.open_today": Field("open today", FLAG),
    "node.distance_miles": Field("distance", NUMBER, "miles", only=AMOUNT_OPS),
    "lane.distance_miles": Field("distance", NUMBER, "miles", only=AMOUNT_OPS),
    "lane.zone": Field("carrier zone", NUMBER, "zone"),
    "lane.transit_days": Field("days on the way", NUMBER, "days"),
    "lane.days_late": Field("days after the promise", NUMBER, "days"),
    "lane.same_region": Field("in the buyer's region", FLAG),
    "lane.same_country": Field("in the buyer's country", FLAG),
    "stock.holds_all": Field("holds the whole order", FLAG),
    "stock.lines_held_share": Field("share of the lines it holds whole", NUMBER, "percent", only=AMOUNT_OPS),
    "stock.units_share": Field("share of the units it could fill", NUMBER, "percent", only=AMOUNT_OPS),
    "stock.covers": Field("units of the order it could fill", NUMBER, "units", only=AMOUNT_OPS),
    "stock.left_after": Field("units left on its shelf afterwards", NUMBER, "units", only=AMOUNT_OPS),
}
"""What filters may speak of: the node, the way from it to the buyer, and what it holds of this order.

`node.distance_miles` is the earlier name of `lane.distance_miles`. What is not known of a node never rules it out.
"""

FIXED = frozenset(
    {
        "node.kind",
        "node.code",
        "node.region",
        "node.country",
        "node.priority",
        "node.capabilities",
        "node.handling_per_package",
    }
)
"""Fields of the network alone: filters on them are worked out once, not for each order."""

OF_DESTINATION = FIXED | {
    "node.distance_miles",
    "lane.distance_miles",
    "lane.zone",
    "lane.transit_days",
    "lane.same_region",
    "lane.same_country",
    "destination.country",
    "destination.region",
    "destination.postal_code",
}
"""Fields that are the same for all orders to one destination."""

TIMED = frozenset({"time.weekday", "time.hour_local", "time.date", "node.open_today", "node.capacity_left"})
"""Fields that change as time passes, so that what a rule turned away it may take later."""

ON_LINES = {**LINE_FIELDS, **ORDER_FIELDS}
ON_NODES = {**NODE_FIELDS, **ORDER_FIELDS}
"""What a filter's `ref` may name."""
FIELDS: Mapping[str, Field] = {**ORDER_FIELDS, **LINE_FIELDS, **NODE_FIELDS}


@dataclass(frozen=True, slots=True)
class TermKind:
    """One figure an objective may add up: how it reads, its unit, where it may stand."""

    label: str
    unit: str
    modes: tuple[str, ...] = ("cost", "lexicographic", "score")

    @property
    def is_money(self) -> bool:
        """Whether it is an amount already; any other needs a price per unit in a `cost` objective."""
        return self.unit == "money"


TERMS: Mapping[str, TermKind] = {
    "shipping": TermKind("shipping", "money"),
    "handling": TermKind("handling", "money"),
    "store_labor": TermKind("store labor", "money"),
    "packages": TermKind("packages", "package"),
    "split_penalty": TermKind("packages beyond the first", "package"),
    "distance": TermKind("distance", "mile"),
    "transit_days": TermKind("days on the way", "day"),
    "lateness": TermKind("days after the promise", "day"),
    "priority": TermKind("sum of priority numbers", "point"),
    "stock_price": TermKind("the price of scarce stock", "money", ("cost", "score")),
    "capacity_price": TermKind("the price of scarce capacity", "money", ("cost", "score")),
    "inventory_balance": TermKind("uneven stock", "point"),
    "margin_floor": TermKind("what a package falls short of its margin", "money"),
    "markdown_bonus": TermKind("what is saved on markdowns", "money", ("cost", "score")),
    "rejection_risk": TermKind("expected rejections", "rejection"),
}
"""Figures of a plan. `markdown_bonus` counts for a plan; all the others against it."""
