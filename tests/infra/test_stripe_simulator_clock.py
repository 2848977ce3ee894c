"""What only a simulator can show: clocks that move, switches, pages, accounts apart, shapes beside Stripe's own."""

import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from infra.stripe_simulator import Handle, serve

FIXTURES = Path(os.environ.get("KEPT_DATA", "/work/shared/data")) / "stripe" / "openapi_fixtures3.json"
DAY = 86400
CARD = {"currency": "usd", "payment_method_types": ["card"]}


@pytest.fixture
def simulator() -> Iterator[Handle]:
    with serve() as handle:
        yield handle


@pytest.fixture
def client(simulator: Handle) -> stripe.StripeClient:
    return connect(simulator)


def connect(simulator: Handle) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_simulated", base_addresses={"api": simulator.url})


def control(simulator: Handle, name: str, given: dict[str, Any] | None = None) -> Any:
    data = None if given is None else json.dumps(given).encode()
    with urllib.request.urlopen(f"{simulator.url}/_simulator/{name}", data, timeout=10) as answer:
        return json.load(answer)


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def press(url: str, **form: str) -> tuple[int, str]:
    """Opens a page or sends its form; returns the status and where it leads, or what it shows."""
    data = urllib.parse.urlencode(form).encode() if form else None
    try:
        with urllib.request.build_opener(Stay).open(url, data, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers.get("Location") or answer.read().decode()


def hold(client: stripe.StripeClient, amount: int = 2000, card: str = "pm_card_visa", **more: Any) -> Any:
    params = {"amount": amount, "payment_method": card, "confirm": True, "capture_method": "manual", **CARD}
    return client.v1.payment_intents.create({**params, **more})


def journal(simulator: Handle, **query: str) -> list[dict[str, Any]]:
    return control(simulator, f"journal?{urllib.parse.urlencode(query)}")["data"]


def types(client: stripe.StripeClient) -> list[str]:
    return [event.type for event in client.v1.events.list({"limit": 100}).data]


# the clock


def test_a_hold_runs_out_by_the_accounts_clock(simulator, client):
    own = client.v1.accounts.retrieve_current().id
    intent = hold(client)
    control(simulator, "clock", {"account": own, "advance_seconds": 7 * DAY - 60})
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    before = control(simulator, f"clock?account={own}")["now"]
    assert control(simulator, "clock", {"account": own, "advance_seconds": 120})["done"] == 1
    assert control(simulator, f"clock?account={own}")["now"] >= before + 120
    expired = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert (expired.status, expired.cancellation_reason, expired.amount_capturable) == (
        "canceled",
        "automatic",
        0,
    )
    assert expired.canceled_at == intent.created + 7 * DAY
    assert types(client)[:2] == ["payment_intent.canceled", "charge.expired"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    assert expired.latest_charge.amount_captured == 0


def test_off_session_holds_last_five_days(simulator, client):
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    intent = hold(client, card=method.id, customer=customer.id, off_session=True, expand=["latest_charge"])
    before = intent.latest_charge.payment_method_details.card.capture_before
    assert before - intent.latest_charge.created == 5 * DAY


def test_a_captured_hold_does_not_expire(simulator, client):
    intent = client.v1.payment_intents.capture(hold(client).id)
    control(simulator, "clock", {"advance_seconds": 30 * DAY})
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_each_account_has_its_own_time(simulator, client):
    one, two = (client.v1.accounts.create({"type": "standard"}).id for _ in range(2))
    control(simulator, "clock", {"account": one, "advance_seconds": 40 * DAY})
    ahead = client.v1.customers.create({}, {"stripe_account": one}).created
    assert ahead - client.v1.customers.create({}, {"stripe_account": two}).created >= 40 * DAY - 5


def test_a_clock_never_runs_back(simulator):
    now = control(simulator, "clock")["now"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(simulator, "clock", {"to": now - 3600})
    assert refused.value.code == 400
    assert control(simulator, "clock")["now"] >= now


def test_refunds_that_take_their_time(simulator, client):
    slow = client.v1.payment_intents.capture(hold(client, card="pm_card_pendingRefund").id)
    doomed = client.v1.payment_intents.capture(hold(client, card="pm_card_refundFail").id)
    pending = client.v1.refunds.create({"payment_intent": slow.id})
    failing = client.v1.refunds.create({"payment_intent": doomed.id})
    assert (pending.status, failing.status) == ("pending", "succeeded")
    control(simulator, "clock", {"advance_seconds": 120})
    assert client.v1.refunds.retrieve(pending.id).status == "succeeded"
    failed = client.v1.refunds.retrieve(failing.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert client.v1.charges.retrieve(doomed.latest_charge).amount_refunded == 0
    assert {"refund.failed", "refund.updated", "charge.refund.updated", "refund.created"} <= set(
        types(client)
    )


# accounts apart


def test_accounts_do_not_see_each_other(simulator, client):
    one, two = (client.v1.accounts.create({"type": "standard"}).id for _ in range(2))
    intent = client.v1.payment_intents.create({"amount": 1000, **CARD}, {"stripe_account": one})
    for options in ({"stripe_account": two}, {}):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.retrieve(intent.id, {}, options)
        assert (refused.value.code, refused.value.http_status) == ("resource_missing", 404)
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.cancel(intent.id, {}, options)
        assert client.v1.payment_intents.list({}, options).data == []
    with pytest.raises(stripe.PermissionError) as unknown:
        client.v1.payment_intents.list({}, {"stripe_account": "acct_nobody"})
    assert unknown.value.error.code == "account_invalid"
    assert client.v1.payment_intents.retrieve(intent.id, {}, {"stripe_account": one}).status != "canceled"


def test_keys_are_bound_to_the_account(simulator, client):
    one, two = (client.v1.accounts.create({"type": "standard"}).id for _ in range(2))
    made = {
        client.v1.customers.create({}, {"stripe_account": account, "idempotency_key": "same"}).id
        for account in (one, two, one)
    }
    assert len(made) == 2


def test_what_is_left_out_answers_as_unknown(simulator, client):
    for call in (client.v1.subscriptions.list, client.v1.invoices.list, client.v1.disputes.list):
        with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL") as refused:
            call()
        assert refused.value.http_status == 404


@pytest.mark.parametrize(
    "params",
    [
        {"shipping": {"address": "Main Street"}},
        {"shipping": "Main Street"},
        {"address": "Main Street"},
        {"metadata": "words"},
        {"metadata": {"key": {"deeper": "1"}}},
        {"metadata": {"k" * 41: "1"}},
        {"invoice_settings": {"default_payment_method": "pm_nobody"}},
        {"preferred_locales": {"a": "b"}},
    ],
)
def test_nonsense_is_refused_and_changes_nothing(simulator, client, params):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.create(params)
    assert refused.value.http_status == 400
    assert client.v1.customers.list().data == []


# multicapture


def test_multicapture_only_where_the_account_has_it(simulator, client):
    asked = {"payment_method_options": {"card": {"request_multicapture": "if_available"}}}
    without = hold(client, **asked)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(without.id, {"amount_to_capture": 500, "final_capture": False})
    assert refused.value.param == "final_capture"
    control(simulator, "switches", {"multicapture": True})
    intent = hold(client, expand=["latest_charge"], **asked)
    assert intent.latest_charge.payment_method_details.card.multicapture.status == "available"
    part = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 500, "final_capture": False})
    assert (part.status, part.amount_received, part.amount_capturable) == ("requires_capture", 500, 1500)
    part = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 300})
    assert (part.status, part.amount_received, part.amount_capturable) == ("succeeded", 800, 0)
    effects = [e for line in journal(simulator) for e in line["effects"] if e["payment_intent"] == intent.id]
    took = [(effect["effect"], effect["amount"]) for effect in effects]
    assert took == [("authorize", 2000), ("capture", 500), ("capture", 300), ("release", 1200)]


