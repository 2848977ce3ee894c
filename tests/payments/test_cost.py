"""What the life of an order costs: statements of its later work, from placed to captured."""

from __future__ import annotations

from tests.counting import statements
from tests.shop import Shop

MOST_PLACED, MOST_SHIPPED = 90, 62


def test_an_order_is_settled_in_few_statements(shop: Shop) -> None:
    """One card, one line, one parcel: tax, authorization, release and two letters; capture and a letter. One lock
    and one transaction a row, two for what asks outside; an order's money is read once before and once after."""
    shop.ship(shop.order(1), 1)
    order = shop.merchant.order(("MUG", 1), tenders=[{"kind": "card", "payment_method": "pm_card_visa"}])
    with statements() as placed:
        shop.merchant.drain()
    shop.ship(order, 1, drain=False)
    with statements() as shipped:
        shop.merchant.drain()
    assert shop.shown(order)["payment_status"] == "captured"
    locks = [one for one in placed + shipped if one.startswith("SELECT topic, subject_id")]
    ended = [one for one in placed + shipped if "UPDATE outbox SET state = 'done'" in one]
    assert len(ended) == 10, "ten rows"
    assert len(locks) <= 2 * len(ended)
    assert len(placed) <= MOST_PLACED
    assert len(shipped) <= MOST_SHIPPED
