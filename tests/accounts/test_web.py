"""The pages' edge: who gets in, what a form must carry, what is committed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.web import console_page, operator_session, page
from infra.errors import refused
from tenants.scope import current


@pytest.fixture(scope="session")
def paged_app(in_force: Any) -> Flask:
    """The application with a few pages that only these tests need."""
    from app.factory import create_app

    app = create_app()

    @app.get("/test/read")
    @page("orders:read")
    def read() -> str:
        return str(current().actor)

    @app.route("/test/write", methods=["POST"])
    @page("settings:write")
    def write() -> Any:
        current().execute("UPDATE tenants SET name = 'Renamed' WHERE tenant_id = :tenant")
        from flask import request

        if request.form.get("how") == "refused":
            raise refused("some-rule", "A rule says no.")
        return ("shape", 422) if request.form.get("how") == "shape" else "done"

    @app.get("/test/fails")
    @page()
    def fails() -> str:
        raise RuntimeError("nobody sees this")

    @app.get("/console/test")
    @console_page()
    def console() -> str:
        return str(operator_session().execute(text("SELECT count(*) FROM tenants")).scalar_one())

    return app
