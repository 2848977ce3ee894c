"""What is past its keeping time is forgotten; what is not, stays."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from infra.clock import real_now
from infra.ids import new_id
from tenants.scope import directory, inside
from tests.factories import Merchant
from workers import janitor


def test_old_idempotency_keys_are_forgotten_and_young_ones_kept(merchant: Merchant) -> None:
    merchant.sku("A")
    for key in ("old", "young"):
        body = merchant.order_body(("A", 1))
        assert merchant.post("/orders", body, Idempotency_Key=key).status_code == 201
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE idempotency_keys SET created_at = :long_ago WHERE tenant_id = :tenant AND key = 'old'",
            long_ago=real_now() - timedelta(days=8),
        )
    janitor.forget()
    with inside(merchant.tenant_id) as scope:
        keys = [row.key for row in scope.rows("SELECT key FROM idempotency_keys WHERE tenant_id = :tenant")]
    assert keys == ["young"]


def test_sessions_long_over_are_forgotten(merchant: Merchant) -> None:
    now = real_now()
    ends = {
        "over": now - timedelta(days=31),
        "lately": now - timedelta(days=2),
        "live": now + timedelta(days=1),
    }
    with directory() as session:
        for name, end in ends.items():
            session.execute(
                text(
                    "INSERT INTO web_sessions (id, token_digest, created_at, rotated_at, seen_at, expires_at,"
                    " user_agent) VALUES (:id, :digest, :now, :now, :now, :end, :name)"
                ),
                {"id": new_id(), "digest": new_id().bytes, "now": now, "end": end, "name": f"test {name}"},
            )
    janitor.forget()
    with directory() as session:
        left = session.execute(
            text("SELECT user_agent FROM web_sessions WHERE user_agent LIKE 'test %' ORDER BY 1")
        ).scalars()
        assert list(left) == ["test lately", "test live"]
