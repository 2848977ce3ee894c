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
    assert re.search(r"Runner-up Node SOUTH 1 \(0\) [\d,]+ \(\+[\d,]+\) 1 \(0\) \+\$", told), told
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


def put_in_force(merchant: Merchant, document: dict) -> None:
    version = merchant.ok("POST", "/routing/rules", {"document": document})["version"]
    merchant.ok("POST", f"/routing/rules/{version}/activation", {"replaces": version - 1})
    merchant.drain()


def test_what_the_rules_gave_up_is_said(app: Flask, decided: Merchant) -> None:
    near = {"id": "near", "field": "lane.distance_miles", "op": "lte", "value": 100}
    fallback = {"relax": [["near"], ["max_packages"]], "then": "backorder"}
    strategy = {"id": "all", "filters": [near], "split": {"max_packages": 1}, "fallback": fallback}
    put_in_force(decided, {"name": "Near", "strategies": [strategy]})
    desk = member(app, decided.tenant_id)
    one = decided.order(("A", 1), tenders=PAID)
    told = words(desk.read(f"/orders/{one['id']}"))
    assert "Something was missing, so the rules gave up “within 100 miles”." in told
    tried = words(desk.read("/routing?lines=A&zip=83702&channel=web"))
    assert "Something was missing, so the rules gave up “within 100 miles”." in tried
    all_there = decided.order(("A", 11), tenders=PAID)
    told = words(desk.read(f"/orders/{all_there['id']}?why=all"))
    assert "Something was missing, so the rules gave up “within 100 miles” and the limit on packages." in told
    assert "No constraint stood in the way" not in told


def test_lines_that_go_their_own_way_are_in_every_figure(app: Flask, decided: Merchant) -> None:
    decided.sku("B", attributes={"hazard": True})
    decided.stock("EAST", "B", 5)
    hazard = {"field": "product.hazard", "op": "exists", "value": True}
    route = {"id": "hazard", "when": hazard, "nodes": ["EAST"], "apart": True}
    put_in_force(decided, {"name": "Hazard", "line_routes": [route], "strategies": [{"id": "all"}]})
    order = decided.order(("A", 1), ("B", 2), tenders=PAID)
    told = words(member(app, decided.tenant_id).read(f"/orders/{order['id']}"))
    assert re.search(r"As decided Node EAST, Node WEST 2 [\d,]+ 3 ", told), told
    assert re.search(r"Runner-up Node SOUTH and Node EAST 2 \(0\) [\d,]+ \(\+[\d,]+\) 3 \(0\)", told), told
