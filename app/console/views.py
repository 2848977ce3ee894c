"""The operator's console: tenants, queues, integrity and incidents, over everything; every act has a reason."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import integrity
from app.console import isolation, queries, service
from app.console.rules import SLOW_SECONDS, health
from app.pages import Badge, register_nav, toast
from app.shapes import cursor
from app.web import console_page, operator_session, staff_actor
from infra import queue
from infra.clock import real_now
from infra.errors import not_found

blueprint = Blueprint("console", __name__, template_folder="templates")
ROWS = 50
EXAMPLE = re.compile(r"tenant (?P<tenant>[0-9a-f-]{36}), (?P<subject>[0-9a-f-]{36}): (?P<fault>.*)")


def _tenants_badge() -> Badge | None:
    return _badge("/console/tenants", lambda: queries.counts(operator_session(), real_now()).all)


def _dead_badge() -> Badge | None:
    return _badge("/console/queues", lambda: sum(row.dead for row in queries.topics(operator_session())))


def _badge(page: str, count: Callable[[], int]) -> Badge | None:
    """A count beside the entry, but not on its own page, which says it larger."""
    return None if request.path.startswith(page) else Badge(count())


register_nav("", "Overview", "console.overview", "activity", order=10, area="console")
register_nav(
    "", "Tenants", "console.tenants", "building-community", order=20, area="console", badge=_tenants_badge
)
register_nav("", "Queues", "console.queues", "list-details", order=30, area="console", badge=_dead_badge)
register_nav("", "Integrity", "console.books", "shield-check", order=40, area="console")
register_nav("", "Incidents", "console.incidents", "alert-triangle", order=50, area="console")


@blueprint.get("/console")
@console_page()
def overview() -> str:
    """What an operator looks at first."""
    session, now = operator_session(), real_now()
    topics = queries.topics(session)
    return render_template(
        "console/overview.html",
        counts=queries.counts(session, now),
        orders_today=queries.orders_today(session, now),
        tenants=[_listed(row, now) for row in queries.worst_tenants(session, now)],
        topics=[_topic(row, now) for row in topics],
        oldest=_oldest(topics, now),
        dead=queries.dead(session, most=4)[:4],
        dead_total=sum(row.dead for row in topics),
        incidents=queries.incidents(session, now, most=1),
        queue=queue.standing(),
    )


@blueprint.get("/console/tenants")
@console_page()
def tenants() -> str:
    """All tenants, by name."""
    session, now = operator_session(), real_now()
    view = request.args.get("view", "all")
    view = view if view in queries.VIEWS else "all"
    q = request.args.get("q", "").strip()[:80]
    rows = queries.tenants(session, now, view=view, q=q, after=cursor(request.args.get("after")), most=ROWS)
    return render_template(
        "console/tenants.html",
        rows=[_listed(row, now) for row in rows[:ROWS]],
        views=queries.VIEWS,
        view=view,
        q=q,
        counts=queries.counts(session, now),
        next_after=rows[ROWS - 1].tenant_id if len(rows) > ROWS else None,
    )


@blueprint.get("/console/tenants/<uuid:tenant_id>")
@console_page()
def tenant(tenant_id: UUID) -> str:
    """One tenant: how it stands, how much it uses, whether it is alone behind its fence."""
    session, now = operator_session(), real_now()
    row = _tenant(tenant_id)
    nodes = queries.nodes(session, tenant_id)
    return render_template(
        "console/tenant.html",
        tenant=row,
        health=_health(row, now),
        business_now=now + timedelta(seconds=row.clock_offset),
        usage=queries.usage(session, tenant_id, now),
        nodes=nodes,
        nodes_total=nodes[0].total if nodes else 0,
        topics=[
            _topic(one, now) for one in queries.topics(session, tenant_id) if one.waiting or one.in_flight
        ],
        dead=queries.dead(session, tenant_id=tenant_id, most=10)[:10],
        incidents=queries.incidents(session, now, tenant_id, most=5),
        isolation=isolation.check(session, tenant_id),
        acts=queries.staff_acts(session, tenant_id),
    )


def _tenant(tenant_id: UUID) -> Any:
    row = queries.tenant(operator_session(), tenant_id, real_now())
    if row is None:
        raise not_found("tenant")
    return row


def _health(row: Any, now: datetime) -> Any:
    return health(
        status=row.status, dead=row.dead, oldest_seconds=_waited(row.oldest, now), unsettled=row.unsettled
    )


def _waited(since: datetime | None, now: datetime) -> float:
    """Seconds that work has waited past its time; work that is due later has not waited."""
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _listed(row: Any, now: datetime) -> dict[str, Any]:
    return {**row._mapping, "health": _health(row, now), "waited": _waited(row.oldest, now)}


def _topic(row: Any, now: datetime) -> dict[str, Any]:
    waited = _waited(row.oldest, now)
    return {**row._mapping, "waited": waited, "s": "risk" if waited > SLOW_SECONDS else ""}


def _oldest(topics: list[Any], now: datetime) -> tuple[float, str]:
    """How long the oldest waiting work has waited, and its topic."""
    return max(((_waited(row.oldest, now), row.topic) for row in topics if row.oldest), default=(0.0, ""))


@blueprint.post("/console/tenants/<uuid:tenant_id>/suspension")
@console_page()
def suspend(tenant_id: UUID) -> Response:
    """Close the tenant's doors."""
    return _done(tenant_id, service.suspend, "{} is suspended. Its members and keys are kept out.")


