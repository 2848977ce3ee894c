"""Every blueprint of the application, in the order of the API's documentation."""

from __future__ import annotations

from flask import Flask

from app import pages, web
from app.accounts.views import BLUEPRINTS as accounts
from app.allocation.allotment_views import blueprint as allotment_pages
from app.allocation.api import blueprint as stock
from app.allocation.views import blueprint as inventory_pages
from app.cancellation.api import blueprint as cancellation
from app.catalog.api import blueprint as catalog
from app.catalog.views import blueprint as catalog_pages
from app.compliance.api import blueprint as compliance
from app.compliance.views import blueprint as compliance_pages
from app.console.views import blueprint as console
from app.dashboard.actions import blueprint as order_actions
from app.dashboard.delay import blueprint as delay_pages
from app.dashboard.entry import blueprint as order_entry
from app.dashboard.views import blueprint as dashboard
from app.exceptions.api import blueprint as routing_exceptions
from app.exceptions.views import blueprint as exception_pages
from app.fulfillment.api import blueprint as fulfillment
from app.imports.api import blueprint as imports
from app.imports.views import blueprint as imports_pages
from app.inbound.api import blueprint as inbound
from app.inbound.views import blueprint as inbound_pages
from app.intake.api import blueprint as intake
from app.network.api import blueprint as network
from app.network.rate_views import blueprint as network_pages
from app.notices.views import blueprint as print_queue
from app.oauth.api import blueprint as oauth
from app.orders.api import blueprint as orders
from app.orders.views import blueprint as order_pages
from app.promises.api import blueprint as delay_notices
from app.promises.views import blueprint as promise_pages
from app.proof.api import blueprint as proof
from app.proof.views import blueprint as proof_pages
from app.quotes.api import blueprint as quotes
from app.refunds.api import blueprint as refunds_due
from app.refunds.views import blueprint as refund_pages
from app.routing.api import blueprint as routing
from app.routing.edits import blueprint as routing_pages
from app.routing.what_if import blueprint as what_if_pages
from app.selfservice.views import blueprint as buyer
from app.settings import views as settings
from app.webhooks.api import blueprint as webhooks

API = (
    intake,
    catalog,
    network,
    stock,
    inbound,
    quotes,
    fulfillment,
    orders,
    cancellation,
    delay_notices,
    refunds_due,
    proof,
    compliance,
    oauth,
    imports,
    routing,
    routing_exceptions,
)


def register_pages(app: Flask) -> None:
    """The portal, the buyer's pages and the operator console."""
    pages.register(app)
    web.register(app)
    app.register_blueprint(webhooks)
    settings.register(app)
    about_orders = (
        order_pages,
        order_actions,
        order_entry,
        promise_pages,
        delay_pages,
        exception_pages,
        print_queue,
        refund_pages,
        proof_pages,
        compliance_pages,
    )
    for blueprint in (*accounts, dashboard, *about_orders, buyer):
        app.register_blueprint(blueprint)
    for blueprint in (
        catalog_pages,
        inventory_pages,
        inbound_pages,
        allotment_pages,
        network_pages,
        imports_pages,
        routing_pages,
        what_if_pages,
    ):
        app.register_blueprint(blueprint)
    app.register_blueprint(console)
