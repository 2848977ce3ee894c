"""Platform staff at the console, and work that was given up."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from infra.clock import real_now
from infra.ids import new_id
from tenants import sessions
from tenants.scope import directory, inside
from tests.portal import Desk

COOKIE = "kept_console"
_numbers = itertools.count(1)


def operator_desk(app: Flask, name: str = "Jonas Lind") -> Desk:
    """A member of platform staff, logged in at the console."""
    staff = new_id()
    with directory() as session:
        session.execute(
            text("INSERT INTO staff (id, email, name, created_at) VALUES (:id, :email, :name, :now)"),
            {
                "id": staff,
                "email": f"op{next(_numbers)}-{staff.hex[:8]}@kept.example",
                "name": name,
                "now": real_now(),
            },
        )
        token = sessions.begin(session, staff_id=staff)
    client = app.test_client()
    client.set_cookie(COOKIE, token)
    return Desk(client, token)


@pytest.fixture
def desk(app: Flask) -> Desk:
    """Jonas at the console."""
    return operator_desk(app)


@pytest.fixture
def give_up() -> Callable[..., UUID]:
    """Work of a tenant that was tried to the end: give_up(tenant_id, topic, error) -> its id."""

    def make(
        tenant_id: UUID, topic: str = "notice.queued", error: str = "SMTPServerDisconnected: closed"
    ) -> UUID:
        row = new_id()
        with inside(tenant_id) as scope:
            scope.execute(
                "INSERT INTO outbox (tenant_id, id, topic, subject_id, state, attempts, error, available_at,"
                " created_at) VALUES (:tenant, :id, :topic, :subject, 'dead', 12, :error, :now, :now)",
                id=row,
                topic=topic,
                subject=new_id(),
                error=error,
                now=real_now(),
            )
        return row

    return make
