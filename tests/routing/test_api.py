"""Routing rules over the API: versions that never change, one in force, compare and swap."""

from __future__ import annotations

import copy
import threading

import pytest
from flask import Flask

from app.routing import queries, service
from app.routing.documents import default_document
from tenants.scope import inside
from tests.factories import Caller, Merchant
from tests.portal import member

PRIORITY = "priority_then_fewest_nearest"


def rules(**changes: object) -> dict:
    document = copy.deepcopy(default_document())
    document["strategies"][0].update(changes)
    return document


def written(merchant: Merchant, **changes: object) -> int:
    return merchant.ok("POST", "/routing/rules", {"document": rules(**changes), "note": "a try"})["version"]


def activate(caller: Caller, version: int, replaces: int | None):
    return caller.post(f"/routing/rules/{version}/activation", {"replaces": replaces})


def states(merchant: Merchant) -> dict[int, str]:
    return {one["version"]: one["state"] for one in merchant.ok("GET", "/routing/rules")["data"]}


def test_a_new_merchant_has_one_version_in_force_that_reads_as_a_sentence(merchant: Merchant):
    data = merchant.ok("GET", "/routing/rules")["data"]
    assert [(one["version"], one["state"]) for one in data] == [(1, "active")]
    assert data[0]["document"] == default_document()
    assert data[0]["sentences"] == [
        "For every order: choose the fewest packages, then the nearest; what is missing waits for stock."
    ]


def test_a_version_is_a_draft_until_it_is_activated(merchant: Merchant):
    body = {"document": rules(objective=PRIORITY), "note": "Reno first"}
    answer = merchant.post("/routing/rules", body)
    assert answer.status_code == 201
    draft = answer.get_json()
    assert (draft["version"], draft["state"], draft["note"]) == (2, "draft", "Reno first")
    assert draft["activated_at"] is None
    assert states(merchant) == {2: "draft", 1: "active"}
    active = activate(merchant, 2, 1)
    assert active.status_code == 200
    assert (active.get_json()["state"], active.get_json()["document"]) == ("active", body["document"])
    assert states(merchant) == {2: "active", 1: "retired"}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"objective": "cheapest"}, "/document/strategies/0/objective"),
        ({"when": {"channel": ["web"]}}, "/document/strategies/0/when"),
        ({"split": {"max_packages": 0}}, "/document/strategies/0/split/max_packages"),
        ({"color": "red"}, "/document/strategies/0/color"),
        (
            {"filters": [{"id": "x", "field": "node.kind", "op": "eq", "value": "boat"}]},
            "/document/strategies/0/filters/0/value",
        ),
    ],
)
def test_a_bad_document_gets_an_error_per_path(merchant: Merchant, change: dict, pointer: str):
    answer = merchant.post("/routing/rules", {"document": rules(**change)})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert states(merchant) == {1: "active"}


@pytest.mark.parametrize(
    "body", [{}, {"document": 7}, {"document": None}, {"document": {}, "state": "active"}]
)
def test_a_bad_body_is_refused(merchant: Merchant, body: dict):
    assert merchant.post("/routing/rules", body).status_code == 422
    assert states(merchant) == {1: "active"}


def test_validation_reads_a_version_and_names_strangers(merchant: Merchant):
    merchant.node("RENO")
    filters = [{"id": "own", "field": "node.code", "op": "in", "value": ["RENO", "NOWHERE"]}]
    version = written(merchant, filters=filters)
    said = merchant.ok("POST", f"/routing/rules/{version}/validation")
    assert said["valid"] is True
    assert said["errors"] == []
    assert [warning["pointer"] for warning in said["warnings"]] == ["/strategies/0/filters/0/value/1"]
    assert said["sentences"][0].startswith("For every order: use only RENO and NOWHERE")
    assert states(merchant)[version] == "draft"


def test_activation_loses_by_name_when_another_version_is_in_force(merchant: Merchant):
    first, second = written(merchant), written(merchant, objective=PRIORITY)
    assert activate(merchant, first, 1).status_code == 200
    late = activate(merchant, second, 1)
    assert late.status_code == 409
    assert late.get_json()["type"].endswith("/rules-changed")
    assert states(merchant) == {second: "draft", first: "active", 1: "retired"}
    assert activate(merchant, first, first).get_json()["type"].endswith("/rules-active")
    assert activate(merchant, second, None).status_code == 409
    assert activate(merchant, 99, first).status_code == 404


