"""Another card, given on the processor's own page: kept for this order alone, and used when the buyer says so."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from app import links
from infra import stripe_gateway as gateway
from tenants import scope as transactions
from tenants.scope import inside
from tests.shop import Shop

DECLINED = "pm_card_chargeDeclined"


@pytest.fixture
def buyer(app: Flask) -> FlaskClient:
    """A browser without script, cookies or log-in."""
    return app.test_client()


def page_of(shop: Shop, order: dict[str, Any]) -> str:
    return f"/o/{links.token(shop.tenant_id, UUID(order['id']))}"


def card_page(shop: Shop, buyer: FlaskClient, order: dict[str, Any]) -> str:
    """The address of the processor's page, as the buyer's page names it."""
    answer = buyer.post(f"{page_of(shop, order)}/card")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    link = re.search(r'href="([^"]+)"[^>]*>Continue to the secure card page', answer.text)
    assert link is not None
    return html.unescape(link[1])


def give_card(address: str, card: str = "visa") -> str:
    """Fill in the processor's page; the path it sends the buyer back to."""
    back = requests.post(address, data={"card": card}, allow_redirects=False, timeout=10)
    assert back.status_code == 303, back.text
    parts = urlsplit(back.headers["Location"])
    return f"{parts.path}?{parts.query}"


def session_of(path: str) -> str:
    return parse_qs(urlsplit(path).query)["session"][0]


def open_session(address: str) -> str:
    """The session of a card page that nobody filled in: the last part of the simulator's address."""
    return address.rsplit("/", 1)[1]


def customers(shop: Shop) -> int:
    journal = shop.processor.journal(shop.account)
    return sum(line["path"] == "/v1/customers" and line["outcome"] == "executed" for line in journal)


def test_a_declined_card_is_replaced_by_another(shop: Shop, buyer: FlaskClient) -> None:
    order = shop.order(2, card=DECLINED)
    address = page_of(shop, order)
    assert "Use another card" in buyer.get(address).text
    back = give_card(card_page(shop, buyer, order))
    assert back.startswith(f"{address}/card?")

    added = buyer.get(back)
    assert added.status_code == 200
    assert added.headers["Cache-Control"] == "no-store"
    assert "Pay $40.00 with it" in added.text
    shop.merchant.drain()
    assert shop.shown(order)["holds"], "looking must not act"
    assert ("authorize", 4000) not in shop.effects()

    used = buyer.post(f"{address}/card/use", data={"session": session_of(back)})
    assert (used.status_code, used.headers["Location"]) == (303, address)
    shop.merchant.drain()
    shown = shop.shown(order)
    assert shown["payment_status"] == "authorized"
    assert not shown["holds"]
    assert shown["fulfillment_orders"][0]["request_status"] == "submitted"
    assert customers(shop) == 1

    again = buyer.post(f"{address}/card/use", data={"session": session_of(back)})
    assert again.status_code == 409
    assert "needs no payment now" in again.text
    assert buyer.get(back).status_code == 303
    # The card was kept for later: the next hold is made without the buyer.
    shop.ship(order, 1)
    assert shop.effects()[-1] == ("authorize", 2000)


def test_an_order_without_a_card_is_given_one(shop: Shop, buyer: FlaskClient) -> None:
    order = shop.order(2, tenders=[{"kind": "card"}])
    text = buyer.get(page_of(shop, order)).text
    assert "$40.00 to pay" in text
    assert "Give a card" in text
    assert "Try the same card again" not in text
    card_page(shop, buyer, order)
    back = give_card(card_page(shop, buyer, order))
    assert customers(shop) == 1, "asked twice under one key"
    assert (
        buyer.post(f"{page_of(shop, order)}/card/use", data={"session": session_of(back)}).status_code == 303
    )
    shop.merchant.drain()
    assert shop.shown(order)["payment_status"] == "authorized"
    assert customers(shop) == 1


def test_a_card_of_another_order_is_refused(shop: Shop, buyer: FlaskClient) -> None:
    order, other = shop.order(2, card=DECLINED), shop.order(1, card=DECLINED)
    back = give_card(card_page(shop, buyer, other))
    answer = buyer.post(f"{page_of(shop, order)}/card/use", data={"session": session_of(back)})
    assert answer.status_code == 409
    assert "This card was given for another order." in answer.text
    shop.merchant.drain()
    assert shop.shown(order)["holds"]
    assert not [effect for effect, _ in shop.effects() if effect == "authorize"]


def test_an_unfinished_or_unknown_card_page_says_so(shop: Shop, buyer: FlaskClient) -> None:
    order = shop.order(2, card=DECLINED)
    use = f"{page_of(shop, order)}/card/use"
    unfinished = buyer.post(use, data={"session": open_session(card_page(shop, buyer, order))})
    assert unfinished.status_code == 409
    assert "No card was added yet." in unfinished.text
    unknown = buyer.post(use, data={"session": "cs_test_nobody"})
    assert unknown.status_code == 409
    assert "This card page is not known here." in unknown.text
    for wrong in ("", "../customers", "pm_card_visa"):
        assert buyer.post(use, data={"session": wrong}).status_code == 422
        assert buyer.get(f"{page_of(shop, order)}/card", query_string={"session": wrong}).status_code == 303
    assert shop.shown(order)["holds"]


def test_a_paid_order_wants_no_card(shop: Shop, buyer: FlaskClient) -> None:
    order = shop.order(2)
    answer = buyer.post(f"{page_of(shop, order)}/card")
    assert answer.status_code == 409
    assert "needs no payment now" in answer.text


def test_a_fault_of_the_processor_is_told_on_the_page(shop: Shop, buyer: FlaskClient) -> None:
    order = shop.order(2, card=DECLINED)
    shop.processor.fail(shop.account, "error500", "/v1/checkout/sessions$")
    answer = buyer.post(f"{page_of(shop, order)}/card")
    assert answer.status_code == 503
    assert "does not answer at the moment" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert card_page(shop, buyer, order)


def test_a_live_tenant_takes_another_card(shop: Shop, buyer: FlaskClient) -> None:
    order = shop.order(2, card=DECLINED)
    with inside(shop.tenant_id) as scope:
        scope.execute("UPDATE tenants SET environment = 'live' WHERE tenant_id = :tenant")
    text = buyer.get(page_of(shop, order)).text
    assert "Use another card" in text
    assert "Test card" not in text
    back = give_card(card_page(shop, buyer, order))
    assert (
        buyer.post(f"{page_of(shop, order)}/card/use", data={"session": session_of(back)}).status_code == 303
    )
    shop.merchant.drain()
    assert shop.shown(order)["payment_status"] == "authorized"


def test_no_transaction_is_open_while_the_processor_is_asked(
    shop: Shop, buyer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.order(2, card=DECLINED)
    asked: list[str] = []

    def watched(verb: Callable[..., Any]) -> Callable[..., Any]:
        def run(*values: Any, **named: Any) -> Any:
            assert transactions._current.get(None) is None
            asked.append(verb.__name__)
            return verb(*values, **named)

        return run

    monkeypatch.setattr(gateway, "card_page", watched(gateway.card_page))
    monkeypatch.setattr(gateway, "card_given", watched(gateway.card_given))
    back = give_card(card_page(shop, buyer, order))
    assert (
        buyer.post(f"{page_of(shop, order)}/card/use", data={"session": session_of(back)}).status_code == 303
    )
    assert asked == ["card_page", "card_given"]
    shop.merchant.drain()
