"""Orders under other laws than the federal rule, through the running service: which law governs is decided when the
order is placed, and each has its own effects, and none of the others'."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app import links
from app.exceptions import waiting
from tenants.scope import inside
from tests.factories import Merchant
from tests.outside import Inbox
from tests.portal import member
from tests.promises.story import HOME, Story, moment
from tests.shop import Shop

Begin = Callable[..., Story]
BERLIN = {
    "name": "Jana Roth",
    "line1": "Torstr. 1",
    "city": "Berlin",
    "postal_code": "10119",
    "country": "DE",
}
LEEDS = {
    "name": "Amy Hart",
    "line1": "1 Park Row",
    "city": "Leeds",
    "postal_code": "LS1 5HD",
    "country": "GB",
}
OAKLAND = HOME | {"city": "Oakland", "region": "CA", "postal_code": "94607"}


@pytest.fixture
def begin(merchant: Merchant, inbox: Inbox) -> Iterator[Begin]:
    """Begin a story; its books are checked at the end."""
    told: list[Story] = []

    def start(day: str, **options: int) -> Story:
        told.append(Story(merchant, inbox, day, **options))
        return told[0]

    yield start
    told[0].books()


def follow(story: Story, **parts: Any) -> Any:
    """Choose laws or readings over the API."""
    return story.merchant.ok("PUT", "/settings/promises", parts)


def page(story: Story, path: str = "", expect: int = 200, **fields: Any) -> str:
    """The buyer's page, or an act on it."""
    own = f"/o/{links.token(story.tenant_id, UUID(story.order['id']))}{path}"
    answer = story.merchant.client.post(own, data=fields) if path else story.merchant.client.get(own)
    assert answer.status_code == expect, answer.get_data(as_text=True)
    story.merchant.drain()
    return str(answer.get_data(as_text=True))


def delivery(story: Story, at: int = 0) -> dict[str, Any]:
    """The clock of delivery as the API shows it."""
    found: dict[str, Any] = story.line(at)["promise"]["delivery"]
    return found


def said(story: Story, **fields: Any) -> Any:
    body = {"evidence": "Mail of today."} | fields
    answer = story.merchant.post(f"/orders/{story.order['id']}/delivery-reports", body)
    story.merchant.drain()
    return answer


def urgent(story: Story) -> list[str]:
    """What the merchant's Home and queue ask a person to do about deliveries."""
    with inside(story.tenant_id) as scope:
        rows, _ = waiting.found(scope, scope.now(), 50)
    return [row.what for row in rows if row.what in ("arrives_late", "undelivered", "terminable")]


def figures(story: Story) -> dict[str, int]:
    """The compliance report's lines under a law of delivery, by how they stand."""
    report = story.merchant.ok("GET", "/compliance-report?from=2026-05-01&to=2026-12-31")["figures"]
    return {one["name"]: one["count"] for one in report if one["group"] == "deliveries"}


def code(answer: Any) -> str:
    return str(answer.get_json()["type"].rpartition("/")[2])


def written(story: Story) -> list[tuple[str, str, bool]]:
    """The letters about late goods that went out: subject with {} for the order's number, the day it was due, and
    whether it says that the contract may be ended."""
    story.merchant.drain()
    with inside(story.tenant_id) as scope:
        rows = scope.rows(
            "SELECT subject, facts, body_text FROM notices WHERE tenant_id = :tenant AND order_id = :order"
            " AND kind = 'undelivered' AND state IN ('sent', 'delivered') ORDER BY created_at, id",
            order=UUID(story.order["id"]),
        )
    number = story.order["number"]
    return [
        (row.subject.replace(number, "{}"), row.facts["due"], "may end the contract now" in row.body_text)
        for row in rows
    ]


