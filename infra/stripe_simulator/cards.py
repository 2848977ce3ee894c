"""Stripe's documented test cards: number, token and payment method name, and how each behaves.

Source: Stripe's public documentation, "Testing" (test card numbers by brand, decline, 3-D Secure and refund).
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """How an issuer says no: the API error code, the issuer's reason and the sentence shown."""

    code: str
    decline_code: str
    message: str


def _declined(
    decline_code: str, code: str = "card_declined", message: str = "Your card was declined."
) -> Decline:
    return Decline(code, decline_code, message)


GENERIC = _declined("generic_decline")
INSUFFICIENT_FUNDS = _declined("insufficient_funds", message="Your card has insufficient funds.")
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)


@dataclass(frozen=True)
class Card:
    """One test card.

    `authentication`: none; `unless_set_up` (until saved with 3-D Secure); `always`; `on_session` (set up already, so
    only the buyer's own payments ask).
    """

    name: str
    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    attaches: bool = True
    authentication: str = "none"
    refund: str = "succeeds"
    about: str = ""

    @property
    def last4(self) -> str:
        """The last four digits."""
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        """The same for the same number, as at Stripe."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


def _refused(name: str, number: str, decline: Decline, about: str) -> Card:
    return Card(name, number, decline=decline, attaches=False, about=about)


CARDS = (
    Card("visa", "4242424242424242", about="Succeeds"),
    Card("visa_debit", "4000056655665556", funding="debit", about="Succeeds (debit)"),
    Card("mastercard", "5555555555554444", "mastercard", about="Succeeds"),
    Card("mastercard_debit", "5200828282828210", "mastercard", "debit", about="Succeeds (debit)"),
    Card("mastercard_prepaid", "5105105105105100", "mastercard", "prepaid", about="Succeeds (prepaid)"),
    Card("amex", "378282246310005", "amex", about="Succeeds"),
    Card("discover", "6011111111111117", "discover", about="Succeeds"),
    Card("diners", "3056930009020004", "diners", about="Succeeds"),
    Card("jcb", "3566002020360505", "jcb", about="Succeeds"),
    Card("unionpay", "6200000000000005", "unionpay", about="Succeeds"),
    Card("bypassPending", "4000000000000077", about="Succeeds, funds available at once"),
    _refused("chargeDeclined", "4000000000000002", GENERIC, "Declined"),
    _refused("visa_chargeDeclined", "4000000000000002", GENERIC, "Declined"),
    _refused("chargeDeclinedInsufficientFunds", "4000000000009995", INSUFFICIENT_FUNDS, "Insufficient funds"),
    _refused(
        "visa_chargeDeclinedInsufficientFunds", "4000000000009995", INSUFFICIENT_FUNDS, "Insufficient funds"
    ),
    _refused("chargeDeclinedLostCard", "4000000000009987", _declined("lost_card"), "Lost card"),
    _refused("visa_chargeDeclinedLostCard", "4000000000009987", _declined("lost_card"), "Lost card"),
    _refused("chargeDeclinedStolenCard", "4000000000009979", _declined("stolen_card"), "Stolen card"),
    _refused("visa_chargeDeclinedStolenCard", "4000000000009979", _declined("stolen_card"), "Stolen card"),
    _refused(
        "chargeDeclinedExpiredCard",
        "4000000000000069",
        _declined("expired_card", "expired_card", "Your card has expired."),
        "Expired card",
    ),
    _refused(
        "chargeDeclinedIncorrectCvc",
        "4000000000000127",
        _declined("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
        "Wrong security code",
    ),
    _refused(
        "chargeDeclinedProcessingError",
        "4000000000000119",
        _declined(
            "processing_error",
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        "Processing error",
    ),
    _refused(
        "chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
        _declined("card_velocity_exceeded"),
        "Velocity limit exceeded",
    ),
    _refused(
        "chargeDeclinedFraudulent", "4100000000000019", _declined("fraudulent"), "Blocked as fraudulent"
    ),
    Card(
        "chargeCustomerFail",
        "4000000000000341",
        decline=GENERIC,
        about="Can be saved; every charge is declined",
    ),
    Card(
        "authenticationRequiredOnSetup",
        "4000002500003155",
        authentication="unless_set_up",
        about="3-D Secure until saved with it",
    ),
    Card(
        "authenticationRequired", "4000002760003184", authentication="always", about="3-D Secure every time"
    ),
    Card(
        "authenticationRequiredSetupForOffSession",
        "4000003800000446",
        authentication="on_session",
        about="Already set up: 3-D Secure only with the buyer present",
    ),
    Card(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        authentication="always",
        decline=INSUFFICIENT_FUNDS,
        about="3-D Secure, then insufficient funds",
    ),
    Card("threeDSecure2Required", "4000000000003220", authentication="always", about="3-D Secure required"),
    Card("threeDSecureRequired", "4000000000003063", authentication="always", about="3-D Secure required"),
    Card(
        "threeDSecureRequiredChargeDeclined",
        "4000008400001629",
        authentication="always",
        decline=GENERIC,
        about="3-D Secure, then declined",
    ),
    Card("threeDSecureOptional", "4000000000003055", about="3-D Secure possible, not asked for"),
    Card("threeDSecureNotSupported", "378282246310005", "amex", about="3-D Secure not supported"),
    Card(
        "pendingRefund", "4000000000007726", refund="pending", about="Succeeds; a refund is pending at first"
    ),
    Card("refundFail", "4000000000005126", refund="fails", about="Succeeds; a refund fails later"),
)

BY_NAME = {card.name: card for card in CARDS}
BY_NUMBER = {card.number: card for card in reversed(CARDS)}
BRAND_NAMES = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}


def by_payment_method_id(payment_method: str) -> Card | None:
    """`pm_card_visa` -> the card."""
    return (
        BY_NAME.get(payment_method.removeprefix("pm_card_"))
        if payment_method.startswith("pm_card_")
        else None
    )


def by_token(token: str) -> Card | None:
    """`tok_visa` -> the card."""
    return BY_NAME.get(token.removeprefix("tok_")) if token.startswith("tok_") else None
