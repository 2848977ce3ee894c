import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tax.rules import TaxableCharge, TaxableLine, estimate, state_rate

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "tax" / "us_state_base_rates_2026.csv"
# fmt: off
STATES = [
    "AK", "AL", "AR", "AZ", "CA", "CO", "CT", "DC", "DE", "FL", "GA", "HI", "IA", "ID", "IL", "IN", "KS",
    "KY", "LA", "MA", "MD", "ME", "MI", "MN", "MO", "MS", "MT", "NC", "ND", "NE", "NH", "NJ", "NM", "NV",
    "NY", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VA", "VT", "WA", "WI", "WV", "WY",
]
# fmt: on


def goods(*amounts):
    return [TaxableLine(amount) for amount in amounts]


def test_every_state_has_a_rate():
    assert len(STATES) == 51
    for state in STATES:
        assert Decimal(0) <= state_rate(state, "US").rate < Decimal("0.1")


@pytest.mark.skipif(not SHARED.exists(), reason="the shared rate table is not on this machine")
def test_the_rates_are_those_of_the_shared_table():
    with SHARED.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            assert state_rate(row["state"], "US").rate == Decimal(row["base_rate"])


def test_goods_are_taxed_at_the_rate_of_the_state_of_delivery():
    quote = estimate("TX", "US", goods(10_000, 2_000))
    assert (quote.total, quote.lines, quote.rate) == (750, (625, 125), Decimal("0.0625"))
    assert quote.source == "state base rate"


@pytest.mark.parametrize(
    "asked", [("BC", "CA"), ("TX", "MX"), ("PR", "US"), ("ZZ", "US"), ("", "US"), (None, "US")]
)
def test_elsewhere_nothing_is_collected(asked):
    quote = estimate(*asked, goods(10_000), [TaxableCharge("shipping", 500)])
    assert (quote.total, quote.lines, quote.charges, quote.source) == (0, (0,), (0,), "not collected")


def test_a_state_without_sales_tax_quotes_zero_by_its_rate():
    quote = estimate("OR", "US", goods(10_000))
    assert (quote.total, quote.source) == (0, "state base rate")


def test_the_code_of_a_line_decides():
    lines = [
        TaxableLine(1_000, code) for code in ("", "general", "exempt", "gift_card", "digital", " Exempt ")
    ]
    assert estimate("TX", "US", lines).lines == (63, 63, 0, 0, 62, 0)
    assert estimate("CA", "US", lines).lines == (73, 72, 0, 0, 0, 0)


def test_shipping_follows_the_state_and_other_charges_are_taxed():
    charges = [TaxableCharge("shipping", 1_000), TaxableCharge("handling", 1_000)]
    assert estimate("TX", "US", [], charges).charges == (63, 62)
    assert estimate("CA", "US", [], charges).charges == (0, 73)


def test_the_cents_go_to_the_largest_remainders():
    # 6.25% of 1, 3 and 4 cents is 0.0625, 0.1875 and 0.25 cents: half a cent in all, one cent to the largest
    assert estimate("TX", "US", goods(1, 3, 4)).lines == (0, 0, 1)


def test_a_discount_line_lowers_the_tax():
    quote = estimate("TX", "US", goods(10_000, -2_000))
    assert (quote.total, quote.lines) == (500, (625, -125))
    assert estimate("TX", "US", goods(-10_000, 2_000)).lines == (-625, 125)


@given(
    st.sampled_from(STATES),
    st.lists(st.integers(0, 10**8), max_size=20),
    st.lists(st.integers(0, 10**6), max_size=4),
)
def test_the_parts_always_sum_to_the_rounded_total(state, amounts, shipping):
    quote = estimate(state, "US", goods(*amounts), [TaxableCharge("shipping", amount) for amount in shipping])
    taxed = sum(amounts) + (sum(shipping) if state_rate(state, "US").shipping_taxed else 0)
    assert quote.total == sum(quote.lines) + sum(quote.charges)
    assert abs(quote.total - taxed * quote.rate) <= Decimal("0.5")
    assert all(abs(part - amount * quote.rate) < 1 for part, amount in zip(quote.lines, amounts, strict=True))
