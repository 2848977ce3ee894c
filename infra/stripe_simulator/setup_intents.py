"""SetupIntents: saving a card for later without charging it."""

from typing import Any

from infra.stripe_simulator.cards import Decline
from infra.stripe_simulator.decoding import Params
from infra.stripe_simulator.errors import ApiError, refused
from infra.stripe_simulator.lists import LIST_PARAMS, list_of
from infra.stripe_simulator.payment_flow import next_action
from infra.stripe_simulator.payment_methods import attach, card_error, card_of, from_data, usable
from infra.stripe_simulator.scope import Scope, new_id, public

EDITABLE = (
    "customer",
    "description",
    "metadata",
    "payment_method",
    "payment_method_data",
    "payment_method_types",
)
CONFIRMABLE = ("return_url", "use_stripe_sdk")
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/setup_intents; with `confirm` the card is checked at once."""
    params = Params(values, (*EDITABLE, *CONFIRMABLE, "automatic_payment_methods", "confirm", "usage"))
    intent_id = new_id("seti")
    given = params.mapping("automatic_payment_methods")
    automatic = None
    if "payment_method_types" not in params:
        automatic = {"allow_redirects": (given or {}).get("allow_redirects", "always"), "enabled": True}
    intent: dict[str, Any] = {
        "id": intent_id,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": automatic,
        "cancellation_reason": None,
        "client_secret": f"{intent_id}_secret_{new_id('x')[2:]}",
        "created": scope.now,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": params.metadata(),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"mandate_options": None, "network": None,
                                            "request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": params.choice("usage", ("off_session", "on_session"), "off_session"),
        "_sim": {"return_url": None},
    }  # fmt: skip
    _apply(scope, intent, params)
    intent["status"] = "requires_confirmation" if intent["payment_method"] else "requires_payment_method"
    scope.add(intent)
    scope.event("setup_intent.created", intent)
    if params.boolean("confirm"):
        _confirm(scope, intent, params)
    return intent


def _apply(scope: Scope, intent: dict[str, Any], params: Params) -> None:
    if "customer" in params:
        intent["customer"] = scope.get("customer", params.text("customer") or "", "customer")["id"]
    if "description" in params:
        intent["description"] = params.text("description", clearable=True)
    for kind in params.words("payment_method_types") or ():
        if kind != "card":
            raise refused(
                f"The payment method type provided: {kind} is invalid.", param="payment_method_types"
            )
    if "payment_method_data" in params:
        data = params.mapping("payment_method_data") or {}
        intent["payment_method"] = scope.add(from_data(scope, data, "payment_method_data[card]"))["id"]
    given = params.text("payment_method")
    if given:
        intent["payment_method"] = usable(scope, given)["id"]


def confirm(scope: Scope, intent_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/setup_intents/{id}/confirm."""
    params = Params(values, (*CONFIRMABLE, "payment_method", "payment_method_data"))
    intent = scope.get("setup_intent", intent_id)
    _require_open(intent, "confirm")
    _apply(scope, intent, params)
    _confirm(scope, intent, params)
    return intent


def _confirm(scope: Scope, intent: dict[str, Any], params: Params) -> None:
    if intent["payment_method"] is None:
        raise _unexpected(
            intent,
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a "
            "payment method and then confirm it again.",
        )
    intent["_sim"]["return_url"] = params.text("return_url", intent["_sim"]["return_url"])
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] == "always" and intent["_sim"]["return_url"] is None:
        raise refused(
            "This SetupIntent is configured to accept payment methods enabled in your Dashboard. Because some of these "
            "payment methods might redirect your customer off of your page, you must provide a `return_url`."
        )
    method = usable(scope, intent["payment_method"])
    if card_of(method).authentication in ("unless_set_up", "always") and not method["_sim"]["set_up"]:
        intent["status"] = "requires_action"
        page = f"{scope.base_url}/_simulator/authenticate/{scope.account}/{intent['id']}"
        intent["next_action"] = next_action(page, intent["_sim"]["return_url"])
        scope.save(intent)
        scope.event("setup_intent.requires_action", intent)
        return
    keep(scope, intent, method)


def keep(scope: Scope, intent: dict[str, Any], method: dict[str, Any]) -> None:
    """The card passed: saves it with the customer. Raises ApiError 402 where the issuer refuses."""
    card = card_of(method)
    if card.decline is not None and not card.attaches:
        raise _declined(scope, intent, method, card.decline)
    method["_sim"]["set_up"] = True
    if intent["customer"]:
        scope.save(method)
        attach(scope, method, intent["customer"])
    else:
        method["_sim"]["spent"] = True
        scope.save(method)
    intent["status"], intent["next_action"], intent["last_setup_error"] = "succeeded", None, None
    scope.save(intent)
    scope.event("setup_intent.succeeded", intent)


def _declined(scope: Scope, intent: dict[str, Any], method: dict[str, Any], decline: Decline) -> ApiError:
    error = card_error(decline, payment_method=public(method))
    _fail(scope, intent, dict(error.error))
    error.error["setup_intent"] = public(intent)
    return error


def authentication_failed(scope: Scope, intent: dict[str, Any]) -> None:
    """The buyer did not prove who he is: the intent wants another card."""
    method = scope.get("payment_method", intent["payment_method"])
    _fail(scope, intent, {
        "type": "invalid_request_error",
        "code": "setup_intent_authentication_failure",
        "message": "The latest attempt to set up the payment method has failed because authentication failed.",
        "payment_method": public(method),
    })  # fmt: skip


def _fail(scope: Scope, intent: dict[str, Any], error: dict[str, Any]) -> None:
    intent["last_setup_error"] = error
    intent["status"], intent["payment_method"], intent["next_action"] = "requires_payment_method", None, None
    scope.save(intent)
    scope.event("setup_intent.setup_failed", intent)


def update(scope: Scope, intent_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/setup_intents/{id}."""
    params = Params(values, EDITABLE)
    intent = scope.get("setup_intent", intent_id)
    if set(values) - {"metadata", "description", "expand"}:
        _require_open(intent, "update")
    scope.set_metadata(intent, params.metadata(intent["metadata"]))
    _apply(scope, intent, params)
    if intent["status"] == "requires_payment_method" and intent["payment_method"]:
        intent["status"] = "requires_confirmation"
    return scope.save(intent)


def cancel(scope: Scope, intent_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/setup_intents/{id}/cancel."""
    params = Params(values, ("cancellation_reason",))
    reason = params.choice("cancellation_reason", ("abandoned", "duplicate", "requested_by_customer"))
    intent = scope.get("setup_intent", intent_id)
    _require_open(intent, "cancel")
    intent["status"], intent["cancellation_reason"], intent["next_action"] = "canceled", reason, None
    scope.save(intent)
    scope.event("setup_intent.canceled", intent)
    return intent


def _require_open(intent: dict[str, Any], verb: str) -> None:
    if intent["status"] not in OPEN:
        raise _unexpected(
            intent, f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}."
        )


def _unexpected(intent: dict[str, Any], message: str) -> ApiError:
    return refused(message, code="setup_intent_unexpected_state", setup_intent=public(intent))


def retrieve(scope: Scope, intent_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/setup_intents/{id}."""
    Params(values, ("client_secret",))
    return scope.get("setup_intent", intent_id)


def list_all(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/setup_intents, by `customer` when given."""
    params = Params(values, (*LIST_PARAMS, "customer"))
    customer = params.text("customer")
    return list_of(
        scope, "setup_intent", params, "/v1/setup_intents", {"customer": customer} if customer else None
    )
