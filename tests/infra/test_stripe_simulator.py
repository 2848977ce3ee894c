"""The payment cases of the simulator. The same cases run against Stripe itself when STRIPE_TEST_KEY is set."""

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from infra.stripe_simulator import serve

BY_CARD = {"payment_method_types": ["card"]}


@pytest.fixture(params=["simulator", pytest.param("stripe", marks=pytest.mark.stripe_test)])
def client(request: pytest.FixtureRequest) -> Iterator[stripe.StripeClient]:
    if request.param == "stripe":
        key = os.environ.get("STRIPE_TEST_KEY", "")
        if not key.startswith("sk_test_"):
            pytest.skip("no STRIPE_TEST_KEY: the cases run against the simulator only")
        yield stripe.StripeClient(key)
        return
    with serve() as simulator:
        yield stripe.StripeClient("sk_test_simulated", base_addresses={"api": simulator.url})


def pay(client: stripe.StripeClient, amount: int = 2000, card: str = "pm_card_visa", **more: Any) -> Any:
    params = {"amount": amount, "currency": "usd", "payment_method": card, "confirm": True, **BY_CARD, **more}
    return client.v1.payment_intents.create(params)


def hold(client: stripe.StripeClient, amount: int = 2000, card: str = "pm_card_visa", **more: Any) -> Any:
    return pay(client, amount, card, capture_method="manual", **more)


def saved_card(client: stripe.StripeClient, card: str = "pm_card_visa") -> tuple[str, str]:
    customer = client.v1.customers.create({"email": "buyer@example.com"})
    method = client.v1.payment_methods.attach(card, {"customer": customer.id})
    return customer.id, method.id


def test_states_from_creation_to_success(client):
    intent = client.v1.payment_intents.create({"amount": 1500, "currency": "usd", **BY_CARD})
    assert intent.status == "requires_payment_method"
    intent = client.v1.payment_intents.update(
        intent.id, {"payment_method": "pm_card_mastercard", "amount": 1600}
    )
    assert (intent.status, intent.amount) == ("requires_confirmation", 1600)
    intent = client.v1.payment_intents.confirm(intent.id, {"expand": ["latest_charge"]})
    card = intent.latest_charge.payment_method_details.card
    assert (intent.status, intent.amount_received, card.brand, card.last4) == (
        "succeeded",
        1600,
        "mastercard",
        "4444",
    )


def test_hold_then_full_capture(client):
    intent = hold(client, expand=["latest_charge"])
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 2000, 0)
    assert intent.latest_charge.captured is False
    week = intent.latest_charge.payment_method_details.card.capture_before - intent.latest_charge.created
    assert 6 * 86400 < week <= 7 * 86400
    captured = client.v1.payment_intents.capture(intent.id)
    assert (captured.status, captured.amount_capturable, captured.amount_received) == ("succeeded", 0, 2000)


def test_partial_capture_is_final_and_releases_the_rest(client):
    intent = client.v1.payment_intents.capture(
        hold(client).id, {"amount_to_capture": 700, "expand": ["latest_charge"]}
    )
    assert (intent.status, intent.amount_received, intent.amount_capturable) == ("succeeded", 700, 0)
    assert (intent.latest_charge.amount_captured, intent.latest_charge.amount_refunded) == (700, 1300)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 100})
    assert refused.value.code == "payment_intent_unexpected_state"


def test_capture_above_the_hold_is_refused(client):
    intent = hold(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 2001})
    assert refused.value.param == "amount_to_capture"
    assert client.v1.payment_intents.retrieve(intent.id).amount_capturable == 2000


