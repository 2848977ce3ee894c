"""The Promises board: what it lists and counts, the calendar, what waits for a decision, many notices at once."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.promises import listing, revisions
from tenants.scope import inside
from tests.counting import cost
from tests.outside import Inbox
from tests.portal import Desk, member
from tests.promises.test_service import expect, promised
from tests.shop import Shop

BOARD, REVISION = "/promises", "/promises/revision"


def within(days: int) -> dict[str, Any]:
    return {"promise": {"within": {"value": days, "unit": "days"}}}


@pytest.fixture
def desk(app: Flask, shop: Shop) -> Desk:
    return member(app, shop.tenant_id)


def listed(page: str) -> list[str]:
    return re.findall(r'<a class="id" href="/orders/[^"]+">(K-\d+)</a>', page)


def counted(page: str) -> dict[str, int]:
    found = re.findall(r">([A-Z][\w ]+)<span class=\"n\">([\d,]+)</span>", page)
    return {label: int(count) for label, count in found}


def test_the_board_lists_what_it_counts_and_finds_what_is_asked(shop: Shop, desk: Desk) -> None:
    soon = shop.order(1, **within(5))
    of_one = cost(lambda: desk.read(BOARD))
    later = shop.order(2, **within(12))
    waits = shop.order(95, **within(9))
    lost = shop.order(10, **within(20))
    page = desk.read(BOARD)
    assert cost(lambda: desk.read(BOARD)) == of_one, "the same statements, however many lines"
    assert listed(page) == [one["number"] for one in (soon, waits, later, lost)]
    assert listed(desk.read(f"{BOARD}?sort=-deadline")) == [
        one["number"] for one in (lost, later, waits, soon)
    ]
    counts = counted(page)
    assert counts["All open"] == 4
    for view, label in listing.VIEWS.items():
        assert len(listed(desk.read(f"{BOARD}?view={view}"))) == counts[label], view
    day = promised(shop, later).original_date
    assert listed(desk.read(f"{BOARD}?day={day}")) == [later["number"]]
    assert listed(desk.read(f"{BOARD}?q={soon['number'].lower()}")) == [soon["number"]]
    assert len(listed(desk.read(f"{BOARD}?q=mug"))) == 4
    assert "No promise fits" in desk.read(f"{BOARD}?q=%25")
    assert "No promise fits" in desk.read(f"{BOARD}?notice=bounced&state=open")
    weeks = desk.read(f"{BOARD}/calendar")
    for one in (soon, waits, later, lost):
        assert f'href="/promises?day={promised(shop, one).original_date}" aria-label="1 promise by' in weeks
    then = day + timedelta(weeks=20)
    assert "No open promise" in desk.read(f"{BOARD}/calendar?from={then}")
    assert f'href="/promises?day={day}"' in desk.read(f"{BOARD}/calendar?from={day}")
    rows = list(csv.DictReader(io.StringIO(desk.read(f"{BOARD}/export.csv?sort=-deadline"))))
    assert [row["order"] for row in rows] == [one["number"] for one in (lost, later, waits, soon)]
    with inside(shop.tenant_id) as scope:
        left = (promised(shop, later).deadline - scope.now()).days
    assert (rows[1]["units"], rows[1]["state"], rows[1]["days_left"]) == ("2", "open", str(left))


def test_pages_of_the_board_follow_each_other_both_ways(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = [shop.order(1, **within(5 + days)) for days in range(5)]
    numbers = [order["number"] for order in placed]
    with inside(shop.tenant_id) as scope:
        first = listing.page(scope, listing.Filters(), 2)
        second = listing.page(scope, listing.Filters(after=first.rows[-1]["id"]), 2)
        third = listing.page(scope, listing.Filters(after=second.rows[-1]["id"]), 2)
        back = listing.page(scope, listing.Filters(before=third.rows[0]["id"]), 2)
        whole = list(listing.each(scope, listing.Filters()))
    seen = [[row["order"] for row in page.rows] for page in (first, second, third, back)]
    assert seen == [numbers[:2], numbers[2:4], numbers[4:], numbers[2:4]]
    assert [(page.has_before, page.has_after) for page in (first, second, third, back)] == [
        (False, True),
        (True, True),
        (True, False),
        (True, True),
    ]
    assert [row["order"] for row in whole] == numbers


def test_a_person_sends_what_is_proposed(shop: Shop, desk: Desk, inbox: Inbox) -> None:
    shop.settings('{"notices": {"delay": "approve"}}')
    orders = [shop.order(1, **within(10)), shop.order(1, **within(10))]
    for order in orders:
        expect(shop, order, days=14)
        with inside(shop.tenant_id) as scope:
            revisions.review(scope, UUID(order["id"]))
    shop.merchant.drain()
    page = desk.read(f"{BOARD}?view=to_decide")
    assert sorted(listed(page)) == sorted(order["number"] for order in orders)
    lines = [order["lines"][0]["id"] for order in orders]
    sent = desk.post(f"{BOARD}/approvals", BOARD, ids=lines[0])
    assert sent.status_code == 303
    shop.merchant.drain()
    assert [promised(shop, order).state for order in orders] == ["wait_silent", "open"]
    assert inbox.to(orders[0]["customer"]["email"])[-1].subject.startswith("Your choice")
    desk.post(f"{BOARD}/approvals", BOARD, ids=lines)
    shop.merchant.drain()
    assert [promised(shop, order).state for order in orders] == ["wait_silent", "wait_silent"]
    assert counted(desk.read(BOARD))["To decide"] == 0
    told = [mail for mail in inbox.to(orders[0]["customer"]["email"]) if mail.subject.startswith("Your")]
    assert len([mail for mail in told if orders[0]["number"] in mail.text]) == 1, "once"


def test_a_supplier_slips_one_act_is_previewed_and_sent(shop: Shop, desk: Desk) -> None:
    near = [shop.order(1, **within(10)) for _ in range(3)]
    far = shop.order(2, **within(60))
    day = promised(shop, near[0]).original_date + timedelta(days=6)
    asked = {"sku": "MUG", "ship_by": day.isoformat(), "reason": "The kiln broke."}
    shown = desk.post(REVISION, BOARD, do="preview", **asked)
    assert shown.status_code == 200, shown.text[:2000]
    text = html.unescape(shown.text)
    assert "Send 3 notices" in text
    assert "Silence agrees to the new date." in text
    assert "The kiln broke." in text
    assert f"{day:%a}, {day:%b} {day.day}" in text, "the last day to answer is the one the letter names"
    assert f"{far['number']}</a>" in text
    assert "nothing to ask" in text
    shop.merchant.drain()
    assert {promised(shop, order).state for order in near} == {"open"}, "a preview changes nothing"
    assert desk.post(REVISION, BOARD, do="send", **asked).status_code == 303
    shop.merchant.drain()
    assert {promised(shop, order).state for order in near} == {"wait_silent"}
    assert promised(shop, far).state == "open"
    assert counted(desk.read(BOARD))["Waiting for the buyer"] == 3
    lines = [order["lines"][0]["id"] for order in (near[0], far)]
    chosen = desk.post(REVISION, BOARD, do="choose", ids=lines)
    assert chosen.text.count('name="ids"') == 2
    undated = desk.post(REVISION, BOARD, do="preview", ids=lines, undated="1", reason="No clay.")
    assert "Send 2 notices" in undated.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sku": "NOPE", "ship_by": "2100-01-01"}, "SKU"),
        ({"sku": "", "ship_by": "2100-01-01"}, "Enter the SKU"),
        ({"sku": "MUG", "ship_by": "2020-01-01"}, "still to come"),
        ({"sku": "MUG", "ship_by": "soon"}, "still to come"),
        ({"sku": "MUG", "ship_by": "2100-01-01", "reason": " "}, "Say why"),
    ],
)
def test_a_revision_that_lacks_something_is_refused_at_its_field(
    desk: Desk, fields: dict[str, str], words: str
) -> None:
    answer = desk.post(REVISION, BOARD, **({"do": "send", "reason": "The kiln broke."} | fields))
    assert (answer.status_code, words in answer.text) == (422, True)


def test_who_may_only_look_and_who_is_elsewhere_changes_nothing(
    app: Flask, shop: Shop, other_merchant: Any
) -> None:
    order = shop.order(1, **within(10))
    line = order["lines"][0]["id"]
    looks, elsewhere = member(app, shop.tenant_id, "analyst"), member(app, other_merchant.tenant_id)
    assert "Change dates" not in looks.read(BOARD)
    assert looks.post(REVISION, BOARD, do="send", ids=line, undated="1").status_code == 403
    assert looks.post(f"{BOARD}/approvals", BOARD, ids=line).status_code == 403
    assert listed(elsewhere.read(BOARD)) == []
    refused = elsewhere.post(REVISION, BOARD, do="send", ids=line, undated="1", reason="Why")
    assert refused.status_code == 404 or (refused.status_code == 422 and "open line" in refused.text)
    elsewhere.post(f"{BOARD}/approvals", BOARD, ids=line)
    shop.merchant.drain()
    assert promised(shop, order).state == "open"
