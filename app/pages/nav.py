"""Navigation as data: modules register their pages, the shell shows what exists and may be opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from flask import current_app, request, url_for

from app.pages.context import current_page


@dataclass(frozen=True)
class Badge:
    """A count beside an entry; `hot` when a person should act."""

    count: int
    hot: bool = False


@dataclass(frozen=True)
class NavEntry:
    """One registered entry."""

    section: str
    label: str
    endpoint: str
    icon: str
    permission: str | None
    order: int
    badge: Callable[[], Badge | None] | None
    area: str


@dataclass(frozen=True)
class NavLink:
    """An entry as the shell draws it."""

    section: str
    label: str
    url: str
    icon: str
    badge: Badge | None
    current: bool


Area = Literal["portal", "console"]
SECTIONS = ("", "Supply", "Sell", "foot")
"""Order of the sections; '' stands on top without a heading, 'foot' at the bottom."""

_entries: dict[tuple[str, str], NavEntry] = {}


def register_nav(
    section: str,
    label: str,
    endpoint: str,
    icon: str,
    permission: str | None = None,
    order: int = 100,
    badge: Callable[[], Badge | None] | None = None,
    area: Area = "portal",
) -> None:
    """Add an entry to the side bar; the same endpoint again replaces the earlier entry.

    `section` is '' (top), 'Supply', 'Sell', 'foot', or a new heading; `permission` goes to `page.may`.
    """
    _entries[area, endpoint] = NavEntry(section, label, endpoint, icon, permission, order, badge, area)


def nav_sections(area: Area = "portal") -> list[tuple[str, list[NavLink]]]:
    """(heading, links) in order: only pages this app serves and this member may open."""
    shown = [entry for entry in _entries.values() if entry.area == area and _is_open(entry)]
    shown.sort(key=lambda entry: (_section_rank(entry.section), entry.order, entry.label))
    urls = {entry.endpoint: url_for(entry.endpoint) for entry in shown}
    current = _current_endpoint(urls)
    return [
        (section, [_link(entry, urls[entry.endpoint], entry.endpoint == current) for entry in entries])
        for section, entries in groupby(shown, key=lambda entry: entry.section)
    ]


def _is_open(entry: NavEntry) -> bool:
    exists = entry.endpoint in current_app.view_functions
    return exists and (entry.permission is None or current_page().may(entry.permission))


def _section_rank(section: str) -> tuple[int, str]:
    return (SECTIONS.index(section) if section in SECTIONS else len(SECTIONS) - 1, section)


def _current_endpoint(urls: dict[str, str]) -> str | None:
    """The entry whose address is the longest start of the one shown: /orders/K-1 belongs to /orders."""
    path = request.path
    fitting = [
        endpoint
        for endpoint, url in urls.items()
        if path == url or (url != "/" and path.startswith(url.rstrip("/") + "/"))
    ]
    return max(fitting, key=lambda endpoint: len(urls[endpoint]), default=None)


def _link(entry: NavEntry, url: str, current: bool) -> NavLink:
    badge = entry.badge() if entry.badge else None
    return NavLink(entry.section, entry.label, url, entry.icon, badge, current)
