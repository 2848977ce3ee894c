"""`POST /oauth/token`: the client credentials grant of RFC 6749, section 4.4."""

from __future__ import annotations

import re
from typing import Any, NoReturn

import structlog
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import (
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
)
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from flask import Response, current_app, g, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.shapes import Text
from infra import limits
from infra.errors import Problem
from tenants import clients, credentials
from tenants.scope import opened

blueprint = Blueprint(
    "oauth", __name__, url_prefix="/oauth", description="OAuth 2.0 access tokens for machines"
)
log = structlog.get_logger()
PER_ADDRESS, PER_CLIENT = "120/minute", "60/minute"
MOST_BODY = 10_000
READABLE = re.compile(r"[\x21-\x7e]{1,200}")


class TokenIn(Schema):
    """The form of RFC 6749, section 4.4.2. The client may be named by HTTP Basic instead."""

    grant_type = fields.String(required=True, metadata={"example": "client_credentials"})
    scope = Text(
        2000, metadata={"description": "Space-separated; a part of what the client holds. Default: all."}
    )
    client_id = Text(200)
    client_secret = Text(200)


class TokenOut(Schema):
    """RFC 6749, section 5.1."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True, metadata={"example": "Bearer"})
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds."})
    scope = fields.String(required=True)


class ErrorOut(Schema):
    """RFC 6749, section 5.2."""

    error = fields.String(required=True, metadata={"example": "invalid_client"})
    error_description = fields.String()


FORM = "application/x-www-form-urlencoded"


@blueprint.route("/token")
class Token(MethodView):
    """Access tokens."""

    @blueprint.doc(security=[], requestBody={"required": True, "content": {FORM: {"schema": TokenIn}}})
    @blueprint.response(200, TokenOut)
    @blueprint.alt_response(400, schema=ErrorOut, description="invalid_request, invalid_scope and the like")
    @blueprint.alt_response(401, schema=ErrorOut, description="invalid_client")
    @blueprint.alt_response(429, schema=ErrorOut, description="Too many requests; see Retry-After")
    def post(self) -> Response:
        """Exchange a client's id and secret for a token that works for an hour.

        Send the id and secret by HTTP Basic or in the form, not both. Errors are those of RFC 6749.
        """
        try:
            return _answer(_issued(), 200)
        except OAuth2Error as error:
            status = 401 if isinstance(error, InvalidClientError) else 400
            response = _answer(dict(error.get_body()), status)
            if status == 401:
                response.headers["WWW-Authenticate"] = 'Basic realm="Kept", charset="UTF-8"'
            return response
        except Problem as problem:
            if problem.status != 429:
                raise
            body = {"error": "temporarily_unavailable", "error_description": problem.detail}
            response = _answer(body, 429)
            response.headers.extend(problem.headers)
            return response


def _issued() -> dict[str, Any]:
    limits.spend_named(PER_ADDRESS, f"token:from:{request.remote_addr}")
    client_id, secret = _client()
    _require_grant()
    if not READABLE.fullmatch(client_id) or not secret:
        _unknown_client()
    limits.spend_named(PER_CLIENT, f"token:client:{client_id}")
    tenant_id = credentials.tenant_of(f"{client_id}_")
    if tenant_id is None:
        _unknown_client()
    with opened(tenant_id, request_id=g.request_id) as scope:
        client = clients.authenticate(scope, client_id, secret)
        if client is None:
            _unknown_client()
        if not client.in_force:
            raise UnauthorizedClientError(
                "This client may not ask for tokens now: its account is suspended or its"
                " grant is not in force."
            )
        scopes = _narrowed(client.scopes)
        made = credentials.issue_token(scope, client.row_id, scopes)
        scope.keep()
    return {
        "access_token": made.key,
        "token_type": "Bearer",
        "expires_in": credentials.TOKEN_SECONDS,
        "scope": " ".join(scopes),
    }


def _client() -> tuple[str, str]:
    """The client's id and secret, from one place. Raises InvalidRequestError when both are used."""
    if (request.content_length or 0) > MOST_BODY:
        raise InvalidRequestError("The body is too large.")
    by_header = _basic()
    in_body = request.form.get("client_secret")
    if by_header is not None and in_body is not None:
        raise InvalidRequestError("Send the client by HTTP Basic or in the form, not both.")
    if by_header is not None:
        return by_header
    if in_body is None:
        _unknown_client()
    return request.form.get("client_id", ""), in_body


def _basic() -> tuple[str, str] | None:
    if "Authorization" not in request.headers:
        return None
    try:
        client_id, secret = extract_basic_authorization(request.headers)
    except ValueError:
        _unknown_client()
    if not client_id or not secret:
        _unknown_client()
    return client_id, secret


def _require_grant() -> None:
    if any(len(request.form.getlist(name)) > 1 for name in request.form):
        raise InvalidRequestError("Send each parameter once.")
    grant = request.form.get("grant_type")
    if not grant:
        raise InvalidRequestError("Send grant_type=client_credentials in a form.")
    if grant != "client_credentials":
        raise UnsupportedGrantTypeError(None)


def _narrowed(held: frozenset[str]) -> list[str]:
    """The scopes asked for, or all that the client holds."""
    asked = request.form.get("scope")
    if asked is None or not asked.strip():
        return sorted(held)
    wanted = set(asked.split())
    if not wanted <= held:
        raise InvalidScopeError("This client does not hold all of these scopes.")
    return sorted(wanted)


def _unknown_client() -> NoReturn:
    """The same for a wrong id, a wrong secret, a revoked and an expired client."""
    raise InvalidClientError("This client is not known here, or its secret is wrong.")


def _answer(body: dict[str, Any], status: int) -> Response:
    response = current_app.make_response(current_app.json.response(body))
    response.status_code = status
    response.headers.update({"Cache-Control": "no-store", "Pragma": "no-cache"})
    return response
