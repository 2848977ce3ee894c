"""Every table, imported once so that the metadata is whole."""

from importlib import import_module

from infra.db import Base

MODULES = (
    "infra.models",
    "tenants.models",
    "app.catalog.models",
    "app.customers.models",
    "app.fulfillment.models",
    "app.imports.models",
    "app.inbound.models",
    "app.inventory.models",
    "app.network.models",
    "app.notices.models",
    "app.orders.models",
    "app.payments.models",
    "app.promises.models",
    "app.proof.models",
    "app.quotes.models",
    "app.refunds.models",
    "app.routing.models",
    "app.tax.models",
)
for module in MODULES:
    import_module(module)

metadata = Base.metadata
