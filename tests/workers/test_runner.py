"""Later work: each handler's effect once, whatever fails beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.clock import real_now
from tenants.scope import Scope, inside
from tests.factories import Merchant
from workers import runner
from workers.handlers import Call, Verb
from workers.subscriptions import SUBSCRIPTIONS

calls: list[str] = []
broken = {"letter"}


def money(scope: Scope, subject_id, **_) -> None:
    scope.execute("UPDATE tenants SET name = name || '!' WHERE tenant_id = :tenant")
    calls.append("money")


def letter(scope: Scope, subject_id, **_) -> None:
    scope.execute("UPDATE tenants SET name = name || '?' WHERE tenant_id = :tenant")
    calls.append("letter")
    if "letter" in broken:
        raise ValueError("a template with a fault")


@pytest.fixture
def topic() -> Iterator[str]:
    calls.clear()
    broken.add("letter")
    SUBSCRIPTIONS["test.happened"] = (Verb(money), Verb(letter))
    yield "test.happened"
    del SUBSCRIPTIONS["test.happened"]


def state(merchant: Merchant) -> tuple[str, str, str | None]:
    with inside(merchant.tenant_id) as scope:
        row = scope.row(
            "SELECT o.state, t.name, o.error FROM outbox o JOIN tenants t ON t.tenant_id = o.tenant_id"
            " WHERE o.tenant_id = :tenant AND o.topic = 'test.happened'"
        )
    return row.state, row.name, row.error


def again_now(merchant: Merchant) -> None:
    with inside(merchant.tenant_id) as scope:
        scope.execute(
            "UPDATE outbox SET available_at = :now WHERE tenant_id = :tenant AND state = 'waiting'",
            now=real_now(),
        )


def test_a_letter_with_a_fault_does_not_hold_back_money(merchant: Merchant, topic: str) -> None:
    with inside(merchant.tenant_id) as scope:
        scope.later(topic, merchant.tenant_id)
    merchant.drain()
    assert state(merchant) == ("waiting", "Alder & Finch!", "ValueError: a template with a fault")
    broken.clear()
    again_now(merchant)
    merchant.drain()
    assert state(merchant) == ("done", "Alder & Finch!?", None)
    assert calls == ["money", "letter", "money", "letter", "letter"], "together; one by one; what had failed"


def test_the_last_attempt_is_dead_with_its_reason(merchant: Merchant, topic: str) -> None:
    with inside(merchant.tenant_id) as scope:
        scope.later(topic, merchant.tenant_id)
    for _ in range(12):
        merchant.drain()
        again_now(merchant)
    assert state(merchant) == ("dead", "Alder & Finch!", "ValueError: a template with a fault")


def test_an_outside_call_is_finished_once(merchant: Merchant) -> None:
    heard: list[object] = []
    SUBSCRIPTIONS["test.asked"] = (
        Call(
            lambda scope, subject_id: subject_id,
            lambda asked: "yes",
            lambda scope, asked, answer: heard.append(answer),
        ),
    )
    try:
        with inside(merchant.tenant_id) as scope:
            scope.later("test.asked", merchant.tenant_id)
            row_id = scope.row("SELECT id FROM outbox WHERE tenant_id = :tenant AND topic = 'test.asked'").id
        assert runner.run(merchant.tenant_id, row_id) is True
        assert runner.run(merchant.tenant_id, row_id) is False
    finally:
        del SUBSCRIPTIONS["test.asked"]
    assert heard == ["yes"]
