"""Every error answers as a problem document: those we raise, Flask's own, and the shape errors of marshmallow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from infra.errors import MEDIA_TYPE, FieldError, Problem

log = structlog.get_logger()
CODES = {
    400: "unreadable",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
}
PLACES = ("json", "query", "files", "form", "headers")


def register(app: Flask) -> None:
    """Answer API errors as application/problem+json; pages have their own."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, _unexpected)


def answer(problem: Problem) -> Response:
    """The problem as a response."""
    response = current_app.make_response(current_app.json.response(problem.document(g.get("request_id", ""))))
    response.status_code = problem.status
    response.headers.extend(problem.headers)
    response.content_type = MEDIA_TYPE
    return response


def field_errors(error: ValidationError) -> list[FieldError]:
    """marshmallow's nested messages as JSON pointers."""
    return list(_flat(error.normalized_messages(), ""))


def _flat(messages: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            own = pointer if key in ("_schema", *PLACES) and not pointer else f"{pointer}/{_escaped(key)}"
            yield from _flat(value, own.removesuffix("/_schema"))
    elif isinstance(messages, list):
        for message in messages:
            yield from _flat(message, pointer)
    else:
        yield FieldError(pointer, str(messages))


def _escaped(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def http_error(error: HTTPException) -> Response:
    """Flask's own error as a problem document."""
    status = error.code or 500
    messages = (getattr(error, "data", None) or {}).get("messages")
    headers = (
        {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
        if status in (405, 429, 503)
        else {}
    )
    if messages is not None and status == 422:
        errors = list(_flat(messages, ""))
        return answer(Problem(422, "invalid", errors[0].message if errors else "Invalid.", errors=errors))
    detail = error.description or "The request was refused."
    if status == 404:
        detail = f"There is nothing at {request.path}."
    return answer(Problem(status, CODES.get(status, "http-error"), detail, headers=headers))


def _unexpected(error: Exception) -> Response:
    log.error("request.failed", path=request.path, exc_info=error)
    return answer(
        Problem(500, "internal", "Something failed here. It is logged; send the request again later.")
    )