def test_cancel_releases_the_hold_once(client):
    intent = hold(client)
    canceled = client.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "requested_by_customer", "expand": ["latest_charge"]}
    )
    assert (canceled.status, canceled.amount_capturable) == ("canceled", 0)
    assert canceled.cancellation_reason == "requested_by_customer"
    assert canceled.latest_charge.refunded is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.cancel(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    assert refused.value.error.payment_intent.status == "canceled"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ],
)
def test_declines(client, card, code, decline_code):
    with pytest.raises(stripe.CardError) as declined:
        hold(client, card=card)
    error = declined.value.error
    assert declined.value.http_status == 402
    assert (error.type, error.code) == ("card_error", code)
    if decline_code is not None:
        assert error.decline_code == decline_code
    intent = client.v1.payment_intents.retrieve(error.payment_intent.id, {"expand": ["latest_charge"]})
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert (intent.latest_charge.id, intent.latest_charge.status) == (error.charge, "failed")
    assert (
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status
        == "requires_capture"
    )


def test_saved_card_is_charged_off_session(client):
    customer, method = saved_card(client)
    intent = hold(client, card=method, customer=customer, off_session=True)
    assert (intent.status, intent.payment_method) == ("requires_capture", method)


def test_setup_future_usage_saves_the_card(client):
    customer = client.v1.customers.create()
    first = hold(client, customer=customer.id, setup_future_usage="off_session")
    assert [one.id for one in client.v1.customers.payment_methods.list(customer.id).data] == [
        first.payment_method
    ]
    again = hold(client, 900, first.payment_method, customer=customer.id, off_session=True)
    assert again.status == "requires_capture"


def test_a_card_used_without_a_customer_is_used_up(client):
    first = pay(client)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        pay(client, card=first.payment_method)


def test_a_saved_card_that_fails_later(client):
    customer, method = saved_card(client, "pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError) as declined:
        hold(client, card=method, customer=customer, off_session=True)
    assert declined.value.code == "card_declined"


def test_declined_cards_cannot_be_saved(client):
    customer = client.v1.customers.create()
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})
    assert declined.value.code == "card_declined"


def test_off_session_card_that_wants_its_owner(client):
    customer, method = saved_card(client, "pm_card_authenticationRequired")
    with pytest.raises(stripe.CardError) as declined:
        hold(client, card=method, customer=customer, off_session=True)
    assert declined.value.code == "authentication_required"


def test_three_d_secure_asks_the_buyer(client):
    intent = hold(client, card="pm_card_threeDSecure2Required", return_url="https://shop.example/back")
    assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
    assert intent.next_action.redirect_to_url.return_url == "https://shop.example/back"
    assert client.v1.payment_intents.cancel(intent.id).status == "canceled"


def test_refunds_never_exceed_what_was_taken(client):
    intent = client.v1.payment_intents.capture(hold(client).id, {"amount_to_capture": 1500})
    refund = client.v1.refunds.create(
        {
            "payment_intent": intent.id,
            "amount": 400,
            "reason": "requested_by_customer",
            "metadata": {"why": "late"},
        }
    )
    assert (refund.status, refund.amount, refund.metadata["why"]) == ("succeeded", 400, "late")
    with pytest.raises(stripe.InvalidRequestError, match="is greater than unrefunded amount on charge"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 1101})
    rest = client.v1.refunds.create({"charge": intent.latest_charge})
    assert rest.amount == 1100
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"
    listed = client.v1.refunds.list({"payment_intent": intent.id})
    assert sorted(one.amount for one in listed.data) == [400, 1100]
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert (charge.refunded, charge.amount_captured, charge.amount_refunded) == (True, 1500, 2000)


def test_same_key_same_answer_even_a_decline(client):
    key = f"attempt-{uuid.uuid4()}"
    params = {"amount": 1200, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True, **BY_CARD}
    first = client.v1.payment_intents.create(params, {"idempotency_key": key})
    again = client.v1.payment_intents.create(params, {"idempotency_key": key})
    assert again.id == first.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        client.v1.payment_intents.create({**params, "amount": 1300}, {"idempotency_key": key})
    key = f"attempt-{uuid.uuid4()}"
    declined = {**params, "payment_method": "pm_card_chargeDeclined"}
    refusals = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            client.v1.payment_intents.create(declined, {"idempotency_key": key})
        refusals.append(refused.value.error.payment_intent.id)
    assert refusals[0] == refusals[1]


