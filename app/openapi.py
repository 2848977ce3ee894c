"""What flask-smorest's specification still lacks: keys, scopes, problem documents, idempotency, on every call."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_smorest import Api

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


def complete(app: Flask, api: Api) -> None:
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
