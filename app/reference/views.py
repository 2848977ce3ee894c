"""/docs: the API's reference as a page, made from the same specification as /openapi.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Flask, render_template

METHODS = ("get", "post", "put", "patch", "delete")
DEEPEST = 6


def register(app: Flask, specified: Callable[[], Mapping[str, Any]]) -> None:
    """Add the page; the specification is read once, when the page is first asked for."""
    blueprint = Blueprint("reference", __name__, template_folder="templates")

    @blueprint.get("/docs")
    def docs() -> str:
        specification = specified()
        return render_template(
            "reference/docs.html", groups=_groups(specification), counted=_count(specification)
        )

    app.register_blueprint(blueprint)


def _count(specification: Mapping[str, Any]) -> int:
    return sum(method in METHODS for path in specification["paths"].values() for method in path)


def _groups(specification: Mapping[str, Any]) -> list[dict[str, Any]]:
    described = {tag["name"]: tag.get("description", "") for tag in specification.get("tags", [])}
    groups: dict[str, dict[str, Any]] = {}
    for path, operations in specification["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                tag = (operation.get("tags") or ["other"])[0]
                group = groups.setdefault(tag, {"name": described.get(tag) or tag, "id": tag, "calls": []})
                group["calls"].append(_call(specification, path, method, operation))
    return list(groups.values())


def _call(
    specification: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    answers = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
    refusals = sorted(status for status in operation["responses"] if not status.startswith("2"))
    return {
        "id": f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "parameters": [p for p in operation.get("parameters", []) if p.get("in") in ("query", "path")],
        "body": [
            (kind, _fields(specification, entry.get("schema", {}), 0)) for kind, entry in content.items()
        ],
        "answers": [
            (status, answer.get("description", ""), _answer_fields(specification, answer))
            for status, answer in sorted(answers.items())
        ],
        "refusals": refusals,
    }


def _answer_fields(specification: Mapping[str, Any], answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return _fields(specification, schema, 0)


def _fields(specification: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> list[dict[str, Any]]:
    """A schema's fields, flat, each with its depth: what a reader sees as an indented table."""
    schema = _resolved(specification, schema)
    if schema.get("type") == "array":
        schema = _resolved(specification, schema.get("items", {}))
    rows = []
    required = set(schema.get("required", []))
    for name, field in schema.get("properties", {}).items():
        whole = _resolved(specification, field)
        rows.append(
            {
                "name": name,
                "depth": depth,
                "required": name in required,
                "type": _type(specification, whole),
                "description": field.get("description") or whole.get("description", ""),
                "values": whole.get("enum", []),
            }
        )
        if depth < DEEPEST:
            rows += _fields(specification, whole, depth + 1)
    return rows


def _resolved(specification: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    for choice in ("allOf", "anyOf", "oneOf"):
        if choice in schema:
            return _resolved(specification, schema[choice][0])
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        found: Mapping[str, Any] = specification["components"]["schemas"][name]
        return found
    return schema


def _type(specification: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "object")
    kinds = [kind] if isinstance(kind, str) else list(kind)
    if "array" in kinds:
        return f"list of {_type(specification, _resolved(specification, schema.get('items', {})))}"
    named = schema.get("format") or " or ".join(kinds)
    return {"date-time": "time", "object": "object"}.get(named, named)
