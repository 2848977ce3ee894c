"""The scenarios of the delay rule, by their numbers, through the running service: orders and notices over the API,
answers on the buyer's page, shipments by the provider, time by the sandbox clock.

Only in the pure rules (tests/promises/test_check.py), because the service takes no such input: 5 (an order has one
promise), 7 to 10 (no application for credit comes in), 25 (a page that changes is no event here), 26 and 31 in part
(a notice that lacks something is refused before it is sent), 58, 59, 62 and 64 (tests/refunds), 79 and 80 (no pick-up
in a store), 82 (no order is taken cash on delivery). 77: test_laws.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from tests.factories import Merchant
from tests.outside import Inbox
from tests.promises.story import EXTERNAL, HOME, Story, moment

Begin = Callable[..., Story]
STATED = {"promise": {"ship_by": "2026-03-01"}}
AUTUMN = {"promise": {"ship_by": "2026-09-08"}}
JUNE = {"promise": {"ship_by": "2026-06-10"}}


@pytest.fixture
def begin(merchant: Merchant, inbox: Inbox) -> Iterator[Begin]:
    """Begin a story; its books are checked at the end."""
    told: list[Story] = []

    def start(day: str, **options: int) -> Story:
        told.append(Story(merchant, inbox, day, **options))
        return told[0]

    yield start
    told[0].books()


def spring(begin: Begin) -> Story:
    """#19: stated 'ships by Sun 01 Mar 2026'."""
    return begin("2026-02-10").ordered(**STATED).must_ship_by("2026-03-01")


def autumn(begin: Begin) -> Story:
    """#34: T = Tue 08 Sep, R = Fri 02 Oct by silent consent, renewed notice Sun 27 Sep with R2 = Fri 23 Oct."""
    story = begin("2026-08-20").ordered(**AUTUMN).on("2026-09-02").told("2026-10-02", "silent_consent")
    return story.on("2026-09-27").told("2026-10-23", "renewed").is_state("wait_renewed")


def test_01_a_scan_on_the_thirtieth_day_is_in_time(begin: Begin) -> None:
    story = begin("2026-01-01").ordered().must_ship_by("2026-01-31").on("2026-01-31 23:20")
    assert story.ship("2026-01-31 23:10").state() == "shipped"


def test_02_nothing_by_the_end_of_the_day_cancels_and_a_later_scan_is_blocked(begin: Begin) -> None:
    story = begin("2026-01-01").ordered().unreachable()
    story.accepted()
    story.on("2026-02-01 08:30").is_state("cancelled").ship("2026-02-01 08:00", expect=409)
    story.cancelled("c5", "2026-01-31").latest("2026-02-10")


def test_02_the_last_call_asks_the_buyer_when_nobody_decided(begin: Begin) -> None:
    story = begin("2026-01-01", stock=0).ordered()
    story.on("2026-01-27").is_state("open")
    assert "promise.at_risk" in story.timeline()
    story.on("2026-01-31 12:00").is_state("wait_express")


def test_04_and_92_hours_are_instants_and_a_day_ends_where_it_ends_first(begin: Begin) -> None:
    story = begin("2026-01-02 02:30")  # Thursday 23:30 in Los Angeles
    there = HOME | {"city": "Los Angeles", "region": "CA", "postal_code": "90012"}
    story.ordered(ship_to=there).must_ship_by("2026-01-31")
    assert story.promise().deadline == moment("2026-02-01 00:00")
    story.on("2026-01-10 10:00").ordered(promise={"within": {"value": 48, "unit": "hours"}})
    story.must_ship_by("2026-01-12")
    assert abs((story.promise().deadline - moment("2026-01-12 10:00")).total_seconds()) < 60


def test_14_a_leap_year_has_its_day(begin: Begin) -> None:
    begin("2028-01-31").ordered().must_ship_by("2028-03-01")


