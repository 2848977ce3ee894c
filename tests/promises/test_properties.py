"""Whatever happens in whatever order: the state machine against the oracle, and reports that come late."""

import random
from collections import Counter
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.promises.rules import PromiseInput, Zones, clock
from app.promises.states import advance, fold, opened
from app.promises.vocabulary import (
    LIVE,
    Bounced,
    CancelGranted,
    CancelRequested,
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
from tests.promises import oracle
from tests.promises.oracle import FOREVER, NY, Facts

ZONES = Zones("America/New_York", ("America/New_York",))
BEGIN = datetime(2026, 6, 1, 8, tzinfo=NY)
T = date(2026, 6, 10)
LATE = datetime(2028, 1, 1, tzinfo=NY)


def clock_to(day, pco=BEGIN):
    return clock(pco, ZONES.buyer, ZONES.seller, PromiseInput(ship_by=day))


WORDS = {
    "notice": 35,
    "consent": 25,
    "rider": 7,
    "bounce": 9,
    "later": 2,
    "complete": 5,
    "c1": 4,
    "c4": 1,
    "ship": 3,
    "dishonor": 2,
    "sent": 3,
    "proven": 1,
}


def story(seed, words=WORDS):
    """A story that stays alive for long: what comes next, and when, follows from where the line stands."""
    chance = random.Random(seed)
    state, at, told, happened = opened(clock_to(T)), BEGIN, 0, []
    for _ in range(chance.randint(2, 14)):
        over = state.phase not in (*LIVE, Phase.INCOMPLETE)
        if over and (words is QUIET or chance.random() < 0.4):
            break
        at = moment(chance, state, at)
        word = (
            "complete"
            if state.phase is Phase.INCOMPLETE and words is WORDS
            else _drawn(chance, AFTER if over else words)
        )
        told += word == "notice"
        happened.append((word, at, details(chance, word, state, at, told)))
        state = advance(state, event(*happened[-1])).state
    return happened


def _drawn(chance, words):
    return chance.choices([*words], words.values())[0]


def moment(chance, state, at):
    """Hours or days later, or about the instant at which time runs out."""
    steps = [timedelta(0), timedelta(minutes=1), timedelta(hours=7), timedelta(days=1), timedelta(days=6)]
    later, end = at + chance.choice(steps), state.expires_at
    if end is not None and (later >= end or chance.random() < 0.2):
        later = end - timedelta(minutes=chance.random() < 0.85)
    return max(at, later)


def details(chance, word, state, at, told):
    base = state.revised or (state.clock.ship_by if state.clock else T)
    day = base + timedelta(days=chance.choice([-1, 0, 1, 2, 9, 20, 29, 30, 31, 40]))
    asked = FOREVER if chance.random() < 0.25 else day
    key = f"n{chance.randint(max(1, told - 2), max(1, told))}"
    match word:
        case "notice":
            said = chance.choice([*NoticeKind]).value if chance.random() < 0.15 else None
            rider = asked + timedelta(days=chance.choice([0, 5, 60])) if asked != FOREVER else FOREVER
            rider = chance.choice([None, None, None, rider, FOREVER])
            own = key if chance.random() < 0.05 else f"n{told}"
            defects = ("silence",) if chance.random() < 0.08 else ()
            if state.notices and chance.random() < 0.12:  # once more, by another channel
                last = state.notices[-1].event
                asked, rider = last.revised or FOREVER, last.rider and (last.rider.until or FOREVER)
            return {"key": own, "asked": asked, "said": said, "rider": rider, "defects": defects}
        case "consent":
            return {"key": chance.choice([None, key]), "to_rider": chance.random() < 0.3}
        case "rider":
            return {"key": key, "until": asked}
        case "bounce":
            return {"key": key}
        case "later":
            return {"day": day}
        case "complete":
            return {"t": at.date() + timedelta(days=chance.randint(0, 12))}
        case "c4":
            return {"told": chance.random() < 0.5}
    return {}


QUIET = {"notice": 35, "consent": 25, "rider": 7, "later": 2, "c1": 4}
AFTER = {"sent": 3, "proven": 4, "bounce": 4, "ship": 3, "c1": 2, "consent": 2, "notice": 2}
SEEDS = st.integers(0, 2**32)


def dated(day):
    return None if day == FOREVER else day


def event(word, at, more):
    """The machine's event for the oracle's."""
    match word:
        case "notice":
            rider = more["rider"]
            return NoticeSent(
                at,
                more["key"],
                dated(more["asked"]),
                more["said"] and NoticeKind(more["said"]),
                None if rider is None else Rider(dated(rider)),
                more["defects"],
            )
        case "consent":
            return Consented(at, more["key"], more["to_rider"])
        case "rider":
            return RiderOffered(at, more["key"], Rider(dated(more["until"])))
        case "bounce":
            return Bounced(at, more["key"])
        case "later":
            return LaterDateAsked(at, more["day"])
        case "complete":
            return Completed(at, clock_to(more["t"]))
        case "c4":
            return (WillNotShip if more["told"] else CancelGranted)(at)
    return {
        "c1": CancelRequested,
        "ship": Shipped,
        "dishonor": Dishonored,
        "sent": EffectSent,
        "proven": RefundProven,
    }[word](at)


def as_seen(state):
    ended = state.cancellation
    return state.phase.value, ended and (ended.case.value, ended.vests_on)


@given(SEEDS)
@settings(max_examples=400, deadline=None)
def test_the_machine_and_the_oracle_agree_after_every_event(seed):
    state, facts = opened(clock_to(T)), Facts(T)
    for word, at, more in [*story(seed), ("time", LATE, {})]:
        state = advance(state, event(word, at, more) if word != "time" else TimePassed(at)).state
        oracle.happen(facts, word, at, **more)
        ended = facts.end if facts.end and facts.end[0] != "shipped" else None
        assert as_seen(state) == (facts.word(), ended), (word, at, more)
        if state.expires_at is not None:
            assert state.expires_at == state.clock.end_of(facts.lives)


def test_the_stories_reach_every_phase_and_every_outcome():
    phases, outcomes = Counter(), Counter()
    for seed in range(400):
        state = opened(clock_to(T))
        for word, at, more in story(seed):
            step = advance(state, event(word, at, more))
            state = step.state
            phases[state.phase] += 1
            outcomes[word, step.outcome] += step.outcome in (Outcome.APPLIED, Outcome.CORRECTED)
    assert min(phases[phase] for phase in Phase if phase is not Phase.NOT_COVERED) >= 15, phases
    assert {word for (word, _), count in outcomes.items() if count >= 5} == WORDS.keys()
    assert outcomes["bounce", Outcome.CORRECTED] >= 1


@given(SEEDS, st.integers(0, 70 * 24))
@settings(max_examples=150, deadline=None)
def test_a_shipment_is_judged_by_when_it_was_not_by_when_it_was_reported(seed, hours):
    """While nothing of a cancellation went out, a scan reported at the very end counts as if reported at once."""
    shipped_at = BEGIN + timedelta(hours=hours, seconds=1)
    told = [event(*one) for one in story(seed, QUIET)]
    in_time = fold(opened(clock_to(T)), sorted([*told, Shipped(shipped_at)], key=lambda one: one.at))
    in_time = advance(in_time, TimePassed(LATE)).state
    reported_last = fold(opened(clock_to(T)), [*told, TimePassed(LATE), Shipped(shipped_at)])
    assert as_seen(reported_last) == as_seen(in_time)
    gone_out = fold(opened(clock_to(T)), [*told, TimePassed(LATE), EffectSent(LATE)])
    if gone_out.settled:
        assert advance(gone_out, Shipped(shipped_at)).state == gone_out


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_whatever_is_told_twice_counts_once(seed):
    told = [event(*one) for one in story(seed)]
    twice = [one for each in told for one in (each, each)]
    assert as_seen(fold(opened(clock_to(T)), twice)) == as_seen(fold(opened(clock_to(T)), told))


@given(SEEDS)
@settings(max_examples=100, deadline=None)
def test_the_end_is_the_end(seed):
    state = opened(clock_to(T))
    for one in story(seed):
        before, state = state, advance(state, event(*one)).state
        if before.phase is Phase.REFUNDED or (before.settled and before.phase is Phase.CANCELLED):
            assert state.cancellation == before.cancellation
