"""Which law governs, California's earlier days, and the delivery clocks of Europe and the Kingdom."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.promises.laws import governing, laws_document, laws_from
from app.promises.readings import SettingsFault
from app.promises.refunds import TenderClass, latest
from app.promises.regimes import (
    Delivered,
    DeliveryPhase,
    DeliveryRefused,
    EndedByConsumer,
    PeriodGranted,
    Regime,
    california_clock,
    california_latest,
    deliver,
    delivery,
    delivery_refund_target,
    regime_of,
)
from app.promises.rules import PromiseInput, Zones, clock

LONDON = "Europe/London"
ZONES = Zones(LONDON, (LONDON,))
FEDERAL, CALIFORNIA, EU, UK = Regime


def at(month, day, hour=12):
    return datetime(2026, month, day, hour, tzinfo=ZoneInfo(LONDON))


@pytest.mark.parametrize(
    ("seller", "country", "region", "consumer", "laws"),
    [
        ("US", "US", "NY", True, (FEDERAL,)),
        ("US", "US", "CA", True, (FEDERAL, CALIFORNIA)),
        ("us", "us", "us-ca", False, (FEDERAL, CALIFORNIA)),
        ("US", "PR", None, True, (FEDERAL,)),
        ("US", "DE", None, True, (FEDERAL, EU)),
        ("US", "DE", None, False, (FEDERAL,)),
        ("US", "CA", "ON", True, (FEDERAL,)),
        ("CN", "US", "CA", True, (FEDERAL, CALIFORNIA)),
        ("FR", "IT", None, True, (EU,)),
        ("FR", "IT", None, False, ()),
        ("FR", "GB", None, True, (UK,)),
        ("GB", "JP", None, True, ()),
    ],
)
def test_the_law_follows_seller_and_destination(seller, country, region, consumer, laws):
    assert regime_of(seller, country, region, consumer) == laws


def test_california_counts_thirty_days_from_the_payment_and_knows_no_fifty():
    paid, completed = at(4, 6), at(4, 20)
    federal = clock(completed, LONDON, LONDON, credit_application=True)
    assert federal.ship_by == date(2026, 6, 9)
    assert california_clock(federal, paid, []).ship_by == date(2026, 5, 6)
    stated = [PromiseInput(within=10)]
    assert california_clock(clock(paid, LONDON, LONDON, stated), paid, stated).ship_by == date(2026, 4, 16)


def test_california_refunds_within_a_week():
    vests = date(2026, 7, 1)
    for tender in TenderClass:
        assert california_latest(latest(vests, tender), vests) == date(2026, 7, 8)
    assert california_latest(date(2026, 7, 3), vests) == date(2026, 7, 3)


def test_thirty_days_from_the_contract_unless_agreed():
    assert delivery(at(6, 1), ZONES).deliver_by == date(2026, 7, 1)
    assert delivery(at(6, 1), ZONES).deadline_at == at(7, 2, 0)
    assert delivery(at(6, 1), ZONES, agreed=date(2026, 6, 5)).deliver_by == date(2026, 6, 5)


STORIES = {
    "delivered on the last day": ([Delivered(at(7, 1, 23))], at(8, 1), DeliveryPhase.DELIVERED),
    "the day passes": ([], at(7, 2), DeliveryPhase.LATE),
    "before it": ([], at(7, 1), DeliveryPhase.DUE),
    "ended too soon": ([EndedByConsumer(at(7, 2))], at(8, 1), DeliveryPhase.LATE),
    "a further time runs": ([PeriodGranted(at(7, 2), date(2026, 7, 10))], at(7, 10), DeliveryPhase.EXTENDED),
    "and is over": ([PeriodGranted(at(7, 2), date(2026, 7, 10))], at(7, 11, 0), DeliveryPhase.TERMINABLE),
    "and the consumer ends it": (
        [PeriodGranted(at(7, 2), date(2026, 7, 10)), EndedByConsumer(at(7, 11))],
        at(7, 12),
        DeliveryPhase.ENDED,
    ),
    "delivered in the further time": (
        [
            PeriodGranted(at(7, 2), date(2026, 7, 10)),
            Delivered(at(7, 9)),
            EndedByConsumer(at(7, 11)),
        ],
        at(7, 12),
        DeliveryPhase.DELIVERED,
    ),
    "refused": ([DeliveryRefused(at(6, 10))], at(6, 10), DeliveryPhase.TERMINABLE),
    "refused, ended at once": (
        [DeliveryRefused(at(6, 10)), EndedByConsumer(at(6, 11))],
        at(7, 12),
        DeliveryPhase.ENDED,
    ),
    "a further time before the first is over": (
        [PeriodGranted(at(6, 10), date(2026, 6, 20))],
        at(6, 21),
        DeliveryPhase.DUE,
    ),
}


@pytest.mark.parametrize("row", STORIES)
def test_the_delivery_clock(row):
    events, now, phase = STORIES[row]
    state = delivery(at(6, 1), ZONES)
    for event in events:
        state = deliver(state, event)
    assert state.phase(now) is phase


def test_an_essential_date_ends_the_contract_at_once():
    state = delivery(at(6, 1), ZONES, agreed=date(2026, 6, 20), essential=True)
    assert state.phase(at(6, 20, 23)) is DeliveryPhase.DUE
    assert state.phase(at(6, 21, 0)) is DeliveryPhase.TERMINABLE
    assert deliver(state, EndedByConsumer(at(6, 21))).phase(at(6, 22)) is DeliveryPhase.ENDED


def test_a_refund_without_undue_delay_is_aimed_at_two_days_from_monday_to_friday():
    assert delivery_refund_target(date(2026, 7, 10)) == date(2026, 7, 10) + timedelta(days=4)


@pytest.mark.parametrize(
    ("document", "channel", "place", "business", "laws"),
    [
        ({}, "web", {"country": "DE"}, False, (FEDERAL, EU)),
        ({"seller_country": "fr"}, "web", {"country": "DE"}, False, (EU,)),
        ({"channels": {"shop-de": "DE"}}, "shop-de", {"country": "DE"}, False, (EU,)),
        ({"channels": {"shop-de": "DE"}}, "web", {"country": "DE"}, False, (FEDERAL, EU)),
        ({"channels": {"shop-de": "DE"}}, "shop-de", {"country": "DE"}, True, ()),
        ({"ship_to": {"CH": ["us_federal", "eu"]}}, "web", {"country": "CH"}, False, (FEDERAL, EU)),
        ({"ship_to": {"US": ["us_california", "us_federal"]}}, "web", {"region": "NY"}, False, (FEDERAL,)),
        ({"ship_to": {"US": ["us_federal"]}, "counsel": "A"}, "web", {"region": "CA"}, False, (FEDERAL,)),
    ],
)
def test_a_merchant_may_choose_by_channel_and_country(document, channel, place, business, laws):
    chosen = laws_from(document)
    assert governing(chosen, channel, place, business=business) == laws
    assert laws_from(laws_document(chosen)) == chosen
    assert (chosen.version == laws_from({}).version) is (document == {})


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"ship_to": {"US": ["us_federal"]}}, "laws.counsel"),
        ({"ship_to": {"GB": []}}, "laws.counsel"),
        ({"ship_to": {"GB": "uk"}}, "laws.ship_to.GB"),
        ({"seller_country": "Germany"}, "laws.seller_country"),
        ({"channels": ["DE"]}, "laws.channels"),
        ({"grace": 1}, "laws.grace"),
        ([], "laws"),
    ],
)
def test_what_is_no_choice_is_refused_by_its_place(document, path):
    with pytest.raises(SettingsFault) as fault:
        laws_from(document)
    assert fault.value.path == path