def test_13_a_fraud_check_does_not_stop_the_clock(begin: Begin) -> None:
    story = begin("2026-05-04").ordered()
    story.merchant.ok(
        "POST", f"/orders/{story.order['id']}/holds", {"kind": "manual", "reason": "fraud check"}
    )
    story.on("2026-05-10").must_ship_by("2026-06-03").is_state("open")


def test_17_a_delay_of_exactly_thirty_days_may_be_silent(begin: Begin) -> None:
    story = begin("2026-01-30").ordered().must_ship_by("2026-03-01").on("2026-02-25")
    story.told("2026-03-31", "silent_consent").on("2026-03-30").is_state("wait_silent")
    assert story.ship("2026-03-30 11:00").state() == "shipped"


def test_19_silence_consents_and_it_ships_in_time(begin: Begin) -> None:
    story = spring(begin).on("2026-02-20").told("2026-03-20", "silent_consent")
    assert story.on("2026-03-18").ship("2026-03-18 09:00").state() == "shipped"


def test_20_the_buyer_may_cancel_after_silence(begin: Begin) -> None:
    story = spring(begin).on("2026-02-20").told("2026-03-20", "silent_consent")
    story.on("2026-03-10").answer("cancel").cancelled("c1", "2026-03-10").latest("2026-03-19")


def test_22_and_23_a_notice_after_t_is_refused_and_the_line_is_cancelled(begin: Begin) -> None:
    story = spring(begin)
    story.unreachable()
    story.on("2026-03-02").cancelled("c5", "2026-03-01").latest("2026-03-10")
    assert story.notice("2026-03-20").status_code == 409


def test_28_silence_to_an_indefinite_delay_cancels_thirty_days_after_t(begin: Begin) -> None:
    story = begin("2026-05-20").ordered(**JUNE).on("2026-06-05").told(None, "express_indefinite")
    story.on("2026-07-10 23:50").is_state("wait_express")
    story.on("2026-07-11").cancelled("c2", "2026-07-10").latest("2026-07-21")


def test_29_consent_to_an_indefinite_delay_may_be_withdrawn(begin: Begin) -> None:
    story = begin("2026-05-20").ordered(**JUNE).on("2026-06-05").told(None, "express_indefinite")
    story.on("2026-06-20").answer("consent").is_state("consent_indefinite")
    story.on("2026-09-18").is_state("consent_indefinite").answer("cancel")
    story.cancelled("c1", "2026-09-18").latest("2026-09-29")


def test_31_an_indefinite_notice_without_a_reason_is_not_sent(begin: Begin) -> None:
    story = begin("2026-05-20").ordered(**JUNE).on("2026-06-05")
    assert story.notice(None, reason="").status_code == 422
    story.is_state("open")


def test_32_a_date_within_thirty_days_needs_no_consent(begin: Begin) -> None:
    story = begin("2026-05-20").ordered(**JUNE).on("2026-06-05").told(None, "express_indefinite")
    assert story.on("2026-06-15").notice("2026-07-05").status_code == 409, "there is nothing to ask"
    assert story.on("2026-07-05").ship().state() == "shipped"


def test_34_silence_to_a_renewed_notice_cancels_at_r(begin: Begin) -> None:
    story = autumn(begin).on("2026-10-02 23:50").is_state("wait_renewed")
    story.on("2026-10-03").cancelled("c3", "2026-10-02").latest("2026-10-14")


def test_35_consent_in_the_last_half_hour_counts(begin: Begin) -> None:
    story = autumn(begin).on("2026-10-02 23:30").answer("consent").is_state("consent_definite")
    story.on("2026-10-10").is_state("consent_definite")


def test_37_a_scan_on_the_last_day_needs_no_consent(begin: Begin) -> None:
    assert autumn(begin).on("2026-10-02 18:00").ship("2026-10-02 17:00").state() == "shipped"


def test_38_a_renewed_notice_after_r_is_too_late(begin: Begin) -> None:
    story = begin("2026-08-20").ordered(**AUTUMN).on("2026-09-02").told("2026-10-02", "silent_consent")
    story.unreachable()
    story.on("2026-10-03").cancelled("c3", "2026-10-02")
    assert story.notice("2026-10-23").status_code == 409