# search


def test_search_by_metadata(simulator, client):
    intent = hold(client, metadata={"attempt": "it's 7"})
    hold(client, metadata={"attempt": "8"})
    found = client.v1.payment_intents.search(
        {"query": r"metadata['attempt']:'it\'s 7' AND status:'requires_capture'"}
    )
    assert [one.id for one in found.data] == [intent.id]
    assert client.v1.payment_intents.search({"query": "metadata['attempt']:'9'"}).data == []
    either = client.v1.payment_intents.search({"query": "metadata['attempt']:'8' OR amount>1999", "limit": 1})
    assert (len(either.data), either.has_more) == (1, True)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.search({"query": "nonsense"})


# pages


def test_three_d_secure_page_completes_the_payment(simulator, client):
    intent = hold(
        client, card="pm_card_authenticationRequired", return_url="https://shop.example/back?order=1"
    )
    page = intent.next_action.redirect_to_url.url
    status, shown = press(page)
    assert status == 200
    assert "Complete authentication" in shown
    status, target = press(page, result="complete")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)
    assert (status, query["payment_intent"], query["redirect_status"]) == (303, [intent.id], ["succeeded"])
    assert query["order"] == ["1"]
    held = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert (held.status, held.next_action) == ("requires_capture", None)
    assert held.latest_charge.payment_method_details.card.three_d_secure.result == "authenticated"
    assert "answered already" in press(page, result="complete")[1]
    assert sum(e["effect"] == "authorize" for line in journal(simulator) for e in line["effects"]) == 1


def test_three_d_secure_page_can_fail(simulator, client):
    intent = hold(client, card="pm_card_authenticationRequired", return_url="https://shop.example/back")
    _, target = press(intent.next_action.redirect_to_url.url, result="fail")
    assert "redirect_status=failed" in target
    failed = client.v1.payment_intents.retrieve(intent.id)
    assert (failed.status, failed.latest_charge) == ("requires_payment_method", None)
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"


