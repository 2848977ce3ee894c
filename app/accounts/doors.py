"""What the pages at the door share: limits on guessing, and where a person goes next."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit
from uuid import UUID

from flask import redirect, request, session
from werkzeug.wrappers import Response

from app import browser
from app.page_context import home_url
from infra import limits
from tenants import accounts
from tenants.scope import directory

PER_ADDRESS, PER_ACCOUNT = "30/minute", "10/15minute"
MAILS = "5/15minute"
CONSOLE = "/console"


def count_attempt(what: str, email: str) -> None:
    """Count an attempt against this network address and against the account. Raises Problem 429."""
    limits.spend_named(PER_ADDRESS, f"{what}:from:{request.remote_addr}")
    limits.spend_named(PER_ACCOUNT, f"{what}:account:{_digest(email)}")


def count_mail(what: str, email: str) -> None:
    """Count a mail that a stranger may cause. Raises Problem 429."""
    limits.spend_named(PER_ADDRESS, f"{what}:from:{request.remote_addr}")
    limits.spend_named(MAILS, f"{what}:account:{_digest(email)}")


def _digest(email: str) -> str:
    return hashlib.sha256(email.strip().casefold().encode()).hexdigest()[:32]


def own_path(given: str) -> str:
    """A path on this site, or nothing: `next` must not lead a person away."""
    parts = urlsplit(given)
    is_own = given.startswith("/") and not given.startswith(("//", "/\\")) and not parts.netloc
    return given if is_own and given.isprintable() else ""


def enter(account_id: UUID, *, tenant_id: UUID | None = None, to: str = "") -> Response:
    """Log the browser in and send it on: to the page it came for, to its tenant, or to open a business."""
    with directory() as database:
        known = accounts.tenants_of(database, account_id)
    if tenant_id is None and known:
        tenant_id = known[0]
    browser.log_in(account_id=account_id, tenant_id=tenant_id)
    if to := own_path(to):
        return redirect(to, 303)
    return redirect(home_url() if known else "/start", 303)


def enter_console(staff_id: UUID) -> Response:
    """Log a member of staff in to the console."""
    browser.log_in(staff_id=staff_id)
    return redirect(CONSOLE, 303)


def remember(**values: str) -> None:
    """Keep a few words for this browser's next page, signed, until it logs in."""
    session["door"] = values


def remembered() -> dict[str, str]:
    """What this browser was told to remember."""
    found: dict[str, str] = session.get("door", {})
    return found
