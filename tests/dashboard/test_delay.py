"""An answer that a buyer gave to a person is recorded on a page, with what shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask

from infra.clock import real_now
from tests.factories import Merchant
from tests.portal import member


def test_an_answer_given_by_phone_is_recorded(app: Flask, merchant: Merchant) -> None:
    merchant.drain()
    merchant.node("RENO")
    merchant.sku("KETTLE", title="Copper kettle")
    merchant.stock("RENO", "KETTLE", 5)
    day = (real_now() + timedelta(days=10)).date()
    order = merchant.order(("KETTLE", 1), promise={"ship_by": day.isoformat()})
    merchant.drain()
    desk, page = member(app, merchant.tenant_id, "agent"), f"/orders/{order['id']}/delay-answer"
    assert "Nothing was asked" in desk.read(page)
    later = (day + timedelta(days=45)).isoformat()
    body: dict[str, Any] = {"ship_by": later, "reason": "The maker is late."}
    [notice] = merchant.ok("POST", f"/orders/{order['id']}/delay-notices", body)["data"]
    merchant.drain()
    assert "Record the buyer&#39;s answer" in desk.read(f"/orders/{order['id']}")
    given = {"notice": notice["id"], "answer": "consent", "channel": "phone", "evidence": "Call 4711."}
    for wrong in (
        {"answer": "maybe"},
        {"channel": "dream"},
        {"evidence": ""},
        {"received": "2100-01-01T10:00"},
    ):
        assert desk.post(page, page, **given | wrong).status_code == 422, wrong
    assert desk.post(page, page, **given).status_code == 303
    shown = merchant.ok("GET", "/promises")["data"]
    assert [(one["state"], one["answer"]) for one in shown] == [("consent_definite", "consent")]
