"""Every blueprint of the application, in the order of the API's documentation."""

from __future__ import annotations

from flask import Flask

from app import pages, web
from app.allocation.api import blueprint as stock
from app.catalog.api import blueprint as catalog
from app.fulfillment.api import blueprint as fulfillment
from app.intake.api import blueprint as intake
from app.network.api import blueprint as network

API = (intake, catalog, network, stock, fulfillment)


def register_pages(app: Flask) -> None:
    """The portal, the buyer's pages and the operator console."""
    pages.register(app)
    web.register(app)