def test_a_sale_within_europe_knows_a_further_time_and_no_silence(begin: Begin) -> None:
    story = begin("2026-06-01")
    version = follow(story, laws={"seller_country": "FR"})["laws"]["version"]
    story.ordered(ship_to=BERLIN)
    promise = story.line()["promise"]
    assert [law["code"] for law in promise["laws"]] == ["eu"]
    assert (promise["state"], promise["delivery"]["deliver_by"]) == ("delivery", "2026-07-01")
    assert promise["ship_by"] == "2026-06-24", "five working days before"
    assert story.promise().evidence["laws"] == version
    assert code(story.notice("2026-07-20")) == "no-notice-duty"
    assert code(said(story, said="period_granted", until="2026-07-10")) == "not-late"
    assert "to reach you by Wednesday, July 1" in page(story)

    story.on("2026-06-25")
    assert (urgent(story), figures(story)) == (["arrives_late"], {"due": 1})

    story.on("2026-07-03")
    assert (delivery(story)["state"], story.line()["cancelled"], story.refunds()) == ("late", 0, [])
    assert {"promise.at_risk", "delivery.missed"} <= set(story.timeline())
    assert not story.notice_id(), "no notice of the delay rule left"
    assert written(story) == [("Your order {} is late", "2026-07-01", False)]
    assert (urgent(story), figures(story)) == (["undelivered"], {"late": 1})
    page(story, "/delivery", 409, act="end")
    page(story, "/delivery", 422, act="wait", until="2026-07-03")
    page(story, "/delivery", 303, act="wait", until="2026-07-10")
    page(story, "/delivery", 303, act="wait", until="2026-07-10")
    assert (delivery(story)["state"], delivery(story)["deliver_by"]) == ("extended", "2026-07-10")

    story.on("2026-07-31")
    assert (delivery(story)["state"], story.line()["cancelled"]) == ("terminable", 0), "silence ends nothing"
    assert written(story)[1:] == [("Your order {} is late", "2026-07-10", True)]
    assert (urgent(story), figures(story)) == (["terminable"], {"terminable": 1})
    assert "You may end the contract" in page(story)
    page(story, "/delivery", 303, act="end")
    page(story, "/delivery", 303, act="end")
    assert (delivery(story)["state"], story.line()["cancelled"], story.ended()) == ("ended", 1, [])
    assert story.refunds() == [(8000, date(2026, 8, 14))]
    assert figures(story) == {"ended": 1}
    assert code(said(story, said="delivered")) in ("delivery-over", "not-shipped")
    proof = story.merchant.ok("GET", f"/orders/{story.order['id']}/proof")
    assert proof["lines"][0]["promise"]["regimes"] == ["eu"]
    assert [one["kind"] for one in proof["lines"][0]["promise_events"]][-1] == "ended_by_buyer"


def test_an_export_has_both_clocks_and_what_never_arrives_is_paid_back(begin: Begin) -> None:
    story = begin("2026-06-01").ordered(("MUG", 1), ("PEN", 1), ship_to=BERLIN)
    assert [law["code"] for law in story.line()["promise"]["laws"]] == ["us_federal", "eu"]
    assert (story.line()["promise"]["state"], story.line()["promise"]["ship_by"]) == ("open", "2026-07-01")
    story.on("2026-06-10").ship("2026-06-10 09:00").ship("2026-06-10 09:00", sku="PEN")
    assert (story.state(), delivery(story)["state"]) == ("shipped", "due")
    pen = story.order["lines"][1]["id"]
    assert said(story, said="delivered", lines=[pen]).get_json() == {"lines": [pen]}
    assert (story.line(1)["delivered"], delivery(story, 1)["state"]) == (1, "delivered")
    story.on("2026-07-02")
    assert said(story, said="period_granted", until="2026-07-10").status_code == 201
    story.on("2026-07-13")
    assert said(story, said="ended_by_buyer").status_code == 201
    assert (story.state(), delivery(story)["state"], delivery(story, 1)["state"]) == (
        "shipped",
        "ended",
        "delivered",
    )
    assert story.refunds() == [(8000, date(2026, 7, 22))], "seven working days, of both laws the earlier"
    assert written(story) == [], "of what has left only the carrier knows whether it is there"


def test_at_once_where_the_seller_refuses_or_the_date_was_essential(begin: Begin) -> None:
    story = begin("2026-06-01")
    follow(story, laws={"seller_country": "GB"})
    story.ordered(ship_to=LEEDS, promise={"deliver_by": "2026-06-12", "essential": True})
    essential = story.order
    assert [law["code"] for law in story.line()["promise"]["laws"]] == ["uk"]
    story.ordered(ship_to=LEEDS)
    story.merchant.ok("POST", f"/orders/{story.order['id']}/will-not-ship", {"reason": "The kiln is gone."})
    assert (delivery(story)["state"], story.line()["cancelled"]) == ("terminable", 0)
    assert written(story) == [("Your order {} cannot be delivered", "2026-07-01", True)]
    page(story, "/delivery", 303, act="end")
    assert (story.line()["cancelled"], delivery(story)["state"]) == (1, "ended")
    story.order = essential
    story.on("2026-06-13")
    assert delivery(story)["state"] == "terminable"
    assert said(story, said="ended_by_buyer", at=moment("2026-06-12 09:00").isoformat()).status_code == 409
    assert said(story, said="ended_by_buyer").status_code == 201
    assert story.line()["cancelled"] == 1


def test_goods_refused_one_after_the_other_are_told_of_each(begin: Begin) -> None:
    story = begin("2026-06-01")
    follow(story, laws={"seller_country": "GB"})
    story.ordered(("MUG", 1), ("PEN", 1), ship_to=LEEDS)
    for line in (*story.order["lines"], story.order["lines"][0]):
        body = {"reason": "The kiln is gone.", "lines": [line["id"]]}
        assert story.merchant.post(f"/orders/{story.order['id']}/will-not-ship", body).status_code in (
            200,
            409,
        )
    assert written(story) == 2 * [("Your order {} cannot be delivered", "2026-07-01", True)]


