"""The edge of the API: prove the caller, open the scope, run the view, commit once, answer.

`permit` wraps a whole view, so everything inside it (reading the body, the verb, writing the answer) happens in
one transaction and is run again from the start when it loses a race.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from flask import Request, Response, g, make_response, request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import missing
from marshmallow.fields import List
from sqlalchemy.exc import DBAPIError
from webargs.flaskparser import FlaskParser

from app.bodies import readable
from app.problems import answer
from infra import idempotency, limits
from infra.errors import FieldError, Problem, invalid
from tenants import credentials
from tenants.scope import Scope, opened, retried

View = TypeVar("View", bound=Callable[..., Any])
MOST_BODY = 1_000_000
MOST_HEARD = 1 << 24
BLOCK = 1 << 16
"""Bytes of a body that is too large that are read, and at once, before it is refused."""
JSON = "application/json"
PROBLEM = "application/problem+json"


class Parser(FlaskParser):
    """A query parameter nobody knows is an error too: a misspelled filter must not be ignored."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": None}

    def _raw_load_json(self, req: Request) -> Any:
        body = req.get_data(cache=True) if req.is_json else b""
        return readable(body) if body else missing

    def load_querystring(self, req: Request, schema: Any) -> Any:
        """The query, of which no parameter that means one thing may come twice."""
        for name, values in req.args.lists():
            field = schema.fields.get(name)
            if len(values) > 1 and field is not None and not isinstance(field, List):
                raise invalid(f"/{name}", "Send it once.")
        return super().load_querystring(req, schema)


class Blueprint(SmorestBlueprint):
    """A flask-smorest blueprint whose routes are all under /v1."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, description: str) -> None:
        super().__init__(name, import_name, url_prefix="/v1", description=description)

    def arguments(self, schema: Any, **options: Any) -> Any:
        """As flask-smorest's, with the schema built once and not at every request."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)


class Noted(Response):
    """A refusal that leaves a note for a person: the note is kept, although what was asked for is not done."""


def noted(problem: Problem) -> Noted:
    """Answer with the problem and keep what the verb has written."""
    return Noted.force_type(answer(problem))  # type: ignore[return-value]


def permit(permission: str, *, most_body: int = MOST_BODY, media_type: str = JSON) -> Callable[[View], View]:
    """Let callers with this permission in, inside their tenant's transaction.

    Raises Problem 401 (no or bad key), 403 (lacks the scope), 406, 413, 415, 429.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Response:
            token = _bearer()
            tenant_id = credentials.tenant_of(token)
            if tenant_id is None:
                raise credentials.unauthorized("This key is not known here.")

            def checked() -> Any:
                _check_media(most_body, media_type)
                return view(*args, **kwargs)

            return retried(lambda: _answered(tenant_id, token, permission, checked))

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def _bearer() -> str:
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise credentials.unauthorized("Send the header `Authorization: Bearer KEY`.")
    return token.strip()


def _answered(tenant_id: UUID, token: str, permission: str, view: Callable[[], Any]) -> Response:
    with opened(tenant_id, request_id=g.request_id) as scope:
        caller = credentials.prove(scope, token)
        scope.actor = caller.actor
        g.tenant_id, g.actor = tenant_id, str(caller.actor)
        g.limit_headers = limits.spend(
            scope.tenant_id, scope.tenant.rate_limit, caller.key_id, caller.rate_limit
        )
        if not caller.actor.may(permission):
            raise Problem(403, "lacks-scope", f"This key lacks the scope `{permission}`.")
        response = _once(scope, caller, view)
        if response.status_code < 400 or isinstance(response, Noted):
            if caller.stale_use:
                credentials.note_use(scope, caller)
            scope.keep()
        return response


def _check_media(most_body: int, media_type: str) -> None:
    length = request.content_length or 0
    if "Transfer-Encoding" in request.headers:
        length = _chunked(most_body, media_type)
    if length > most_body:
        _hear_out()
        raise Problem(413, "too-large", f"Send at most {most_body} bytes at once.")
    if length and request.headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "unsupported-media-type", "Send the body as it is, without a Content-Encoding.")
    if length and request.mimetype != media_type:
        raise Problem(415, "unsupported-media-type", f"Send the body as {media_type}.")
    if "Accept" in request.headers and not request.accept_mimetypes.best_match([JSON, PROBLEM]):
        raise Problem(406, "not-acceptable", f"The answer is {JSON}. Accept it, or send no Accept header.")


def _hear_out() -> None:
    """Read on, up to a bound: a caller that is cut off while it sends sees a broken connection and no answer."""
    for _ in range(MOST_HEARD // BLOCK):
        if not request.environ["wsgi.input"].read(BLOCK):
            return


def _chunked(most_body: int, media_type: str) -> int:
    """Bytes of a body that does not tell its length, read no further than just past the limit. Of a file, which is
    never read whole: 1; its own parser stops at the limit."""
    request.max_content_length = most_body + 1
    return len(request.get_data(cache=True)) if media_type == JSON else 1


def _once(scope: Scope, caller: credentials.Caller, view: Callable[[], Any]) -> Response:
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST":
        return make_response(view())
    if not 1 <= len(key) <= 255:
        says = "An Idempotency-Key has 1 to 255 characters."
        raise Problem(422, "idempotency-key-length", says, errors=[FieldError("/Idempotency-Key", says)])
    # A merchant's keys share theirs, so that a request sent again after a rotation is known; providers do not.
    apart = caller.actor.id if caller.actor.kind == "provider" else ""
    claim = {"route": f"POST {request.path}", "key": key, "actor_key": apart}
    remembered = _claimed(scope, claim)
    if remembered is not None:
        replay = Response(remembered.answer, remembered.status, mimetype="application/json")
        replay.headers["Idempotent-Replayed"] = "true"
        return replay
    response = make_response(view())
    if response.status_code < 300 or isinstance(response, Noted):
        idempotency.complete(
            scope.session,
            scope.tenant_id,
            status=response.status_code,
            answer=response.get_data(as_text=True),
            **claim,
        )
    return response


def _claimed(scope: Scope, claim: dict[str, str]) -> idempotency.Remembered | None:
    try:
        return idempotency.begin(scope.session, scope.tenant_id, body=request.get_data(), **claim)
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise
        raise Problem(
            409,
            "idempotency-key-in-use",
            "The first request with this Idempotency-Key still runs. Ask again shortly.",
            headers={"Retry-After": "1"},
        ) from error
