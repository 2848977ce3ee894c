"""The blueprints of Settings, and its own address."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect
from werkzeug.wrappers import Response

from app.pages import register_nav
from app.pages.problems import ASK_AN_OWNER
from app.settings import audit, business, keys, notices, promises, providers, refunds, team
from app.settings.sections import tabs
from app.web import page
from infra.errors import Problem

index = Blueprint("settings", __name__)
register_nav("foot", "Settings", "settings.show", "settings", permission="settings:read", order=10)


@index.get("/settings")
@page("settings:read")
def show() -> Response:
    """To the first page this member may open. Raises Problem 403 when there is none."""
    open_to_them = tabs()
    if not open_to_them:
        raise Problem(403, "lacks-permission", f"Your role does not include the settings. {ASK_AN_OWNER}")
    return redirect(str(open_to_them[0]["url"]), 303)


def register(app: Flask) -> None:
    """Serve the settings' pages."""
    app.jinja_env.globals["settings_tabs"] = tabs
    for blueprint in (
        index,
        business.blueprint,
        notices.blueprint,
        promises.blueprint,
        refunds.blueprint,
        team.blueprint,
        keys.blueprint,
        providers.blueprint,
        audit.blueprint,
    ):
        app.register_blueprint(blueprint)
