"""What the shell draws around a page, from what the edge already knows: no question to the database here."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import current_app, g, url_for
from werkzeug.exceptions import HTTPException

from app import browser
from app.pages import PageContext, TenantChoice
from infra.clock import business_now
from tenants.members import Choice
from tenants.scope import TenantFacts
from tenants.sessions import Visit


@dataclass(frozen=True)
class PageFacts:
    """Who looks, and into what."""

    visit: Visit
    tenant_id: UUID | None = None
    tenant: TenantFacts | None = None
    member_name: str = ""
    permissions: frozenset[str] = frozenset()
    choices: tuple[Choice, ...] = ()
    console: bool = False


def home_url() -> str:
    """Where a member's day begins: Home, or the checklist while there is no such page."""
    return _address("dashboard.home") or "/onboarding"


def _address(endpoint: str) -> str:
    return url_for(endpoint) if endpoint in current_app.view_functions else ""


def is_served(path: str) -> bool:
    """Whether this installation has a page at a path."""
    try:
        current_app.url_map.bind("").match(path, method="GET")
    except HTTPException:
        return False
    return True


def context() -> PageContext:
    """This request's page context."""
    facts: PageFacts | None = g.get("page_facts")
    if facts is None:
        return _outside()
    return _console(facts) if facts.console else _portal(facts)


def _outside() -> PageContext:
    """Before a tenant is chosen, or before log-in."""
    found = browser.door_visit()
    return PageContext(
        csrf_token=browser.form_token(found),
        member_name=found.name if found else "",
        may=lambda permission: False,
        logout_url="/log-out" if found and found.account_id else "",
    )


def _portal(facts: PageFacts) -> PageContext:
    tenant = facts.tenant
    assert tenant is not None
    now = business_now(tenant.clock_offset)
    sandbox = tenant.environment == "sandbox"
    return PageContext(
        tenant_name=tenant.name,
        environment="sandbox" if sandbox else "live",
        clock=now if sandbox else None,
        member_name=facts.member_name,
        tenants=tuple(_choice(choice, facts.tenant_id) for choice in facts.choices),
        csrf_token=browser.form_token(facts.visit),
        zone=tenant.timezone,
        now=now,
        may=facts.permissions.__contains__,
        home_url=home_url(),
        account_url="/account",
        logout_url="/log-out",
        search_url=_address("order_pages.list") if "orders:read" in facts.permissions else "",
        new_url=_address("order_entry.form") if "orders:write" in facts.permissions else "",
    )


def _choice(choice: Choice, current: UUID | None) -> TenantChoice:
    return TenantChoice(
        choice.name,
        "sandbox" if choice.environment == "sandbox" else "live",
        f"/tenants/{choice.tenant_id}",
        current=choice.tenant_id == current,
    )


def _console(facts: PageFacts) -> PageContext:
    return PageContext(
        csrf_token=browser.form_token(facts.visit),
        member_name=facts.visit.name,
        zone="UTC",
        home_url="/console",
        logout_url="/console/log-out",
    )
