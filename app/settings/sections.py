"""The pages of Settings, as tabs above each of them."""

from __future__ import annotations

from flask import request

from app.page_context import is_served
from app.pages import current_page

SECTIONS = (
    ("Business", "/settings/business", "settings:read"),
    ("Notices", "/settings/notices", "settings:read"),
    ("Promises", "/settings/promises", "settings:read"),
    ("Refunds", "/settings/refunds", "settings:read"),
    ("Team", "/settings/team", "team:read"),
    ("Keys", "/settings/keys", "keys:read"),
    ("Providers", "/settings/providers", "keys:read"),
    ("Audit log", "/settings/audit", "audit:read"),
)


def tabs() -> list[dict[str, object]]:
    """What this member may open."""
    may = current_page().may
    return [
        {"label": label, "url": url, "current": request.path == url or request.path.startswith(f"{url}/")}
        for label, url, permission in SECTIONS
        if may(permission) and is_served(url)
    ]
