"""`POST /oauth/token` as RFC 6749 says."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from infra.clock import real_now
from infra.ids import new_id
from tenants import clients, service
from tenants.rules import PROVIDER_SCOPES
from tenants.scope import directory, inside
from tests.factories import Merchant

GRANT = {"grant_type": "client_credentials"}


def client_of(merchant: Merchant, *scopes: str, **options: Any) -> tuple[str, str]:
    with inside(merchant.tenant_id) as scope:
        return clients.create_client(
            scope, name="ERP", scopes=list(scopes) or ["orders:read", "skus:read"], **options
        )


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def ask(http: FlaskClient, fields: dict[str, Any], headers: dict[str, str] | None = None) -> TestResponse:
    number = new_id().int
    http.environ_base["REMOTE_ADDR"] = f"10.{number % 250}.{number // 250 % 250}.{number // 62500 % 250}"
    return http.post("/oauth/token", data=fields, headers=headers)


def error(answer: TestResponse) -> tuple[int, str]:
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.get_json()["error"]


def test_a_token_opens_the_api_with_the_clients_scopes(merchant: Merchant) -> None:
    made = client_of(merchant)
    for answer in (
        ask(merchant.client, GRANT, basic(*made)),
        ask(merchant.client, {**GRANT, "client_id": made[0], "client_secret": made[1]}),
    ):
        assert answer.status_code == 200
        body = answer.get_json()
        assert (body["token_type"], body["expires_in"], body["scope"]) == (
            "Bearer",
            3600,
            "orders:read skus:read",
        )
        assert answer.headers["Cache-Control"] == "no-store"
        assert call(merchant, body["access_token"], "/orders").status_code == 200
        assert call(merchant, body["access_token"], "/nodes").status_code == 403
    with inside(merchant.tenant_id) as scope:
        assert scope.row("SELECT last_used_at FROM oauth_clients WHERE tenant_id = :tenant").last_used_at
        kept = scope.rows("SELECT digest FROM oauth_tokens WHERE tenant_id = :tenant")
    assert [len(row.digest) for row in kept] == [32, 32]


def call(merchant: Merchant, token: str, path: str) -> TestResponse:
    return merchant.client.get(f"/v1{path}", headers={"Authorization": f"Bearer {token}"})


def test_scopes_are_narrowed_never_widened(merchant: Merchant) -> None:
    made = client_of(merchant)
    narrow = ask(merchant.client, {**GRANT, "scope": "skus:read"}, basic(*made)).get_json()
    assert narrow["scope"] == "skus:read"
    assert call(merchant, narrow["access_token"], "/orders").status_code == 403
    assert error(ask(merchant.client, {**GRANT, "scope": "skus:write"}, basic(*made))) == (
        400,
        "invalid_scope",
    )


def test_who_the_client_is_must_be_proven(merchant: Merchant, other_merchant: Merchant) -> None:
    client_id, secret = client_of(merchant)
    other_id, other_secret = client_of(other_merchant)
    for pair in ((client_id, "wrong"), ("kept_client_nobody", secret), (client_id, other_secret), ("é", "ü")):
        answer = ask(merchant.client, GRANT, basic(*pair))
        assert error(answer) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert error(ask(merchant.client, GRANT)) == (401, "invalid_client")
    assert error(ask(merchant.client, GRANT, {"Authorization": "Basic %%%"})) == (401, "invalid_client")
    assert error(ask(merchant.client, GRANT, {"Authorization": f"Bearer {merchant.key}"})) == (
        401,
        "invalid_client",
    )
    assert other_id != client_id


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, "invalid_request"),
        ({**GRANT, "client_secret": "too"}, "invalid_request"),
    ],
)
def test_a_request_that_is_not_one(merchant: Merchant, fields: dict[str, Any], expected: str) -> None:
    assert error(ask(merchant.client, fields, basic(*client_of(merchant)))) == (400, expected)


def test_a_rotated_secret_overlaps_and_a_revoked_client_ends_its_tokens(merchant: Merchant) -> None:
    client_id, old = client_of(merchant)
    token = ask(merchant.client, GRANT, basic(client_id, old)).get_json()["access_token"]
    with inside(merchant.tenant_id) as scope:
        new = clients.rotate_client(scope, client_id, overlap_hours=1)
    assert [ask(merchant.client, GRANT, basic(client_id, secret)).status_code for secret in (old, new)] == [
        200,
        200,
    ]
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE oauth_clients SET previous_until = :past WHERE tenant_id = :tenant",
            past=real_now() - timedelta(seconds=1),
        )
    assert [ask(merchant.client, GRANT, basic(client_id, secret)).status_code for secret in (old, new)] == [
        401,
        200,
    ]
    with inside(merchant.tenant_id) as scope:
        clients.revoke_client(scope, client_id)
    assert ask(merchant.client, GRANT, basic(client_id, new)).status_code == 401
    assert call(merchant, token, "/orders").status_code == 401


def test_an_expired_client_and_its_tokens_end(merchant: Merchant) -> None:
    made = client_of(merchant, expires_at=real_now() + timedelta(hours=1))
    token = ask(merchant.client, GRANT, basic(*made)).get_json()["access_token"]
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE oauth_clients SET expires_at = :past WHERE tenant_id = :tenant", past=real_now()
        )
    assert ask(merchant.client, GRANT, basic(*made)).status_code == 401
    assert call(merchant, token, "/orders").status_code == 401


def test_a_client_of_a_provider_ends_with_its_grant(merchant: Merchant) -> None:
    with directory() as session:
        provider = service.create_provider(session, "Dockside")
    with inside(merchant.tenant_id) as scope:
        grant = service.grant(scope, provider, name="Dockside", nodes=["*"], scopes=["fulfillment:read"])
    made = client_of(merchant, *sorted(PROVIDER_SCOPES), grant_id=grant)
    body = ask(merchant.client, GRANT, basic(*made)).get_json()
    assert body["scope"] == "fulfillment:read"
    assert call(merchant, body["access_token"], "/fulfillment-orders").status_code == 200
    with inside(merchant.tenant_id) as scope:
        service.revoke_grant(scope, grant)
    assert error(ask(merchant.client, GRANT, basic(*made))) == (400, "unauthorized_client")
    assert call(merchant, body["access_token"], "/fulfillment-orders").status_code == 403


def test_a_suspended_tenant_gets_no_tokens(merchant: Merchant) -> None:
    made = client_of(merchant)
    service.suspend(merchant.tenant_id, "test")
    assert error(ask(merchant.client, GRANT, basic(*made))) == (400, "unauthorized_client")


def test_asking_too_often_is_slowed(merchant: Merchant) -> None:
    made = client_of(merchant)
    answers = [ask(merchant.client, {**GRANT, "scope": "none"}, basic(*made)) for _ in range(62)]
    assert error(answers[59]) == (400, "invalid_scope")
    assert error(answers[-1]) == (429, "temporarily_unavailable")
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_one_limit_for_all_tokens_of_a_client(merchant: Merchant) -> None:
    made = client_of(merchant, rate_limit=3)
    tokens = [ask(merchant.client, GRANT, basic(*made)).get_json()["access_token"] for _ in range(2)]
    statuses = [call(merchant, tokens[n % 2], "/orders").status_code for n in range(5)]
    assert statuses.count(429) == 2


def test_it_documents_itself(merchant: Merchant) -> None:
    paths = merchant.client.get("/openapi.json").get_json()["paths"]
    described = paths["/oauth/token"]["post"]
    assert set(described["responses"]) >= {"200", "400", "401", "429"}
    assert "application/x-www-form-urlencoded" in described["requestBody"]["content"]


def test_secrets_are_kept_as_digests_only(merchant: Merchant) -> None:
    _, secret = client_of(merchant)
    with inside(merchant.tenant_id) as scope:
        row = scope.row(
            "SELECT CAST(to_jsonb(c) AS text) AS all FROM oauth_clients c WHERE tenant_id = :tenant"
        )
    assert secret not in row.all
    with directory() as session:
        assert (
            session.execute(
                text("SELECT count(*) FROM key_directory WHERE prefix LIKE :s"), {"s": f"%{secret}%"}
            ).scalar_one()
            == 0
        )
