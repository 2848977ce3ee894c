"""The operator's console: who gets in, what it shows of every tenant, and that nobody acts without a reason."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.models import metadata
from infra import queue, settings
from infra.ids import new_id
from infra.settings import Settings
from tenants.scope import inside
from tests.factories import Merchant
from tests.portal import Desk, member

GiveUp = Callable[..., UUID]
REASON = "The provider answers again, ticket 4410"


def work_of(tenant_id: UUID, row_id: UUID) -> Any:
    with inside(tenant_id) as scope:
        return scope.row(
            "SELECT state, attempts, error, finished_at FROM outbox WHERE tenant_id = :tenant AND id = :id",
            id=row_id,
        )


def audit_of(tenant_id: UUID) -> list[Any]:
    """What staff did, as the tenant reads it."""
    with inside(tenant_id) as scope:
        return scope.rows(
            "SELECT actor_name, action, subject, detail FROM audit_entries WHERE tenant_id = :tenant"
            " AND actor_kind = 'staff' ORDER BY id"
        )


def doors(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("console.")]


def address(rule: Rule, tenant_id: UUID) -> str:
    return rule.rule.replace("<uuid:tenant_id>", str(tenant_id)).replace("<uuid:row_id>", str(new_id()))


def test_a_members_session_and_a_stranger_open_no_door_of_the_console(app: Flask, merchant: Merchant) -> None:
    owner, stranger = member(app, merchant.tenant_id), app.test_client()
    assert len(doors(app)) >= 10
    for rule in doors(app):
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            for client in (owner.client, stranger):
                answer = client.open(address(rule, merchant.tenant_id), method=method)
                assert answer.status_code == 303, (method, rule.rule)
                assert answer.location.startswith("/console/log-in")


def test_a_members_token_in_the_consoles_cookie_is_not_a_console_session(
    app: Flask, merchant: Merchant
) -> None:
    owner = member(app, merchant.tenant_id)
    client = app.test_client()
    client.set_cookie("kept_console", owner.token)
    assert client.get("/console").location.startswith("/console/log-in")


def test_staff_are_nobody_in_the_portal(app: Flask, desk: Desk, merchant: Merchant) -> None:
    desk.client.set_cookie("kept_session", desk.token)
    assert desk.client.get("/orders").location.startswith("/log-in")


def test_the_overview_and_the_list_show_how_tenants_stand(
    desk: Desk, merchant: Merchant, other_merchant: Merchant, give_up: GiveUp
) -> None:
    give_up(merchant.tenant_id)
    page = desk.read("/console")
    assert "Failed jobs" in page
    assert "SMTPServerDisconnected" in page
    found = desk.read(f"/console/tenants?q={merchant.tenant_id}")
    assert "1 given up" in found
    assert str(other_merchant.tenant_id) not in found
    assert str(other_merchant.tenant_id) in desk.read("/console/tenants?q=somebody")
    looked_at = desk.read(f"/console/tenants?view=look&q={other_merchant.tenant_id}")
    assert "No tenant fits" in looked_at


def test_the_list_is_paged_by_name(desk: Desk, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.console import views
    from tests.factories import new_merchant

    monkeypatch.setattr(views, "ROWS", 2)
    made = [new_merchant(app, f"Paged %_ {letter}").tenant_id for letter in "ABC"]
    first = desk.read("/console/tenants?q=Paged+%25_")
    assert [str(one) in first for one in made] == [True, True, False]
    second = desk.read(f"/console/tenants?q=Paged+%25_&after={made[1]}")
    assert [str(one) in second for one in made] == [False, False, True]
    assert desk.client.get("/console/tenants?after=nonsense").status_code == 422


def test_one_tenant_shows_usage_nodes_and_its_fence(desk: Desk, merchant: Merchant) -> None:
    node = merchant.node(name="Reno warehouse")
    sku = merchant.sku()
    merchant.stock(node, sku, 5)
    merchant.order((sku, 1))
    merchant.drain()
    page = desk.read(f"/console/tenants/{merchant.tenant_id}")
    assert "Reno warehouse" in page
    assert "1 received in 24 h" in page
    assert page.count("passed</span>") == 5
    tenant = [table for table in metadata.sorted_tables if table.info["scope"] == "TENANT"]
    assert f"{len(tenant)} tables in pg_class and pg_policy" in page
    hold = int(re.search(rf"{len(tenant)} tables asked, (\d+) hold rows of this tenant", page)[1])
    assert 20 < hold < len(tenant)
    assert f"{hold} of {hold} tables" in page
    assert "Failed" not in page.split("Isolation")[1].split("Failed jobs")[0]
    assert desk.client.get(f"/console/tenants/{new_id()}").status_code == 404


def test_suspending_and_resuming_need_a_reason_and_stand_in_the_tenants_audit(
    app: Flask, desk: Desk, merchant: Merchant
) -> None:
    page = f"/console/tenants/{merchant.tenant_id}"
    for reason in ("", "   ", "short", "x" * 501):
        assert desk.post(f"{page}/suspension", page, reason=reason).status_code == 422
    assert audit_of(merchant.tenant_id) == []
    assert desk.post(f"{page}/resumption", page, reason=REASON).status_code == 409

    assert desk.post(f"{page}/suspension", page, reason="Unpaid since August, ticket 12").status_code == 303
    assert merchant.get("/orders").status_code == 403
    assert desk.post(f"{page}/suspension", page, reason=REASON).status_code == 409
    assert "Unpaid since August" in desk.read(page)

    assert desk.post(f"{page}/resumption", page, reason="Paid today, ticket 12").status_code == 303
    assert merchant.get("/orders").status_code == 200
    seen = [(row.actor_name, row.action, row.detail.get("reason")) for row in audit_of(merchant.tenant_id)]
    assert seen == [
        ("Jonas Lind", "tenant.suspended", "Unpaid since August, ticket 12"),
        ("Jonas Lind", "staff.acted", "Paid today, ticket 12"),
        ("Jonas Lind", "tenant.resumed", None),
    ]
    assert "Paid today, ticket 12" in member(app, merchant.tenant_id).read("/settings/audit")


def test_failed_work_is_retried_or_discarded_with_a_reason_only(
    desk: Desk, merchant: Merchant, give_up: GiveUp
) -> None:
    first, second = give_up(merchant.tenant_id), give_up(merchant.tenant_id, "webhook.received", "Boom: no")
    door, page = f"/console/tenants/{merchant.tenant_id}/work/", "/console/queues"
    for act in ("retry", "discard"):
        assert desk.post(f"{door}{first}", page, act=act, reason="no").status_code == 422
    assert work_of(merchant.tenant_id, first).state == "dead"
    assert audit_of(merchant.tenant_id) == []

    back = f"/console/tenants/{merchant.tenant_id}"
    answer = desk.post(f"{door}{first}", page, act="retry", reason=REASON, back=back)
    assert answer.location == back
    row = work_of(merchant.tenant_id, first)
    assert (row.state, row.attempts, row.finished_at) == ("waiting", 0, None)

    away = desk.post(f"{door}{second}", page, act="discard", reason=REASON, back="https://evil.example")
    assert away.location == "/console/queues"
    row = work_of(merchant.tenant_id, second)
    assert row.state == "done"
    assert row.finished_at is not None
    assert row.error == f"Discarded by Jonas Lind: {REASON}. It had failed: Boom: no"

    seen = [
        (row.action, row.subject, row.detail["reason"], row.detail["work"])
        for row in audit_of(merchant.tenant_id)
    ]
    assert seen == [
        ("work.retried", "notice.queued", REASON, str(first)),
        ("work.discarded", "webhook.received", REASON, str(second)),
    ]
    assert desk.post(f"{door}{second}", page, act="retry", reason=REASON).status_code == 409


def test_work_of_one_tenant_is_not_reached_through_another(
    desk: Desk, merchant: Merchant, other_merchant: Merchant, give_up: GiveUp
) -> None:
    row = give_up(merchant.tenant_id)
    door = f"/console/tenants/{other_merchant.tenant_id}/work/{row}"
    assert desk.post(door, "/console/queues", act="discard", reason=REASON).status_code == 404
    assert work_of(merchant.tenant_id, row).state == "dead"


def test_a_form_without_the_pages_token_does_nothing(desk: Desk, merchant: Merchant) -> None:
    answer = desk.client.post(f"/console/tenants/{merchant.tenant_id}/suspension", data={"reason": REASON})
    assert answer.status_code == 400
    assert merchant.get("/orders").status_code == 200


def test_queues_show_topics_and_filter_what_failed(desk: Desk, merchant: Merchant, give_up: GiveUp) -> None:
    give_up(merchant.tenant_id, "import.queued", "ValueError: line 7")
    give_up(merchant.tenant_id, "notice.queued", "Mailbox gone")
    page = desk.read("/console/queues?topic=import.queued")
    assert "ValueError: line 7" in page
    assert "Mailbox gone" not in page


@pytest.fixture
def without_redis(in_force: Settings) -> Iterator[None]:
    """Redis is gone: nobody listens at its address."""
    settings.use(dataclasses.replace(in_force, redis_url="redis://127.0.0.1:1/0"))
    queue.connection.cache_clear()
    yield
    settings.use(in_force)
    queue.connection.cache_clear()


def test_queues_say_so_when_redis_is_gone(desk: Desk, without_redis: None) -> None:
    assert "The queue does not answer." in desk.read("/console/queues")


def test_the_books_are_checked_when_asked_and_faults_name_their_tenant(
    desk: Desk, merchant: Merchant
) -> None:
    assert "not checked yet" in desk.read("/console/integrity")
    asked = desk.read(f"/console/integrity?tenant={merchant.tenant_id}&check=1")
    assert f"/console/integrity/findings?tenant={merchant.tenant_id}" in asked
    sku, node = merchant.sku(), merchant.node()
    merchant.stock(node, sku, 5)
    clean = desk.read(f"/console/integrity/findings?tenant={merchant.tenant_id}")
    assert "The books balance." in clean
    with inside(merchant.tenant_id) as scope:
        scope.execute("UPDATE stock_positions SET on_hand = on_hand + 1 WHERE tenant_id = :tenant")
    faulty = desk.read(f"/console/integrity/findings?tenant={merchant.tenant_id}")
    with inside(merchant.tenant_id) as scope:
        scope.execute("UPDATE stock_positions SET on_hand = on_hand - 1 WHERE tenant_id = :tenant")
    assert "1 fault in the books." in faulty
    assert "on hand 6, movements 5" in faulty
    assert f'<a href="/console/tenants/{merchant.tenant_id}">' in faulty


def test_incidents_name_what_stays_undone(desk: Desk, merchant: Merchant, give_up: GiveUp) -> None:
    address = f"/console/incidents?tenant={merchant.tenant_id}"
    page = desk.read(address)
    assert "No incident" in page
    assert "each had its effect" in page
    give_up(merchant.tenant_id)
    node, sku = merchant.node(), merchant.sku()
    order = merchant.order((sku, 1), placed_at="2025-01-06T12:00:00Z", promise={"ship_by": "2025-01-10"})
    merchant.stock(node, merchant.sku(), 1)
    merchant.drain()
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "INSERT INTO refunds_due (tenant_id, id, order_id, tender_id, amount, cause, vests_on,"
            " latest_on, strict_on, target_on, opened_at, due_at) SELECT :tenant, :id, order_id, id, 500, 'cancelled',"
            " '2025-01-10', '2025-01-20', '2025-01-20', '2025-01-14', '2025-01-10', '2025-01-20' FROM tenders"
            " WHERE tenant_id = :tenant AND order_id = :order",
            id=new_id(),
            order=order["id"],
        )
        scope.execute(
            "UPDATE ledger_entries SET outcome = 'unknown', asked_at = '2025-01-06' WHERE tenant_id = :tenant"
            " AND order_id = :order",
            order=order["id"],
        )
    page = desk.read(address)
    for words in (
        "Work given up",
        "Payments without a known outcome",
        "Refunds past their deadline",
        "Clocks past their deadline, by tenant",
        "still open",
    ):
        assert words in page
    assert page.count(order["number"]) >= 3
    with inside(merchant.tenant_id) as scope:  # the books of this test's tenant are left balanced
        scope.execute("DELETE FROM refunds_due WHERE tenant_id = :tenant")
