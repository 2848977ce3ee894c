"""Refusals by the rule in force, and what becomes of orders that routing could not place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.routing.documents import default_document
from infra import outbox
from tenants.scope import inside
from tests.allocation.support import assert_books
from tests.factories import Merchant

TERMS = [{"kind": "terms"}]


def rule(merchant: Merchant, **fields: Any) -> None:
    """Put the default rules with these fields in force."""
    document = default_document() | fields
    made = merchant.ok("POST", "/routing/rules", {"document": document})
    held = [one for one in merchant.ok("GET", "/routing/rules")["data"] if one["state"] == "active"]
    merchant.ok(
        "POST",
        f"/routing/rules/{made['version']}/activation",
        {"replaces": held[0]["version"] if held else None},
    )
    merchant.drain()


def fallback(then: str) -> dict[str, Any]:
    [strategy] = default_document()["strategies"]
    return {"strategies": [strategy | {"on_none": then, "fallback": {"then": then}}]}


@pytest.fixture
def mug(merchant: Merchant) -> str:
    """Five at RENO, five at NYC."""
    sku = merchant.sku()
    merchant.node("RENO")
    merchant.node("NYC", postal_code="10001", region="NY")
    for node in ("RENO", "NYC"):
        merchant.stock(node, sku, 5)
    merchant.drain()
    return sku


def placed(merchant: Merchant, sku: str, units: int = 3) -> str:
    order = merchant.order((sku, units), tenders=TERMS)
    merchant.drain()
    return str(order["id"])


def reject(merchant: Merchant, order: str, reason: str = "capacity") -> None:
    """The node that has the order's newest work refuses it."""
    work = [
        one
        for one in merchant.ok("GET", f"/orders/{order}")["fulfillment_orders"]
        if one["request_status"] == "submitted"
    ][-1]
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/rejection", {"reason": reason})
    merchant.drain()


def at(merchant: Merchant, order: str) -> list[str]:
    """Where the order's live work is."""
    return [
        one["node"]
        for one in merchant.ok("GET", f"/orders/{order}")["fulfillment_orders"]
        if one["work_status"] == "open"
    ]


def line(merchant: Merchant, order: str) -> dict[str, Any]:
    return dict(merchant.ok("GET", f"/orders/{order}")["lines"][0])


def standing(merchant: Merchant) -> list[dict[str, Any]]:
    return list(merchant.ok("GET", "/routing/exceptions?state=open")["data"])


def decide(merchant: Merchant, action: str, **more: str) -> Any:
    [one] = standing(merchant)
    return merchant.post(f"/routing/exceptions/{one['id']}/resolution", {"action": action} | more)


def test_the_rule_says_what_a_reason_does(merchant: Merchant, mug: str) -> None:
    rule(merchant, reroute={"reasons": {"capacity": {"stock": "hold", "exclude": "none"}}})
    order = placed(merchant, mug)
    reject(merchant, order)
    held = {(one["node"], one["disposition"]): one["on_hand"] for one in merchant.ok("GET", "/stock")["data"]}
    assert held[("RENO", "on_hold")] == 3
    assert at(merchant, order) == ["NYC"]  # only two are left in Reno
    assert_books(merchant)


def test_a_node_that_is_not_excluded_gets_the_order_again(merchant: Merchant, mug: str) -> None:
    rule(merchant, reroute={"reasons": {"other": {"stock": "free", "exclude": "none"}}})
    order = placed(merchant, mug)
    reject(merchant, order, "other")
    assert at(merchant, order) == ["RENO"]


def test_a_node_rests_and_whoever_waits_is_asked_again(merchant: Merchant, mug: str) -> None:
    merchant.stock("NYC", mug, -5)
    reasons = {"other": {"stock": "free", "exclude": "none"}}
    rule(merchant, reroute={"cool_down_minutes": 60, "reasons": reasons})
    first = placed(merchant, mug)
    reject(merchant, first, "other")
    second = placed(merchant, mug, 1)
    assert at(merchant, first) == at(merchant, second) == []
    with inside(merchant.tenant_id) as scope:
        later = scope.now() + timedelta(minutes=61)
        scope.execute("UPDATE tenants SET clock_offset = 3660 WHERE tenant_id = :tenant")
        outbox.fire_due(scope.session, merchant.tenant_id, later)
    merchant.drain()
    assert at(merchant, first) == at(merchant, second) == ["RENO"]
    assert_books(merchant)


def test_refused_too_often_it_waits_for_a_person(merchant: Merchant, mug: str) -> None:
    rule(merchant, reroute={"most_cycles": 1, "then": "queue"})
    merchant.node("LA", postal_code="90001", region="CA")
    merchant.stock("LA", mug, 5)
    order = placed(merchant, mug)
    reject(merchant, order, "capacity")
    reject(merchant, order, "closed")
    assert at(merchant, order) == []
    [stands] = standing(merchant)
    assert (stands["kind"], stands["units"]) == ("cycles", 3)
    assert stands["reason"].startswith("Refused by Node ")
    assert stands["reason"].endswith("(closed).")
    routing = merchant.ok("GET", f"/orders/{order}/routing")
    assert [(one["node"], one["reason"], one["units"]) for one in routing["refused"]] == [("LA", "closed", 3)]
    assert (routing["exception"]["id"], routing["exception"]["kind"]) == (stands["id"], "cycles")
    assert routing["sentence"].startswith(
        "This plan was refused by Node LA (closed). Three units wait until a person decides."
        " As it was decided: Ships from Node LA "
    )
    merchant.stock("NYC", mug, 1)  # stock that comes does not route it
    merchant.drain()
    assert at(merchant, order) == []
    answer = decide(merchant, "route")
    assert (answer.status_code, answer.get_json()["action"]) == (200, "routed")
    merchant.drain()
    assert at(merchant, order) == ["RENO"]  # what was excluded is tried again
    assert standing(merchant) == []
    routing = merchant.ok("GET", f"/orders/{order}/routing")
    assert (routing["refused"], routing["exception"]) == ([], None)
    assert routing["sentence"].startswith("Ships from Node RENO ")
    again = merchant.post(f"/routing/exceptions/{stands['id']}/resolution", {"action": "route"})
    assert (again.status_code, again.get_json()["type"].rsplit("/", 1)[1]) == (409, "exception-closed")
    assert_books(merchant)


