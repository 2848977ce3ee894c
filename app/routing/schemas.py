"""Rule versions as the contract shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.routing.policy import NAMED
from app.routing.sections import LIMITS, MODES, REASONS
from app.routing.vocabulary import (
    LINE_FIELDS,
    LIST_OPS,
    NODE_FIELDS,
    OP_WORDS,
    OPS,
    ORDER_FIELDS,
    REF_OPS,
    TERMS,
    Field,
)
from app.shapes import Instant, ListIn, Strict, Text

STATES = ("draft", "simulated", "active", "retired")

EXAMPLE = {
    "name": "Stores help out",
    "line_routes": [
        {
            "id": "hazard",
            "when": {"field": "product.hazard", "op": "exists", "value": True},
            "capabilities": ["hazard"],
            "apart": True,
        }
    ],
    "strategies": [
        {
            "id": "marketplace",
            "when": {
                "all": [
                    {"channel": ["marketplace"]},
                    {"field": "order.value", "op": "gte", "value": 25000},
                ]
            },
            "filters": [{"id": "no-stores", "field": "node.kind", "op": "ne", "value": "store"}],
            "objective": "fewest_packages_then_nearest",
            "split": {"max_packages": 1},
            "fallback": {"relax": [["max_packages"], ["no-stores"]], "then": "queue"},
        },
        {
            "id": "everything",
            "objective": {
                "mode": "cost",
                "terms": [{"term": "shipping"}, {"term": "handling"}, {"term": "lateness", "weight": 500}],
            },
        },
    ],
    "reroute": {
        "most_cycles": 3,
        "cool_down_minutes": 240,
        "reasons": {"out_of_stock": {"stock": "hold", "exclude": "sku"}},
    },
    "release": {"mode": "window", "minutes": 30, "express": ["overnight"]},
    "allotments": [{"channel": "marketplace", "share_percent": 20, "borrow": True}],
}


def language() -> str:
    """The rule language in Markdown, written from its own lists."""
    return "\n\n".join(
        (
            "A rule document. **strategies** are tried in order: the first whose `when` holds decides the order, and"
            " the last one has no `when`. **line_routes** take lines aside first. **scope** is `default` or a"
            " channel's code. Amounts are minor units.",
            "A predicate is `{field, op, value}`, `{field, op, ref}` with another field of the same type, or `all`,"
            " `any`, `not` of predicates; `{channel: [...]}` is short for `order.channel`. A strategy's `when` speaks"
            " of the order, a line route's also of the line and its product, a filter of nodes, lanes and stock."
            f" `ref` goes with {_code(REF_OPS)}. What is not known of a node never rules it out.",
            _table("An order", ORDER_FIELDS),
            _table("A line and its product", LINE_FIELDS),
            _table("Nodes, the way to the buyer, and what they hold of the order", NODE_FIELDS),
            "Operators: "
            + "; ".join(
                f"`{op}` {words}{' (a list)' if op in LIST_OPS else ''}" for op, words in OP_WORDS.items()
            )
            + ".",
            f"**objective**: {_code(NAMED)}, or `mode` {_code(MODES)} with `terms`. In `cost` a term that is no"
            " amount needs its `weight` in minor units per unit; in `score` each needs its `weight`; in"
            " `lexicographic` each may have a `tolerance`, a share of its best value.",
            "| term | | unit | modes |\n|---|---|---|---|\n"
            + "\n".join(
                f"| `{name}` | {term.label} | {term.unit} | {', '.join(term.modes)} |"
                for name, term in TERMS.items()
            ),
            f"**fallback.relax** gives up filters by their id, or {_code(LIMITS)}, step by step, each besides"
            f" those before, until everything is filled. **reroute.reasons**: {_code(REASONS)}, each with `stock`"
            " (`hold`, `free`) and `exclude` (`node`, `sku`, `none`).",
        )
    )


def _table(title: str, listed: Mapping[str, Field]) -> str:
    rows = "\n".join(
        f"| `{name}` | {field.words} | {', '.join(field.choices) or field.unit or field.kind} | {_ops(field)} |"
        for name, field in listed.items()
    )
    return f"{title}:\n\n| field | | values | operators |\n|---|---|---|---|\n{rows}"


def _ops(field: Field) -> str:
    return " ".join(field.ops) if field.only else " ".join(OPS[field.kind])


def _code(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


class RulesIn(Strict):
    """A new version. The document never changes afterwards: to change it, write another version."""

    document = fields.Dict(required=True, metadata={"description": language(), "example": EXAMPLE})
    note = Text(500, load_default="", metadata={"description": "Why, for those who look later."})


class RulesOut(Schema):
    """A version: its document, and what it says in plain words."""

    version = fields.Integer()
    scope = fields.String(
        metadata={"description": "Whose orders it decides: `default`, or a channel's code."}
    )
    state = fields.String(validate=validate.OneOf(STATES))
    note = fields.String()
    document = fields.Dict()
    sentences = fields.List(fields.String())
    created_by = fields.String()
    created_at = Instant()
    activated_at = Instant(allow_none=True)
    retired_at = Instant(allow_none=True)


class RulesListOut(Schema):
    """A page of versions, newest first."""

    data = fields.List(fields.Nested(RulesOut))
    next = fields.String(allow_none=True)


class RulesListIn(ListIn):
    """Paging."""


class RemarkOut(Schema):
    """One place of a document, and what to do about it."""

    pointer = fields.String(metadata={"description": "JSON pointer into the document."})
    message = fields.String()


class ValidationOut(Schema):
    """What a version says. Warnings do not stop an activation: they name places and channels not known here."""

    version = fields.Integer()
    valid = fields.Boolean()
    errors = fields.List(fields.Nested(RemarkOut))
    warnings = fields.List(fields.Nested(RemarkOut))
    sentences = fields.List(fields.String())


class ActivationIn(Strict):
    """Compare and swap: the version that the caller saw in force."""

    replaces = fields.Integer(
        strict=True,
        required=True,
        allow_none=True,
        validate=validate.Range(1, 2**31 - 1),
        metadata={"description": "The version in force now in the same scope; null when none is."},
    )
    override = fields.Boolean(
        load_default=False, metadata={"description": "Set guard-rails aside; say why in `reason`."}
    )
    reason = Text(500, load_default="", metadata={"description": "Kept in the audit log with `override`."})

    @validates_schema
    def _has_a_reason(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["override"] and not data["reason"].strip():
            raise ValidationError("Say why guard-rails are set aside.", "reason")


class ComparisonIn(Strict):
    """With which version."""

    against = fields.Integer(
        load_default=None,
        validate=validate.Range(1, 2**31 - 1),
        data_key="with",
        metadata={"description": "The version to compare with; without it the one in force in its place."},
    )


class ChangeOut(Schema):
    """One statement that reads differently."""

    before = fields.String()
    after = fields.String()


class ComparisonOut(Schema):
    """What a version says otherwise than another one, in sentences."""

    version = fields.Integer()
    against = fields.Integer(data_key="with", attribute="with")
    added = fields.List(fields.String())
    removed = fields.List(fields.String())
    changed = fields.List(fields.Nested(ChangeOut))
    moved = fields.List(fields.String())


class TemplateOut(Schema):
    """Rules to start from."""

    code = fields.String()
    name = fields.String()
    about = fields.String()
    document = fields.Dict()
    sentences = fields.List(fields.String())


class TemplatesOut(Schema):
    """All templates, the default first."""

    data = fields.List(fields.Nested(TemplateOut))


class PricesOut(Schema):
    """Prices on scarce stock and capacity that a `cost` objective may add; made anew every few hours from the past."""

    version = fields.Integer(metadata={"description": "0: none yet."})
    made_at = Instant(allow_none=True)
    basis = fields.Dict(
        metadata={"description": "What they were made from: orders, lines, skus, days, seconds."}
    )
    stock = fields.Dict(metadata={"description": "Minor units of one unit, by SKU and node."})
    capacity = fields.Dict(metadata={"description": "Minor units of one package, by node."})
    risk = fields.Dict(metadata={"description": "Share of its work that a node refused, by node."})