def test_what_the_page_refuses_is_said_in_the_buyers_language(begin: Begin) -> None:
    story = begin("2026-06-01")
    follow(story, laws={"seller_country": "FR"})
    story.ordered(ship_to=BERLIN, customer={"email": "ana@example.com", "name": "Ana", "language": "es"})
    assert "Todavía no se puede poner fin al contrato" in page(story, "/delivery", 409, act="end")
    refused = page(story, "/delivery", 409, act="wait", until="2026-07-10")
    assert "El plazo de entrega todavía no ha terminado." in refused


def test_an_address_that_was_never_usable(begin: Begin) -> None:
    story = begin("2026-06-01")
    story.ordered()
    asked = {"outcome": "asked", "evidence": "Mail: which house number?"}
    path = f"/orders/{story.order['id']}/address-requests"
    assert story.merchant.post(path, asked | {"outcome": "never"}).status_code == 409
    assert story.merchant.ok("POST", path, asked) == {"outcome": "asked", "clock_stopped": False}
    story.is_state("open").must_ship_by("2026-07-01")

    follow(story, promises={"address_completed": "restarts_clock"})
    story.ordered()
    at_home = story.order
    path = f"/orders/{story.order['id']}/address-requests"
    assert story.merchant.ok("POST", path, asked)["clock_stopped"] is True
    assert story.merchant.ok("POST", path, asked)["clock_stopped"] is True
    story.is_state("incomplete")
    story.ordered(ship_to=OAKLAND)
    in_california, path = story.order, f"/orders/{story.order['id']}/address-requests"
    story.merchant.ok("POST", path, asked)
    story.ordered()
    path = f"/orders/{story.order['id']}/address-requests"
    story.merchant.ok("POST", path, asked)
    lost = story.order

    story.on("2026-06-15")
    for order, deadline in ((at_home, "2026-07-16 00:00"), (in_california, "2026-07-02 00:00")):
        story.order = order
        place = order["ship_to"] | {"line1": "2 Other St"}
        story.merchant.ok("POST", f"/orders/{order['id']}/address", place)
        story.merchant.drain()
        assert story.is_state("open").promise().deadline == moment(deadline)
        assert story.shown()["holds"] == []
    story.order = lost
    story.merchant.ok("POST", path, asked | {"outcome": "never", "evidence": "Two mails, no answer."})
    story.merchant.drain()
    assert ([case for case, _ in story.ended()], story.line()["cancelled"]) == (["c4"], 1)
    assert story.latest("2026-06-25").refunds()[0][0] == 8000


def test_businesses_and_other_choices_are_checked_versioned_and_logged(begin: Begin) -> None:
    story = begin("2026-06-01")
    put = story.merchant.put
    for body, pointer in (
        ({"promises": {"business_buyers": "exempt"}}, "/promises/counsel"),
        ({"laws": {"ship_to": {"GB": ["us_federal"]}}}, "/laws/counsel"),
        ({"laws": {"ship_to": {"GB": ["law"]}}}, "/laws/ship_to/GB"),
        ({"laws": {"channels": {"nowhere": "DE"}}}, "/laws/channels/nowhere"),
        ({"laws": {"seller_country": "France"}}, "/laws/seller_country"),
        ({"laws": {"channels": {"\x00": "DE"}}}, "/laws/channels"),
        ({"laws": {"channels": {"a/b.c~d": "DE"}}}, "/laws/channels/a~1b.c~0d"),
        ({"laws": {"channels": {"a/b.c~d": "Germany"}}}, "/laws/channels/a~1b.c~0d"),
        ({"laws": {"ship_to": {"GB": ["uk", "us_federal"], "gb": []}}}, "/laws/ship_to/gb"),
        ({"laws": {"channels": []}}, "/laws/channels"),
        ({"laws": {"channels": 0}}, "/laws/channels"),
        ({"laws": {"ship_to": False}}, "/laws/ship_to"),
        ({"laws": {"counsel": "\x00"}}, "/laws/counsel"),
        ({"promises": {"counsel": "\x00"}}, "/promises/counsel"),
        ({"promises": {"grace_days": 2}}, "/promises/grace_days"),
    ):
        answer = put("/settings/promises", body)
        assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer), body
    before = story.merchant.ok("GET", "/settings/promises")
    company = {"customer": {"email": "buyer@acme.example", "business": True}}
    assert story.ordered(**company).state() == "open", "#77: the rule names no exemption"
    after = follow(story, promises={"business_buyers": "exempt", "counsel": "A. Ray, 12 May 2026"})
    assert after["configuration"] > before["configuration"]
    assert after["promises"]["version"] != before["promises"]["version"]
    assert story.ordered(**company).state() == "not_covered"
    assert story.ordered().state() == "open"
    follow(story, laws={"ship_to": {"GB": ["us_federal"]}, "counsel": "A. Ray, 12 May 2026"})
    story.ordered(ship_to=LEEDS)
    assert ([law["code"] for law in story.line()["promise"]["laws"]], delivery(story)) == (
        ["us_federal"],
        None,
    )
    with inside(story.tenant_id) as scope:
        logged = scope.rows(
            "SELECT detail->'changed' AS changed FROM audit_entries WHERE tenant_id = :tenant"
            " AND action = 'settings.changed' ORDER BY id"
        )
    assert [sorted(row.changed) for row in logged] == [["promises"], ["laws"]]