def test_40_consent_to_an_indefinite_renewed_notice(begin: Begin) -> None:
    story = begin("2026-08-20").ordered(**AUTUMN).on("2026-09-02").told("2026-10-02", "silent_consent")
    story.on("2026-09-27").told(None, "renewed").on("2026-10-01").answer("consent")
    story.is_state("consent_indefinite").on("2026-11-20").is_state("consent_indefinite")


def test_41_a_rider_the_buyer_agrees_to_supersedes_r(begin: Begin) -> None:
    story = begin("2026-08-20").ordered(**AUTUMN).on("2026-09-02")
    story.told("2026-10-02", "silent_consent", rider={"until": "2026-10-23"}).answer("consent_rider")
    story.is_state("consent_definite").on("2026-10-10").is_state("consent_definite")
    assert story.on("2026-10-12").ship().state() == "shipped"


def test_43_a_second_notice_before_t_is_a_renewed_one(begin: Begin) -> None:
    story = begin("2026-08-10").ordered(**AUTUMN).on("2026-08-19").told("2026-09-18", "silent_consent")
    story.on("2026-08-29").told("2026-10-03", "renewed")
    story.on("2026-09-19").cancelled("c3", "2026-09-18").latest("2026-09-29")


def test_44_the_same_notice_again_is_one_notice(begin: Begin) -> None:
    story = autumn(begin)
    before = story.notice_id()
    assert story.on("2026-09-28").notice("2026-10-23").get_json()["data"][0]["id"] == before
    assert story.timeline().count("notice.sent") == 3, "the order's own letter, and two notices"


def test_46_who_agreed_may_cancel_all_the_same(begin: Begin) -> None:
    story = begin("2026-08-20").ordered(**AUTUMN).on("2026-09-02").told("2026-10-02", "silent_consent")
    story.answer("consent").is_state("consent_definite").on("2026-09-15").answer("cancel")
    story.cancelled("c1", "2026-09-15").latest("2026-09-24")


def test_47_without_a_notice_a_cancellation_is_the_merchants_to_grant(begin: Begin) -> None:
    story = begin("2026-05-20").ordered(**JUNE)
    path = story.accepted()
    cancel = {"reason": "changed my mind"}
    assert story.on("2026-05-23").merchant.ok("POST", f"/orders/{story.order['id']}/cancellation", cancel)[
        "pending"
    ]
    story.merchant.provider.ok("POST", f"{path}/cancellation-refusal", {"reason": "packed"})
    story.is_state("open").must_ship_by("2026-06-10")


@pytest.mark.parametrize(("scanned", "wins"), [("2026-09-10 16:04", False), ("2026-09-10 16:05", True)])
def test_49_of_a_scan_and_a_cancellation_the_earlier_wins_and_the_cancellation_if_equal(
    begin: Begin, scanned: str, *, wins: bool
) -> None:
    story = begin("2026-08-20").ordered(**AUTUMN).on("2026-09-02").told("2026-10-02", "silent_consent")
    story.accepted()
    story.on("2026-09-10 16:06")
    story.merchant.ok(
        "POST",
        f"/orders/{story.order['id']}/delay-answers",
        {
            "notice": story.notice_id(),
            "answer": "cancel",
            "channel": "phone",
            "received_at": "2026-09-10T16:05:00-04:00",
            "evidence": "call 4711",
        },
    )
    story.merchant.drain()
    story.on("2026-09-10 16:30").is_state("cancelled").ship(scanned, expect=409 if wins else 201)
    assert story.refunds() == [], "money waits for the provider's answer"
    if wins:
        story.on("2026-09-10 21:00").cancelled("c1", "2026-09-10")
        assert "shipment.refused" in story.timeline()
    else:
        assert story.state() == "shipped"
        assert "promise.shipment_corrected" in story.timeline()


