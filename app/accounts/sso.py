"""Single sign-on by OpenID Connect: members at the portal, platform staff at the console.

Authorization code flow with PKCE (S256), state and nonce; the ID token's issuer, audience, signature and times are
checked by Authlib. State and verifier travel in this browser's signed cookie.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from flask import Blueprint, abort, current_app, request
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from app.accounts import doors
from app.web import public_page
from infra import settings
from infra.errors import Problem
from tenants import oidc
from tenants.scope import directory

blueprint = Blueprint("sso", __name__)
log = structlog.get_logger()
SECONDS = 10
MEMBER_BACK, STAFF_BACK = "/log-in/sso/back", "/console/log-in/sso/back"


@cache
def _client(issuer: str, client_id: str, client_secret: str) -> Any:
    """The provider as Authlib sees it: its metadata and keys are read once, when first needed."""
    # Loaded when somebody first comes this way: 7 MB that a process without single sign-on never needs.
    from authlib.integrations.flask_client import OAuth

    registry = OAuth(current_app)
    return registry.register(
        # The state in the browser's cookie is filed under this name, and any process may get the answer.
        f"sso_{hashlib.sha256(f'{issuer} {client_id}'.encode()).hexdigest()[:12]}",
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_id=client_id,
        client_secret=client_secret,
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": SECONDS,
        },
    )


def _members() -> tuple[str, Any]:
    given = settings.current()
    if not given.oidc_issuer:
        abort(404)
    return given.oidc_issuer, _client(given.oidc_issuer, given.oidc_client_id, given.oidc_client_secret)


def _staff() -> tuple[str, Any]:
    given = settings.current()
    if not given.operator_oidc_issuer:
        abort(404)
    return given.operator_oidc_issuer, _client(
        given.operator_oidc_issuer, given.operator_oidc_client_id, given.operator_oidc_client_secret
    )


@blueprint.get("/log-in/sso")
@public_page()
def to_provider() -> Response:
    """Off to the members' identity provider."""
    doors.remember(next=doors.own_path(request.args.get("next", "")))
    return _redirect(_members()[1], MEMBER_BACK)


@blueprint.get(MEMBER_BACK)
@public_page()
def back() -> Response:
    """Back from it: log in, with an account made or linked on the way."""
    issuer, client = _members()
    claims = _claims(client)
    with directory() as database:
        account_id = oidc.account_of(database, issuer, claims)
    return doors.enter(account_id, to=doors.remembered().get("next", ""))


@blueprint.get("/console/log-in/sso")
@public_page()
def staff_to_provider() -> Response:
    """Off to the staff's identity provider."""
    return _redirect(_staff()[1], STAFF_BACK)


@blueprint.get(STAFF_BACK)
@public_page()
def staff_back() -> Response:
    """Back from it: only known staff come in."""
    issuer, client = _staff()
    claims = _claims(client)
    with directory() as database:
        staff_id = oidc.staff_of(database, issuer, claims)
    return doors.enter_console(staff_id)


def _redirect(client: Any, back_path: str) -> Response:
    try:
        answer: Response = client.authorize_redirect(settings.current().public_url.rstrip("/") + back_path)
    except (AuthlibBaseError, requests.RequestException, RuntimeError, ValueError) as error:
        raise _unreachable(error) from error
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _claims(client: Any) -> dict[str, Any]:
    """The proven claims of the ID token. Raises Problem 400 when anything about it is not right."""
    try:
        token = client.authorize_access_token(timeout=SECONDS)
    except (requests.RequestException, RuntimeError) as error:
        raise _unreachable(error) from error
    except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
        log.warning("sso.refused", error=str(error))
        raise Problem(
            400, "sso-failed", "The log-in with your identity provider was not completed. Start it again."
        ) from error
    claims = token.get("userinfo")
    if not claims or not claims.get("sub"):
        raise Problem(400, "sso-failed", "Your identity provider sent no identity. Ask whoever runs it.")
    return dict(claims)


def _unreachable(error: Exception) -> Problem:
    log.warning("sso.unreachable", error=str(error))
    return Problem(503, "sso-unreachable", "Your identity provider does not answer. Try again in a minute.")


def forget_providers() -> None:
    """Read the providers' settings anew."""
    _client.cache_clear()
