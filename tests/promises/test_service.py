"""Delay notices, answers and the watch over promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.payments.service import retry_payment
from app.promises import queries, revisions, service
from infra.errors import Problem
from tenants.scope import inside
from tests.outside import Inbox
from tests.shop import Shop


def today(shop: Shop) -> date:
    with inside(shop.tenant_id) as scope:
        return scope.now().date()


def promised(shop: Shop, order: dict[str, Any]) -> Any:
    with inside(shop.tenant_id) as scope:
        return scope.rows(
            "SELECT state, deadline, original_date, original_deadline FROM promises WHERE tenant_id = :tenant"
            " AND order_id = :order",
            order=order["id"],
        )[0]


def until(shop: Shop, moment: datetime) -> None:
    """Move the business clock to that moment."""
    with inside(shop.tenant_id) as scope:
        left = moment - scope.now()
    shop.later(seconds=left.total_seconds())


def delay(shop: Shop, order: dict[str, Any], ship_by: date | None, **fields: Any) -> Any:
    body = {"ship_by": ship_by and ship_by.isoformat(), "reason": "The kiln broke."} | fields
    answer = shop.merchant.post(f"/orders/{order['id']}/delay-notices", body)
    shop.merchant.drain()
    return answer


@pytest.fixture
def late(shop: Shop) -> dict[str, Any]:
    """Two mugs promised within ten days."""
    return shop.order(2, promise={"within": {"value": 10, "unit": "days"}})


@pytest.mark.parametrize(
    ("days", "kind", "state"),
    [(5, "silent_consent", "wait_silent"), (45, "express_definite", "wait_express")],
)
def test_the_kind_follows_from_the_first_promise_and_the_new_date(
    shop: Shop, inbox: Inbox, late: dict[str, Any], days: int, kind: str, state: str
) -> None:
    before = promised(shop, late)
    revised = before.original_date + timedelta(days=days)
    answer = delay(shop, late, revised)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    (notice,) = answer.get_json()["data"]
    assert (notice["kind"], notice["ship_by"], notice["lines"]) == (
        kind,
        revised.isoformat(),
        [late["lines"][0]["id"]],
    )
    after = promised(shop, late)
    assert after.state == state
    assert after.deadline > before.deadline
    mail = inbox.to(late["customer"]["email"])[-1]
    assert mail.subject.startswith("Your choice")
    assert "The kiln broke." in mail.text


def test_no_date_asks_for_consent_without_one(shop: Shop, late: dict[str, Any]) -> None:
    assert delay(shop, late, None).get_json()["data"][0]["kind"] == "express_indefinite"
    assert promised(shop, late).state == "wait_express"


def test_a_date_that_is_no_delay_is_refused(shop: Shop, late: dict[str, Any]) -> None:
    answer = delay(shop, late, today(shop) + timedelta(days=3))
    assert (answer.status_code, answer.get_json()["type"].rpartition("/")[2]) == (409, "no-delay")
    assert delay(shop, late, None, lines=["nonsense"]).status_code == 404
    assert delay(shop, late, None, reason="").status_code == 422


def test_a_promise_whose_time_is_over_cannot_be_put_off(shop: Shop, late: dict[str, Any]) -> None:
    shop.settings('{"notices": {"delay": "manual"}}')
    shop.oversleep(days=12)
    answer = delay(shop, late, today(shop) + timedelta(days=5))
    assert (answer.status_code, answer.get_json()["type"].rpartition("/")[2]) == (409, "promise-over")
    shop.later(minutes=1)
    assert shop.shown(late)["status"] == "cancelled"


def test_a_buyer_agrees_to_wait(shop: Shop, act: Callable[..., Any], late: dict[str, Any]) -> None:
    notice = delay(shop, late, promised(shop, late).original_date + timedelta(days=45)).get_json()["data"][0]
    with inside(shop.tenant_id) as scope:
        assert str(queries.open_question(scope, UUID(late["id"])).id) == notice["id"]
    told = act(service.answer_delay, UUID(notice["id"]), "consent", "page", {"ip": "192.0.2.1"})
    again = act(service.answer_delay, UUID(notice["id"]), "consent", "page", {})
    assert (told, again, promised(shop, late).state) == ("applied", "duplicate", "consent_definite")
    with inside(shop.tenant_id) as scope:
        assert queries.open_question(scope, UUID(late["id"])) is None
        rows = scope.rows("SELECT answer, channel FROM delay_answers WHERE tenant_id = :tenant")
    assert [(row.answer, row.channel) for row in rows] == [("consent", "page")]


def test_a_buyer_cancels_because_of_the_delay(
    shop: Shop, act: Callable[..., Any], late: dict[str, Any]
) -> None:
    notice = delay(shop, late, promised(shop, late).original_date + timedelta(days=5)).get_json()["data"][0]
    act(service.answer_delay, UUID(notice["id"]), "cancel", "page", {})
    shown = shop.shown(late)
    assert (shown["status"], shown["lines"][0]["cancelled"]) == ("cancelled", 2)
    assert shop.effects() == [("authorize", 4000), ("release", 4000)]
    with pytest.raises(Problem):
        act(service.answer_delay, UUID(notice["id"]), "consent", "page", {})


def test_an_answer_that_comes_too_late_is_refused(
    shop: Shop, act: Callable[..., Any], late: dict[str, Any]
) -> None:
    notice = delay(shop, late, promised(shop, late).original_date + timedelta(days=45)).get_json()["data"][0]
    shop.oversleep(days=45)
    with pytest.raises(Problem) as refusal:
        act(service.answer_delay, UUID(notice["id"]), "consent", "page", {})
    assert refusal.value.code == "too-late"
    shop.later(minutes=1)
    assert shop.shown(late)["status"] == "cancelled"


def test_a_second_delay_asks_anew_and_silence_would_cancel(
    shop: Shop, act: Callable[..., Any], late: dict[str, Any]
) -> None:
    first = promised(shop, late).original_date
    notice = delay(shop, late, first + timedelta(days=5)).get_json()["data"][0]
    act(service.answer_delay, UUID(notice["id"]), "consent", "page", {})
    second = delay(shop, late, first + timedelta(days=20)).get_json()["data"][0]
    assert (second["kind"], promised(shop, late).state) == ("renewed", "wait_renewed")


def test_a_notice_that_cannot_be_delivered_counts_as_none(shop: Shop, inbox: Inbox) -> None:
    order = shop.order(
        1,
        promise={"within": {"value": 10, "unit": "days"}},
        customer={"email": "lost@refused.example", "name": "Nobody"},
    )
    inbox.refuse("lost@refused.example", 550)
    before = promised(shop, order)
    delay(shop, order, before.original_date + timedelta(days=5))
    after = promised(shop, order)
    assert (after.state, after.deadline) == ("open", before.deadline)
    assert "notice.bounced" in shop.timeline(order)


def test_what_comes_near_alarms_once_and_the_buyer_is_told_in_time(
    shop: Shop, inbox: Inbox, late: dict[str, Any]
) -> None:
    shop.later(days=4)
    assert "promise.at_risk" not in shop.timeline(late)
    shop.later(days=2)
    assert shop.timeline(late).count("promise.at_risk") == 1
    assert promised(shop, late).state == "open"
    until(shop, promised(shop, late).deadline - timedelta(hours=1))
    assert promised(shop, late).state == "wait_express"
    asked = [mail for mail in inbox.to(late["customer"]["email"]) if mail.subject.startswith("Your choice")]
    assert len(asked) == 1
    shop.later(days=35)
    assert shop.shown(late)["status"] == "cancelled"
    assert shop.timeline(late).count("promise.at_risk") == 1
    assert shop.effects()[-1][0] == "release", "what was held on the card is let go"


def test_a_person_is_asked_first_and_at_the_last_call_it_leaves_by_itself(
    shop: Shop, late: dict[str, Any]
) -> None:
    shop.settings('{"notices": {"delay": "approve"}}')
    expect(shop, late, days=14)
    shop.later(days=1)
    (listed,) = shop.merchant.ok("GET", "/promises?bucket=at_risk")["data"]
    assert listed["proposed"] is None, "nobody has looked yet"
    shop.later(days=5)
    (listed,) = shop.merchant.ok("GET", "/promises?bucket=at_risk")["data"]
    assert listed["proposed"]["ship_by"] > listed["deadline"][:10]
    assert listed["proposed"]["basis"]["sku"] == "MUG"
    assert promised(shop, late).state == "open"
    assert shop.timeline(late).count("promise.at_risk") == 1
    shop.later(days=4)
    assert promised(shop, late).state == "wait_silent"


def test_what_has_shipped_is_not_watched(shop: Shop, late: dict[str, Any]) -> None:
    shop.ship(late, 2)
    shop.later(days=12)
    assert "promise.at_risk" not in shop.timeline(late)


def expect(shop: Shop, order: dict[str, Any], days: int) -> None:
    """Kept learns that the order ships in so many days."""
    with inside(shop.tenant_id) as scope:
        scope.execute(
            "UPDATE promises SET expected_ship_at = :known WHERE tenant_id = :tenant AND order_id = :order",
            known=datetime.now(UTC) + timedelta(days=days),
            order=order["id"],
        )


def test_a_known_date_is_offered_as_soon_as_it_is_known(
    shop: Shop, act: Callable[..., Any], late: dict[str, Any]
) -> None:
    expect(shop, late, days=14)
    act(revisions.review, UUID(late["id"]))
    act(revisions.review, UUID(late["id"]))
    assert promised(shop, late).state == "wait_silent"
    with inside(shop.tenant_id) as scope:
        kept = scope.rows(
            "SELECT kind, data->'basis' IS NOT NULL AS has_basis FROM promise_events"
            " WHERE tenant_id = :tenant ORDER BY id"
        )
    assert [(row.kind, row.has_basis) for row in kept] == [("late_known", True), ("revised", True)]


def test_a_supplier_slips_and_every_buyer_is_told(shop: Shop, inbox: Inbox, late: dict[str, Any]) -> None:
    soon = shop.order(1, promise={"within": {"value": 40, "unit": "days"}})
    day = (promised(shop, late).original_date + timedelta(days=5)).isoformat()
    body = {"sku": "MUG", "ship_by": day, "reason": "The kiln broke.", "preview": True}
    previewed = shop.merchant.ok("POST", "/promises/revisions", body)
    assert [(one["order"], one["kind"], bool(one["refused"])) for one in previewed["data"]] == [
        (late["number"], "silent_consent", False),
        (soon["number"], None, True),
    ]
    assert previewed["sent"] == 0
    shop.merchant.drain()
    assert promised(shop, late).state == "open"
    assert shop.merchant.ok("POST", "/promises/revisions", body | {"preview": False})["sent"] == 1
    shop.merchant.drain()
    assert (promised(shop, late).state, promised(shop, soon).state) == ("wait_silent", "open")
    again = shop.merchant.ok("POST", "/promises/revisions", body | {"preview": False})
    assert again["sent"] == 0, "the same again tells nobody twice"
    assert shop.merchant.ok("GET", "/promises/counts")["waiting"] == 1
    assert shop.merchant.post("/promises/revisions", body | {"sku": "NOPE"}).status_code == 404


def test_an_answer_given_by_phone_is_recorded_with_its_evidence(shop: Shop, late: dict[str, Any]) -> None:
    notice = delay(shop, late, promised(shop, late).original_date + timedelta(days=45)).get_json()["data"][0]
    path = f"/orders/{late['id']}/delay-answers"
    body = {"notice": notice["id"], "answer": "consent", "channel": "phone", "evidence": "Call 4711."}
    ahead = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert shop.merchant.post(path, body | {"received_at": ahead}).status_code == 422
    assert shop.merchant.post(path, {**body, "evidence": ""}).status_code == 422
    assert shop.merchant.post(path, body | {"notice": late["id"]}).status_code == 404
    assert promised(shop, late).state == "wait_express"
    assert shop.merchant.ok("POST", path, body)["outcome"] == "applied"
    assert shop.merchant.ok("POST", path, body)["outcome"] == "duplicate"
    assert promised(shop, late).state == "consent_definite"


def test_a_first_payment_that_fails_stops_the_clock_and_its_replacement_begins_it_anew(shop: Shop) -> None:
    with inside(shop.tenant_id) as scope:
        to_the_afternoon = (18 - scope.now().hour) % 24
    shop.later(hours=to_the_afternoon, minutes=1)  # so that it is another day when the payment is tried again
    order = shop.order(1, card="pm_card_chargeDeclined", promise={"within": {"value": 10, "unit": "days"}})
    assert promised(shop, order).state == "incomplete"
    first = promised(shop, order).deadline
    shop.later(hours=20)
    with inside(shop.tenant_id) as scope:
        retry_payment(scope, UUID(order["id"]), "pm_card_visa")
    shop.later(hours=12)
    assert promised(shop, order).state == "open"
    assert promised(shop, order).deadline > first
    assert shop.timeline(order).count("promise.resumed") == 1


def test_what_the_seller_will_not_ship_nobody_may(shop: Shop, late: dict[str, Any]) -> None:
    work = f"/fulfillment-orders/{late['fulfillment_orders'][0]['id']}"
    shop.merchant.provider.ok("POST", f"{work}/acceptance", {})
    shop.merchant.ok("POST", f"/orders/{late['id']}/will-not-ship", {"reason": "The kiln is gone."})
    shop.merchant.drain()
    refusal = shop.merchant.provider.post(f"{work}/cancellation-refusal", {"reason": "packed"})
    assert refusal.get_json()["type"].endswith("cancelled-by-law")
    assert shop.shown(late)["status"] == "placed", "the provider has its time"
    shop.later(hours=5)
    assert shop.shown(late)["status"] == "cancelled"
    assert shop.effects()[-1][0] == "release"


def test_effects_that_come_late_come_in_order_and_say_so(shop: Shop, late: dict[str, Any]) -> None:
    sooner = shop.order(1, promise={"within": {"value": 8, "unit": "days"}})
    shop.oversleep(days=45)
    shop.later(minutes=1)
    with inside(shop.tenant_id) as scope:
        told = scope.rows(
            "SELECT order_id, data FROM timeline WHERE tenant_id = :tenant AND name = 'promise.cancelled' ORDER BY id"
        )
    assert [str(row.order_id) for row in told] == [sooner["id"], late["id"]]
    assert all(row.data["late_by"] > 30 * 86400 and row.data["case"] == "c5" for row in told)


def test_another_merchants_order_is_not_there(shop: Shop, other_merchant: Any, late: dict[str, Any]) -> None:
    body = {"ship_by": None, "reason": "The kiln broke."}
    assert other_merchant.post(f"/orders/{late['id']}/delay-notices", body).status_code == 404