def test_50_a_label_is_no_shipment(begin: Begin) -> None:
    story = begin("2026-08-01").ordered(promise={"ship_by": "2026-08-14"})
    path = story.accepted()
    story.merchant.provider.ok("POST", f"{path}/pick")
    story.merchant.provider.ok("POST", f"{path}/pack")
    story.unreachable()
    story.on("2026-08-16").cancelled("c5", "2026-08-14").latest("2026-08-25")
    story.ship("2026-08-16 09:00", expect=409)


def test_53_what_ships_after_the_end_is_not_charged_and_the_refund_stays_due(begin: Begin) -> None:
    story = autumn(begin)
    path = story.accepted()
    story.on("2026-10-05").cancelled("c3", "2026-10-02").latest("2026-10-14")
    report = {"carrier": "UPS", "tracking_number": "1Z9", "lines": [{"sku": "MUG", "quantity": 1}]}
    for _ in range(2):
        assert story.merchant.provider.post(f"{path}/shipments", report).status_code == 409
    story.merchant.drain()
    assert story.line()["shipped"] == 0
    assert story.timeline().count("shipment.refused") == 1
    found = story.merchant.ok("GET", "/routing/exceptions?kind=gone")["data"]
    assert [one["order"] for one in found] == [story.order["number"]]


def test_55_and_56_other_tenders(begin: Begin) -> None:
    story = begin("2026-12-01").ordered(
        promise={"ship_by": "2026-12-18"}, tenders=[{"kind": "check", "reference": "1001"}]
    )
    story.unreachable()
    story.on("2026-12-19").cancelled("c5", "2026-12-18").latest("2026-12-30")


def test_61_each_part_goes_back_by_its_own_day(begin: Begin) -> None:
    tenders = [
        {"kind": "check", "reference": "1001", "amount": {"amount": 5000, "currency": "USD"}},
        {"kind": "terms", "reference": "house account"},
    ]
    story = begin("2026-06-20")
    lines = story.merchant.order_body(("MUG", 1))["lines"]
    lines[0]["unit_price"] = {"amount": 25000, "currency": "USD"}
    story.ordered(lines=lines, tenders=tenders).on("2026-07-01")
    story.merchant.ok("POST", f"/orders/{story.order['id']}/will-not-ship", {"reason": "The kiln is gone."})
    story.merchant.drain()
    story.cancelled("c4", "2026-07-01", owed=25000)
    owed = story.merchant.ok("GET", f"/orders/{story.order['id']}/refunds-due")["data"]
    assert [(one["amount"]["amount"], one["latest_on"]) for one in owed] == [
        (5000, "2026-07-13"),
        (20000, "2026-08-01"),
    ]
    assert story.refunds()[0] == (5000, date(2026, 7, 10)), (
        "Friday 3 July is free, yet not by the strict calendar"
    )


def test_65_each_line_has_its_own_clock(begin: Begin) -> None:
    story = begin("2026-08-10")
    body = story.merchant.order_body(("PEN", 1), ("MUG", 1))
    lines = [
        body["lines"][0] | {"promise": {"within": {"value": 2, "unit": "days"}}},
        body["lines"][1] | {"promise": {"ship_by": "2026-09-15"}},
    ]
    story.ordered(("PEN", 1), ("MUG", 1), lines=lines)
    story.on("2026-08-11").ship(sku="PEN").on("2026-09-10").told("2026-09-30", "silent_consent", at=1)
    story.is_state("shipped", 0).is_state("wait_silent", 1)
    story.unreachable()
    story.on("2026-10-01").cancelled("c3", "2026-09-30", at=1)
    assert story.line(0)["shipped"] == 1


def test_67_only_the_open_unit_is_cancelled(begin: Begin) -> None:
    story = begin("2026-03-01", stock=2).ordered(("MUG", 3), promise={"ship_by": "2026-03-20"})
    story.unreachable()
    story.on("2026-03-10").ship(units=2).on("2026-03-21").cancelled("c5", "2026-03-20")
    assert story.line()["shipped"] == 2


