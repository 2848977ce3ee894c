"""Refusals in Stripe's own shape, so the SDK raises the exception it would raise for the real thing."""

from typing import Any


class ApiError(Exception):
    """An answer that is not 2xx.

    `keeps_effects` is True where Stripe has changed something all the same (a decline leaves a failed charge).
    `remembered` says whether an idempotency key would replay it: Stripe forgets what never started to execute.
    """

    def __init__(
        self,
        status: int,
        error_type: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        keeps_effects: bool = False,
        remembered: bool = True,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps_effects = keeps_effects
        self.remembered = remembered
        self.error: dict[str, Any] = {"type": error_type, "message": message}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            self.error["param"] = param
        self.error.update({name: value for name, value in details.items() if value is not None})

    def body(self) -> dict[str, Any]:
        """The JSON document of the answer."""
        return {"error": self.error}


def refused(message: str, *, code: str | None = None, param: str | None = None, **details: Any) -> ApiError:
    """A request that was understood and that the state of things does not allow (400)."""
    return ApiError(400, "invalid_request_error", message, code=code, param=param, **details)


def malformed(message: str, *, code: str | None = None, param: str | None = None) -> ApiError:
    """A request whose parameters do not read (400); its idempotency key stays free."""
    return ApiError(400, "invalid_request_error", message, code=code, param=param, remembered=False)


def missing_object(label: str, object_id: str, param: str, *, in_path: bool) -> ApiError:
    """`resource_missing`: 404 when the id stands in the path, 400 when it came as a parameter."""
    return ApiError(
        404 if in_path else 400,
        "invalid_request_error",
        f"No such {label}: '{object_id}'",
        code="resource_missing",
        param=param,
    )


def unknown_url(method: str, path: str) -> ApiError:
    """Stripe's answer to a path it does not have; here also to products the simulator leaves out."""
    return ApiError(
        404,
        "invalid_request_error",
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
        remembered=False,
    )


def unauthorized(key: str | None) -> ApiError:
    """401 for a missing or foreign key; never echoes the key in full."""
    if not key:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    else:
        message = f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:] if len(key) > 16 else ''}"
    return ApiError(401, "invalid_request_error", message, remembered=False)


def account_invalid(account: str, key: str) -> ApiError:
    """403 for a `Stripe-Account` this platform does not know."""
    return ApiError(
        403,
        "invalid_request_error",
        f"The provided key '{key[:8]}{'*' * 8}{key[-4:]}' does not have access to account '{account}' (or that account "
        "does not exist). Application access may have been revoked.",
        code="account_invalid",
        remembered=False,
    )


def rate_limited() -> ApiError:
    """429; nothing has happened and the key stays free."""
    return ApiError(
        429,
        "invalid_request_error",
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        remembered=False,
    )


def key_in_use(key: str) -> ApiError:
    """409 while another request with the same idempotency key still runs."""
    return ApiError(
        409,
        "idempotency_error",
        f"There is currently another in-progress request using this Idempotent Key ({key}); that probably means you "
        "submitted twice, and the other request is still going through. Please try again later.",
        code="idempotency_key_in_use",
        remembered=False,
    )


def key_reused(key: str, first_path: str, path: str) -> ApiError:
    """400 `idempotency_error`: the key was first used for something else."""
    if first_path != path:
        message = (
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{path}' vs '{first_path}'). Try using a key other than '{key}' if you meant to execute a different "
            "request."
        )
    else:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
            f"using a key other than '{key}' if you meant to execute a different request."
        )
    return ApiError(400, "idempotency_error", message, remembered=False)


def server_error(why: str) -> ApiError:
    """500; a key remembers it, as Stripe's does."""
    return ApiError(500, "api_error", f"An unknown error occurred. ({why})")


def money(amount: int, currency: str) -> str:
    """An amount of minor units as Stripe's sentences show it."""
    return f"${amount / 100:,.2f}" if currency == "usd" else f"{amount / 100:,.2f} {currency}"