def test_a_card_set_up_with_its_owner_works_without_him(simulator, client):
    customer = client.v1.customers.create()
    setup = client.v1.setup_intents.create({
        "customer": customer.id, "payment_method": "pm_card_authenticationRequiredOnSetup", "confirm": True,
        "return_url": "https://shop.example/back", "payment_method_types": ["card"],
    })  # fmt: skip
    assert setup.status == "requires_action"
    press(setup.next_action.redirect_to_url.url, result="complete")
    saved = client.v1.setup_intents.retrieve(setup.id)
    assert saved.status == "succeeded"
    intent = hold(client, card=saved.payment_method, customer=customer.id, off_session=True)
    assert intent.status == "requires_capture"
    bare = client.v1.payment_methods.attach(
        "pm_card_authenticationRequiredOnSetup", {"customer": customer.id}
    )
    with pytest.raises(stripe.CardError) as declined:
        hold(client, card=bare.id, customer=customer.id, off_session=True)
    assert declined.value.code == "authentication_required"


def test_checkout_saves_another_card(simulator, client):
    customer = client.v1.customers.create()
    session = client.v1.checkout.sessions.create({
        "mode": "setup", "currency": "usd", "customer": customer.id, "metadata": {"order": "7"},
        "success_url": "https://shop.example/ok?s={CHECKOUT_SESSION_ID}", "cancel_url": "https://shop.example/no",
    })  # fmt: skip
    assert "4242 4242 4242 4242" in press(session.url)[1]
    assert "Your card was declined." in press(session.url, card="chargeDeclined")[1]
    status, target = press(session.url, card="mastercard")
    assert (status, target) == (303, f"https://shop.example/ok?s={session.id}")
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (done.status, done.setup_intent.status) == ("complete", "succeeded")
    saved = client.v1.payment_methods.retrieve(done.setup_intent.payment_method)
    assert (saved.customer, saved.card.last4) == (customer.id, "4444")
    assert "checkout.session.completed" in types(client)


def test_checkout_holds_a_payment_after_three_d_secure(simulator, client):
    session = client.v1.checkout.sessions.create({
        "mode": "payment", "success_url": "https://shop.example/ok", "payment_intent_data": {
            "capture_method": "manual", "metadata": {"attempt": "42"}},
        "line_items": [{"quantity": 2, "price_data": {
            "currency": "usd", "unit_amount": 1500, "product_data": {"name": "Lamp"}}}],
    })  # fmt: skip
    status, bank = press(session.url, card="threeDSecure2Required")
    assert status == 303
    assert "redirect_status=succeeded" in press(bank, result="complete")[1]
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (done.status, done.payment_status, done.payment_intent.status) == (
        "complete",
        "unpaid",
        "requires_capture",
    )
    assert (done.payment_intent.amount, done.payment_intent.metadata["attempt"]) == (3000, "42")
    assert client.v1.checkout.sessions.line_items.list(session.id).data[0].amount_total == 3000


def test_checkout_sessions_expire(simulator, client):
    session = client.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "success_url": "https://shop.example/ok"}
    )
    control(simulator, "clock", {"advance_seconds": DAY + 1})
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert "has expired" in press(session.url)[1]


def test_the_overview_says_what_it_is(simulator, client):
    intent = client.v1.payment_intents.capture(hold(client).id)
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 250})
    _, shown = press(f"{simulator.url}/")
    assert "this is not Stripe" in shown
    assert intent.id in shown
    assert "$2.50" in shown
    assert not re.search(r"(src|href)=\"https?://(?!127)", shown)


# shapes


@pytest.fixture(scope="module")
def documented() -> dict[str, Any]:
    if not FIXTURES.exists():
        pytest.skip(f"the documented shapes are not here: {FIXTURES}")
    return json.loads(FIXTURES.read_text())["resources"]


def test_objects_have_the_documented_shape(simulator, client, documented):
    customer = client.v1.customers.create({"name": "Ada"})
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    intent = client.v1.payment_intents.capture(hold(client, card=method.id, customer=customer.id).id)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    session = client.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "success_url": "https://shop.example/ok"}
    )
    charge = client.v1.charges.retrieve(intent.latest_charge, {"expand": ["refunds"]})
    made = {
        "account": client.v1.accounts.create({"type": "standard"}),
        "balance_transaction": client.v1.balance_transactions.retrieve(charge.balance_transaction),
        "charge": charge,
        "checkout.session": session,
        "customer": customer,
        "event": client.v1.events.list({"limit": 1}).data[0],
        "payment_intent": intent,
        "payment_method": method,
        "refund": refund,
        "setup_intent": client.v1.setup_intents.retrieve(session.setup_intent),
    }
    wrong = {kind: differences(documented[kind], obj.to_dict()) for kind, obj in made.items()}
    assert {kind: found for kind, found in wrong.items() if found} == {}


def differences(documented: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    """Keys that are missing or of another type; a null on either side says nothing about the type."""
    found = []
    for key, sample in documented.items():
        if key not in actual:
            found.append(f"{key} is missing")
        elif None not in (sample, actual[key]) and type(sample) is not type(actual[key]):
            found.append(f"{key} is {type(actual[key]).__name__}, documented {type(sample).__name__}")
    return found
