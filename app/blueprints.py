"""Every blueprint of the application, in the order of the API's documentation."""

from __future__ import annotations

from flask import Flask

from app.intake.api import blueprint as intake

API = (intake,)


def register_pages(app: Flask) -> None:
    """The portal, the buyer's pages and the operator console."""