def test_of_two_at_once_one_wins(merchant: Merchant, app: Flask):
    versions = [written(merchant), written(merchant, objective=PRIORITY)]
    start = threading.Barrier(2)
    statuses = []

    def go(version: int) -> None:
        caller = Caller(app.test_client(), merchant.key)
        start.wait()
        statuses.append(activate(caller, version, 1).status_code)

    threads = [threading.Thread(target=go, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]
    assert sorted(states(merchant).values()) == ["active", "draft", "retired"]


def test_rolling_back_is_activating_the_retired_version_again(merchant: Merchant):
    version = written(merchant, objective=PRIORITY)
    assert activate(merchant, version, 1).status_code == 200
    back = activate(merchant, 1, version)
    assert back.status_code == 200
    assert states(merchant) == {version: "retired", 1: "active"}
    assert back.get_json()["retired_at"] is None


def test_what_is_activated_decides_the_next_order(merchant: Merchant):
    near, far = merchant.node("NEAR", "83702", "ID"), merchant.node("FAR", "33101", "FL", priority=1)
    sku = merchant.sku()
    for node in (near, far):
        merchant.stock(node, sku, 5)
    assert merchant.order((sku, 1))["fulfillment_orders"][0]["node"] == near
    filters = [{"id": "far", "field": "node.code", "op": "ne", "value": near}]
    activate(merchant, written(merchant, filters=filters), 1)
    assert merchant.order((sku, 1))["fulfillment_orders"][0]["node"] == far


def test_a_filter_of_parts_that_rules_a_place_out_is_told_with_what_it_saw(merchant: Merchant):
    sku = merchant.sku()
    merchant.stock(merchant.node("STORE", kind="store"), sku, 5)
    merchant.stock(merchant.node("HOUSE", "33101", "FL"), sku, 5)
    bound = {
        "id": "far-stores",
        "any": [
            {"field": "node.kind", "op": "ne", "value": "store"},
            {"field": "stock.left_after", "op": "gte", "value": 9},
        ],
    }
    activate(merchant, written(merchant, filters=[bound]), 1)
    told = merchant.ok("GET", f"/orders/{merchant.order((sku, 1))['id']}/routing?replay=true")
    outcomes = {one["node"]: one["outcome"] for one in told["candidates"]}
    assert outcomes["STORE"] == "Ruled out by filter far-stores: kind is store, keeping 4 units on the shelf"
    assert told["reasons"][0]["chosen"]["nodes"] == ["HOUSE"]
    assert told["replay"][0]["same"]


@pytest.mark.parametrize(
    ("field", "op", "value", "said"),
    [
        ("customer.is_business", "eq", True, {"customer": {"email": "b@acme.example", "business": True}}),
        ("customer.email_domain", "eq", "acme.example", {"customer": {"email": "b@acme.example"}}),
        ("order.service", "in", ["overnight"], {"policy": {"service": "overnight"}}),
        ("order.source_code", "eq", "SPRING", {"source_code": "SPRING"}),
    ],
)
def test_what_an_order_says_of_itself_decides_and_is_tried(
    app: Flask, merchant: Merchant, field: str, op: str, value: object, said: dict
):
    sku = merchant.sku()
    for node in merchant.node("NEAR", "83702", "ID"), merchant.node("FAR", "33101", "FL"):
        merchant.stock(node, sku, 5)
    special = {"id": "special", "when": {"field": field, "op": op, "value": value}, "nodes": ["FAR"]}
    document = default_document()
    document["strategies"].insert(0, special)
    version = merchant.ok("POST", "/routing/rules", {"document": document})["version"]
    activate(merchant, version, 1)
    usual, other = merchant.order((sku, 1)), merchant.order((sku, 1), **said)
    assert [one["fulfillment_orders"][0]["node"] for one in (usual, other)] == ["NEAR", "FAR"]
    desk = member(app, merchant.tenant_id)
    assert "Ships from Node FAR" in desk.read(f"/routing?order={other['number']}")
    assert "Ships from Node NEAR" in desk.read(f"/routing?order={usual['number']}")


def test_versions_are_paged_newest_first(merchant: Merchant):
    for _ in range(3):
        written(merchant)
    first = merchant.ok("GET", "/routing/rules?limit=3")
    assert [one["version"] for one in first["data"]] == [4, 3, 2]
    rest = merchant.ok("GET", f"/routing/rules?limit=3&after={first['next']}")
    assert [one["version"] for one in rest["data"]] == [1]
    assert rest["next"] is None
    assert merchant.get("/routing/rules?after=x").status_code == 422


def test_each_scope_opens_its_own_doors(merchant: Merchant, other_merchant: Merchant):
    reader = merchant.another_key("routing:read")
    version = written(merchant)
    assert reader.get("/routing/rules").status_code == 200
    assert reader.post(f"/routing/rules/{version}/validation").status_code == 200
    assert reader.post("/routing/rules", {"document": rules()}).status_code == 403
    assert activate(reader, version, 1).status_code == 403
    assert merchant.provider.get("/routing/rules").status_code == 403
    assert other_merchant.post(f"/routing/rules/{version}/validation").status_code == 404
    assert activate(other_merchant, version, 1).status_code == 404
    assert states(other_merchant) == {1: "active"}


def own(merchant: Merchant, channel: str = "marketplace", **changes: object) -> int:
    """A draft for the orders of one channel."""
    document = rules(**changes) | {"scope": channel}
    return merchant.ok("POST", "/routing/rules", {"document": document})["version"]


def test_each_scope_has_one_version_in_force(merchant: Merchant):
    first, second = own(merchant), own(merchant, objective=PRIORITY)
    assert merchant.ok("GET", "/routing/rules")["data"][0]["scope"] == "marketplace"
    assert activate(merchant, first, 1).get_json()["type"].endswith("/rules-changed")
    assert activate(merchant, first, None).status_code == 200
    assert states(merchant) == {second: "draft", first: "active", 1: "active"}
    assert activate(merchant, second, None).status_code == 409
    assert activate(merchant, second, first).status_code == 200
    assert states(merchant) == {second: "active", first: "retired", 1: "active"}
    with inside(merchant.tenant_id) as scope:
        found = queries.in_force(scope)
    assert {name: version for name, (version, _) in found.items()} == {"default": 1, "marketplace": second}
    assert found["marketplace"][1]["strategies"][0]["objective"] == PRIORITY


def test_a_channel_gives_up_its_own_rules_but_nobody_the_default_ones(merchant: Merchant):
    version = own(merchant)
    retirement = f"/routing/rules/{version}/retirement"
    assert merchant.post(retirement).get_json()["type"].endswith("/rules-not-active")
    assert activate(merchant, version, None).status_code == 200
    reader = merchant.another_key("routing:read")
    assert reader.post(retirement).status_code == 403
    given_up = merchant.ok("POST", retirement)
    assert given_up["state"] == "retired"
    assert given_up["retired_at"]
    assert merchant.post("/routing/rules/1/retirement").get_json()["type"].endswith("/rules-default")
    assert merchant.post("/routing/rules/99/retirement").status_code == 404
    assert states(merchant) == {version: "retired", 1: "active"}
    assert activate(merchant, version, None).status_code == 200


def test_a_draft_that_was_simulated_says_so_and_can_be_activated(merchant: Merchant):
    version = written(merchant)
    with inside(merchant.tenant_id) as scope:
        service.simulated(scope, version)
        service.simulated(scope, version)
        service.simulated(scope, 1)
        scope.keep()
    assert states(merchant) == {version: "simulated", 1: "active"}
    assert activate(merchant, version, 1).status_code == 200
    with inside(merchant.tenant_id) as scope:
        acts = scope.rows("SELECT action, subject FROM audit_entries WHERE tenant_id = :tenant ORDER BY id")
    said = [(row.action, row.subject) for row in acts if row.action.startswith("routing.")]
    assert said == [("routing.written", "v2"), ("routing.simulated", "v2"), ("routing.activated", "v2")]


def test_two_versions_are_compared_in_sentences(merchant: Merchant):
    filters = [{"id": "no-stores", "field": "node.kind", "op": "ne", "value": "store"}]
    document = rules(filters=filters) | {"release": {"mode": "window"}}
    version = merchant.ok("POST", "/routing/rules", {"document": document})["version"]
    found = merchant.ok("GET", f"/routing/rules/{version}/comparison?with=1")
    assert (found["version"], found["with"]) == (version, 1)
    assert found["added"] == ["Gather orders for 30 minutes and plan them together."]
    assert found["removed"] == found["moved"] == []
    assert found["changed"][0]["after"].startswith("For every order: never use stores, choose")
    back = merchant.ok("GET", f"/routing/rules/1/comparison?with={version}")
    assert back["removed"] == found["added"]
    assert merchant.ok("GET", f"/routing/rules/{version}/comparison") == found
    assert merchant.get(f"/routing/rules/{version}/comparison?with=x").status_code == 422
    assert merchant.get(f"/routing/rules/{version}/comparison?with=99").status_code == 404


def test_templates_can_be_written_as_they_are(merchant: Merchant):
    found = merchant.ok("GET", "/routing/templates")["data"]
    assert len(found) == 7
    for each in found:
        written = merchant.ok("POST", "/routing/rules", {"document": each["document"]})
        assert written["sentences"] == each["sentences"]


def test_validation_names_strangers_wherever_they_stand(merchant: Merchant):
    document = rules(
        nodes=["NOWHERE"],
        filters=[{"id": "x", "any": [{"field": "node.code", "op": "eq", "value": "GONE"}]}],
    ) | {
        "scope": "radio",
        "line_routes": [{"id": "r", "when": {"not": {"channel": ["telex"]}}, "nodes": ["AWAY"]}],
    }
    version = merchant.ok("POST", "/routing/rules", {"document": document})["version"]
    said = merchant.ok("POST", f"/routing/rules/{version}/validation")
    assert [warning["pointer"] for warning in said["warnings"]] == [
        "/scope",
        "/line_routes/0/nodes/0",
        "/line_routes/0/when/not/channel/0",
        "/strategies/0/nodes/0",
        "/strategies/0/filters/0/any/0/value",
    ]
