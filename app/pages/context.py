"""What every page needs to know: who is looking, into which tenant, in which zone, at what time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, cast
from zoneinfo import ZoneInfo

from flask import current_app, g, has_request_context
from werkzeug.local import LocalProxy


@dataclass(frozen=True)
class TenantChoice:
    """A tenant (or the other environment of this one) the member may switch to: a POST to `action`."""

    name: str
    environment: Literal["live", "sandbox"]
    action: str
    current: bool = False


@dataclass(frozen=True)
class PageContext:
    """What the shell draws around a page. The defaults suit a page shown before log-in."""

    tenant_name: str = ""
    environment: Literal["live", "sandbox"] = "live"
    clock: datetime | None = None
    """A sandbox's business time, UTC; None where there is no movable clock."""
    member_name: str = ""
    tenants: tuple[TenantChoice, ...] = ()
    csrf_token: str = ""
    zone: str = "America/New_York"
    """IANA name; every date and time on the page is shown in it."""
    now: datetime | None = None
    """Business time, UTC: what 'today' means on this page. None: the real clock."""
    may: Callable[[str], bool] = field(default=lambda permission: True)
    """Whether the member holds a permission; navigation shows only what may be opened."""
    home_url: str = "/"
    account_url: str = ""
    logout_url: str = ""
    """Logging out is a POST; empty hides the entry."""
    search_url: str = ""
    """Where the search button of the phone's top bar leads; empty hides it."""
    new_url: str = ""
    """Where its plus leads; empty hides it."""

    @property
    def today(self) -> date:
        """Today's date in the page's zone."""
        return self.moment.astimezone(ZoneInfo(self.zone)).date()

    @property
    def moment(self) -> datetime:
        """The page's time, UTC: a given one, the sandbox's clock, or the real clock."""
        return self.now or self.clock or datetime.now(UTC)


ContextProvider = Callable[[], PageContext]


def set_context_provider(provider: ContextProvider) -> None:
    """Say how to make the context of the current request; called once, inside the app's context."""
    current_app.extensions["pages.context_provider"] = provider


def current_page() -> PageContext:
    """This request's context, made once and kept; the plain default outside a request."""
    if not has_request_context():
        return PageContext()
    if "page_context" not in g:
        provider = current_app.extensions.get("pages.context_provider", PageContext)
        g.page_context = provider()
    return cast(PageContext, g.page_context)


page: PageContext = LocalProxy(current_page)  # type: ignore[assignment]
"""`current_page()` as a Jinja global, so that imported macros see it too."""
