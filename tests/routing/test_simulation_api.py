"""What-if through the door: past orders decided again by two versions, on the stock as it was; guard-rails."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from app.routing import runs
from tenants.scope import inside
from tests.factories import Merchant
from workers import runner

NEAREST = {"name": "Nearest", "strategies": [{"id": "all", "objective": "nearest"}]}
ONE = {
    "name": "One package",
    "strategies": [{"id": "one", "objective": "fewest_packages_then_nearest", "split": {"max_packages": 1}}],
}
PAID = [{"kind": "external", "reference": "paid"}]


def code(answer: Any) -> str:
    return answer.get_json()["type"].rpartition("/")[2]


def write(merchant: Merchant, document: dict[str, Any]) -> int:
    return merchant.ok("POST", "/routing/rules", {"document": document})["version"]


def simulate(merchant: Merchant, version: int, **asked: Any) -> dict[str, Any]:
    answer = merchant.post(f"/routing/rules/{version}/simulation", {"weeks": 1, **asked})
    assert answer.status_code == 202, answer.get_data(as_text=True)
    assert answer.get_json()["state"] == "queued"
    merchant.drain()
    return merchant.ok("GET", f"/routing/simulations/{answer.get_json()['id']}")


@pytest.fixture
def past(merchant: Merchant) -> Merchant:
    """WEST is near, EAST far. Three orders: what fits in one place, what does not, and what a receipt made possible."""
    merchant.node("WEST")
    merchant.node("EAST", postal_code="07102", region="NJ")
    merchant.sku("A")
    merchant.sku("B")
    merchant.stock("WEST", "A", 1)
    merchant.stock("EAST", "A", 3)
    merchant.stock("EAST", "B", 1)
    merchant.order(("A", 1), ("B", 1), tenders=PAID)
    merchant.order(("A", 1), tenders=PAID)
    merchant.drain()
    merchant.stock("WEST", "A", 2)
    merchant.order(("A", 3), tenders=PAID)
    merchant.drain()
    return merchant


def test_the_past_is_replayed_against_the_stock_as_it_was(past: Merchant) -> None:
    found = simulate(past, write(past, NEAREST))
    assert (found["state"], found["orders_total"], found["orders_done"]) == ("done", 3, 3)
    assert (found["against"], found["version"]) == (1, 2)
    before, after = found["before"], found["after"]
    assert (before["units"], before["filled_units"], before["lost_units"]) == (6, 6, 0)
    assert (after["units"], after["filled_units"], after["lost_units"]) == (6, 6, 0)
    assert (before["packages"], before["split_orders"]) == (4, 1)
    assert (after["packages"], after["split_orders"]) == (5, 2)
    assert found["changed"] == 3
    changed = {one["number"]: one for one in found["changes"]}
    first, second, third = sorted(one["number"] for one in past.ok("GET", "/orders")["data"])
    assert set(changed) == {first, second, third}
    assert changed[first]["before"]["plan"] == [
        {"node": "EAST", "sku": "A", "quantity": 1},
        {"node": "EAST", "sku": "B", "quantity": 1},
    ]
    assert changed[first]["after"]["packages"] == 2
    assert "WEST" in changed[first]["after"]["sentence"]
    assert {row["node"]: row["before"]["units"] for row in found["nodes"]} == {"EAST": 4, "WEST": 2}
    listed = past.ok("GET", "/routing/simulations")["data"]
    assert [one["id"] for one in listed] == [found["id"]]
    assert "changes" not in listed[0]


def test_the_version_in_force_decides_the_past_as_it_was_decided(past: Merchant) -> None:
    """Also when the goods have left and more came since: what lies there now does not matter."""
    for order in past.ok("GET", "/orders")["data"]:
        for work in past.ok("GET", f"/orders/{order['id']}")["fulfillment_orders"]:
            past.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance", {})
            lines = [{"sku": one["sku"], "quantity": one["quantity"]} for one in work["lines"]]
            past.provider.ok(
                "POST",
                f"/fulfillment-orders/{work['id']}/shipments",
                {"lines": lines, "carrier": "UPS", "service": "Ground", "tracking_number": work["number"]},
            )
    past.drain()
    past.stock("EAST", "A", 50)
    found = simulate(past, write(past, NEAREST))
    plans: dict[str, list[tuple[str, str, int]]] = {}
    for change in found["changes"]:
        plans[change["order"]] = [
            (one["node"], one["sku"], one["quantity"]) for one in change["before"]["plan"]
        ]
    assert len(plans) == 3
    for order_id, plan in plans.items():
        work = past.ok("GET", f"/orders/{order_id}")["fulfillment_orders"]
        assert plan == sorted(
            (one["node"], line["sku"], line["quantity"]) for one in work for line in one["lines"]
        )


def test_what_earlier_orders_hold_or_took_is_not_there(past: Merchant) -> None:
    since = past.ok("GET", "/orders")["data"][0]["placed_at"]  # the newest
    found = simulate(past, write(past, ONE), weeks=None, **{"from": since})
    assert found["orders_total"] == 1
    assert found["before"]["filled_units"] == 3  # two that came to WEST, one left in EAST or WEST
    assert found["after"]["filled_units"] == 2
    assert found["after"]["lost_units"] == 1


def test_a_draft_becomes_simulated_and_others_stay(past: Merchant) -> None:
    version = write(past, NEAREST)
    simulate(past, version)
    states = {one["version"]: one["state"] for one in past.ok("GET", "/routing/rules")["data"]}
    assert states == {1: "active", version: "simulated"}
    again = simulate(past, 1, against=version)
    assert (again["state"], again["after"]["packages"], again["before"]["packages"]) == ("done", 4, 5)


def test_slices_end_where_one_would(past: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    version = write(past, NEAREST)
    whole = simulate(past, version)
    monkeypatch.setattr(runs, "ORDERS_AT_ONCE", 1)
    sliced = simulate(past, version)
    for name in ("state", "orders_done", "before", "after", "nodes", "changed", "changes"):
        assert sliced[name] == whole[name], name


def test_two_workers_at_once_find_what_one_finds(past: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    version = write(past, NEAREST)
    whole = simulate(past, version)
    monkeypatch.setattr(runs, "ORDERS_AT_ONCE", 1)
    started = past.ok("POST", f"/routing/rules/{version}/simulation", {"weeks": 1})
    workers = [Thread(target=runner.drain, args=(past.tenant_id,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = past.ok("GET", f"/routing/simulations/{started['id']}")
    for name in ("state", "orders_done", "before", "after", "nodes", "changed", "changes"):
        assert found[name] == whole[name], name
    assert left_behind(past) == 0


def left_behind(merchant: Merchant) -> int:
    with inside(merchant.tenant_id) as scope:
        return int(scope.rows("SELECT count(*) AS n FROM simulation_slices WHERE tenant_id = :tenant")[0].n)


@pytest.mark.parametrize("first", ["before", "after"])
def test_what_arrives_twice_or_out_of_turn_does_nothing(past: Merchant, first: str) -> None:
    """Also where one version is through before the other begins, and its worker was taken for dead."""
    version = write(past, NEAREST)
    whole = simulate(past, version)
    with inside(past.tenant_id) as scope:
        asked = runs.start(scope, version, weeks=1)
    second = {"before": "after", "after": "before"}[first]
    for part in ("", "", first, first, second, second, runs.JOINED, second, "", runs.JOINED):
        with inside(past.tenant_id) as scope:
            runs.work(scope, asked, part)
    past.drain()
    found = past.ok("GET", f"/routing/simulations/{asked}")
    for name in ("state", "orders_done", "before", "after", "nodes", "changed", "changes"):
        assert found[name] == whole[name], name


def test_of_two_that_end_at_once_one_joins_them(past: Merchant) -> None:
    """Each of them writes its last slice before the other has committed."""
    with inside(past.tenant_id) as scope:
        asked = runs.start(scope, write(past, NEAREST), weeks=1)
    with inside(past.tenant_id) as scope:
        runs.work(scope, asked)
    other = Thread(target=_work_alone, args=(past, asked, "after"))
    with inside(past.tenant_id) as scope:
        runs.work(scope, asked, "before")
        other.start()
        other.join(2)
        assert other.is_alive()  # it waits for the run, which this one has
    other.join()
    with inside(past.tenant_id) as scope:
        queued = scope.rows(
            "SELECT payload->>'part' AS part, count(*) AS n FROM outbox"
            " WHERE tenant_id = :tenant AND subject_id = :id GROUP BY 1",
            id=asked,
        )
    assert {row.part: row.n for row in queued} == {None: 1, "before": 1, "after": 1, "joined": 1}
    past.drain()
    assert past.ok("GET", f"/routing/simulations/{asked}")["state"] == "done"


def _work_alone(merchant: Merchant, simulation_id: UUID, part: str) -> None:
    with inside(merchant.tenant_id) as scope:
        runs.work(scope, simulation_id, part)


def test_one_stopped_in_the_middle_leaves_nothing(past: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "ORDERS_AT_ONCE", 1)
    version = write(past, NEAREST)
    started = past.ok("POST", f"/routing/rules/{version}/simulation", {"weeks": 1})
    for part in ("", "before", "after"):
        _work_alone(past, UUID(started["id"]), part)
    path = f"/routing/simulations/{started['id']}"
    seen = past.ok("GET", path)
    assert (seen["state"], seen["orders_done"]) == ("running", 1)
    past.ok("POST", f"{path}/cancellation")
    past.drain()
    assert past.ok("GET", path)["state"] == "cancelled"
    assert left_behind(past) == 0


def test_both_versions_decide_the_orders_that_were_there_at_the_start(past: Merchant) -> None:
    """One that is imported meanwhile, with a date in the period, is in neither."""
    version = write(past, NEAREST)
    _move_oldest(past, days=-8)
    with inside(past.tenant_id) as scope:
        asked = runs.start(scope, version, weeks=1)
    for part in ("", "before"):
        _work_alone(past, asked, part)
    _move_oldest(past, days=8)
    past.drain()
    found = past.ok("GET", f"/routing/simulations/{asked}")
    assert (found["state"], found["orders_total"], found["orders_done"]) == ("done", 2, 2)
    assert found["before"]["orders"] == found["after"]["orders"] == 2


def _move_oldest(merchant: Merchant, days: int) -> None:
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE orders SET placed_at = placed_at + make_interval(days => :days) WHERE tenant_id = :tenant"
            " AND number = (SELECT min(number) FROM orders WHERE tenant_id = :tenant)",
            days=days,
        )


def test_what_goes_wrong_ends_it_and_it_goes_on_where_it_was(
    past: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = write(past, NEAREST)
    whole = simulate(past, version)
    monkeypatch.setattr(runs, "ORDERS_AT_ONCE", 1)
    with inside(past.tenant_id) as scope:
        newest = scope.rows(
            "SELECT id, ship_to::text AS ship_to FROM orders WHERE tenant_id = :tenant ORDER BY number DESC LIMIT 1"
        )[0]
        scope.execute(
            "UPDATE orders SET ship_to = '[]'::jsonb WHERE tenant_id = :tenant AND id = :id", id=newest.id
        )
    started = past.ok("POST", f"/routing/rules/{version}/simulation", {"weeks": 1})
    past.drain()
    path = f"/routing/simulations/{started['id']}"
    failed = past.ok("GET", path)
    assert (failed["state"], failed["orders_done"], failed["before"]) == ("failed", 2, None)
    assert failed["error"] == runs.UNFORESEEN, "the log has the cause"
    with inside(past.tenant_id) as scope:
        scope.execute(
            "UPDATE orders SET ship_to = CAST(:to AS jsonb) WHERE tenant_id = :tenant AND id = :id",
            id=newest.id,
            to=newest.ship_to,
        )
    assert past.ok("POST", f"{path}/resumption")["state"] == "queued"
    past.drain()
    found = past.ok("GET", path)
    for name in ("state", "orders_done", "before", "after", "nodes", "changed", "changes", "error"):
        assert found[name] == whole[name], name
    again = past.post(f"{path}/resumption")
    assert (again.status_code, code(again)) == (409, "simulation-done")


def test_one_at_a_time_and_it_can_be_stopped(past: Merchant) -> None:
    version = write(past, NEAREST)
    first = past.ok("POST", f"/routing/rules/{version}/simulation", {})
    refused = past.post(f"/routing/rules/{version}/simulation", {})
    assert (refused.status_code, code(refused)) == (409, "simulation-running")
    stopped = past.ok("POST", f"/routing/simulations/{first['id']}/cancellation")
    assert stopped["state"] == "cancelled"
    past.drain()
    found = past.ok("GET", f"/routing/simulations/{first['id']}")
    assert (found["state"], found["orders_done"], found["before"]) == ("cancelled", 0, None)
    late = past.post(f"/routing/simulations/{first['id']}/cancellation")
    assert (late.status_code, code(late)) == (409, "simulation-cancelled")
    assert past.ok("GET", "/routing/rules")["data"][0]["state"] == "draft"


def test_nodes_changed_meanwhile_do_not_matter(past: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    version = write(past, NEAREST)
    whole = simulate(past, version)
    monkeypatch.setattr(runs, "ORDERS_AT_ONCE", 1)
    started = past.ok("POST", f"/routing/rules/{version}/simulation", {"weeks": 1})
    with inside(past.tenant_id) as scope:
        runs.work(scope, started["id"])
    past.node("BOISE", postal_code="83702", region="ID")
    past.drain()
    found = past.ok("GET", f"/routing/simulations/{started['id']}")
    assert (found["state"], found["after"], found["nodes"]) == ("done", whole["after"], whole["nodes"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"weeks": 27}, "/weeks"),
        ({"against": 1, "weeks": "x"}, "/weeks"),
        ({"from": "2031-01-01T00:00:00Z"}, "/from"),
        ({"from": "2001-01-01T00:00:00Z", "to": "2001-02-01T00:00:00Z"}, "/from"),
        ({"weeks": 2, "from": "2001-01-01T00:00:00Z"}, "/weeks"),
        ({"against": 2}, "/against"),
    ],
)
def test_what_cannot_be_asked(past: Merchant, body: dict[str, Any], pointer: str) -> None:
    version = write(past, NEAREST)
    answer = past.post(f"/routing/rules/{version}/simulation", body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert past.ok("GET", "/routing/simulations")["data"] == []


def test_what_is_not_there(past: Merchant, other_merchant: Merchant) -> None:
    version = write(past, NEAREST)
    assert past.post("/routing/rules/99/simulation", {}).status_code == 404
    assert past.post(f"/routing/rules/{version}/simulation", {"against": 99}).status_code == 404
    found = simulate(past, version)
    assert other_merchant.get(f"/routing/simulations/{found['id']}").status_code == 404
    assert other_merchant.post(f"/routing/simulations/{found['id']}/cancellation").status_code == 404
    reader = past.another_key("routing:read")
    assert reader.get(f"/routing/simulations/{found['id']}").status_code == 200
    assert reader.post(f"/routing/rules/{version}/simulation", {}).status_code == 403


def test_against_the_default_where_nothing_is_in_force(past: Merchant) -> None:
    found = simulate(past, write(past, NEAREST), against=0)
    assert (found["against"], found["before"]["packages"]) == (0, 4)


def test_rules_of_a_channel_decide_its_orders_alone(past: Merchant) -> None:
    past.order(("A", 1), channel="phone", tenders=PAID)
    past.stock("WEST", "A", 1)
    past.drain()
    found = simulate(past, write(past, NEAREST | {"scope": "phone"}))
    assert (found["orders_total"], found["changed"]) == (4, 0)
    assert found["after"]["packages"] == found["before"]["packages"]


def test_guard_rails_block_until_set_aside(past: Merchant) -> None:
    assert past.ok("GET", "/routing/guard-rails")["split_orders_percent"] == 10
    past.ok("PATCH", "/routing/guard-rails", {"block": True, "cost_percent": None})
    version = write(past, NEAREST)
    activate = f"/routing/rules/{version}/activation"
    unseen = past.post(activate, {"replaces": 1})
    assert (unseen.status_code, code(unseen)) == (409, "guard-rails")
    assert "on past orders first" in unseen.get_json()["detail"]
    found = simulate(past, version)
    broken = {one["rail"]: one["passed"] for one in found["guard_rails"]}
    assert broken == {"lost_units_percent": True, "split_orders_percent": False}
    refused = past.post(activate, {"replaces": 1})
    assert refused.status_code == 409
    assert "split orders 2 instead of 1" in refused.get_json()["detail"]
    assert past.ok("GET", "/routing/rules")["data"][0]["state"] == "simulated"
    without = past.post(activate, {"replaces": 1, "override": True})
    assert without.status_code == 422
    assert without.get_json()["errors"][0]["pointer"] == "/reason"
    past.ok("POST", activate, {"replaces": 1, "override": True, "reason": "Holiday stock is near."})
    with inside(past.tenant_id) as scope:
        (entry,) = scope.rows(
            "SELECT detail FROM audit_entries WHERE tenant_id = :tenant"
            " AND action = 'routing.guard_rails_overridden'"
        )
    assert entry.detail["reason"] == "Holiday stock is near."
    past.ok("POST", "/routing/rules/1/activation", {"replaces": version})  # back is always possible


def test_guard_rails_that_hold_let_it_pass(past: Merchant) -> None:
    past.ok(
        "PATCH", "/routing/guard-rails", {"block": True, "split_orders_percent": 100, "cost_percent": 500}
    )
    version = write(past, NEAREST)
    assert all(one["passed"] for one in simulate(past, version)["guard_rails"])
    past.ok("POST", f"/routing/rules/{version}/activation", {"replaces": 1})


def test_a_guard_rail_is_a_share(past: Merchant) -> None:
    answer = past.call("PATCH", "/routing/guard-rails", {"cost_percent": -1})
    assert answer.status_code == 422
    assert past.ok("GET", "/routing/guard-rails")["cost_percent"] == 5


def test_orders_of_the_weeks_before_are_not_asked(past: Merchant) -> None:
    with inside(past.tenant_id) as scope:
        scope.execute(
            "UPDATE orders SET placed_at = placed_at - CAST(:by AS interval) WHERE tenant_id = :tenant"
            " AND number = (SELECT min(number) FROM orders WHERE tenant_id = :tenant)",
            by=timedelta(weeks=3),
        )
    assert simulate(past, write(past, NEAREST))["orders_total"] == 2
