"""Stripe through its official SDK: a few typed questions, one typed answer, and one exception.

What the processor decides (held, declined, refused...) comes back as an `Answer`. `Unknown` is raised when it is
not known whether anything happened: the same question under the same key, or `find`, tells later.
The SDK's own retries are off: later tries belong to the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

import stripe

from infra import settings

TIMEOUT = (3.05, 25.0)
"""Seconds to connect, and to answer."""

Outcome = Literal[
    "held",
    "captured",
    "cancelled",
    "declined",
    "action_required",
    "rejected",
    "refunded",
    "pending",
    "failed",
]
_OUTCOME_OF: dict[str, Outcome] = {
    "requires_capture": "held",
    "succeeded": "captured",
    "canceled": "cancelled",
    "requires_action": "action_required",
    "requires_payment_method": "declined",
    "requires_confirmation": "declined",
}
_REFUND_OUTCOME: dict[str, Outcome] = {
    "succeeded": "refunded",
    "pending": "pending",
    "requires_action": "pending",
    "failed": "failed",
    "canceled": "failed",
}


class Unknown(Exception):
    """Nobody knows what became of the call: no answer, a broken one, or a fault on the other side."""


class Rejected(Exception):
    """The processor refused a question that no payment stands behind, and says so for good."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a payment or a refund is now. Amounts are minor units."""

    outcome: Outcome
    reference: str | None = None
    captured: int = 0
    hold_seconds: int | None = None
    """How long the hold lasts from the attempt on, where there is one."""
    payment_method: str | None = None
    customer: str | None = None
    card: dict[str, Any] | None = None
    """{brand, last4}"""
    code: str | None = None
    message: str | None = None
    action_url: str | None = None
    """Where the buyer must go (3-D Secure)."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A card to be held for `amount` minor units. `present`: the buyer is there and may be asked by the bank."""

    key: str
    account: str
    amount: int
    currency: str
    payment_method: str
    present: bool
    return_url: str
    metadata: dict[str, str]
    description: str
    customer: str | None
    customer_key: str
    email: str
    name: str


def create_account(name: str, email: str | None, *, key: str, metadata: dict[str, str]) -> str:
    """A connected account for a tenant; its id. Raises Unknown."""
    params: dict[str, Any] = {
        "type": "standard",
        "country": "US",
        "business_profile": {"name": name},
        "metadata": metadata,
    }
    if email:
        params["email"] = email
    return str(_asked(lambda: _client().v1.accounts.create(cast(Any, params), {"idempotency_key": key})).id)


def authorize(hold: Hold) -> Answer:
    """Hold the card for later capture, and keep it for later holds of the same order. Raises Unknown."""
    try:
        customer = hold.customer or _customer(hold)
        params: dict[str, Any] = {
            "amount": hold.amount,
            "currency": hold.currency.lower(),
            "customer": customer,
            "payment_method": hold.payment_method,
            "payment_method_types": ["card"],
            "capture_method": "manual",
            "confirm": True,
            "metadata": hold.metadata,
            "description": hold.description,
            "return_url": hold.return_url,
            "expand": ["latest_charge"],
        }
        params |= {"setup_future_usage": "off_session"} if hold.present else {"off_session": True}
        return read(
            _asked(
                lambda: _client().v1.payment_intents.create(
                    cast(Any, params), _options(hold.account, hold.key)
                )
            )
        )
    except stripe.CardError as declined:
        return _declined(declined)
    except stripe.InvalidRequestError as refused:
        return _rejected(refused)


def _customer(hold: Hold) -> str:
    return _new_customer(hold.account, hold.email, hold.name, hold.metadata, hold.customer_key)


def _new_customer(account: str, email: str, name: str, metadata: Mapping[str, str], key: str) -> str:
    """Asked twice under its key it is the same customer, so what is sent may not tell attempts apart."""
    known = {field: value for field, value in metadata.items() if field != "attempt"}
    params: Any = {"email": email, "name": name, "metadata": known}
    return str(_asked(lambda: _client().v1.customers.create(params, _options(account, key))).id)


