"""An order waits for what its supplier sends: dated by the purchase order, told when it slips, shipped when it came."""

from __future__ import annotations

from typing import Any

from tenants.scope import inside
from tests.factories import Merchant
from tests.outside import Inbox
from tests.promises.story import NEW_YORK, Story


def bought(story: Story, expected_on: str | None, units: int = 10, reference: str = "PO-1") -> Any:
    """The purchase order says so now, and everything that follows is done."""
    line = {"sku": "MUG", "quantity": units, "expected_on": expected_on}
    body = {"supplier": "Dune Pottery", "node": "RENO", "ordered_on": "2026-03-02", "lines": [line]}
    made = story.merchant.ok("PUT", f"/inbound/{reference}", body)
    story.merchant.drain()
    return made


def came(story: Story, units: int, receipt: str, reference: str = "PO-1") -> Any:
    """A delivery is taken."""
    body = {"receipt": receipt, "lines": [{"sku": "MUG", "quantity": units}]}
    taken = story.merchant.ok("POST", f"/inbound/{reference}/receipts", body)
    story.merchant.drain()
    return taken


def automatic(story: Story) -> Story:
    """Notices leave without a person."""
    with inside(story.tenant_id) as scope:
        scope.execute("UPDATE tenants SET settings = '{}' WHERE tenant_id = :tenant")
    return story


def expected(story: Story, at: int = 0) -> str | None:
    """The day in New York on which Kept expects the line to ship."""
    found = story.promise(at).expected_ship_at
    return None if found is None else f"{found.astimezone(NEW_YORK):%Y-%m-%d}"


def notices(story: Story) -> list[tuple[str, str | None]]:
    """Delay notices so far: (kind, new day)."""
    with inside(story.tenant_id) as scope:
        rows = scope.rows(
            "SELECT facts FROM notices WHERE tenant_id = :tenant AND order_id = :order AND kind = 'delay'"
            " ORDER BY created_at, id",
            order=story.order["id"],
        )
    return [(row.facts["delay"], row.facts["revised"]) for row in rows]


def recorded(story: Story, kind: str) -> list[dict[str, Any]]:
    """What was kept of the first line's promise."""
    with inside(story.tenant_id) as scope:
        rows = scope.rows(
            "SELECT data FROM promise_events WHERE tenant_id = :tenant AND order_line_id = :line AND kind = :kind"
            " ORDER BY id",
            line=story.order["lines"][0]["id"],
            kind=kind,
        )
    return [row.data for row in rows]


def test_a_slip_is_told_in_time_and_what_came_is_shipped(merchant: Merchant, inbox: Inbox) -> None:
    story = automatic(Story(merchant, inbox, "2026-03-02", stock=0))
    bought(story, "2026-03-22")
    story.ordered().must_ship_by("2026-04-01")
    assert expected(story) == "2026-03-24", "there at the end of Sunday, sent a day later"
    [basis] = recorded(story, "made")
    assert basis["inbound"] == [
        {
            "reference": "PO-1",
            "supplier": "Dune Pottery",
            "node": "RENO",
            "expected_on": "2026-03-22",
            "units": 1,
            "lead_time": None,
        }
    ]
    assert notices(story) == []
    assert story.line()["backordered"] == 1, "what is to come is not sold"

    story.on("2026-03-10")
    bought(story, "2026-04-16")
    assert expected(story) == "2026-04-20"
    assert notices(story) == [("silent_consent", "2026-04-20")], "sent by itself, as soon as it was known"
    [known] = recorded(story, "late_known")
    assert known["proposed"] == "2026-04-20"
    assert known["basis"]["inbound"][0]["expected_on"] == "2026-04-16"
    assert recorded(story, "revised")[0]["basis"]["inbound"] == known["basis"]["inbound"]
    story.is_state("wait_silent")

    story.on("2026-03-12")
    bought(story, "2026-04-09")
    assert expected(story) == "2026-04-13"
    assert len(notices(story)) == 1, "earlier than told: nobody is troubled"

    story.on("2026-04-08").is_state("wait_silent")
    came(story, 10, "GRN-1")
    came(story, 10, "GRN-1")
    line = story.line()
    assert (line["backordered"], line["allocated"]) == (0, 1)
    story.ship().is_state("shipped")
    assert len(notices(story)) == 1
    proof = merchant.ok("GET", f"/orders/{story.order['id']}/proof")
    made = [one for one in proof["lines"][0]["promise_events"] if one["kind"] == "made"]
    assert made[0]["data"]["inbound"][0]["reference"] == "PO-1"
    record = merchant.ok("GET", "/inbound/PO-1")["record"]
    assert (record["lines"], record["on_time"]) == (1, 0)
    story.books()


def test_a_canceled_purchase_order_leaves_no_date(merchant: Merchant, inbox: Inbox) -> None:
    story = automatic(Story(merchant, inbox, "2026-03-02", stock=0))
    bought(story, "2026-03-22")
    story.ordered()
    merchant.ok("POST", "/inbound/PO-1/cancellation", {"reason": "the kiln burned down"})
    merchant.drain()
    assert expected(story) is None
    assert notices(story) == [], "until the last call a new date may be found"
    assert merchant.ok("GET", "/promises?bucket=at_risk")["data"][0]["expected_ship_at"] is None


def test_who_asks_first_sees_the_proposal_and_its_basis(merchant: Merchant, inbox: Inbox) -> None:
    story = Story(merchant, inbox, "2026-03-02", stock=0)
    bought(story, "2026-03-22")
    story.ordered()
    bought(story, "2026-04-16")
    assert notices(story) == []
    [shown] = merchant.ok("GET", "/promises?bucket=to_decide")["data"]
    assert shown["proposed"]["ship_by"] == "2026-04-20"
    assert shown["proposed"]["basis"]["inbound"][0]["reference"] == "PO-1"
    story.on("2026-04-01 08:00")
    assert notices(story) == [("silent_consent", "2026-04-20")], "nobody decided: the last call"


def test_the_earliest_promise_is_served_first_and_later_ones_move(merchant: Merchant, inbox: Inbox) -> None:
    story = automatic(Story(merchant, inbox, "2026-03-02", stock=0))
    bought(story, "2026-03-10", units=2)
    bought(story, "2026-03-20", units=5, reference="PO-2")
    story.ordered(("MUG", 2))
    assert expected(story) == "2026-03-12"
    first = story.order
    story.ordered(promise={"within": {"value": 20, "unit": "days"}})
    assert expected(story) == "2026-03-12", "promised sooner, served sooner"
    story.order = first
    assert expected(story) == "2026-03-23", "its second mug comes with the next delivery"
    merchant.ok("POST", f"/orders/{story.order['id']}/cancellation", {"reason": "no more"})
    merchant.drain()
    came(story, 1, "GRN-1")
    story.books()
