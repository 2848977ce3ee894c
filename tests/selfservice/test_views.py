"""The buyer's page: looking never acts, a POST does, and nothing of anybody else is shown."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import links, selfservice
from app.promises.service import send_delay_notice
from app.selfservice.words import SPANISH
from infra.clock import real_now
from tenants.scope import inside
from tests.factories import Merchant


@pytest.fixture
def buyer(app: Flask) -> FlaskClient:
    """A browser without script, cookies or log-in."""
    return app.test_client()


def placed(merchant: Merchant, units: int = 2, stock: int = 5, **fields: Any) -> dict[str, Any]:
    merchant.drain()
    merchant.node("RENO")
    merchant.sku("KETTLE", title="Copper kettle")
    if stock:
        merchant.stock("RENO", "KETTLE", stock)
    order = merchant.order(("KETTLE", units), **fields)
    merchant.drain()
    return order


def page_of(merchant: Merchant, order: dict[str, Any]) -> str:
    return f"/o/{links.token(merchant.tenant_id, UUID(order['id']))}"


def shown(merchant: Merchant, order: dict[str, Any]) -> dict[str, Any]:
    return merchant.ok("GET", f"/orders/{order['id']}")


def delay(merchant: Merchant, order: dict[str, Any], days: int) -> None:
    with inside(merchant.tenant_id) as scope:
        revised = (real_now() + timedelta(days=days)).date()
        send_delay_notice(scope, UUID(order["id"]), None, revised, "The maker's delivery to us is late.")
    merchant.drain()


def promise(days: int) -> dict[str, Any]:
    return {"promise": {"ship_by": (real_now() + timedelta(days=days)).date().isoformat()}}


def test_the_page_tells_the_order_in_plain_words(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant)
    answer = buyer.get(page_of(merchant, order))
    assert answer.status_code == 200
    assert "We are getting your order ready" in answer.text
    assert "Copper kettle" in answer.text
    assert order["number"] in answer.text
    assert "Alder &amp; Finch" in answer.text
    assert ">Kept<" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers


def test_only_an_address_of_the_shop_is_named_for_questions(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant)
    address = page_of(merchant, order)
    contact(merchant)
    assert "Questions?" not in buyer.get(address).text
    contact(merchant, toll_free="1-800-555-0136")
    by_phone = buyer.get(address).text
    assert "Questions? Call" in by_phone
    assert "mailto:" not in by_phone
    contact(merchant, email="help@shop.example")
    assert 'mailto:help@shop.example">help@shop.example</a>.</p>' in buyer.get(address).text


def contact(merchant: Merchant, **fields: str) -> None:
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE tenants SET settings = settings || jsonb_build_object('contact', CAST(:contact AS jsonb))"
            " WHERE tenant_id = :tenant",
            contact=json.dumps(fields),
        )


def test_a_shipped_parcel_can_be_tracked(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant)
    work = shown(merchant, order)["fulfillment_orders"][0]
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/acceptance", {})
    report = {
        "lines": [{"sku": "KETTLE", "quantity": 1}],
        "carrier": "UPS",
        "tracking_number": "1Z999AA10123456784",
        "shipped_at": real_now().isoformat(),
    }
    merchant.provider.ok("POST", f"/fulfillment-orders/{work['id']}/shipments", report)
    merchant.drain()
    text = buyer.get(page_of(merchant, order)).text
    assert "Part of your order is on its way" in text
    assert "https://www.ups.com/track?tracknum=1Z999AA10123456784" in text
    assert "1 of 2 shipped" in text


@pytest.mark.parametrize("token", ["x", "WyJhIl0.abc", "%00", "a" * 3000])
def test_a_wrong_link_is_a_plain_404(merchant: Merchant, buyer: FlaskClient, token: str) -> None:
    answer = buyer.get(f"/o/{token}")
    assert answer.status_code == 404
    assert "does not lead anywhere" in answer.text
    assert buyer.post(f"/o/{token}/cancellation").status_code == 404


def test_a_link_opens_one_tenant_only(
    merchant: Merchant, other_merchant: Merchant, buyer: FlaskClient
) -> None:
    order = placed(merchant)
    foreign = links.token(other_merchant.tenant_id, UUID(order["id"]))
    assert buyer.get(f"/o/{foreign}").status_code == 404
    assert buyer.post(f"/o/{foreign}/cancellation").status_code == 404
    for_something_else = links.token(merchant.tenant_id, UUID(order["id"]), "return")
    assert buyer.get(f"/o/{for_something_else}").status_code == 404
    assert shown(merchant, order)["lines"][0]["cancelled"] == 0


def test_looking_never_acts(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant, stock=0, **promise(1))
    delay(merchant, order, 10)
    before = shown(merchant, order)
    address = page_of(merchant, order)
    for path in (
        "",
        "?answer=cancel",
        "/delay-answer?answer=cancel",
        "/cancellation",
        "/payment?confirmed=1",
    ):
        answer = buyer.get(address + path)
        assert answer.status_code == (405 if path.startswith("/") else 200)
    merchant.drain()
    assert shown(merchant, order) == before


def test_a_delay_notice_offers_two_equal_choices(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant, stock=0, **promise(1))
    delay(merchant, order, 10)
    text = buyer.get(page_of(merchant, order)).text
    buttons = re.findall(r'<button class="([^"]+)" type="submit" name="answer" value="(\w+)"', text)
    assert [value for _, value in buttons] == ["consent", "cancel"]
    assert len({look for look, _ in buttons}) == 1
    assert "If you do nothing:" in text
    assert "checked" not in text
    assert (
        text.index("Promised to ship by") < text.index("New date to ship by") < text.index('value="consent"')
    )


def test_waiting_is_recorded_and_the_promise_moves(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant, stock=0, **promise(1))
    delay(merchant, order, 10)
    address = page_of(merchant, order)
    answer = buyer.post(f"{address}/delay-answer", data={"answer": "consent"})
    assert (answer.status_code, answer.location) == (303, address)
    text = buyer.get(address).text
    assert "You agreed to wait for Copper kettle" in text
    assert 'value="consent"' not in text
    assert shown(merchant, order)["lines"][0]["promise"]["state"].startswith("consent")


def test_canceling_because_of_a_delay_cancels_the_units(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant, stock=0, **promise(1))
    delay(merchant, order, 10)
    address = page_of(merchant, order)
    assert buyer.post(f"{address}/delay-answer", json={"answer": "cancel"}).status_code == 303
    at_once = buyer.get(address).text
    assert "Being canceled, as you asked" in at_once
    assert "Cancel what has not shipped" not in at_once
    merchant.drain()
    assert shown(merchant, order)["status"] == "cancelled"
    text = buyer.get(address).text
    assert "Your order is canceled" in text
    assert "You canceled Copper kettle" in text


def test_an_answer_that_is_neither_is_refused(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant, stock=0, **promise(1))
    address = page_of(merchant, order)
    answer = buyer.post(f"{address}/delay-answer", data={"answer": "consent"})
    assert answer.status_code == 409
    assert "nothing to answer" in answer.text
    delay(merchant, order, 10)
    assert buyer.post(f"{address}/delay-answer", data={"answer": "perhaps"}).status_code == 422
    assert buyer.post(f"{address}/delay-answer", json=["consent"]).status_code == 422


def test_the_buyer_cancels_what_has_not_shipped(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant)
    address = page_of(merchant, order)
    refused = buyer.post(f"{address}/cancellation", data={"chosen": "1"})
    assert refused.status_code == 422
    assert "<details open" in refused.text.replace(' class="as-table"', ""), "what to choose from is in sight"
    assert "<details open" not in buyer.get(address).text.replace(' class="as-table"', "")
    assert shown(merchant, order)["status"] == "placed"
    line = order["lines"][0]["id"]
    assert buyer.post(f"{address}/cancellation", data={"chosen": "1", "line": line}).status_code == 303
    merchant.drain()
    assert shown(merchant, order)["status"] == "cancelled"
    again = buyer.post(f"{address}/cancellation")
    assert again.status_code == 409
    assert "This could not be done." in again.text


def test_a_line_of_another_order_is_not_canceled(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant)
    other = merchant.order(("KETTLE", 1))
    address = page_of(merchant, order)
    answer = buyer.post(f"{address}/cancellation", data={"chosen": "1", "line": other["lines"][0]["id"]})
    assert answer.status_code == 422
    assert shown(merchant, other)["lines"][0]["cancelled"] == 0


def test_a_declined_card_is_mended_on_the_page(merchant: Merchant, buyer: FlaskClient) -> None:
    order = placed(merchant, tenders=[{"kind": "card", "payment_method": "pm_card_chargeDeclined"}])
    address = page_of(merchant, order)
    assert "Your order needs a payment" in buyer.get(address).text
    assert buyer.post(f"{address}/payment", data={"card": "pm_foreign"}).status_code == 422
    assert buyer.post(f"{address}/payment", data={"card": "pm_card_visa"}).status_code == 303
    merchant.drain()
    assert shown(merchant, order)["payment_status"] == "authorized"
    assert "to pay" not in buyer.get(address).text
    assert buyer.post(f"{address}/payment").status_code == 409


def test_the_right_to_cancel_goes_on_until_it_ships_whatever_the_warehouse_says(
    merchant: Merchant, buyer: FlaskClient
) -> None:
    order = placed(merchant, **promise(10))
    delay(merchant, order, 15)
    assert (
        buyer.post(f"{page_of(merchant, order)}/delay-answer", data={"answer": "consent"}).status_code == 303
    )
    work = f"/fulfillment-orders/{shown(merchant, order)['fulfillment_orders'][0]['id']}"
    merchant.provider.ok("POST", f"{work}/acceptance")
    chosen = {"chosen": "1", "line": order["lines"][0]["id"]}
    assert buyer.post(f"{page_of(merchant, order)}/cancellation", data=chosen).status_code == 303
    assert "Canceled, as you asked" in buyer.get(page_of(merchant, order)).get_data(as_text=True)
    report = {"lines": [{"sku": "KETTLE", "quantity": 2}], "carrier": "UPS", "tracking_number": "1Z"}
    assert merchant.provider.post(f"{work}/shipments", report).status_code == 409
    merchant.provider.ok("POST", f"{work}/cancellation-acceptance")
    merchant.drain()
    assert shown(merchant, order)["status"] == "cancelled"


def test_who_reads_spanish_is_asked_and_answered_in_spanish(merchant: Merchant, buyer: FlaskClient) -> None:
    customer = {"email": "buyer@example.com", "name": "Marisol Vega", "language": "es"}
    order = placed(merchant, stock=0, customer=customer, **promise(10))
    delay(merchant, order, 25)
    address = page_of(merchant, order)
    text = buyer.get(address).text
    assert '<html lang="es"' in text
    assert "Usted decide qué pasa ahora." in text
    assert "Sí, espero" in text
    refused = buyer.post(f"{address}/delay-answer", data={"answer": "maybe"})
    assert "Elija esperar o cancelar." in refused.text
    buyer.post(f"{address}/delay-answer", data={"answer": "consent"})
    text = buyer.get(address).text
    assert "Usted aceptó esperar: Copper kettle." in text
    assert "Pedido a nuestro proveedor, se envía a más tardar el" in text
    buyer.post(f"{address}/cancellation")
    merchant.drain()
    assert "Su pedido está cancelado" in buyer.get(address).text


def test_every_sentence_of_the_page_has_its_spanish() -> None:
    folder = Path(selfservice.__file__).parent
    sources = [folder / "queries.py", *(folder / "templates").rglob("*.html")]
    said = {
        sentence
        for file in sources
        for quote, sentence in re.findall(r"""\bt\((["'])(.*?)\1""", file.read_text())
    }
    assert len(said) > 50
    assert said - {*SPANISH} == set()
    for english, spanish in SPANISH.items():
        assert spanish.count("{}") == english.count("{}"), english


def test_lines_that_are_no_list_are_refused_and_change_nothing(
    merchant: Merchant, buyer: FlaskClient
) -> None:
    order = placed(merchant)
    address = page_of(merchant, order)
    assert buyer.post(f"{address}/cancellation", json={"lines": 5}).status_code == 422
    assert buyer.post(f"{address}/delivery", json={"lines": 5, "act": "end"}).status_code == 422
    assert shown(merchant, order)["lines"][0]["cancelled"] == 0