def test_a_day_of_delivery_is_reckoned_by_the_rate_cards(begin: Begin) -> None:
    story = begin("2026-06-01")
    promise = {"promise": {"deliver_by": "2026-06-19"}}  # itself a holiday
    story.ordered(**promise).must_ship_by("2026-06-12")
    follow(story, promises={"transit_days": 2})
    story.ordered(**promise).must_ship_by("2026-06-17")
    story.merchant.ok(
        "PUT",
        "/rate-cards/UPS",
        {
            "name": "UPS",
            "zone_miles": [500],
            "transit_days": [3, 4],
            "prices": [{"weight_g": 30000, "amounts": [900, 1200]}],
        },
    )
    story.merchant.node("RENO", rate_card="UPS")
    story.ordered(**promise).must_ship_by("2026-06-15")
    assert story.promise().evidence["transit_days"] == 4


PAGE = "/settings/promises"
FORM = {
    "seller_country": "us",
    "channels": "",
    "ship_to": "GB: us_federal",
    "laws_counsel": "",
    "business_buyers": "exempt",
    "counsel": "",
    "address_completed": "keeps_clock",
    "transit_days": "3",
    "decide_days": "5",
    "refund_target_days": "2",
}


def test_the_choices_have_a_page(app: Flask, shop: Shop) -> None:
    desk = member(app, shop.tenant_id)
    assert 'value="US"' in desk.read(PAGE)
    unadvised = desk.post(PAGE, PAGE, **FORM)
    assert (unadvised.status_code, "Name the counsel" in unadvised.text) == (422, True)
    half = desk.post(PAGE, PAGE, **FORM | {"channels": "shop-de"})
    assert (half.status_code, "a country on each line" in half.text) == (422, True)
    for field, lines in (("channels", "shop DE\nshop FR"), ("ship_to", "GB uk\nGB us_federal")):
        twice = desk.post(PAGE, PAGE, **FORM | {field: lines})
        assert (twice.status_code, "has two lines. Write one." in twice.text) == (422, True)
    advised = FORM | {"counsel": "A. Ray, 2026", "laws_counsel": "A. Ray, 2026"}
    assert desk.post(PAGE, PAGE, **advised).status_code == 303
    chosen = shop.merchant.ok("GET", PAGE)
    assert chosen["laws"]["ship_to"] == {"GB": ["us_federal"]}
    assert (chosen["promises"]["business_buyers"], chosen["promises"]["transit_days"]) == ("exempt", 3)
    late = FORM | {"ship_to": "", "replaces_laws": "2026-11", "replaces_promises": "2026-11"}
    overtaken = desk.post(PAGE, PAGE, **late)
    assert (overtaken.status_code, "Somebody changed these settings meanwhile" in overtaken.text) == (
        409,
        True,
    )
    assert shop.merchant.put(PAGE, {"laws": {}, "replaces": {"laws": "2026-11"}}).status_code == 409
    assert shop.merchant.ok("GET", PAGE) == chosen
    assert f'name="replaces_laws" value="{chosen["laws"]["version"]}"' in desk.read(PAGE)
    agent = member(app, shop.tenant_id, "agent", "Ann")
    assert agent.client.get(PAGE).status_code == 403


def test_an_orders_page_names_its_law_and_takes_that_its_address_is_not_usable(
    app: Flask, shop: Shop
) -> None:
    desk = member(app, shop.tenant_id)
    order = shop.order(1, ship_to=BERLIN)
    page = f"/orders/{order['id']}"
    shown = desk.read(page)
    assert "Directive 2011/83/EU, Article 18" in shown
    assert "To be delivered by" in shown
    act = f"{page}/address-request"
    assert desk.post(act, page, outcome="asked", evidence="").status_code == 422
    assert desk.post(act, page, outcome="asked", evidence="Mail of today").status_code == 303
    assert shop.shown(order)["holds"][0]["kind"] == "address"
    assert desk.post(act, page, outcome="never", evidence="Two mails").status_code == 303
    shop.merchant.drain()
    assert shop.shown(order)["status"] == "cancelled"
