"""Refunds: never more than was captured, and on two test cards not at once."""

from typing import Any

from infra.stripe_simulator.charges import book
from infra.stripe_simulator.decoding import Params
from infra.stripe_simulator.errors import malformed, money, refused
from infra.stripe_simulator.lists import LIST_PARAMS, list_of
from infra.stripe_simulator.payment_methods import card_of
from infra.stripe_simulator.scope import Scope, new_id

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
# How long a pending refund stays pending and a failing one looks well, on the account's clock.
SETTLES_AFTER_SECONDS = 60


def create(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/refunds by `payment_intent` or `charge`; `amount` in minor units, default all that is left."""
    params = Params(values, ("amount", "charge", "metadata", "payment_intent", "reason"))
    reason = params.choice("reason", REASONS)
    charge = _charge(scope, params)
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.integer("amount", left) or 0
    if amount < 1:
        raise malformed("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        of = "charge amount" if charge["amount_refunded"] == 0 else "unrefunded amount on charge"
        raise refused(
            f"Refund amount ({money(amount, charge['currency'])}) is greater than {of} "
            f"({money(left, charge['currency'])})",
            param="amount",
        )
    return _give_back(scope, charge, amount, reason, params.metadata())


def _charge(scope: Scope, params: Params) -> dict[str, Any]:
    if "payment_intent" in params:
        intent = scope.get("payment_intent", params.text("payment_intent") or "", "payment_intent")
        if intent["latest_charge"] is None:
            raise refused(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        charge = scope.get("charge", intent["latest_charge"])
    elif "charge" in params:
        charge = scope.get("charge", params.text("charge") or "", "charge")
    else:
        raise malformed(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    if charge["status"] != "succeeded":
        raise refused(
            f"This PaymentIntent ({charge['payment_intent']}) does not have a successful charge to refund."
        )
    intent = scope.get("payment_intent", charge["payment_intent"])
    if intent["status"] == "requires_capture":
        raise refused(
            f"The charge {charge['id']} has not been captured in full. Capture the PaymentIntent or cancel it to "
            "release what is held.",
            code="payment_intent_unexpected_state",
        )
    return charge


def _give_back(
    scope: Scope, charge: dict[str, Any], amount: int, reason: str | None, metadata: dict[str, str]
) -> dict[str, Any]:
    behavior = card_of(scope.get("payment_method", charge["payment_method"])).refund
    refund: dict[str, Any] = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": scope.now,
        "currency": charge["currency"],
        "customer": None,
        "customer_account": None,
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if behavior == "pending" else "succeeded",
        "transfer_reversal": None,
    }
    refund["balance_transaction"] = book(scope, "refund", -amount, {**refund, "id": refund["id"]})
    scope.add(refund)
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    scope.save(charge)
    scope.event("refund.created", refund)
    scope.event("charge.refunded", charge, before)
    if behavior != "succeeds":
        kind = "refund_settles" if behavior == "pending" else "refund_fails"
        scope.store.add_due(scope.account, scope.now + SETTLES_AFTER_SECONDS, kind, refund["id"])
    scope.effect(
        "refund", amount, refund["currency"], refund=refund["id"], charge=charge["id"],
        payment_intent=charge["payment_intent"],
    )  # fmt: skip
    return refund


def settle(scope: Scope, refund_id: str) -> None:
    """A pending refund has reached the card."""
    refund = scope.get("refund", refund_id)
    refund["status"] = "succeeded"
    scope.save(refund)
    _announce(scope, refund, {"status": "pending"})


def fail(scope: Scope, refund_id: str) -> None:
    """The bank sent the money back: the charge can be refunded again."""
    refund = scope.get("refund", refund_id)
    charge = scope.get("charge", refund["charge"])
    refund["status"], refund["failure_reason"] = "failed", "expired_or_canceled_card"
    refund["failure_balance_transaction"] = book(scope, "refund_failure", refund["amount"], refund)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    scope.save(charge)
    scope.save(refund)
    scope.effect(
        "refund_failed", refund["amount"], refund["currency"], refund=refund["id"], charge=charge["id"],
        payment_intent=refund["payment_intent"],
    )  # fmt: skip
    _announce(scope, refund, {"status": "succeeded"})
    scope.event("refund.failed", refund)


def _announce(scope: Scope, refund: dict[str, Any], previous: dict[str, Any]) -> None:
    scope.event("refund.updated", refund, previous)
    scope.event("charge.refund.updated", refund, previous)


def update(scope: Scope, refund_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/refunds/{id}: metadata only."""
    params = Params(values, ("metadata",))
    refund = scope.get("refund", refund_id)
    previous = {"metadata": refund["metadata"]}
    scope.set_metadata(refund, params.metadata(refund["metadata"]))
    scope.save(refund)
    _announce(scope, refund, previous)
    return refund


def retrieve(scope: Scope, refund_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/refunds/{id}."""
    Params(values, ())
    return scope.get("refund", refund_id)


def list_all(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/refunds, by `charge` or `payment_intent` when given."""
    params = Params(values, (*LIST_PARAMS, "charge", "payment_intent"))
    where = {name: params.text(name) for name in ("charge", "payment_intent") if name in params}
    return list_of(scope, "refund", params, "/v1/refunds", where)
