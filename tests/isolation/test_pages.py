"""Every page with an id, walked from the URL map: another merchant's member and a member without the permission get
404 or 403, a stranger the log-in page, and nothing changes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tenants.rules import role_permissions
from tenants.scope import inside
from tests.factories import Merchant
from tests.isolation.test_doors import fingerprint, scene  # noqa: F401
from tests.portal import member
from tests.services import Database

FIELDS = {
    "reason": "The buyer asked for it",
    "kind": "manual",
    "line-01a20000-0000-7000-8000-000000000000": "1",
    "name": "Marisol Vega",
    "line1": "1 Main St",
    "city": "Boise",
    "region": "ID",
    "postal_code": "83702",
    "country": "US",
    "form": "check",
    "reference": "1041",
    "how": "by post",
    "receipt": "GRN-2",
    "units-0": "1",
    "sent_on": "2026-01-05",
    "told_on": "2026-01-05",
    "discovered_on": "2026-01-05",
}
"""What the forms ask for, so that a refusal is about the row and not about a field."""
WITHOUT_KEY = UUID("01a20000-0000-7000-8000-000000000000")


def page_rules(app: Flask) -> list[tuple[Rule, str, str]]:
    """(rule, method, permission) of every page about one thing of a tenant."""
    return [
        (rule, method, app.view_functions[rule.endpoint].permission)  # type: ignore[attr-defined]
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
        if rule.arguments
        and not rule.rule.startswith(("/v1/", "/console/"))
        and getattr(app.view_functions[rule.endpoint], "permission", None)
    ]


@pytest.fixture
def ids(merchant: Merchant, scene: dict[str, str]) -> dict[str, Any]:  # noqa: F811
    """One of everything a page can be about, in the first tenant, by the name its rule gives it."""
    with inside(merchant.tenant_id) as scope:

        def one(table: str) -> UUID:
            row = scope.row(f"SELECT id FROM {table} WHERE tenant_id = :tenant ORDER BY id LIMIT 1")
            return row.id if row else WITHOUT_KEY

        return {
            "order_id": scene["orders"],
            "card": scene["rate-cards"],
            "case_id": scene["cases"],
            "inbound": scene["inbound"],
            "due_id": scene["refunds-due"],
            "import_id": str(WITHOUT_KEY),
            "exception_id": one("routing_exceptions"),
            "simulation_id": str(WITHOUT_KEY),
            "position_id": one("stock_positions"),
            "row_id": one("api_keys"),
            "grant_id": one("grants"),
            "member_id": one("members"),
            "invitation_id": one("invitations"),
            "version": int(scene["rules"]),
            "replaces": 1,
            "kind": "keys",
        }


def address(app: Flask, rule: Rule, ids: dict[str, Any]) -> str:
    code = "A" if "/skus/" in rule.rule else "N"
    values = {name: ids.get(name, code) for name in rule.arguments}
    with app.test_request_context():
        built = app.url_map.bind("localhost").build(rule.endpoint, values)
    return str(built)


def test_another_merchants_member_finds_nothing(
    app: Flask, merchant: Merchant, other_merchant: Merchant, database: Database, ids: dict[str, Any]
) -> None:
    own = member(app, merchant.tenant_id)
    ids["member_id"] = _member_of(merchant)
    stranger = member(app, other_merchant.tenant_id, name="Somebody Else")
    before = fingerprint(database, merchant.tenant_id)
    wrong = []
    for rule, method, _ in page_rules(app):
        if set(rule.arguments) == {"kind"}:
            continue  # a form for a new key is about nobody's row
        answer = _call(stranger, method, address(app, rule, ids))
        if answer.status_code != 404:
            wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []
    assert fingerprint(database, merchant.tenant_id) == before
    assert own.client.get(f"/orders/{ids['order_id']}").status_code == 200


@pytest.mark.parametrize("role", ["agent", "picker", "analyst"])
def test_a_member_without_the_permission_is_refused(
    app: Flask, merchant: Merchant, database: Database, ids: dict[str, Any], role: str
) -> None:
    desk = member(app, merchant.tenant_id, role)
    ids["member_id"] = _member_of(merchant)
    before = fingerprint(database, merchant.tenant_id)
    wrong = []
    for rule, method, permission in page_rules(app):
        if permission not in role_permissions(role):
            answer = _call(desk, method, address(app, rule, ids))
            if answer.status_code not in (403, 404):
                wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []
    assert fingerprint(database, merchant.tenant_id) == before


def test_a_stranger_is_asked_to_log_in(app: Flask, merchant: Merchant, ids: dict[str, Any]) -> None:
    wrong = []
    for rule, method, _ in page_rules(app):
        answer = app.test_client().open(address(app, rule, ids), method=method)
        if answer.status_code not in (302, 303, 400, 403) or (
            answer.status_code in (302, 303) and "/log-in" not in answer.location
        ):
            wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []


def _member_of(merchant: Merchant) -> UUID:
    with inside(merchant.tenant_id) as scope:
        row = scope.row("SELECT id FROM members WHERE tenant_id = :tenant ORDER BY id LIMIT 1")
        assert row is not None
        return row.id


def _call(desk: Any, method: str, path: str) -> Any:
    if method == "GET":
        return desk.client.get(path)
    return desk.post(path, "/account", **FIELDS)