def test_refused_too_often_it_waits_for_stock(merchant: Merchant, mug: str) -> None:
    rule(merchant, reroute={"most_cycles": 0, "then": "backorder"})
    order = placed(merchant, mug)
    reject(merchant, order)
    assert (at(merchant, order), standing(merchant)) == ([], [])
    routing = merchant.ok("GET", f"/orders/{order}/routing")
    assert routing["exception"] is None
    assert routing["sentence"].startswith(
        "This plan was refused by Node RENO (capacity). Three units wait for another place. "
    )
    merchant.stock("NYC", mug, 1)
    merchant.drain()
    assert at(merchant, order) == ["NYC"]
    assert_books(merchant)


def test_refused_too_often_it_is_canceled(merchant: Merchant, mug: str) -> None:
    rule(merchant, reroute={"most_cycles": 0, "then": "cancel"})
    order = placed(merchant, mug)
    reject(merchant, order)
    assert line(merchant, order)["cancelled"] == 3
    assert (
        "(capacity). What was refused is canceled. "
        in merchant.ok("GET", f"/orders/{order}/routing")["sentence"]
    )
    [closed] = merchant.ok("GET", "/routing/exceptions?state=closed")["data"]
    assert (closed["kind"], closed["action"], closed["closed_by"]) == ("cancel", "cancelled", "system:Kept")
    assert_books(merchant)


def test_a_rule_cancels_what_no_place_has_and_ships_the_rest(merchant: Merchant, mug: str) -> None:
    rule(merchant, **fallback("cancel"))
    order = placed(merchant, mug, 12)
    assert (line(merchant, order)["cancelled"], line(merchant, order)["allocated"]) == (2, 10)
    merchant.drain()
    assert line(merchant, order)["cancelled"] == 2
    assert_books(merchant)


def test_a_person_gives_it_to_a_node(merchant: Merchant, mug: str) -> None:
    rule(merchant, **fallback("queue"))
    order = placed(merchant, mug, 12)
    [stands] = standing(merchant)
    assert (stands["kind"], stands["units"]) == ("nowhere", 2)
    for node, status, name in (("", 422, "invalid"), ("MARS", 422, "invalid"), ("NYC", 409, "too-few-there")):
        refused = decide(merchant, "assign", **({"node": node} if node else {}))
        assert (refused.status_code, refused.get_json()["type"].rsplit("/", 1)[1]) == (status, name)
    merchant.node("SHUT", postal_code="90001", region="CA", open=False)
    merchant.stock("SHUT", mug, 2)
    merchant.drain()
    refused = decide(merchant, "assign", node="SHUT")
    assert (refused.status_code, refused.get_json()["type"].rsplit("/", 1)[1]) == (409, "node-closed")
    assert standing(merchant) == [stands]
    with inside(merchant.tenant_id) as scope:  # it opens without anybody being told
        scope.execute("UPDATE nodes SET open = true WHERE tenant_id = :tenant AND code = 'SHUT'")
        scope.execute("UPDATE tenants SET config_version = config_version + 1 WHERE tenant_id = :tenant")
    assert decide(merchant, "assign", node="SHUT").status_code == 200
    merchant.drain()
    assert "SHUT" in at(merchant, order)
    assert line(merchant, order)["backordered"] == 0
    with inside(merchant.tenant_id) as scope:
        audited = scope.row(
            "SELECT detail FROM audit_entries WHERE tenant_id = :tenant AND action = 'routing.assigned'"
        )
        told = scope.row(
            "SELECT data FROM timeline WHERE tenant_id = :tenant AND order_id = :order AND name = 'routing.decided'",
            order=UUID(order),
        )
    assert audited.detail["node"] == told.data["node"] == "SHUT"
    assert_books(merchant)


def test_a_person_lets_it_wait_or_cancels_it(merchant: Merchant, mug: str) -> None:
    rule(merchant, **fallback("queue"))
    waits = placed(merchant, mug, 12)
    assert decide(merchant, "route").status_code == 409
    assert decide(merchant, "backorder").get_json()["action"] == "backordered"
    gone = placed(merchant, mug, 1)
    assert decide(merchant, "cancel").get_json()["action"] == "cancelled"
    merchant.drain()
    assert (line(merchant, waits)["backordered"], line(merchant, gone)["cancelled"]) == (2, 1)
    assert_books(merchant)


def test_stock_that_comes_closes_what_was_stuck(merchant: Merchant, mug: str) -> None:
    rule(merchant, **fallback("queue"))
    order = placed(merchant, mug, 12)
    merchant.stock("NYC", mug, 2)
    merchant.drain()
    assert (line(merchant, order)["backordered"], standing(merchant)) == (0, [])
