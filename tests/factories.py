"""What most tests need: the application over this process's database, and a tenant of its own.

Every test opens its own merchant, so nothing is cleaned up and nothing is shared.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.routing.documents import default_document
from infra import settings as settings_module
from infra.settings import Settings
from tenants import credentials, service
from tenants.rules import ALL, PROVIDER_SCOPES
from tenants.scope import directory, inside
from tests.outside import Inbox, Processor

_numbers = itertools.count(1)
BOISE = {
    "name": "Marisol Vega",
    "line1": "1418 W Franklin St",
    "city": "Boise",
    "region": "ID",
    "postal_code": "83702",
    "country": "US",
}


@pytest.fixture(scope="session")
def in_force(settings: Settings, processor: Processor, inbox: Inbox) -> Settings:
    """The test settings as the process's own, with a card processor and a mail server of its own."""
    given = dataclasses.replace(
        settings,
        log_level="ERROR",
        stripe_api_base=processor.url,
        smtp_url=inbox.smtp_url,
        inbound_url=inbox.pop_url,
        inbound_address=inbox.ADDRESS,
        sms_url=inbox.sms_url,
        sms_token="token of the tests",
        private_services="allow",
    )
    settings_module.use(given)
    return given


@pytest.fixture(scope="session")
def app(in_force: Settings) -> Flask:
    """The web application."""
    from wsgi import app

    return app


@dataclass
class Caller:
    """A key at the API's door."""

    client: FlaskClient
    key: str
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.key}", **self.headers}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/v1{path}", method=method, json=body, headers=sent)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self.call("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.call("PUT", path, body, **headers)

    def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer's JSON; fails with the whole problem otherwise."""
        answer = self.call(method, path, body, **headers)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json()


@dataclass
class Merchant(Caller):
    """A sandbox tenant with an all-scopes key and one provider that sees every node."""

    tenant_id: UUID = field(default_factory=lambda: UUID(int=0))
    provider: Caller = field(default_factory=lambda: Caller(None, ""))  # type: ignore[arg-type]

    def another_key(self, *scopes: str, **options: Any) -> Caller:
        """Another key of the same merchant."""
        with inside(self.tenant_id) as scope:
            made = credentials.create_key(scope, name="test", scopes=list(scopes), **options)
        return Caller(self.client, made.key)

    def provider_key(self, *nodes: str) -> Caller:
        """A provider that sees these nodes only."""
        return _provider(self.client, self.tenant_id, list(nodes))

    def sku(self, code: str = "", **fields: Any) -> str:
        """A SKU: 19.99 USD, 500 g, unless said otherwise."""
        code = code or f"SKU-{next(_numbers)}"
        body = {
            "title": f"Thing {code}",
            "kind": "stock",
            "price": {"amount": 1999, "currency": "USD"},
            "weight_g": 500,
        }
        self.ok("PUT", f"/skus/{code}", body | fields)
        return code

    def node(self, code: str = "", postal_code: str = "89501", region: str = "NV", **fields: Any) -> str:
        """A warehouse in Reno, unless said otherwise."""
        code = code or f"NODE-{next(_numbers)}"
        address = {
            "line1": "1 Dock Rd",
            "city": "Town",
            "region": region,
            "postal_code": postal_code,
            "country": "US",
        }
        self.ok(
            "PUT",
            f"/nodes/{code}",
            {"name": f"Node {code}", "kind": "warehouse", "address": address} | fields,
        )
        return code

    def stock(self, node: str, sku: str, units: int) -> None:
        """Receive units."""
        self.ok(
            "POST",
            "/stock/adjustments",
            {"node": node, "sku": sku, "delta": units, "reason": "test", "reference": "test"},
        )

    def order_body(self, *lines: tuple[str, int], **fields: Any) -> dict[str, Any]:
        """A web order to Boise paid by a card that works."""
        return {
            "channel": "web",
            "external_ref": f"T-{next(_numbers)}",
            "currency": "USD",
            "customer": {"email": f"buyer{next(_numbers)}@example.com", "name": "Marisol Vega"},
            "ship_to": BOISE,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            "tenders": [{"kind": "card", "payment_method": "pm_card_visa"}],
        } | fields

    def order(self, *lines: tuple[str, int], **fields: Any) -> dict[str, Any]:
        """Place it; 201 expected."""
        answer = self.post("/orders", self.order_body(*lines, **fields))
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json()

    def drain(self) -> int:
        """Do all later work now, in this process."""
        from workers.runner import drain

        return drain(self.tenant_id)


def _provider(client: FlaskClient, tenant_id: UUID, nodes: list[str]) -> Caller:
    with directory() as session:
        provider_id = service.create_provider(session, f"Provider {next(_numbers)}")
    with inside(tenant_id) as scope:
        grant_id = service.grant(scope, provider_id, name="Test provider", nodes=nodes)
        made = credentials.create_key(
            scope, name="provider", scopes=sorted(PROVIDER_SCOPES), grant_id=grant_id
        )
    return Caller(client, made.key)


def new_merchant(app: Flask, name: str = "Alder & Finch") -> Merchant:
    """Open a merchant with one sandbox tenant, no limits."""
    opened = service.open_merchant(
        name, owner=None, live=False, rate_limit=None, first_rules=default_document()
    )
    with inside(opened.sandbox) as scope:
        made = credentials.create_key(scope, name="all", scopes=sorted(ALL))
    client = app.test_client()
    return Merchant(
        client, made.key, tenant_id=opened.sandbox, provider=_provider(client, opened.sandbox, ["*"])
    )


@pytest.fixture
def merchant(app: Flask) -> Merchant:
    """A merchant of this test's own."""
    return new_merchant(app)


@pytest.fixture
def other_merchant(app: Flask) -> Merchant:
    """Another merchant, who may see nothing of the first."""
    return new_merchant(app, "Somebody Else")
