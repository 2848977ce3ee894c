"""Every table, imported once so that the metadata is whole."""

import app.catalog.models
import app.customers.models
import app.fulfillment.models
import app.imports.models
import app.inventory.models
import app.network.models
import app.notices.models
import app.orders.models
import app.payments.models
import app.promises.models
import app.routing.models
import app.tax.models
import infra.idempotency
import infra.inbox
import infra.outbox
import tenants.models  # noqa: F401
from infra.db import Base

metadata = Base.metadata
