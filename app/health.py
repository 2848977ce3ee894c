"""/healthz: this process answers. /readyz: its database does too. /metrics: what it counts."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from infra import metrics
from tenants.scope import directory, operator

blueprint = Blueprint("health", __name__)


def register(app: Flask) -> None:
    """Add the three addresses."""
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
def alive() -> Response:
    """This process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """200 when the database answers, else 503."""
    try:
        with directory() as session:
            session.execute(text("SELECT 1 FROM tenant_directory LIMIT 1"))
    except SQLAlchemyError as error:
        return jsonify(status="database does not answer", detail=type(error).__name__), 503
    return jsonify(status="ready"), 200


@blueprint.get("/metrics")
def measures() -> Response:
    """Prometheus text: this process's counters, and the outbox as it stands."""
    try:
        with operator() as session:
            rows: dict[str, int] = dict(
                session.execute(
                    text("SELECT state, count(*) FROM outbox WHERE state <> 'done' GROUP BY state")
                )
                .tuples()
                .all()
            )
        for gauge, state in ((metrics.WAITING, "waiting"), (metrics.SENT, "sent"), (metrics.DEAD, "dead")):
            gauge.set(rows.get(state, 0))
    except SQLAlchemyError:
        metrics.WAITING.set(float("nan"))
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
