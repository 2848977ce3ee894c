from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.money import (
    DECIMALS,
    MixedCurrency,
    Money,
    UnknownCurrency,
    decimals,
    round_half_up,
    share,
    shares,
    spread,
)

USD_5, USD_3, EUR_5 = Money(500, "USD"), Money(300, "USD"), Money(500, "EUR")


def test_sums_and_comparisons_in_one_currency():
    assert (USD_5 + USD_3).amount == 800
    assert (USD_3 - USD_5).amount == (-Money(200, "USD")).amount
    assert USD_3 * 4 == 4 * USD_3 == Money(1200, "USD")
    assert USD_3 < USD_5 <= USD_5
    assert USD_5 > USD_3 >= USD_3
    assert Money.total([USD_5, USD_3], "USD") == Money(800, "USD")
    assert Money.total([], "USD") == Money.zero("USD")
    assert not Money.zero("USD")


@pytest.mark.parametrize(
    "mix",
    [
        lambda: USD_5 + EUR_5,
        lambda: USD_5 - EUR_5,
        lambda: USD_5 < EUR_5,
        lambda: USD_5 <= EUR_5,
        lambda: USD_5 > EUR_5,
        lambda: USD_5 >= EUR_5,
        lambda: Money.total([USD_5, EUR_5], "USD"),
    ],
)
def test_two_currencies_never_meet(mix):
    with pytest.raises(MixedCurrency):
        mix()


def test_equal_figures_in_two_currencies_are_not_equal():
    assert USD_5 != EUR_5


@pytest.mark.parametrize("wrong", [1.0, "1", True, None, Decimal(1)])
def test_an_amount_is_a_whole_number(wrong):
    with pytest.raises(TypeError):
        Money(wrong, "USD")


def test_money_and_bare_numbers_do_not_mix():
    with pytest.raises(TypeError):
        USD_5 + 1


@pytest.mark.parametrize("code", ["usd", "XXX", "", "US"])
def test_an_unknown_currency_is_refused(code):
    with pytest.raises(UnknownCurrency):
        Money(1, code)
    with pytest.raises(UnknownCurrency):
        decimals(code)


def test_each_currency_has_its_own_decimals():
    assert (decimals("USD"), decimals("JPY"), decimals("KWD"), decimals("CLF")) == (2, 0, 3, 4)
    assert all(len(code) == 3 and code.isupper() for code in DECIMALS)
    assert str(Money(126800, "USD")) == "$1,268.00"
    assert str(Money(-3780, "USD")) == "−$37.80"
    assert str(Money(1500, "JPY")) == "¥1,500"
    assert str(Money(1500, "KWD")) == "KWD 1.500"


def test_a_figure_is_read_exactly_or_refused():
    assert Money.parse("12.99", "USD") == Money(1299, "USD")
    assert Money.parse("1500", "JPY") == Money(1500, "JPY")
    for figure, currency in [
        ("12.999", "USD"),
        ("1.5", "JPY"),
        ("twelve", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
    ]:
        with pytest.raises(ValueError):
            Money.parse(figure, currency)


@pytest.mark.parametrize(
    ("value", "rounded"), [("0.5", 1), ("-0.5", -1), ("1.4999", 1), ("2.5", 3), ("-2.4", -2)]
)
def test_a_half_goes_away_from_zero(value, rounded):
    assert round_half_up(Decimal(value)) == rounded


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (10, [0, 0, 0], [4, 3, 3]),
        (10, [0, 5, 0], [0, 10, 0]),
        (1, [1, 2, 3], [0, 0, 1]),
        (0, [3, 4], [0, 0]),
        (0, [], []),
        (880, [7000, 3000, 1000], [560, 240, 80]),
    ],
)
def test_spread_by_largest_remainder(total, weights, parts):
    assert spread(total, weights) == parts


@pytest.mark.parametrize("refused", [(1, []), (5, [1, -1])])
def test_spread_refuses_what_it_cannot_split(refused):
    with pytest.raises(ValueError):
        spread(*refused)


amounts = st.integers(-(10**12), 10**12)


@given(amounts, st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_spread_is_exact_and_each_part_is_within_one_of_its_due(total, weights):
    parts = spread(total, weights)
    assert sum(parts) == total
    whole = sum(weights) or len(weights)
    due = [total * (weight if sum(weights) else 1) / Decimal(whole) for weight in weights]
    assert all(abs(part - fair) < 1 for part, fair in zip(parts, due, strict=True))
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0 and sum(weights))


@given(amounts, st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any))
def test_the_shares_of_any_split_sum_to_the_total(total, groups):
    assert sum(shares(total, groups)) == total


def test_the_last_unit_takes_the_rest():
    assert [share(100, 1, consumed, 3) for consumed in range(3)] == [33, 33, 34]
    assert [share(-100, 1, consumed, 3) for consumed in range(3)] == [-33, -33, -34]
    assert share(100, 0, 1, 3) == 0


@pytest.mark.parametrize("refused", [(100, 2, 2, 3), (100, -1, 1, 3), (100, 1, -1, 3), (100, 0, 0, 0)])
def test_units_that_do_not_exist_have_no_share(refused):
    with pytest.raises(ValueError):
        share(*refused)