def test_malformed_requests(client):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create({"currency": "usd"})
    assert (refused.value.code, refused.value.param) == ("parameter_missing", "amount")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create({"amount": 1000, "currency": "usd", "colour": "red"})
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "colour")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create({"amount": 10, "currency": "usd", **BY_CARD})
    assert refused.value.code == "amount_too_small"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.retrieve("pi_nobody")
    assert (refused.value.code, refused.value.http_status) == ("resource_missing", 404)


def test_dashboard_methods_want_a_return_url(client):
    params = {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        client.v1.payment_intents.create(params)
    never = {"enabled": True, "allow_redirects": "never"}
    assert (
        client.v1.payment_intents.create({**params, "automatic_payment_methods": never}).status == "succeeded"
    )


def test_metadata_merges_and_clears(client):
    intent = client.v1.payment_intents.create(
        {"amount": 1000, "currency": "usd", "metadata": {"a": "1", "b": "2"}, **BY_CARD}
    )
    intent = client.v1.payment_intents.update(intent.id, {"metadata": {"b": "", "c": "3"}})
    assert intent.metadata.to_dict() == {"a": "1", "c": "3"}


def test_lists_turn_pages_by_cursor(client):
    customer = client.v1.customers.create()
    made = [
        client.v1.payment_intents.create(
            {"amount": 1000, "currency": "usd", "customer": customer.id, **BY_CARD}
        ).id
        for _ in range(3)
    ]
    page = client.v1.payment_intents.list({"customer": customer.id, "limit": 2})
    assert page.has_more is True
    rest = client.v1.payment_intents.list(
        {"customer": customer.id, "limit": 2, "starting_after": page.data[-1].id}
    )
    assert (rest.has_more, len(rest.data)) == (False, 1)
    assert sorted(one.id for one in [*page.data, *rest.data]) == sorted(made)
    walked = client.v1.payment_intents.list({"customer": customer.id, "limit": 1}).auto_paging_iter()
    assert sorted(one.id for one in walked) == sorted(made)


def test_setup_intent_saves_a_card(client):
    customer = client.v1.customers.create()
    setup = client.v1.setup_intents.create(
        {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True, **BY_CARD}
    )
    assert (setup.status, setup.usage) == ("succeeded", "off_session")
    assert client.v1.payment_methods.retrieve(setup.payment_method).customer == customer.id
    with pytest.raises(stripe.CardError) as declined:
        client.v1.setup_intents.create(
            {"customer": customer.id, "payment_method": "pm_card_chargeDeclined", "confirm": True, **BY_CARD}
        )
    assert declined.value.error.setup_intent.status == "requires_payment_method"


def test_customers_change_and_go(client):
    customer = client.v1.customers.create({"name": "Ada", "address": {"line1": "1 Main St", "country": "US"}})
    customer = client.v1.customers.update(customer.id, {"name": "Ada L.", "description": ""})
    assert (customer.name, customer.description, customer.address.line1) == ("Ada L.", None, "1 Main St")
    assert client.v1.customers.delete(customer.id).deleted is True
    assert client.v1.customers.retrieve(customer.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(
            {"amount": 1000, "currency": "usd", "customer": customer.id, **BY_CARD}
        )
    assert refused.value.code == "resource_missing"


def test_a_card_of_another_customer_is_refused(client):
    _, method = saved_card(client)
    stranger = client.v1.customers.create()
    with pytest.raises(stripe.InvalidRequestError):
        hold(client, card=method, customer=stranger.id)


def test_detached_cards_are_gone_for_good(client):
    customer, method = saved_card(client)
    assert client.v1.payment_methods.detach(method).customer is None
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_methods.attach(method, {"customer": customer})


def test_foreign_keys_are_refused(client):
    stranger = stripe.StripeClient("sk_test", base_addresses=client._requestor._options.base_addresses)
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.customers.list()