@blueprint.post("/console/tenants/<uuid:tenant_id>/resumption")
@console_page()
def resume(tenant_id: UUID) -> Response:
    """Open them again."""
    return _done(tenant_id, service.resume, "{} is open again.")


def _done(tenant_id: UUID, verb: Callable[..., None], words: str) -> Response:
    name = _tenant(tenant_id).name
    verb(tenant_id, request.form.get("reason", ""), staff_actor())
    toast(words.format(name))
    return redirect(url_for("console.tenant", tenant_id=tenant_id), 303)


# ---- queues


@blueprint.get("/console/queues")
@console_page()
def queues() -> str:
    """Later work over all tenants, and what was given up."""
    session, now = operator_session(), real_now()
    topic = request.args.get("topic", "")[:60]
    rows = queries.dead(session, topic=topic, after=cursor(request.args.get("after")), most=ROWS)
    topics = queries.topics(session)
    return render_template(
        "console/queues.html",
        topics=[_topic(row, now) for row in topics],
        oldest=_oldest(topics, now),
        waiting=sum(row.waiting for row in topics),
        in_flight=sum(row.in_flight for row in topics),
        dead_total=sum(row.dead for row in topics if topic in ("", row.topic)),
        rows=rows[:ROWS],
        topic=topic,
        next_after=rows[ROWS - 1].id if len(rows) > ROWS else None,
        queue=queue.standing(),
    )


@blueprint.post("/console/tenants/<uuid:tenant_id>/work/<uuid:row_id>")
@console_page()
def work(tenant_id: UUID, row_id: UUID) -> Response:
    """Try work that was given up again, or discard it."""
    _tenant(tenant_id)
    is_retry = request.form.get("act") == "retry"
    verb = service.retry if is_retry else service.discard
    topic = verb(tenant_id, row_id, request.form.get("reason", ""), staff_actor())
    toast(f"{topic} will be tried again." if is_retry else f"{topic} is discarded.")
    back = request.form.get("back", "")
    return redirect(back if back.startswith("/console") else url_for("console.queues"), 303)


# ---- integrity and incidents


@blueprint.get("/console/integrity")
@console_page()
def books() -> str:
    """The books; checking them starts when it is asked for and is shown when done."""
    tenant_id = cursor(request.args.get("tenant"))
    return render_template(
        "console/integrity.html",
        tenant=_tenant(tenant_id) if tenant_id else None,
        check=request.args.get("check") == "1",
        books=[(book.number, book.name) for book in (*integrity.BOOKS, *integrity.SEALED)],
    )


@blueprint.get("/console/integrity/findings")
@console_page()
def findings() -> str:
    """Every book of every tenant, or of one, checked now."""
    session, began = operator_session(), time.monotonic()
    tenant_id = cursor(request.args.get("tenant"))
    found = list(integrity.check(session, tenant_id))
    faulty = {one["tenant"] for finding in found for one in map(_example, finding.examples) if one["tenant"]}
    return render_template(
        "console/_findings.html",
        findings=[(finding, [_example(text) for text in finding.examples]) for finding in found],
        faults=sum(finding.faults for finding in found),
        rows=sum(finding.rows for finding in found),
        seconds=time.monotonic() - began,
        at=real_now(),
        names={one: row.name for one in faulty if (row := queries.tenant(session, UUID(one), real_now()))},
    )


def _example(words: str) -> dict[str, str]:
    """One fault as the books tell it, with its tenant apart, so that it can be a link."""
    found = EXAMPLE.fullmatch(words)
    return found.groupdict() if found else {"tenant": "", "subject": "", "fault": words}


@blueprint.get("/console/incidents")
@console_page()
def incidents() -> str:
    """What stays undone until a person acts."""
    session, now = operator_session(), real_now()
    tenant_id = cursor(request.args.get("tenant"))
    return render_template(
        "console/incidents.html",
        found=queries.incidents(session, now, tenant_id),
        tenant=_tenant(tenant_id) if tenant_id else None,
    )