def test_68_a_pre_order_counts_from_its_stated_date(begin: Begin) -> None:
    story = begin("2026-03-01", stock=0).ordered(promise={"ship_by": "2026-11-15"}).must_ship_by("2026-11-15")
    story.on("2026-11-02").told("2026-12-15", "silent_consent")


def test_70_a_pre_order_that_is_charged_must_state_its_date(begin: Begin) -> None:
    story = begin("2026-03-01", stock=0)
    story.merchant.sku("LAMP", kind="preorder", price={"amount": 8000, "currency": "USD"}, tax_code="exempt")
    body = story.merchant.order_body(("LAMP", 1)) | {"ship_to": HOME, "tenders": EXTERNAL}
    answer = story.merchant.post("/orders", body)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/lines/0/promise")
    story.ordered(("LAMP", 1), tenders=[{"kind": "terms", "reference": "later"}]).must_ship_by("2026-03-31")
    story.ordered(("LAMP", 1), promise={"ship_by": "2026-11-15"}).must_ship_by("2026-11-15")


def test_71_made_to_order_is_covered_too(begin: Begin) -> None:
    story = (
        begin("2026-04-01")
        .ordered(promise={"within": {"value": 8, "unit": "weeks"}})
        .must_ship_by("2026-05-27")
    )
    story.on("2026-05-19").told("2026-06-17", "silent_consent").on("2026-05-20").answer("cancel")
    story.cancelled("c1", "2026-05-20").latest("2026-06-01")


def test_73_other_goods_need_the_buyers_word_and_leave_the_clock(begin: Begin) -> None:
    story = begin("2026-05-20").ordered(**JUNE)
    amended(story, substitute="MUG in red")
    story.must_ship_by("2026-06-10").is_state("open")


def test_74_a_new_address_leaves_the_clock(begin: Begin) -> None:
    story = begin("2026-05-01").ordered().must_ship_by("2026-05-31").on("2026-05-29")
    address = story.shown()["ship_to"] | {"line1": "1 Other St"}
    story.merchant.ok("POST", f"/orders/{story.order['id']}/address", address)
    story.must_ship_by("2026-05-31")


def test_76_a_later_date_the_buyer_asks_for_is_the_stated_time(begin: Begin) -> None:
    story = begin("2026-05-01").ordered().must_ship_by("2026-05-31")
    amended(story, ship_by="2026-06-10")
    assert story.promise().deadline == moment("2026-06-11 00:00")
    story.on("2026-06-05").is_state("open").unreachable()
    story.on("2026-06-11").cancelled("c5", "2026-06-10")


def test_83_to_88_what_is_not_covered_has_no_clock(begin: Begin) -> None:
    story = begin("2026-05-01")
    price = {"price": {"amount": 8000, "currency": "USD"}, "tax_code": "exempt"}
    story.merchant.sku("SEEDS", **price, exempt_from_delay_rule=True)
    story.merchant.sku("CLUB", **price, attributes={"exemption": "negative_option"})
    story.merchant.sku("PRINT", **price, attributes={"exemption": "service"})
    story.ordered(("SEEDS", 1), ("CLUB", 1), ("PRINT", 1), ("MUG", 1))
    assert [story.state(at) for at in range(4)] == ["not_covered", "not_covered", "not_covered", "open"]


def test_91_a_question_is_no_answer(begin: Begin) -> None:
    story = begin("2026-05-20").ordered(**JUNE).on("2026-06-05").told(None, "express_indefinite")
    story.answer("when exactly will it come?", expect=422).is_state("wait_express")


def amended(story: Story, **fields: str) -> None:
    story.merchant.ok(
        "POST",
        f"/orders/{story.order['id']}/amendments",
        {"lines": [story.order["lines"][0]["id"]], "evidence": "Chat of today: please do.", **fields},
    )