def card_page(
    account: str,
    *,
    customer: str | None,
    email: str,
    name: str,
    currency: str,
    success_url: str,
    cancel_url: str,
    metadata: dict[str, str],
    key: str,
) -> str:
    """The address of a hosted page on which the buyer leaves a card; nothing is charged there.

    Without a `customer` one is made under `key`, the key `authorize` uses for the same purpose. The page comes back
    to `success_url`, with its own name in place of {CHECKOUT_SESSION_ID}. Raises Unknown, Rejected.
    """
    try:
        params: dict[str, Any] = {
            "mode": "setup",
            "customer": customer or _new_customer(account, email, name, metadata, key),
            "currency": currency.lower(),
            "payment_method_types": ["card"],
            "success_url": success_url,
            "cancel_url": cancel_url,
            "metadata": metadata,
        }
        options: Any = {"stripe_account": account}
        return str(_asked(lambda: _client().v1.checkout.sessions.create(cast(Any, params), options)).url)
    except stripe.InvalidRequestError as refused:
        raise Rejected(str(refused)) from refused


def card_given(account: str, session_id: str) -> tuple[str, str, dict[str, str]] | None:
    """The card left on such a page, its customer and the page's metadata; None while none was left.

    Raises Unknown, Rejected (the account knows no such page).
    """
    params: Any = {"expand": ["setup_intent"]}
    options: Any = {"stripe_account": account}
    try:
        page = _asked(lambda: _client().v1.checkout.sessions.retrieve(session_id, params, options))
    except stripe.InvalidRequestError as refused:
        raise Rejected(str(refused)) from refused
    card = _id(page.setup_intent.payment_method) if page.setup_intent else None
    customer = _id(page.customer)
    if page.status != "complete" or card is None or customer is None:
        return None
    return card, customer, page.metadata.to_dict()


def capture(account: str, reference: str, amount: int, *, key: str) -> Answer:
    """Take `amount` of what is held; final, the rest is released. The answer is `captured`, or what the payment
    has become instead. Raises Unknown."""
    params: Any = {"amount_to_capture": amount, "expand": ["latest_charge"]}
    return _changed(
        account,
        reference,
        lambda: _client().v1.payment_intents.capture(reference, params, _options(account, key)),
    )


def cancel(account: str, reference: str, *, key: str) -> Answer:
    """Let a hold go. `cancelled`, or what the payment has become instead. Raises Unknown."""
    params: Any = {"expand": ["latest_charge"]}
    return _changed(
        account,
        reference,
        lambda: _client().v1.payment_intents.cancel(reference, params, _options(account, key)),
    )


def _changed(account: str, reference: str, change: Callable[[], stripe.PaymentIntent]) -> Answer:
    try:
        return read(_asked(change))
    except stripe.CardError as declined:
        return _declined(declined)
    except stripe.InvalidRequestError as refused:
        if refused.code == "payment_intent_unexpected_state":
            return retrieve(account, reference)
        return _rejected(refused)


def refund(account: str, reference: str, amount: int, *, key: str, metadata: dict[str, str]) -> Answer:
    """Give back captured money. `refunded`, `pending`, `failed` or `rejected`. Raises Unknown."""
    params: Any = {"payment_intent": reference, "amount": amount, "metadata": metadata}
    try:
        return _read_refund(_asked(lambda: _client().v1.refunds.create(params, _options(account, key))))
    except (stripe.InvalidRequestError, stripe.CardError) as refused:
        return _rejected(refused)


def retrieve(account: str, reference: str) -> Answer:
    """What a payment is now. Raises Unknown."""
    params: Any = {"expand": ["latest_charge"]}
    try:
        return read(
            _asked(
                lambda: _client().v1.payment_intents.retrieve(reference, params, {"stripe_account": account})
            )
        )
    except stripe.InvalidRequestError as refused:
        return _rejected(refused)


def retrieve_refund(account: str, reference: str) -> Answer:
    """What a refund is now. Raises Unknown."""
    options: Any = {"stripe_account": account}
    try:
        return _read_refund(_asked(lambda: _client().v1.refunds.retrieve(reference, None, options)))
    except stripe.InvalidRequestError as refused:
        return _rejected(refused)


