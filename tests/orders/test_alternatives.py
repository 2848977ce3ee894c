"""What would have been otherwise, on the order's page: weighed at the time, and decided again when asked."""

from __future__ import annotations

import html
import re

from flask import Flask

from tests.counting import cost
from tests.factories import Merchant
from tests.portal import member
from tests.routing.test_replays import PAID, decided

__all__ = ["decided"]


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_card_says_what_would_change_the_plan(app: Flask, decided: Merchant) -> None:
    order = decided.order(("A", 3), tenders=PAID)
    page = f"/orders/{order['id']}"
    desk = member(app, decided.tenant_id)
    before = decided.ok("GET", f"/orders/{order['id']}/routing")
    told = words(desk.read(page))
    assert "What would change it" in told
    assert "Without the filter" not in told
    asked = words(desk.read(f"{page}?why=all"))
    assert re.search(
        r"Without the filter “within 1,000 miles”, it would ship from Node EAST: one unit more and [\d,]+ miles more\.",
        asked,
    ), asked
    assert re.search(
        r"Without the limit on packages, it would ship from Node SOUTH and Node WEST:"
        r" one unit more, one package more and [\d,]+ miles (more|less)\.",
        asked,
    ), asked
    assert "Figures for the analyst" in asked
    assert decided.ok("GET", f"/orders/{order['id']}/routing") == before


def test_the_plans_it_was_weighed_against_are_told_at_once(app: Flask, decided: Merchant) -> None:
    desk = member(app, decided.tenant_id)
    order = decided.order(("A", 1), tenders=PAID)
    told = words(desk.read(f"/orders/{order['id']}"))
    assert re.search(r"As the next best plan, it would ship from Node SOUTH: [\d,]+ miles more\.", told), told
    assert re.search(r"Runner-up Node SOUTH 1 \(0\) [\d,]+ \(\+[\d,]+\) 0 \+\$", told), told
    free = words(desk.read(f"/orders/{order['id']}?why=all"))
    assert "What would change it" not in free


def test_asking_costs_no_more_for_a_larger_network(app: Flask, decided: Merchant) -> None:
    desk = member(app, decided.tenant_id)
    order = decided.order(("A", 3), tenders=PAID)
    path = f"/orders/{order['id']}?why=all"
    few = cost(lambda: desk.read(path))
    for _ in range(5):
        decided.node()
    assert cost(lambda: desk.read(path)) == few
