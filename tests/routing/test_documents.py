"""The rule document: an error per path that says what to do, and never an exception."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing.documents import default_document, parse, sentences, validate

DOCUMENT: dict[str, Any] = {
    "name": "Stores last",
    "strategies": [
        {
            "id": "phone",
            "when": {
                "all": [{"channel": ["phone"]}, {"not": {"field": "order.units", "op": "gt", "value": 9}}]
            },
            "filters": [
                {"id": "no-stores", "field": "node.kind", "op": "ne", "value": "store"},
                {"id": "near", "field": "node.distance_miles", "op": "between", "value": [0, 800]},
            ],
            "objective": "fewest_packages_then_nearest",
            "split": {"max_packages": 2, "ship_complete": True},
            "on_none": "backorder",
        },
        {"id": "rest", "objective": "priority_then_fewest_nearest"},
    ],
}


def changed(path: str, value: Any) -> dict:
    """The document with one place changed, or removed where the value is ..."""
    document = copy.deepcopy(DOCUMENT)
    *steps, last = [int(step) if step.isdigit() else step for step in path.strip("/").split("/")]
    at: Any = document
    for step in steps:
        at = at[step]
    if value is ...:
        del at[last]
    elif isinstance(at, list):
        at[last] = value
    else:
        at[last] = value
    return document


def test_not_of_several_reads_otherwise_than_not_of_the_first() -> None:
    many = {"field": "order.units", "op": "gt", "value": 9}
    phone = {"channel": ["phone"]}
    said = {
        sentences({"name": "N", "strategies": [{"id": "a", "when": when}, {"id": "b"}]})[0]
        for when in ({"not": {"all": [many, phone]}}, {"all": [{"not": many}, phone]})
    }
    assert len(said) == 2


def test_the_default_document_is_valid() -> None:
    assert validate(default_document()) == []
    assert sentences(default_document()) == [
        "For every order: choose the fewest packages, then the nearest; what is missing waits for stock."
    ]


def test_a_document_reads_as_sentences() -> None:
    assert validate(DOCUMENT) == []
    assert sentences(DOCUMENT) == [
        "When the channel is phone and it is not so that the number of units is more than 9: never use stores,"
        " use only places 0 to 800 miles away, choose the fewest packages, then the nearest, in at most two packages;"
        " ship only when all of it is there.",
        "For everything else: open places in order of their priority number, then choose the fewest packages,"
        " then the nearest; what is missing waits for stock.",
    ]


@pytest.mark.parametrize(
    ("op", "value", "said"),
    [
        ("lte", 1, "within 1 mile"),
        ("gt", 0.5, "more than 0.5 miles away"),
        ("between", [0, 1], "0 to 1 miles away"),
    ],
)
def test_one_mile_is_one_mile(op: str, value: object, said: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["strategies"][0]["filters"] = [
        {"id": "near", "field": "node.distance_miles", "op": op, "value": value}
    ]
    assert said in sentences(document)[0]


@pytest.mark.parametrize(
    ("path", "value", "pointer", "message"),
    [
        ("/name", ..., "/name", "is missing"),
        ("/name", "", "/name", "1 to 100 characters"),
        ("/name", 5, "/name", "must be a text, not a number"),
        ("/name", "a\u0000b", "/name", "control characters"),
        ("/extra", 1, "/extra", "is not known here: remove it, or use one of 'name', 'scope', 'line_routes'"),
        ("/a~b~1c", 1, "/a~0b~01c", "is not known here"),
        ("/strategies", [], "/strategies", "is empty: add 1 to 20 entries"),
        ("/strategies", [{}] * 21, "/strategies", "not 21"),
        ("/strategies", {}, "/strategies", "must be a list, not an object"),
        ("/strategies/0", None, "/strategies/0", "must be an object, not null"),
        ("/strategies/0/id", ..., "/strategies/0/id", "is missing"),
        ("/strategies/0/id", "Bad Id", "/strategies/0/id", "small letters"),
        ("/strategies/1/id", "phone", "/strategies/1/id", "is used above"),
        ("/strategies/0/when", ..., "/strategies/0", "never reached"),
        ("/strategies/1/when", {"channel": ["web"]}, "/strategies/1/when", "for every order"),
        ("/strategies/0/when", [], "/strategies/0/when", "must be an object such as"),
        ("/strategies/0/when", {}, "/strategies/0/when", "exactly one of"),
        ("/strategies/0/when", {"channel": ["a"], "not": {}}, "/strategies/0/when", "exactly one of"),
        (
            "/strategies/0/when",
            {"channel": "web"},
            "/strategies/0/when/channel",
            "must be a list, not a text",
        ),
        ("/strategies/0/when", {"channel": [""]}, "/strategies/0/when/channel/0", "1 to 100 characters"),
        (
            "/strategies/0/when/all/1/not/op",
            "like",
            "/strategies/0/when/all/1/not/op",
            "'like' is not possible",
        ),
        ("/strategies/0/when/all/1/not/value", "9", "/strategies/0/when/all/1/not/value", "must be a number"),
        (
            "/strategies/0/when/all/1/not/value",
            True,
            "/strategies/0/when/all/1/not/value",
            "must be a number",
        ),
        (
            "/strategies/0/when/all/1/not/field",
            "node.kind",
            "/strategies/0/when/all/1/not/field",
            "'order.units'",
        ),
        ("/strategies/0/filters/0/field", "node.color", "/strategies/0/filters/0/field", "'node.kind'"),
        ("/strategies/0/filters/0/value", "shop", "/strategies/0/filters/0/value", "'warehouse', 'store'"),
        (
            "/strategies/0/filters/0/value",
            ["store"],
            "/strategies/0/filters/0/value",
            "a list is not possible",
        ),
        ("/strategies/0/filters/0/op", "in", "/strategies/0/filters/0/value", "must be a list, not a text"),
        ("/strategies/0/filters/0/op", "gt", "/strategies/0/filters/0/op", "use one of 'eq', 'ne'"),
        ("/strategies/0/filters/1/id", "no-stores", "/strategies/0/filters/1/id", "is used above"),
        ("/strategies/0/filters/1/value", [9, 1], "/strategies/0/filters/1/value", "smaller one first"),
        ("/strategies/0/filters/1/value", [1], "/strategies/0/filters/1/value", "exactly 2 entries"),
        (
            "/strategies/0/filters/1/value/1",
            float("nan"),
            "/strategies/0/filters/1/value/1",
            "must be a number",
        ),
        ("/strategies/0/filters/1/value/1", 10**400, "/strategies/0/filters/1/value/1", "must be a number"),
        ("/strategies/0/filters/1/value", ..., "/strategies/0/filters/1/value", "is missing"),
        ("/strategies/0/objective", "cheapest", "/strategies/0/objective", "'nearest'"),
        ("/strategies/0/objective", "nearest", "/strategies/0/split/max_packages", "does not count packages"),
        ("/strategies/0/split/max_packages", 0, "/strategies/0/split/max_packages", "from 1 to 100, or null"),
        ("/strategies/0/split/max_packages", 1.5, "/strategies/0/split/max_packages", "whole number"),
        ("/strategies/0/split/ship_complete", 1, "/strategies/0/split/ship_complete", "true or false"),
        ("/strategies/0/split/most", 1, "/strategies/0/split/most", "is not known here"),
        ("/strategies/0/on_none", "wait", "/strategies/0/on_none", "'backorder', 'queue', 'cancel'"),
    ],
)
def test_each_error_has_its_place_and_its_remedy(path: str, value: Any, pointer: str, message: str) -> None:
    errors = validate(changed(path, value))
    assert any(error["pointer"] == pointer and message in error["message"] for error in errors), errors
    with pytest.raises(ValueError, match=r".+"):
        parse(changed(path, value))


@pytest.mark.parametrize("document", [None, [], "x", 3, True])
def test_what_is_no_object_is_said_to_be_none(document: object) -> None:
    (error,) = validate(document)
    assert error["pointer"] == ""
    assert error["message"].startswith("must be an object, not ")


def test_conditions_are_bounded_in_depth_and_number() -> None:
    deep: dict = {"channel": ["web"]}
    for _ in range(500):
        deep = {"not": deep}
    (error,) = validate(changed("/strategies/0/when", deep))
    assert "nested at most 4 deep" in error["message"]
    many = {"any": [{"all": [{"channel": ["web"]}] * 100}] * 100}
    (error,) = validate(changed("/strategies/0/when", many))
    assert "at most 200 conditions" in error["message"]


def test_a_hostile_document_is_refused_quickly() -> None:
    hostile: dict = {
        "name": "x" * 1_000_000,
        "strategies": [{f"key {n}": n for n in range(50_000)}] * 20,
        **{f"key {n}": n for n in range(50_000)},
    }
    started = time.perf_counter()
    errors = validate(hostile)
    assert time.perf_counter() - started < 0.5
    assert len(errors) == 50
    assert len(json.dumps(errors)) < 20_000
    filters = [{"id": "f", "field": "node.code", "op": "in", "value": ["\ud800"] * 500}] * 20
    errors = validate({"name": "n", "strategies": [{"id": "s", "filters": filters}] * 20})
    assert len(errors) == 50
    json.dumps(errors).encode("utf-8")


def test_a_rule_is_named_by_its_contents() -> None:
    assert parse(DOCUMENT).digest == parse(copy.deepcopy(DOCUMENT)).digest
    assert parse(DOCUMENT).digest != parse(changed("/strategies/0/split/max_packages", 3)).digest


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
PATHS = [
    "/name",
    "/strategies",
    "/strategies/0",
    "/strategies/0/when",
    "/strategies/0/when/all",
    "/strategies/0/when/all/1",
    "/strategies/0/when/all/1/not/value",
    "/strategies/0/filters",
    "/strategies/0/filters/0",
    "/strategies/0/filters/0/op",
    "/strategies/0/filters/0/value",
    "/strategies/0/filters/1/value",
    "/strategies/0/objective",
    "/strategies/0/split",
    "/strategies/0/split/max_packages",
    "/strategies/1",
]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PATHS), JSON)
def test_any_document_is_answered(path: str, value: Any) -> None:
    document = changed(path, value)
    errors = validate(document)
    for error in errors:
        assert error["message"]
        assert error["pointer"] == "" or error["pointer"].startswith("/")
    if not errors:
        assert len(sentences(document)) == len(document["strategies"])


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_anything_at_all_is_answered(document: Any) -> None:
    assert validate(document)