def find(hold: Hold) -> Answer | None:
    """The payment that this attempt made, by its metadata; None when there is none. Raises Unknown.

    Lists the customer's payments, because the processor's search may lag behind by a minute.
    """
    options: Any = {"stripe_account": hold.account}
    params: Any = {
        "customer": hold.customer or _customer(hold),
        "limit": 100,
        "expand": ["data.latest_charge"],
    }
    found = _asked(lambda: _client().v1.payment_intents.list(params, options))
    made = [one for one in found.data if getattr(one.metadata, "attempt", None) == hold.metadata["attempt"]]
    return read(made[0]) if made else None


def find_refund(account: str, reference: str, attempt: str) -> Answer | None:
    """The refund of a payment that an attempt made, by its metadata. Raises Unknown."""
    params: Any = {"payment_intent": reference, "limit": 100}
    found = _asked(lambda: _client().v1.refunds.list(params, {"stripe_account": account}))
    made = [one for one in found.data if getattr(one.metadata, "attempt", None) == attempt]
    return _read_refund(made[0]) if made else None


def event(body: bytes, signature: str, secret: str) -> dict[str, Any] | None:
    """A webhook's content when its signature holds, else None."""
    try:
        made = stripe.Webhook.construct_event(body, signature, secret)
    except (ValueError, stripe.SignatureVerificationError):
        return None
    return cast(dict[str, Any], made.to_dict())


def read(intent: stripe.PaymentIntent) -> Answer:
    """A PaymentIntent (with its charge expanded) as an answer. Raises Unknown while it is being processed."""
    outcome = _OUTCOME_OF.get(intent.status)
    if outcome is None:
        raise Unknown(f"the payment is {intent.status}")
    charge = intent.latest_charge if not isinstance(intent.latest_charge, str) else None
    details = charge.payment_method_details if charge else None
    card = details.card if details else None
    before = getattr(card, "capture_before", None)
    error = intent.last_payment_error
    action = intent.next_action.redirect_to_url if intent.next_action else None
    return Answer(
        outcome=outcome,
        reference=intent.id,
        captured=intent.amount_received,
        hold_seconds=before - charge.created if before and charge else None,
        payment_method=_id(intent.payment_method),
        customer=_id(intent.customer),
        card={"brand": card.brand, "last4": card.last4} if card else None,
        code=_code(error),
        message=error.message if error else None,
        action_url=action.url if action else None,
    )


def _read_refund(made: stripe.Refund) -> Answer:
    outcome = _REFUND_OUTCOME.get(made.status or "")
    if outcome is None:
        raise Unknown(f"the refund is {made.status}")
    return Answer(outcome, made.id, code=getattr(made, "failure_reason", None))


def _declined(error: stripe.CardError) -> Answer:
    known = error.error
    intent = known.payment_intent if known else None
    return Answer(
        "declined",
        reference=_id(intent),
        customer=_id(intent.customer) if intent else None,
        code=_code(known) or error.code,
        message=error.user_message,
    )


def _rejected(error: stripe.StripeError) -> Answer:
    return Answer("rejected", code=error.code or "rejected", message=error.user_message or str(error))


def _code(error: Any) -> str | None:
    if not error:
        return None
    return getattr(error, "decline_code", None) or getattr(error, "code", None)


def _id(thing: Any) -> str | None:
    return thing if thing is None or isinstance(thing, str) else str(thing.id)


def _asked(question: Callable[[], Any]) -> Any:
    """The answer to a question. Raises Unknown where it is lost; declines and refusals pass through."""
    try:
        return question()
    except (stripe.CardError, stripe.InvalidRequestError) as answered:
        if answered.http_status == 409:
            raise Unknown("the same call is still running") from answered
        raise
    except stripe.StripeError as lost:
        raise Unknown(f"{type(lost).__name__}: {str(lost)[:300]}") from lost


def _options(account: str, key: str) -> Any:
    return {"stripe_account": account, "idempotency_key": key}


def _client() -> stripe.StripeClient:
    given = settings.current()
    return _client_of(given.stripe_api_key, given.stripe_api_base)


@lru_cache(maxsize=4)
def _client_of(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else None,
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
        max_network_retries=0,
    )
