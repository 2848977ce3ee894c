"""The browser at the door: its cookies, whose session they open, and the token every form carries."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, g, request, session
from werkzeug.wrappers import Response

from infra import settings
from infra.errors import Problem
from tenants import sessions
from tenants.scope import directory
from tenants.sessions import Visit

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
MEMBER_COOKIE, STAFF_COOKIE = "kept_session", "kept_console"


def register(app: Flask) -> None:
    """Cookies as strict as the installation's address allows."""
    app.config.update(
        SESSION_COOKIE_NAME=_name("kept_page"),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_secure(),
    )
    app.after_request(_send_cookies)


def is_secure() -> bool:
    """Whether cookies travel over TLS only: always, but for plain http on this machine itself."""
    address = urlsplit(settings.current().public_url)
    return not (address.scheme == "http" and address.hostname in LOOPBACK)


def _name(plain: str) -> str:
    # The prefix makes browsers refuse the cookie from another host or without TLS.
    return f"__Host-{plain}" if is_secure() else plain


def visit() -> Visit | None:
    """Whose portal session this browser has, asked once per request."""
    return _recognized(MEMBER_COOKIE)


def staff_visit() -> Visit | None:
    """Whose console session this browser has."""
    return _recognized(STAFF_COOKIE)


def door_visit() -> Visit | None:
    """Whose session counts at this address: staff's under /console, a member's everywhere else."""
    return staff_visit() if request.path.startswith("/console") else visit()


def _recognized(cookie: str) -> Visit | None:
    visits: dict[str, Visit | None] = g.setdefault("visits", {})
    if cookie not in visits:
        token = request.cookies.get(_name(cookie), "")
        visits[cookie] = _visit_of(token, cookie) if token else None
    return visits[cookie]


def _visit_of(token: str, cookie: str) -> Visit | None:
    with directory() as database:
        found = sessions.recognize(database, token)
    if found is None or (found.staff_id is not None) != (cookie == STAFF_COOKIE):
        return None
    if found.fresh_token is not None:
        _later(cookie, found.fresh_token)
    return found


def log_in(
    *, account_id: UUID | None = None, staff_id: UUID | None = None, tenant_id: UUID | None = None
) -> None:
    """Begin a session in this browser; the one before, if any, ends. What was kept before log-in is dropped."""
    cookie = MEMBER_COOKIE if account_id is not None else STAFF_COOKIE
    before = _recognized(cookie)
    with directory() as database:
        if before is not None:
            sessions.revoke(database, before.session_id)
        token = sessions.begin(
            database,
            account_id=account_id,
            staff_id=staff_id,
            tenant_id=tenant_id,
            user_agent=request.headers.get("User-Agent", ""),
        )
    session.clear()
    g.pop("visits", None)
    _later(cookie, token)


def log_out(*, staff: bool = False) -> None:
    """End this browser's session."""
    cookie = STAFF_COOKIE if staff else MEMBER_COOKIE
    before = _recognized(cookie)
    if before is not None:
        with directory() as database:
            sessions.revoke(database, before.session_id)
    session.clear()
    g.pop("visits", None)
    _later(cookie, None)


def _later(cookie: str, token: str | None) -> None:
    g.setdefault("cookies_to_send", {})[cookie] = token


def _send_cookies(response: Response) -> Response:
    for cookie, token in g.get("cookies_to_send", {}).items():
        lifetime = sessions.STAFF if cookie == STAFF_COOKIE else sessions.MEMBER
        response.set_cookie(
            _name(cookie),
            token or "",
            max_age=int(lifetime.absolute.total_seconds()) if token else 0,
            secure=is_secure(),
            httponly=True,
            samesite="Lax",
        )
        response.headers["Cache-Control"] = "no-store"
    return response


def form_token(of: Visit | None) -> str:
    """What every form must send back: bound to the session, or before log-in to this browser."""
    if of is None:
        if "form" not in session:
            session["form"] = secrets.token_urlsafe(24)
        subject = session["form"]
    else:
        subject = str(of.session_id)
    key = settings.current().secret_key.encode()
    return hmac.new(key, f"form:{subject}".encode(), hashlib.sha256).hexdigest()


def check_form() -> None:
    """Refuse a changing request that did not come from one of our own pages. Raises Problem 400."""
    if request.method in SAFE:
        return
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not _is_own_origin() or not hmac.compare_digest(sent.encode(), form_token(door_visit()).encode()):
        raise Problem(
            400,
            "stale-form",
            "This page was open for too long, or did not come from here. Nothing was changed. Go back, reload it,"
            " and send your entries again.",
        )


def _is_own_origin() -> bool:
    """Browsers name the origin of every changing request; a caller that names none has no cookies to abuse."""
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    ours = urlsplit(settings.current().public_url)
    return origin in (f"{ours.scheme}://{ours.netloc}", request.host_url.rstrip("/"))
