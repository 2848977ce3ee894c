"""The way of a payment: the card is tried, the bank may ask, the money is held, taken or let go."""

from typing import Any

from infra.stripe_simulator import charges
from infra.stripe_simulator.cards import AUTHENTICATION_REQUIRED, Decline
from infra.stripe_simulator.decoding import Params
from infra.stripe_simulator.errors import ApiError, malformed, money, refused
from infra.stripe_simulator.payment_methods import attach, card_error, card_of, usable
from infra.stripe_simulator.scope import Scope, public

CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")


def attempt(scope: Scope, intent: dict[str, Any], params: Params) -> None:
    """Tries to pay with the intent\'s card: it may end held, taken, asking the buyer, or declined (ApiError 402)."""
    if intent["payment_method"] is None:
        raise unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
        )
    off_session = params.values.get("off_session") in ("true", "one_off", "recurring")
    return_url = params.text("return_url", intent["_sim"]["return_url"])
    intent["_sim"].update(off_session=off_session, return_url=return_url)
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] == "always" and return_url is None:
        raise refused(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of "
            "these payment methods might redirect your customer off of your page, you must provide a `return_url`. If "
            "you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to "
            "`true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
            "Payment Intents."
        )
    method = usable(scope, intent["payment_method"])
    check_owner(intent, method)
    if off_session and method["customer"] is None:
        raise refused(
            "A PaymentMethod must be attached to a Customer to be charged when the buyer is not there (off_session).",
            param="payment_method",
        )
    if not off_session and charges.needs_authentication(method, off_session=False):
        if params.boolean("error_on_requires_action"):
            raise _declined(scope, intent, method, AUTHENTICATION_REQUIRED, None)
        _ask_for_authentication(scope, intent)
        return
    pay(scope, intent, method, authenticated=False)


def check_owner(intent: dict[str, Any], method: dict[str, Any]) -> None:
    """A saved card pays only for its own customer. Raises ApiError 400."""
    owner = method["customer"]
    if owner is None or owner == intent["customer"]:
        return
    if intent["customer"] is None:
        raise refused(
            f"The PaymentMethod supplied ({method['id']}) belongs to a Customer. Please include the Customer in the "
            "`customer` parameter on the PaymentIntent.",
            param="payment_method",
        )
    raise refused(
        f"The customer does not have a payment method with the ID {method['id']}. The payment method must be attached "
        "to the customer.",
        code="resource_missing",
        param="payment_method",
    )


def _ask_for_authentication(scope: Scope, intent: dict[str, Any]) -> None:
    intent["status"] = "requires_action"
    page = f"{scope.base_url}/_simulator/authenticate/{scope.account}/{intent['id']}"
    intent["next_action"] = next_action(page, intent["_sim"]["return_url"])
    intent["last_payment_error"] = None
    scope.save(intent)
    scope.event("payment_intent.requires_action", intent)


def next_action(page: str, return_url: str | None) -> dict[str, Any]:
    """Where the buyer must go; without a return_url only Stripe's own script could take him there."""
    if return_url is None:
        return {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
        }
    return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}


def pay(scope: Scope, intent: dict[str, Any], method: dict[str, Any], *, authenticated: bool) -> None:
    """Tries the card and moves the intent on. Raises ApiError 402 when the card is declined."""
    off_session = intent["_sim"]["off_session"]
    made, decline = charges.charge(
        scope, intent, method, off_session=off_session, authenticated=authenticated
    )
    intent["latest_charge"] = made["id"]
    intent["next_action"] = None
    if decline is not None:
        raise _declined(scope, intent, method, decline, made["id"])
    intent["last_payment_error"] = None
    _keep_card(scope, intent, method, authenticated=authenticated)
    if intent["capture_method"] == "manual":
        intent["status"], intent["amount_capturable"] = "requires_capture", intent["amount"]
        event = "payment_intent.amount_capturable_updated"
    else:
        intent["status"], intent["amount_received"] = "succeeded", intent["amount"]
        event = "payment_intent.succeeded"
    scope.save(intent)
    scope.event(event, intent)


def _keep_card(scope: Scope, intent: dict[str, Any], method: dict[str, Any], *, authenticated: bool) -> None:
    """Saves the card where asked to; a card used without a customer is used up."""
    if intent["setup_future_usage"] and intent["customer"]:
        attach(scope, method, intent["customer"])
        if intent["setup_future_usage"] == "off_session" and not method["_sim"]["set_up"]:
            method["_sim"]["set_up"] = authenticated or card_of(method).authentication == "none"
            scope.save(method)
    elif method["customer"] is None:
        method["_sim"]["spent"] = True
        scope.save(method)


