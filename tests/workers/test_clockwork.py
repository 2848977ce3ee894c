"""A sandbox's clock at its edges: fractions of a second, and a processor whose own clock runs ahead."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from infra.clock import real_now
from tests.factories import Merchant
from tests.outside import Processor, account_of


@pytest.mark.parametrize("fraction", [0, 400_000, 999_999])
def test_the_clock_never_stands_before_the_moment_it_was_moved_to(merchant: Merchant, fraction: int) -> None:
    to = (real_now() + timedelta(days=2)).replace(microsecond=fraction)
    merchant.ok("POST", "/sandbox/clock", {"to": to.isoformat()})
    assert (
        to <= datetime.fromisoformat(merchant.ok("GET", "/sandbox/clock")["now"]) < to + timedelta(minutes=5)
    )


def test_a_processor_whose_clock_is_ahead_is_not_turned_back(
    merchant: Merchant, processor: Processor
) -> None:
    merchant.drain()
    processor.advance(account_of(merchant.tenant_id), 3600)
    assert merchant.post("/sandbox/clock", {"advance": "2m"}).status_code == 200
