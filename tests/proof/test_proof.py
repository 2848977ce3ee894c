"""The proof file of one order, as JSON and on paper."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pypdf import PdfReader

from app.proof import paper
from tests.factories import Merchant
from tests.shop import Shop


def text(content: bytes) -> str:
    """All words of a PDF, blanks squeezed."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages).split())


def delayed(shop: Shop) -> dict[str, Any]:
    """An order of which a part shipped, and of whose rest the buyer was told that it is late; then it was canceled."""
    order = shop.order(3, promise={"ship_by": "2027-06-01"})
    shop.ship(order, 1)
    sent = {"ship_by": "2027-06-20", "reason": "The kiln is down for repair"}
    shop.merchant.ok("POST", f"/orders/{order['id']}/delay-notices", sent)
    shop.merchant.drain()
    shop.cancel(order)
    work = shop.shown(order)["fulfillment_orders"][0]["id"]
    shop.merchant.provider.ok("POST", f"/fulfillment-orders/{work}/cancellation-acceptance")
    shop.merchant.drain()
    return order


def test_the_file_holds_everything_and_reads_well(shop: Shop) -> None:
    order = delayed(shop)
    proof = shop.merchant.ok("GET", f"/orders/{order['id']}/proof")
    [line] = proof["lines"]
    assert line["promise"]["original_date"] == "2027-06-01"
    assert proof["merchant"]["readings"]["zone"] == "strict"
    kinds = [one["kind"] for one in proof["notices"]]
    assert {"received", "shipped", "delay", "cancelled", "refund"} == set(kinds)
    assert proof["first_aware_at"] == next(
        one["created_at"] for one in proof["notices"] if one["kind"] == "delay"
    )
    assert proof["shipments"][0]["lines"][0]["quantity"] == 1
    assert [one["state"] for one in proof["refunds"]] == ["proven"]
    assert proof["cancellations"][0]["lines"][0]["quantity"] == 2
    assert all("payment_method" not in tender for tender in proof["money"]["tenders"])
    words = text(paper.printed(proof))
    for expected in (
        f"Proof file of order {order['number']}",
        "2027-06-01",
        "The kiln is down for repair",
        "sent",
        "1 × MUG",
        "$40.00, never taken",
        "not charged statement",
        "email",
        "Page 2",
        "no legal advice",
    ):
        assert expected in words, expected
    assert "None" not in words.replace("None.", "")


def test_paper_is_the_same_for_the_same_order(shop: Shop) -> None:
    order = shop.order(1)
    proof = shop.merchant.ok("GET", f"/orders/{order['id']}/proof")
    assert paper.printed(proof) == paper.printed(proof)
    words = text(paper.printed(proof))
    assert "No delay was known" in words
    shop.cancel(order)


def test_a_stranger_finds_no_proof(merchant: Merchant, other_merchant: Merchant) -> None:
    sku = merchant.sku()
    merchant.stock(merchant.node(), sku, 1)
    order = merchant.order((sku, 1), tenders=[{"kind": "terms"}])
    assert other_merchant.get(f"/orders/{order['id']}/proof").status_code == 404
    assert merchant.another_key("skus:read").get(f"/orders/{order['id']}/proof").status_code == 403
