"""What flask-smorest's specification still lacks: keys, scopes, problem documents, idempotency, on every call. It is
made when it is first read: no process that serves waits for it when it starts."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import Any

import flask_smorest
import orjson
from flask import Flask, Response, current_app

from infra.errors import MEDIA_TYPE, TITLES

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem document",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Stable code, as an address"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, and the remedy"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
ALWAYS = (400, 401, 403, 404, 405, 406, 413, 415, 422, 429)
ON_POST = (409, 503)
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key and body again answers with the first answer. Kept 7 days.",
}


class Api(flask_smorest.Api):
    """The API's blueprints, and their specification."""

    def __init__(self, app: Flask) -> None:
        self._blueprints: list[flask_smorest.Blueprint] = []
        self._making = Lock()
        super().__init__(app)

    def register_blueprint(self, blp: flask_smorest.Blueprint, **options: Any) -> None:
        """Register the blueprint in the application; the specification reads it later."""
        self._app.register_blueprint(blp, **options)
        self._blueprints.append(blp)

    def specification(self) -> dict[str, Any]:
        """The whole of it, made once."""
        with self._making:
            return self._specification

    @cached_property
    def _specification(self) -> dict[str, Any]:
        for one in self._blueprints:
            one.register_views_in_doc(self, self._app, self.spec, name=one.name, parameters=None)
            self.spec.tag({"name": one.name, "description": one.description})
        _complete(self._app, self)
        return dict(self.spec.to_dict())

    def _openapi_json(self) -> Response:
        body = orjson.dumps(self.specification(), option=orjson.OPT_INDENT_2)
        return current_app.response_class(body, mimetype="application/json")


def _complete(app: Flask, api: Api) -> None:
    """Add to every operation of /v1 what every call has in common."""
    views = {rule.endpoint: app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules()}
    permissions = {
        _documented(rule.rule, method): getattr(views[rule.endpoint], "permission", None)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    api.spec.components.schema("Problem", PROBLEM)
    ours = {path: operations for path, operations in api.spec._paths.items() if path.startswith("/v1/")}
    for path, operations in ours.items():
        for method, operation in operations.items():
            if method in ("get", "post", "put", "patch", "delete"):
                _complete_one(operation, method, permissions.get(f"{method} {path}"))


def _documented(rule: str, method: str) -> str:
    parts = [f"{{{p[1:-1].split(':')[-1]}}}" if p.startswith("<") else p for p in rule.split("/")]
    return f"{method.lower()} {'/'.join(parts)}"


def _complete_one(operation: dict[str, Any], method: str, permission: str | None) -> None:
    if permission:
        words = f"Needs the scope `{permission}`."
        operation["description"] = "\n\n".join(filter(None, [operation.get("description"), words]))
    if method == "post":
        operation.setdefault("parameters", []).append(IDEMPOTENCY)
    responses = operation.setdefault("responses", {})
    responses.pop("default", None)
    for status in (*ALWAYS, *(ON_POST if method in ("post", "put") else ())):
        responses[str(status)] = {
            "description": TITLES[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
