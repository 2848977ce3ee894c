"""The edge of the pages: recognize the browser, open the scope, run the view, commit once, answer.

    @blueprint.get("/orders")
    @page("orders:read")            # None: any member
    def orders() -> str:
        scope = current()           # tenants.scope.current: the member's tenant, in this request's transaction
        return render_template("orders/list.html", ...)

A view that answers below 400 is committed; it may be run again when it lost a race, so it sends nothing to the
outside. `raise Problem(...)` shows as a page, or as a banner when htmx asked; a form with errors is rendered
again with status 422, and nothing is kept. Every form sends `ui.csrf()`; htmx sends X-CSRF-Token by itself. An
answer must be complete when the view returns: the transaction ends with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import structlog
from flask import Flask, Response, g, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app import browser, pages, problems
from app.page_context import PageFacts, context
from app.pages.problems import ASK_AN_OWNER
from infra.errors import TITLES, Problem
from tenants import members
from tenants.rules import role_permissions
from tenants.scope import Actor, opened, operator, retried
from tenants.sessions import Visit

View = TypeVar("View", bound=Callable[..., Any])
log = structlog.get_logger()


def register(app: Flask) -> None:
    """Give the pages their context and their cookies. After app.pages.register."""
    browser.register(app)
    for status in (404, 405):
        app.register_error_handler(status, _no_such_page)
    with app.app_context():
        pages.set_context_provider(context)


def _no_such_page(error: HTTPException) -> AnyResponse:
    """An address that nobody serves: a page for a person's browser, a problem document for programs."""
    accepted = request.accept_mimetypes
    if accepted["text/html"] > accepted["application/json"] and not request.path.startswith("/v1/"):
        return pages.page_error(error.code or 404)
    return problems.http_error(error)


def page(permission: str | None = None) -> Callable[[View], View]:
    """A page of the portal, for members with this permission, inside their tenant's transaction."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> AnyResponse:
            return _shown(lambda: _to_member(permission, view, args, kwargs))

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def account_page() -> Callable[[View], View]:
    """A page for whoever is logged in, member of a tenant or not. No scope is open; see `visit()`."""

    def answer(view: Callable[..., Any], args: Any, kwargs: Any) -> AnyResponse:
        if browser.visit() is None:
            return _to_log_in("/log-in")
        browser.check_form()
        return make_response(view(*args, **kwargs))

    return _without_scope(answer)


def public_page() -> Callable[[View], View]:
    """A page for anybody: sign up, log in. Forms are checked all the same."""

    def answer(view: Callable[..., Any], args: Any, kwargs: Any) -> AnyResponse:
        browser.check_form()
        return make_response(view(*args, **kwargs))

    return _without_scope(answer)


def console_page() -> Callable[[View], View]:
    """A page of the operator's console, for platform staff: reads over all tenants by `operator_session()`.

    A view that acts does so inside the tenant: `inside(tenant_id, staff_actor())`, with a reason.
    """

    def answer(view: Callable[..., Any], args: Any, kwargs: Any) -> AnyResponse:
        found = browser.staff_visit()
        if found is None:
            return _to_log_in("/console/log-in")
        browser.check_form()
        g.page_facts = PageFacts(found, console=True)
        g.actor = str(staff_actor())
        with operator() as session:
            g.operator_session = session
            return make_response(view(*args, **kwargs))

    return _without_scope(answer)


def operator_session() -> Session:
    """The console request's read-only transaction over all tenants."""
    session: Session = g.operator_session
    return session


def staff_actor() -> Actor:
    """The member of staff who looks, for what they do inside a tenant and its audit."""
    found = browser.staff_visit()
    assert found is not None
    return Actor("staff", str(found.staff_id), found.name)


def visit() -> Visit:
    """Who is logged in, in an `account_page` or a `page`."""
    found = browser.visit()
    assert found is not None
    return found


def _without_scope(answer: Callable[[Callable[..., Any], Any, Any], AnyResponse]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> AnyResponse:
            return _shown(lambda: answer(view, args, kwargs))

        return guarded  # type: ignore[return-value]

    return decorate


def _to_member(permission: str | None, view: Callable[..., Any], args: Any, kwargs: Any) -> AnyResponse:
    found = browser.visit()
    if found is None:
        return _to_log_in("/log-in")
    browser.check_form()
    if found.tenant_id is None:
        return redirect("/tenants", 303)
    tenant_id = found.tenant_id
    choices = members.choices(found.account_id) if found.account_id else []
    return retried(lambda: _in_tenant(tenant_id, found, choices, permission, view, args, kwargs))


def _in_tenant(
    tenant_id: UUID,
    found: Visit,
    choices: list[members.Choice],
    permission: str | None,
    view: Callable[..., Any],
    args: Any,
    kwargs: Any,
) -> AnyResponse:
    g.pop("page_context", None)
    with opened(tenant_id, request_id=g.request_id) as scope:
        membership = members.of_account(scope, found.account_id)
        if membership is None:
            return redirect("/tenants", 303)
        permissions = role_permissions(membership.role)
        scope.actor = Actor("member", str(membership.id), membership.name, permissions)
        g.tenant_id, g.actor = tenant_id, str(scope.actor)
        g.page_facts = PageFacts(found, tenant_id, scope.tenant, membership.name, permissions, tuple(choices))
        if scope.tenant.status == "suspended":
            return make_response(
                render_template("accounts/suspended.html", reason=membership.suspended_reason), 403
            )
        if permission is not None and not scope.actor.may(permission):
            raise Problem(
                403,
                "lacks-permission",
                f"Your role ({membership.role}) does not include this. {ASK_AN_OWNER}",
            )
        response = make_response(view(*args, **kwargs))
        if response.status_code < 400:
            scope.keep()
        return response


def _to_log_in(address: str) -> AnyResponse:
    """To the log-in and back here; htmx is told to take the whole page there."""
    back = request.full_path.rstrip("?") if request.method == "GET" else ""
    target = f"{address}?{urlencode({'next': back})}" if back else address
    if request.headers.get("HX-Request") == "true":
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(target, 303)


def _shown(answer: Callable[[], AnyResponse]) -> AnyResponse:
    """The answer, or what went wrong as a page."""
    try:
        return answer()
    except Problem as problem:
        return _refusal(problem)
    except HTTPException as error:
        return pages.page_error(error.code or 500)
    except Exception as error:
        log.error("page.failed", path=request.path, exc_info=error)
        return pages.page_error(500, reference=g.get("request_id", ""))


def _refusal(problem: Problem) -> Response:
    waits = problem.headers.get("Retry-After")
    return pages.page_error(
        problem.status,
        detail=problem.detail,
        title="" if problem.title == TITLES.get(problem.status) else problem.title,
        headers={"Retry-After": waits} if waits else None,
    )
