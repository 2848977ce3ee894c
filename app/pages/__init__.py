"""The portal's shell and parts: static files, formats, navigation and the templates every page builds on.

The app calls `register(app)` once, then says with `set_context_provider` how to find the member and the tenant;
modules call `register_nav` for their pages and extend `shell.html`, `console_shell.html`, `buyer_shell.html` or
`plain_shell.html`.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, Flask, Response

from app.pages import drawing, filters, geography
from app.pages.assets import Assets
from app.pages.context import PageContext, TenantChoice, current_page, page, set_context_provider
from app.pages.flashes import take_toasts, toast
from app.pages.nav import Badge, nav_sections, register_nav
from app.pages.problems import page_error
from app.pages.security import secure
from app.pages.ui import Parts

__all__ = [
    "Badge",
    "PageContext",
    "TenantChoice",
    "current_page",
    "page_error",
    "register",
    "register_nav",
    "set_context_provider",
    "toast",
]


def register(app: Flask) -> None:
    """Serve the static files, add filters, globals and security headers.

    Raises RuntimeError when Flask's own static route is in the way.
    """
    if app.has_static_folder:
        raise RuntimeError("Create the app with static_folder=None; app.pages serves /static/ itself.")
    assets = Assets()
    blueprint = Blueprint("pages", __name__, template_folder="templates")

    @blueprint.get("/static/<path:name>")
    def static_file(name: str) -> Response:
        return assets.send(name)

    app.register_blueprint(blueprint)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=assets.url,
        page=page,
        ui=Parts(app.jinja_env),
        url_with=filters.url_with,
        most_work=drawing.most_work,
        most_bar=drawing.most_bar,
        nav_sections=nav_sections,
        place=geography.place,
        clock_track=drawing.clock_track,
        clock_note=drawing.clock_note,
        spark_line=drawing.spark,
        arc_path=drawing.arc_path,
        pin_size=drawing.pin_size,
        take_toasts=take_toasts,
        unique_id=_unique_id,
    )
    app.jinja_env.filters.update(filters.FILTERS)
    secure(app)


def _unique_id(prefix: str) -> str:
    """An id for a part that appears more than once, also after a swap."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"
