"""The rule's scenarios, each under the number of its row in the specification's table.

Unless said otherwise buyer and seller are in New York, and a bare day means noon there.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.promises import refunds
from app.promises.notice_kinds import notice_kind, plan_notice
from app.promises.refunds import RefundForm, Tender, TenderClass, amount_due, over_tenders, refunds_due
from app.promises.rules import (
    Coverage,
    Exemption,
    PromiseInput,
    Settings,
    Unit,
    Zones,
    clock,
    coverage,
)
from app.promises.states import Step, advance, fold, incomplete, not_covered, opened
from app.promises.vocabulary import (
    LIVE,
    Bounced,
    CancelGranted,
    CancelRequested,
    Case,
    Completed,
    Consented,
    Dishonored,
    EffectSent,
    LaterDateAsked,
    NoticeKind,
    NoticeSent,
    Outcome,
    Phase,
    RefundProven,
    Rider,
    RiderOffered,
    Shipped,
    TimePassed,
    WillNotShip,
)

NY, LA = "America/New_York", "America/Los_Angeles"
ZONES = Zones(NY, (NY,))


def day(text, year=2026):
    """A day like "Jun 10" or "2028-03-01"."""
    return date.fromisoformat(text) if "-" in text else datetime.strptime(f"{text} {year}", "%b %d %Y").date()


def at(text, zone=NY):
    """A day, perhaps with a time ("Oct 2 23:30"), as an instant in that zone; noon when no time is given."""
    head, _, tail = text.rpartition(" ")
    when, hour = (head, tail) if ":" in tail else (text, "12:00")
    hours, minutes = hour.split(":")
    return datetime(*day(when).timetuple()[:3], int(hours), int(minutes), tzinfo=ZoneInfo(zone))


def ny_clock(pco, promise=None, **kwargs):
    return clock(at(pco), NY, NY, promise, **kwargs)


def line(ship_by):
    """An open line whose stated time T is that day."""
    return opened(ny_clock("Jan 2", PromiseInput(ship_by=day(ship_by))))


def sent(when, revised, key="n1", **kwargs):
    return NoticeSent(at(when), key, revised and day(revised), **kwargs)


# --- Clocks ---

CLOCKS = {
    "1": ("Jan 1", None, {}, "Jan 31"),
    "4": ("Jan 10 10:00", PromiseInput(within=48, unit=Unit.HOURS), {}, "Jan 12"),
    "5": (
        "Mar 2",
        [PromiseInput(within=48, unit=Unit.HOURS), PromiseInput(within=10, unit=Unit.BUSINESS_DAYS)],
        {},
        "Mar 4",
    ),
    "7": ("Apr 6", None, {"credit_application": True}, "May 26"),
    "8": ("Apr 6", PromiseInput(within=14), {"credit_application": True}, "Apr 20"),
    "10": ("Apr 15", None, {}, "May 15"),
    "11": ("May 14", None, {}, "Jun 13"),
    "13": ("May 4", None, {}, "Jun 3"),
    "14 leap year": ("2028-01-31", None, {}, "2028-03-01"),
    "14 common year": ("2027-01-31", None, {}, "2027-03-02"),
    "16": ("Jun 1", None, {}, "Jul 1"),
    "17": ("Jan 30", None, {}, "Mar 1"),
    "68": ("Mar 1", PromiseInput(ship_by=date(2026, 11, 15)), {}, "Nov 15"),
    "70": ("Mar 1", PromiseInput(), {}, "Mar 31"),
    "71": ("Apr 1", PromiseInput(within=8, unit=Unit.WEEKS), {}, "May 27"),
    "74": ("May 1", None, {}, "May 31"),
    "76": ("May 4", PromiseInput(not_before=date(2026, 6, 10)), {}, "Jun 10"),
    "76 and processing": ("May 4", PromiseInput(not_before=date(2026, 6, 10), within=3), {}, "Jun 13"),
    "a date to deliver by": (
        "May 4",
        PromiseInput(deliver_by=date(2026, 5, 20), transit_days=4),
        {},
        "May 16",
    ),
    "a date already past": ("May 4", PromiseInput(ship_by=date(2026, 4, 20)), {}, "May 4"),
    "5 business days over a holiday": (
        "Jul 2",
        PromiseInput(within=5, unit=Unit.BUSINESS_DAYS),
        {},
        "Jul 10",
    ),
}


@pytest.mark.parametrize("row", CLOCKS)
def test_the_clock(row):
    pco, promise, kwargs, ship_by = CLOCKS[row]
    result = ny_clock(pco, promise, **kwargs)
    assert result.ship_by == day(ship_by)
    assert result.express_by == day(ship_by) + timedelta(days=30)
    assert result.deadline_at.tzinfo is not None


@pytest.mark.parametrize(
    ("row", "basis"),
    [("1", "30 days"), ("7", "50 days"), ("8", "stated"), ("70", "30 days"), ("76", "stated")],
)
def test_the_basis_of_the_clock(row, basis):
    pco, promise, kwargs, _ = CLOCKS[row]
    assert ny_clock(pco, promise, **kwargs).basis == basis


def test_row_4_a_promise_in_hours_is_an_instant():
    assert ny_clock("Jan 10 10:00", PromiseInput(within=48, unit=Unit.HOURS)).deadline_at == at(
        "Jan 12 10:00"
    )


def test_row_5_contradicting_promises_are_flagged():
    assert ny_clock(*CLOCKS["5"][:2]).conflicting
    assert not ny_clock(*CLOCKS["8"][:2]).conflicting


def test_row_1_a_deadline_day_ends_at_the_first_instant_of_the_next():
    assert ny_clock("Jan 1").deadline_at == at("Feb 1 00:00")


def test_row_92_the_earlier_date_starts_and_the_earlier_midnight_ends():
    result = clock(at("Jan 1 23:30", LA), LA, NY)
    assert (result.day_zero, result.ship_by) == (day("Jan 1"), day("Jan 31"))
    assert result.deadline_at == at("Feb 1 00:00", NY)
    assert clock(at("Jan 1 23:30", LA), LA, NY, settings=Settings(zone="buyer")).deadline_at == at(
        "Feb 1 00:00", LA
    )
    assert clock(at("Jan 1 23:30", LA), LA, NY, settings=Settings(zone="seller")).ship_by == day("Feb 1")
    assert clock(at("Jan 1 23:30", LA), (LA, NY), LA).deadline_at == at("Feb 1 00:00", NY)
    assert clock(at("Jan 1 23:30", LA), None, NY).day_zero == day("Jan 2")


def test_the_strict_calendar_keeps_an_earlier_day_beside_the_legal_one():
    promise = PromiseInput(within=5, unit=Unit.BUSINESS_DAYS)  # Fri Jul 3 2026 is observed for Sat Jul 4
    result = ny_clock("Jul 1", promise)
    assert (result.ship_by, result.strict_by) == (day("Jul 9"), day("Jul 8"))
    assert result.decide_on == day("Jul 3")
    assert ny_clock("Jul 1", promise, settings=Settings(observed_fridays=False)).ship_by == day("Jul 8")


def test_a_promise_says_one_thing_and_nothing_negative():
    with pytest.raises(ValueError):
        PromiseInput(ship_by=day("Jun 1"), within=3)
    with pytest.raises(ValueError):
        PromiseInput(within=-1)
    with pytest.raises(ValueError):
        clock(datetime(2026, 1, 1), NY, NY)


# --- Scope ---

SCOPES = {
    "71 made to order": ({}, None),
    "77 business buyer": ({}, None),
    "80 ship to store": ({}, None),
    "79 paid in store": ({"exemption": "paid_in_store"}, Exemption.PAID_IN_STORE),
    "82 C.O.D.": ({"cash_on_delivery": True}, Exemption.CASH_ON_DELIVERY),
    "83 seeds": ({"exemption": "seeds_and_plants"}, Exemption.SEEDS_AND_PLANTS),
    "85 book club": ({"exemption": "negative_option"}, Exemption.NEGATIVE_OPTION),
    "86 photo prints": ({"exemption": "service"}, Exemption.SERVICE),
    "88 counter": ({"ordered_in_person": True}, Exemption.IN_PERSON),
    "later subscription box": ({"exemption": "later_serial_delivery"}, Exemption.LATER_SERIAL_DELIVERY),
}


@pytest.mark.parametrize("row", SCOPES)
def test_the_scope(row):
    given, exemption = SCOPES[row]
    assert coverage(**given) == Coverage(exemption is None, exemption)


def test_an_unknown_exemption_is_refused():
    with pytest.raises(ValueError):
        coverage(exemption="too_busy")


def test_an_uncovered_line_stays_so():
    for event in (Shipped(at("Jun 1")), CancelRequested(at("Jun 1")), TimePassed(at("Jun 1"))):
        step = advance(not_covered(ZONES), event)
        assert (step.state, step.outcome) == (not_covered(ZONES), Outcome.NO_EFFECT)


# --- States ---


def n19():
    return line("Mar 1")


def june():
    return line("Jun 10")


def n34():
    return fold(line("Sep 8"), [sent("Sep 2", "Oct 2")])


def renewed(when="Sep 27", revised="Oct 23", **kwargs):
    return sent(when, revised, "n2", **kwargs)


LATE = TimePassed(at("2027-12-31"))
# row: (state, events, time, phase, case, vests, latest lawful day of a card refund)
STATES = {
    "1": (opened(ny_clock("Jan 1")), [Shipped(at("Jan 31 23:10"))], LATE, Phase.SHIPPED, None, None, None),
    "2": (opened(ny_clock("Jan 1")), [Shipped(at("Feb 1"))], LATE, Phase.CANCELLED, "c5", "Jan 31", "Feb 10"),
    "17": (
        opened(ny_clock("Jan 30")),
        [sent("Feb 25", "Mar 31")],
        TimePassed(at("Mar 31 23:59")),
        Phase.WAIT_SILENT,
        None,
        None,
        None,
    ),
    "19": (n19(), [sent("Feb 20", "Mar 20"), Shipped(at("Mar 18"))], LATE, Phase.SHIPPED, None, None, None),
    "20": (
        n19(),
        [sent("Feb 20", "Mar 20"), CancelRequested(at("Mar 10"))],
        LATE,
        Phase.CANCELLED,
        "c1",
        "Mar 10",
        "Mar 19",
    ),
    "22": (n19(), [sent("Mar 2", "Mar 20")], LATE, Phase.CANCELLED, "c5", "Mar 1", "Mar 10"),
    "23": (
        n19(),
        [sent("Mar 2", "Mar 20"), Consented(at("Mar 3"))],
        LATE,
        Phase.CANCELLED,
        "c5",
        "Mar 1",
        "Mar 10",
    ),
    "25": (n19(), [], TimePassed(at("Mar 2 00:00")), Phase.CANCELLED, "c5", "Mar 1", "Mar 10"),
    "26": (
        n19(),
        [sent("Feb 20", "Mar 20", defects=("silence",))],
        LATE,
        Phase.CANCELLED,
        "c5",
        "Mar 1",
        "Mar 10",
    ),
    "28": (june(), [sent("Jun 5", None)], LATE, Phase.CANCELLED, "c2", "Jul 10", "Jul 21"),
    "29 waiting": (
        june(),
        [sent("Jun 5", None), Consented(at("Jun 20"))],
        TimePassed(at("Sep 17")),
        Phase.CONSENT_INDEFINITE,
        None,
        None,
        None,
    ),
    "29": (
        june(),
        [sent("Jun 5", None), Consented(at("Jun 20")), CancelRequested(at("Sep 18"))],
        LATE,
        Phase.CANCELLED,
        "c1",
        "Sep 18",
        "Sep 29",
    ),
    "31": (
        june(),
        [sent("Jun 5", None, defects=("reason",))],
        LATE,
        Phase.CANCELLED,
        "c5",
        "Jun 10",
        "Jun 22",
    ),
    "32 shipped": (
        june(),
        [sent("Jun 5", None), sent("Jun 15", "Jul 5", "n2"), Shipped(at("Jul 5"))],
        LATE,
        Phase.SHIPPED,
        None,
        None,
        None,
    ),
    "32 a date after T+30, silent": (
        june(),
        [sent("Jun 5", None), sent("Jun 15", "Jul 25", "n2")],
        LATE,
        Phase.CANCELLED,
        "c2",
        "Jul 10",
        "Jul 21",
    ),
    "32 a date after T+30, agreed": (
        june(),
        [sent("Jun 5", None), sent("Jun 15", "Jul 25", "n2"), Consented(at("Jul 10 23:59"))],
        TimePassed(at("Jul 25 23:59")),
        Phase.CONSENT_DEFINITE,
        None,
        None,
        None,
    ),
    "34": (n34(), [renewed()], LATE, Phase.CANCELLED, "c3", "Oct 2", "Oct 14"),
    "35": (
        n34(),
        [renewed(), Consented(at("Oct 2 23:30"))],
        TimePassed(at("Oct 23 23:59")),
        Phase.CONSENT_DEFINITE,
        None,
        None,
        None,
    ),
    "35 then missed": (
        n34(),
        [renewed(), Consented(at("Oct 2 23:30"))],
        LATE,
        Phase.CANCELLED,
        "c3",
        "Oct 23",
        "Nov 3",
    ),
    "37": (n34(), [renewed(), Shipped(at("Oct 2 18:00"))], LATE, Phase.SHIPPED, None, None, None),
    "38": (n34(), [renewed("Oct 3")], LATE, Phase.CANCELLED, "c3", "Oct 2", "Oct 14"),
    "40": (
        n34(),
        [renewed(revised=None), Consented(at("Oct 1"))],
        LATE,
        Phase.CONSENT_INDEFINITE,
        None,
        None,
        None,
    ),
    "41": (
        line("Sep 8"),
        [
            sent("Sep 2", "Oct 2", rider=Rider(date(2026, 10, 23))),
            Consented(at("Sep 4"), "n1", to_rider=True),
        ],
        TimePassed(at("Oct 23 23:59")),
        Phase.CONSENT_DEFINITE,
        None,
        None,
        None,
    ),
    "43": (
        line("Sep 8"),
        [sent("Aug 19", "Sep 18"), sent("Aug 29", "Oct 3", "n2")],
        LATE,
        Phase.CANCELLED,
        "c3",
        "Sep 18",
        "Sep 29",
    ),
    "44": (n34(), [sent("Sep 27", "Oct 2", "n1 again")], LATE, Phase.CANCELLED, "c3", "Oct 2", "Oct 14"),
    "46": (
        line("Sep 8"),
        [sent("Sep 2", "Oct 2"), Consented(at("Sep 4")), CancelRequested(at("Sep 15"))],
        LATE,
        Phase.CANCELLED,
        "c1",
        "Sep 15",
        "Sep 24",
    ),
    "47": (june(), [CancelRequested(at("May 20"))], TimePassed(at("Jun 1")), Phase.OPEN, None, None, None),
    "47 granted": (june(), [CancelGranted(at("May 20"))], LATE, Phase.CANCELLED, "c4", "May 20", "Jun 1"),
    "49": (
        n34(),
        [Shipped(at("Sep 20 16:00")), CancelRequested(at("Sep 20 16:05"))],
        LATE,
        Phase.SHIPPED,
        None,
        None,
        None,
    ),
    "50": (line("Aug 14"), [Shipped(at("Aug 16"))], LATE, Phase.CANCELLED, "c5", "Aug 14", "Aug 25"),
    "53": (
        n34(),
        [renewed(), TimePassed(at("Oct 3")), EffectSent(at("Oct 3")), Shipped(at("Oct 5"))],
        LATE,
        Phase.CANCELLED,
        "c3",
        "Oct 2",
        "Oct 14",
    ),
    "65 line B": (
        opened(ny_clock("Aug 10", PromiseInput(ship_by=date(2026, 9, 15)))),
        [sent("Sep 10", "Sep 30")],
        TimePassed(at("Sep 30 23:59")),
        Phase.WAIT_SILENT,
        None,
        None,
        None,
    ),
    "67 the unit left behind": (june(), [], LATE, Phase.CANCELLED, "c5", "Jun 10", "Jun 22"),
    "68": (
        opened(ny_clock("Mar 1", PromiseInput(ship_by=date(2026, 11, 15)))),
        [sent("Nov 2", "Dec 15")],
        TimePassed(at("Dec 15 23:59")),
        Phase.WAIT_SILENT,
        None,
        None,
        None,
    ),
    "71": (
        opened(ny_clock("Apr 1", PromiseInput(within=8, unit=Unit.WEEKS))),
        [sent("May 20", "Jun 17"), CancelRequested(at("May 20 13:00"))],
        LATE,
        Phase.CANCELLED,
        "c1",
        "May 20",
        "Jun 1",
    ),
    "89": (june(), [Consented(at("May 12"))], LATE, Phase.CANCELLED, "c5", "Jun 10", "Jun 22"),
    "91": (june(), [sent("Jun 5", "Jul 25")], LATE, Phase.CANCELLED, "c2", "Jul 10", "Jul 21"),
}


@pytest.mark.parametrize("row", STATES)
def test_the_state(row):
    start, events, time, phase, case, vests, latest = STATES[row]
    end = fold(start, [*events, time])
    assert end.phase is phase
    if case is None:
        assert end.cancellation is None
        return
    assert end.cancellation.case == case
    assert end.cancellation.vests_on == day(vests)
    assert refunds.latest(day(vests), TenderClass.THIRD_PARTY_CREDIT) == day(latest)


def test_rows_10_and_11_a_dishonored_payment_stops_the_clock_and_a_new_one_starts_it():
    start = fold(opened(ny_clock("May 4")), [sent("May 6", "Jun 20")])
    stopped = fold(start, [Dishonored(at("May 8"))])
    assert (stopped.phase, stopped.notices, stopped.offered) == (Phase.INCOMPLETE, (), False)
    assert fold(stopped, [LATE]).phase is Phase.INCOMPLETE
    again = fold(stopped, [Completed(at("May 14"), ny_clock("May 14"))])
    assert (again.phase, again.clock.ship_by) == (Phase.OPEN, day("Jun 13"))
    assert advance(again, Consented(at("May 15"), "n1")).outcome is Outcome.NO_OPTION


# --- Kinds of notice ---

KINDS = {
    "17 exactly T+30": (june(), "Jul 10", NoticeKind.SILENT_CONSENT, "Jul 10", "Jun 10"),
    "68 one day more": (june(), "Jul 11", NoticeKind.EXPRESS_DEFINITE, "Jul 10", "Jun 10"),
    "28 no date": (june(), None, NoticeKind.EXPRESS_INDEFINITE, "Jul 10", "Jun 10"),
    "34 renewed": (n34(), "Oct 23", NoticeKind.RENEWED, "Oct 2", "Oct 2"),
    "40 renewed, no date": (n34(), None, NoticeKind.RENEWED, "Oct 2", "Oct 2"),
    "43 before T": (
        fold(line("Sep 8"), [sent("Aug 19", "Sep 18")]),
        "Oct 3",
        NoticeKind.RENEWED,
        "Sep 18",
        "Sep 18",
    ),
    "a further first notice": (
        fold(june(), [sent("Jun 5", None)]),
        "Jul 25",
        NoticeKind.EXPRESS_DEFINITE,
        "Jul 10",
        "Jul 10",
    ),
    "agreed, then late again": (
        fold(n34(), [renewed(), Consented(at("Oct 1"))]),
        "Nov 20",
        NoticeKind.RENEWED,
        "Oct 23",
        "Oct 23",
    ),
}


@pytest.mark.parametrize("row", KINDS)
def test_the_kind_of_notice_and_its_deadlines(row):
    state, revised, kind, reply_day, send_day = KINDS[row]
    plan = plan_notice(state, revised and day(revised))
    assert plan.kind is kind
    assert plan.reply_day == day(reply_day)
    assert plan.reply_by == state.clock.end_of(day(reply_day))
    assert plan.send_by == state.clock.end_of(day(send_day))


@pytest.mark.parametrize(
    ("state", "revised"),
    [
        (june(), "Jun 10"),
        (june(), "Jun 1"),
        (fold(june(), [sent("Jun 5", None)]), "Jul 5"),
        (n34(), "Oct 2"),
        (fold(june(), [sent("Jun 5", None), Consented(at("Jun 6"))]), "Aug 5"),
    ],
)
def test_row_32_a_date_that_asks_nothing_is_a_message(state, revised):
    assert plan_notice(state, day(revised)).kind is NoticeKind.INFORMATION
    step = advance(state, NoticeSent(at("Jun 7"), "message", day(revised)))
    assert step.outcome in (Outcome.INFORMATION, Outcome.DUPLICATE)
    assert (step.state.phase, step.state.expires_at) == (state.phase, state.expires_at)
    assert len(step.state.notices) == len(state.notices)


def test_a_promise_in_hours_counts_its_thirty_days_from_its_day():
    hours = opened(ny_clock("Jan 10 10:00", PromiseInput(within=48, unit=Unit.HOURS)))
    assert notice_kind(hours, day("Jan 12")) is NoticeKind.SILENT_CONSENT
    assert notice_kind(hours, day("Feb 11")) is NoticeKind.SILENT_CONSENT
    assert notice_kind(hours, day("Feb 12")) is NoticeKind.EXPRESS_DEFINITE


def test_a_line_without_a_clock_needs_no_notice():
    with pytest.raises(ValueError):
        notice_kind(incomplete(ZONES), day("Jun 1"))


# --- Traps ---


def test_row_44_a_retry_is_no_second_notice():
    state = n34()
    assert advance(state, sent("Sep 2 12:01", "Oct 2")) == Step(state, Outcome.DUPLICATE)
    again = advance(state, sent("Sep 2 12:01", "Oct 2", "another key"))
    assert again.outcome is Outcome.DUPLICATE
    assert (len(again.state.notices), again.state.expires_at) == (1, state.expires_at)


@pytest.mark.parametrize("kind", [NoticeKind.EXPRESS_DEFINITE, NoticeKind.RENEWED])
def test_a_notice_of_the_wrong_kind_counts_as_none_sent(kind):
    step = advance(june(), sent("Jun 5", "Jul 1", kind=kind))
    assert (step.state.phase, step.outcome) == (Phase.OPEN, Outcome.WRONG_KIND)
    assert fold(step.state, [Consented(at("Jun 6")), LATE]).cancellation.case is Case.NO_OPTION_OFFERED


def test_a_cancellation_that_answers_a_defective_notice_is_honored():
    told = fold(june(), [sent("Jun 5", "Jul 1", defects=("reply means",))])
    assert fold(told, [CancelRequested(at("Jun 6"))]).cancellation.case is Case.BUYER


def test_row_49_equal_times_go_to_the_cancellation_in_either_order():
    ship, cancel = Shipped(at("Sep 20 16:00")), CancelRequested(at("Sep 20 16:00"))
    assert fold(n34(), [ship, cancel]).phase is Phase.CANCELLED
    assert fold(n34(), [cancel, ship]).phase is Phase.CANCELLED
    assert (
        advance(fold(n34(), [ship]), CancelRequested(at("Sep 20 16:01"))).outcome is Outcome.ALREADY_SHIPPED
    )


def test_trap_7_a_scan_before_vesting_but_reported_after_corrects_until_something_went_out():
    lost = fold(june(), [TimePassed(at("Jun 11"))])
    scan = Shipped(at("Jun 10 23:59"))
    mended = advance(lost, scan)
    assert (mended.state.phase, mended.outcome) == (Phase.SHIPPED, Outcome.CORRECTED)
    assert mended.state.cancellation is None
    gone_out = fold(lost, [EffectSent(at("Jun 11"))])
    assert advance(gone_out, scan) == Step(gone_out, Outcome.BLOCKED)
    assert advance(lost, Shipped(at("Jun 11 00:00"))).outcome is Outcome.BLOCKED


def test_a_scan_before_the_buyers_cancellation_corrects_it_and_an_earlier_cancellation_comes_back():
    cancelled = fold(n34(), [CancelRequested(at("Sep 20 16:05"))])
    shipped = advance(cancelled, Shipped(at("Sep 20 16:00")))
    assert shipped.outcome is Outcome.CORRECTED
    letter = advance(shipped.state, CancelRequested(at("Sep 19")))
    assert (letter.outcome, letter.state.cancellation.vests_on) == (Outcome.CORRECTED, day("Sep 19"))


def test_an_answer_received_in_time_but_recorded_after_the_lapse_counts():
    lapsed = fold(n34(), [renewed(), TimePassed(at("Oct 3"))])
    letter = advance(lapsed, Consented(at("Oct 2 09:00")))
    assert (letter.state.phase, letter.outcome) == (Phase.CONSENT_DEFINITE, Outcome.CORRECTED)
    assert advance(lapsed, Consented(at("Oct 3 00:00"))).outcome is Outcome.TOO_LATE
    assert (
        advance(fold(lapsed, [EffectSent(at("Oct 3"))]), Consented(at("Oct 2"))).outcome is Outcome.TOO_LATE
    )


def test_a_late_recorded_consent_never_undoes_a_cancellation_by_buyer_or_seller():
    for end in (CancelRequested(at("Sep 30")), WillNotShip(at("Sep 30"))):
        ended = fold(n34(), [renewed(), end])
        assert advance(ended, Consented(at("Sep 29"))).outcome is Outcome.TOO_LATE


def test_a_notice_that_left_in_time_but_was_recorded_late_counts():
    lapsed = fold(june(), [TimePassed(at("Jun 11"))])
    assert advance(lapsed, sent("Jun 10 23:59", "Jul 1")).state.phase is Phase.WAIT_SILENT


def test_a_bounce_learned_in_time_leaves_time_for_another_channel():
    bounced = fold(june(), [sent("Jun 5", "Jul 1"), Bounced(at("Jun 6"), "n1")])
    assert bounced == june()
    by_post = fold(bounced, [sent("Jun 8", "Jul 1", "letter"), TimePassed(at("Jun 30"))])
    assert by_post.phase is Phase.WAIT_SILENT


def test_a_bounce_learned_late_cancels_when_learned_and_vests_at_t():
    late = fold(june(), [sent("Jun 5", "Jul 1"), Bounced(at("Jun 15"), "n1")])
    assert (late.cancellation.case, late.cancellation.vests_on) == (Case.NO_OPTION_OFFERED, day("Jun 10"))
    assert late.cancellation.learned_at == at("Jun 15")


def test_a_bounced_renewed_notice_returns_to_the_date_agreed_to():
    state = fold(n34(), [renewed(), Bounced(at("Sep 28"), "n2")])
    assert (state.phase, state.revised) == (Phase.WAIT_SILENT, day("Oct 2"))
    assert fold(state, [LATE]).cancellation.vests_on == day("Oct 2")


def test_a_bounce_of_the_first_of_two_notices_judges_the_second_alone():
    both = fold(june(), [sent("Jun 1", None), sent("Jun 5", "Jul 25", "n2")])
    state = fold(both, [Bounced(at("Jun 6"), "n1")])
    assert (state.phase, state.revised) == (Phase.WAIT_EXPRESS, day("Jul 25"))
    renewed_alone = fold(
        line("Sep 8"), [sent("Aug 19", "Sep 18"), sent("Aug 29", "Sep 25", "n2", kind=NoticeKind.RENEWED)]
    )
    assert fold(renewed_alone, [Bounced(at("Sep 1"), "n1")]).phase is Phase.OPEN


def test_who_answered_got_the_notice():
    answered = fold(june(), [sent("Jun 5", "Jul 1"), Consented(at("Jun 6"))])
    assert advance(answered, Bounced(at("Jun 20"), "n1")).outcome is Outcome.NO_EFFECT


def test_a_click_on_an_old_notice_answers_no_newer_question():
    asked = fold(n34(), [renewed()])
    step = advance(asked, Consented(at("Sep 29"), "n1"))
    assert (step.state.phase, step.outcome) == (Phase.WAIT_RENEWED, Outcome.NO_EFFECT)
    agreed = fold(asked, [Consented(at("Sep 29"), "n2"), sent("Oct 20", "Nov 9", "n3")])
    assert advance(agreed, Consented(at("Oct 21"), "n2")).state.phase is Phase.WAIT_RENEWED
    assert advance(agreed, Consented(at("Oct 21"), "n3")).state.revised == day("Nov 9")


def test_an_old_indefinite_question_cannot_be_answered_after_its_time():
    state = fold(
        june(),
        [
            sent("Jun 1", None),
            sent("Jun 5", "Jul 25", "n2"),
            Consented(at("Jun 6"), "n2"),
            sent("Jul 20", "Aug 5", "n3"),
        ],
    )
    assert advance(state, Consented(at("Jul 21"), "n1")).state.phase is Phase.WAIT_RENEWED


def test_a_further_notice_moves_neither_x_nor_r():
    express = fold(june(), [sent("Jun 5", "Jul 25"), sent("Jun 20", "Aug 25", "n2")])
    assert (express.revised, express.expires_at) == (day("Aug 25"), at("Jul 11 00:00"))
    waiting = fold(n34(), [renewed(), sent("Sep 29", "Nov 6", "n3")])
    assert (waiting.revised, waiting.proposed, waiting.expires_at) == (
        day("Oct 2"),
        day("Nov 6"),
        at("Oct 3 00:00"),
    )


def test_express_yes_to_a_silent_notice_stays_cancellable():
    agreed = fold(n34(), [Consented(at("Sep 5"))])
    assert agreed.phase is Phase.CONSENT_DEFINITE
    assert fold(agreed, [CancelRequested(at("Sep 6"))]).cancellation.case is Case.BUYER
    assert fold(agreed, [LATE]).cancellation.case is Case.REVISED_DATE_MISSED


def test_row_41_riders():
    offered = fold(n34(), [RiderOffered(at("Sep 4"), "n1", Rider(None))])
    assert advance(n34(), Consented(at("Sep 5"), "n1", to_rider=True)).outcome is Outcome.NO_OPTION
    indefinite = fold(offered, [Consented(at("Sep 5"), "n1", to_rider=True)])
    assert indefinite.phase is Phase.CONSENT_INDEFINITE
    assert fold(indefinite, [LATE]).phase is Phase.CONSENT_INDEFINITE
    assert fold(offered, [LATE]).cancellation.vests_on == day("Oct 2")  # silence on a rider means nothing
    over, today = (
        advance(indefinite, LaterDateAsked(at("Nov 5"), day(asked))) for asked in ("Nov 4", "Nov 5")
    )
    assert (over.outcome, over.state) == (Outcome.NO_EFFECT, indefinite), "a day that is over is no later day"
    assert (today.outcome, today.state.expires_at) == (Outcome.APPLIED, at("Nov 6 00:00"))
    not_later = fold(n34(), [RiderOffered(at("Sep 4"), "n1", Rider(day("Oct 2")))])
    assert advance(not_later, Consented(at("Sep 5"), "n1", to_rider=True)).outcome is Outcome.NO_EFFECT


def test_trap_1_express_kinds_need_no_consent_to_ship_inside_t_plus_30():
    assert fold(june(), [sent("Jun 5", None), Shipped(at("Jul 10 23:59"))]).phase is Phase.SHIPPED
    assert (
        fold(june(), [sent("Jun 5", None), Shipped(at("Jul 11 00:00"))]).cancellation.case is Case.NO_CONSENT
    )


def test_refunded_is_the_end():
    done = fold(june(), [LATE, RefundProven(at("2027-12-31"))])
    assert done.phase is Phase.REFUNDED
    for event in (Shipped(at("Jun 1")), Consented(at("Jun 1")), CancelRequested(at("Jun 1"))):
        assert advance(done, event).state == done


START = {
    Phase.INCOMPLETE: incomplete(ZONES),
    Phase.OPEN: june(),
    Phase.WAIT_SILENT: fold(june(), [sent("Jun 5", "Jul 1")]),
    Phase.WAIT_EXPRESS: fold(june(), [sent("Jun 5", "Jul 25")]),
    Phase.WAIT_RENEWED: fold(june(), [sent("Jun 5", "Jul 1"), sent("Jun 6", "Jul 25", "n2")]),
    Phase.CONSENT_DEFINITE: fold(june(), [sent("Jun 5", "Jul 25"), Consented(at("Jun 6"))]),
    Phase.CONSENT_INDEFINITE: fold(june(), [sent("Jun 5", None), Consented(at("Jun 6"))]),
    Phase.SHIPPED: fold(june(), [Shipped(at("Jun 6"))]),
    Phase.CANCELLED: fold(june(), [WillNotShip(at("Jun 6"))]),
    Phase.REFUNDED: fold(june(), [WillNotShip(at("Jun 6")), RefundProven(at("Jun 6"))]),
}
GRID = {
    "ship": (Shipped(at("Jun 8")), {**dict.fromkeys([*LIVE, Phase.INCOMPLETE], Phase.SHIPPED)}),
    "buyer cancels": (
        CancelRequested(at("Jun 8")),
        dict.fromkeys(LIVE - {Phase.OPEN}, Phase.CANCELLED),
    ),
    "policy grants": (
        CancelGranted(at("Jun 8")),
        dict.fromkeys([*LIVE, Phase.INCOMPLETE], Phase.CANCELLED),
    ),
    "will not ship": (WillNotShip(at("Jun 8")), dict.fromkeys([*LIVE, Phase.INCOMPLETE], Phase.CANCELLED)),
    "dishonored": (Dishonored(at("Jun 8")), dict.fromkeys(LIVE, Phase.INCOMPLETE)),
    "consent": (
        Consented(at("Jun 8")),
        {
            Phase.WAIT_SILENT: Phase.CONSENT_DEFINITE,
            Phase.WAIT_EXPRESS: Phase.CONSENT_DEFINITE,
            Phase.WAIT_RENEWED: Phase.CONSENT_DEFINITE,
        },
    ),
    "a notice far later": (
        sent("Jun 8", "Sep 1", "n9"),
        {
            Phase.OPEN: Phase.WAIT_EXPRESS,
            Phase.WAIT_SILENT: Phase.WAIT_RENEWED,
            Phase.CONSENT_DEFINITE: Phase.WAIT_RENEWED,
        },
    ),
    "complete": (Completed(at("Jun 8"), ny_clock("Jun 8")), {Phase.INCOMPLETE: Phase.OPEN}),
    "refund proven": (RefundProven(at("Jun 8")), {Phase.CANCELLED: Phase.REFUNDED}),
    "a long time": (
        LATE,
        dict.fromkeys(LIVE - {Phase.CONSENT_INDEFINITE}, Phase.CANCELLED),
    ),
}


@pytest.mark.parametrize("phase", START)
@pytest.mark.parametrize("word", GRID)
def test_the_whole_grid_of_phase_and_event(phase, word):
    event, moves = GRID[word]
    start = START[phase]
    assert start.phase is phase
    step = advance(start, event)
    assert step.state.phase is moves.get(phase, phase)
    if step.outcome not in (Outcome.APPLIED, Outcome.CORRECTED):
        assert step.state == start


days_of_summer = st.integers(0, 200).map(lambda n: date(2026, 5, 20) + timedelta(days=n))
moments = st.integers(0, 200 * 48).map(lambda n: at("May 20 00:00") + timedelta(minutes=30 * n))
keys = st.sampled_from(["n1", "n2", "n3"])
riders = st.none() | st.builds(Rider, st.none() | days_of_summer)
happenings = st.one_of(
    st.builds(NoticeSent, moments, keys, st.none() | days_of_summer, rider=riders),
    st.builds(NoticeSent, moments, keys, days_of_summer, st.sampled_from(NoticeKind), riders),
    st.builds(RiderOffered, moments, keys, st.builds(Rider, st.none() | days_of_summer)),
    st.builds(Bounced, moments, keys),
    st.builds(Consented, moments, st.none() | keys, st.booleans()),
    st.builds(Completed, moments, st.just(ny_clock("Jul 1"))),
    *(st.builds(kind, moments) for kind in (Dishonored, CancelRequested, CancelGranted, WillNotShip)),
    *(st.builds(kind, moments) for kind in (Shipped, TimePassed, EffectSent, RefundProven)),
)


@given(st.lists(happenings, max_size=14), st.booleans())
def test_whatever_happens_the_books_hold(events, in_order):
    state = opened(ny_clock("May 20 08:00", PromiseInput(ship_by=date(2026, 6, 10))))
    for event in sorted(events, key=lambda one: one.at) if in_order else events:
        before, step = state, advance(state, event)
        state = step.state
        if step.outcome in (Outcome.DUPLICATE, Outcome.NO_OPTION, Outcome.INFORMATION, Outcome.BLOCKED):
            assert state in (before, advance(before, TimePassed(event.at)).state)
        if before.phase is Phase.REFUNDED or before.settled:
            assert state.phase in (before.phase, Phase.REFUNDED)
        assert (state.phase in (Phase.CANCELLED, Phase.REFUNDED)) == (state.cancellation is not None)
        assert (state.phase is Phase.SHIPPED) == (state.shipped_at is not None)
        if state.phase is Phase.WAIT_SILENT:
            assert state.clock.ship_by < state.revised <= state.clock.express_by
        if state.phase in LIVE and state.phase is not Phase.OPEN:
            assert state.offered
        if in_order and state.expires_at is not None:
            assert event.at < state.expires_at
    end = advance(state, LATE).state
    assert end.phase not in LIVE or end.phase is Phase.CONSENT_INDEFINITE


# --- Refunds ---

LATEST = {
    "55 check": ("Dec 18", TenderClass.CASH, {}, "Dec 30"),
    "56 debit": ("2027-12-22", TenderClass.OTHER, {}, "2028-01-04"),
    "56 strict": ("2027-12-22", TenderClass.OTHER, {"strict": True}, "2027-12-31"),
    "58 seller's credit": ("Jul 1", TenderClass.SELLER_CREDIT, {}, "Aug 1"),
    "58 known cycle": ("Jul 1", TenderClass.SELLER_CREDIT, {"cycle_ends": date(2026, 7, 20)}, "Jul 20"),
    "59 account closed": (
        "Jul 1",
        TenderClass.THIRD_PARTY_CREDIT,
        {"impossible_since": date(2026, 7, 8)},
        "Jul 17",
    ),
    "61 check leg": ("Jul 1", TenderClass.CASH, {}, "Jul 13"),
    "vesting day counted": (
        "Jul 1",
        TenderClass.CASH,
        {"settings": Settings(count_vesting_day=True)},
        "Jul 10",
    ),
}


@pytest.mark.parametrize("row", LATEST)
def test_the_latest_lawful_day_of_a_refund(row):
    vests, tender, given, latest = LATEST[row]
    assert refunds.latest(day(vests), tender, **given) == day(latest)


def test_row_61_each_tender_has_its_own_form_and_day():
    due = refunds_due(day("Jul 1"), 25_000, [Tender("terms", 20_000), Tender("check", 5_000)])
    assert [(part.amount, part.form, part.latest) for part in due] == [
        (20_000, RefundForm.ACCOUNT_STATEMENT, day("Aug 1")),
        (5_000, RefundForm.CASH_OR_CHECK, day("Jul 13")),
    ]
    assert due[1].latest_strict == day("Jul 10")
    assert due[1].target == day("Jul 3")


def test_row_62_a_partial_refund_is_all_paid_less_the_shipped_goods_alone():
    paid, a_alone = 7_000 + 3_000 + 1_000 + 880, 7_000 + 800 + 624
    assert amount_due(paid, a_alone) == 3_456
    assert amount_due(paid, a_alone, pro_rata=3_600) == 3_600
    assert amount_due(paid, paid + 500) == 0
    assert amount_due(paid, 0, pro_rata=paid * 2) == paid


def test_row_64_the_card_is_refunded_first_and_no_tender_above_what_it_paid():
    tenders = [Tender("gift_card", 4_000), Tender("card", 7_880)]
    assert over_tenders(3_456, tenders) == [0, 3_456]
    assert over_tenders(9_000, tenders) == [1_120, 7_880]
    assert over_tenders(4_000, [Tender("gift_card", 4_000), Tender("card", 7_880, refunded=7_000)]) == [
        3_120,
        880,
    ]


def test_a_refund_beyond_what_the_tenders_hold_is_refused():
    with pytest.raises(ValueError):
        over_tenders(101, [Tender("card", 100)])
    with pytest.raises(ValueError):
        over_tenders(50, [Tender("card", 100, refunded=60)])
    with pytest.raises(ValueError):
        over_tenders(-1, [Tender("card", 100)])


@pytest.mark.parametrize(
    ("tender", "given", "form"),
    [
        (TenderClass.CASH, {}, RefundForm.CASH_OR_CHECK),
        (TenderClass.THIRD_PARTY_CREDIT, {}, RefundForm.CREDIT_MEMO_AND_COPY),
        (TenderClass.THIRD_PARTY_CREDIT, {"taken": False}, RefundForm.NOT_CHARGED_STATEMENT),
        (TenderClass.THIRD_PARTY_CREDIT, {"impossible": True}, RefundForm.CASH_OR_CHECK),
        (TenderClass.SELLER_CREDIT, {}, RefundForm.ACCOUNT_STATEMENT),
        (TenderClass.OTHER, {}, RefundForm.SAME_FORM_AND_STATEMENT),
        (TenderClass.OTHER, {"taken": False}, RefundForm.NOT_CHARGED_STATEMENT),
    ],
)
def test_the_form_that_counts_as_a_refund(tender, given, form):
    assert refunds.form(tender, **given) is form
