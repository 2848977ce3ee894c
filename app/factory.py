"""The web application, put together: API, pages, health."""

from __future__ import annotations

import time
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, request
from flask.json.provider import JSONProvider

from app import health, openapi, problems
from app.edge import Blueprint
from app.reference import views as reference
from infra import logs, metrics, settings
from infra.ids import new_id

log = structlog.get_logger()


class OrjsonProvider(JSONProvider):
    """JSON by orjson: 2 to 4 times cheaper on large bodies."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj, default=str).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), default=str)
        return Response(body, mimetype="application/json")


def create_app(*more: Blueprint) -> Flask:
    """The WSGI application; `more` are API blueprints of the layer above. Settings come from the environment."""
    given = settings.current()
    logs.configure(given.log_level, "web")
    app = Flask("app", static_folder=None, template_folder=None)
    app.json = OrjsonProvider(app)
    app.config.update(
        SECRET_KEY=given.secret_key,
        API_TITLE="Kept",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
            "security": [{"key": []}],
        },
        MAX_CONTENT_LENGTH=104_857_600,
    )
    app.before_request(_begin)
    app.after_request(_end)
    _register_api(app, more)
    health.register(app)
    _register_pages(app)
    problems.register(app)
    return app


def _register_api(app: Flask, more: tuple[Blueprint, ...]) -> None:
    from app.blueprints import API

    api = openapi.Api(app)
    for blueprint in (*API, *more):
        api.register_blueprint(blueprint)
    reference.register(app, api.specification)


def _register_pages(app: Flask) -> None:
    from app.blueprints import register_pages

    register_pages(app)


def _begin() -> None:
    g.began = time.perf_counter()
    g.request_id = request.headers.get("X-Request-Id", "")[:64] or str(new_id())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    response.headers.extend(g.get("limit_headers") or {})
    seconds = time.perf_counter() - g.began
    route = request.url_rule.rule if request.url_rule else "unmatched"
    metrics.REQUESTS.labels(request.method, route, response.status_code).inc()
    metrics.REQUEST_SECONDS.labels(request.method, route).observe(seconds)
    log.info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        tenant=str(g.get("tenant_id", "")),
        actor=g.get("actor", ""),
    )
    return response