def _declined(
    scope: Scope, intent: dict[str, Any], method: dict[str, Any], decline: Decline, charge_id: str | None
) -> ApiError:
    error = card_error(decline, charge=charge_id, payment_method=public(method))
    intent["last_payment_error"] = dict(error.error)
    intent["status"], intent["payment_method"], intent["next_action"] = "requires_payment_method", None, None
    scope.save(intent)
    scope.event("payment_intent.payment_failed", intent)
    error.error["payment_intent"] = public(intent)
    return error


def authentication_failed(scope: Scope, intent: dict[str, Any]) -> None:
    """The buyer did not prove who he is: the intent wants another card."""
    method = scope.get("payment_method", intent["payment_method"])
    intent["last_payment_error"] = {
        "type": "invalid_request_error",
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": "We are unable to authenticate your payment method. Please choose a different payment method and "
        "try again.",
        "payment_method": public(method),
    }
    intent["status"], intent["payment_method"], intent["next_action"] = "requires_payment_method", None, None
    scope.save(intent)
    scope.event("payment_intent.payment_failed", intent)


def capture(scope: Scope, intent_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/payment_intents/{id}/capture: takes `amount_to_capture` (minor units, default all that is held).

    Final unless the account has multicapture and the call says `final_capture=false`.
    """
    params = Params(values, ("amount_to_capture", "application_fee_amount", "final_capture", "metadata",
                             "statement_descriptor", "statement_descriptor_suffix"))  # fmt: skip
    intent = scope.get("payment_intent", intent_id)
    if intent["status"] != "requires_capture":
        raise unexpected(
            intent,
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture.",
        )
    final = params.boolean("final_capture", default=True)
    amount = params.integer("amount_to_capture", intent["amount_capturable"], minimum=0 if final else 1) or 0
    if amount > intent["amount_capturable"]:
        raise refused(
            f"The amount to capture ({money(amount, intent['currency'])}) is greater than the amount that can be "
            f"captured ({money(intent['amount_capturable'], intent['currency'])}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    if amount == 0 and intent["amount_received"] == 0:
        raise malformed(
            "Invalid positive integer", code="parameter_invalid_integer", param="amount_to_capture"
        )
    if not final and not charges.can_multicapture(scope, intent):
        raise refused(
            "final_capture can only be set to false when multicapture is available: the account must have it and the "
            "PaymentIntent must be created with payment_method_options[card][request_multicapture]=if_available.",
            param="final_capture",
        )
    if "metadata" in params:
        scope.set_metadata(intent, params.metadata(intent["metadata"]))
    _take(scope, intent, amount, final=final or amount == intent["amount_capturable"])
    return intent


def _take(scope: Scope, intent: dict[str, Any], amount: int, *, final: bool) -> None:
    charges.capture(scope, scope.get("charge", intent["latest_charge"]), amount, final=final)
    intent["amount_received"] += amount
    intent["amount_capturable"] = 0 if final else intent["amount_capturable"] - amount
    if final:
        intent["status"] = "succeeded"
        scope.store.drop_due(scope.account, intent["id"])
    scope.save(intent)
    scope.event("payment_intent.succeeded" if final else "payment_intent.amount_capturable_updated", intent)


def cancel(scope: Scope, intent_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/payment_intents/{id}/cancel: lets the hold go."""
    params = Params(values, ("cancellation_reason",))
    reason = params.choice("cancellation_reason", REASONS)
    intent = scope.get("payment_intent", intent_id)
    if intent["status"] not in CANCELABLE:
        raise unexpected(
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be canceled: {', '.join(CANCELABLE)}.",
        )
    let_go(scope, intent, reason, "charge.refunded")
    return intent


def let_go(scope: Scope, intent: dict[str, Any], reason: str | None, charge_event: str) -> None:
    """Ends an open intent. One that was captured in part has succeeded with what was taken."""
    if intent["status"] == "requires_capture":
        charges.release(scope, intent["latest_charge"], charge_event)
        scope.store.drop_due(scope.account, intent["id"])
    intent["amount_capturable"], intent["next_action"] = 0, None
    if intent["amount_received"]:
        intent["status"] = "succeeded"
    else:
        intent["status"], intent["canceled_at"], intent["cancellation_reason"] = "canceled", scope.now, reason
    scope.save(intent)
    scope.event(
        "payment_intent.succeeded" if intent["amount_received"] else "payment_intent.canceled", intent
    )


def unexpected(intent: dict[str, Any], message: str) -> ApiError:
    """A verb that the intent's status does not allow (400)."""
    return refused(message, code="payment_intent_unexpected_state", payment_intent=public(intent))
