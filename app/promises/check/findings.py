"""What the rule makes of a scenario: the clock, state and notices of each line, and of each group of its units.

Pure: replays the events of a Scenario through states.py as they were learned. Refunds: see money.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from app.promises.check import deliveries
from app.promises.check.events import Happening
from app.promises.check.scenarios import Scenario, ScenarioLine
from app.promises.check.words import ScenarioFault
from app.promises.notice_kinds import NoticePlan, plan_notice
from app.promises.regimes import Delivery, Regime, california_clock
from app.promises.rules import (
    Clock,
    Coverage,
    HandOver,
    clock,
    coverage,
    is_shipment,
    kit_shipped_at,
    promise_faults,
)
from app.promises.states import advance, incomplete, not_covered, opened
from app.promises.vocabulary import (
    LIVE,
    Bounced,
    CancelGranted,
    CancelRequested,
    Completed,
    Consented,
    Dishonored,
    EffectSent,
    Event,
    LaterDateAsked,
    NoticeKind,
    NoticeSent,
    Outcome,
    Phase,
    Rider,
    RiderOffered,
    Shipped,
    State,
    SubstitutionAgreed,
    TimePassed,
    WillNotShip,
)

END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)
_TOOK = frozenset({Outcome.APPLIED, Outcome.CORRECTED})


@dataclass(slots=True)
class Group:
    """Units of a line that share their fate; `name` is what the events call them."""

    units: int
    state: State
    name: str | None = None
    history: list[tuple[datetime, Phase, date | None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NoticeFound:
    """A notice as the rule sees it: the kind its date needed (None: the line was over), its deadlines, what
    silence on it means, and whether it counted."""

    at: datetime
    key: str
    kind: NoticeKind | None
    revised: date | None
    send_by: datetime | None
    reply_day: date | None
    reply_by: datetime | None
    silence: str
    outcome: Outcome


@dataclass(slots=True)
class LineFound:
    """One line: its coverage, the clock that ran last, its groups, and what each event did, by its number."""

    line: ScenarioLine
    coverage: Coverage
    clock: Clock | None
    groups: list[Group]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    notices: list[NoticeFound] = field(default_factory=list)
    blocked: list[datetime] = field(default_factory=list)
    latest: dict[str, datetime] = field(default_factory=dict)
    credit_refused: bool = False
    delivery: Delivery | None = None

    @property
    def last_notice(self) -> str | None:
        return self.notices[-1].key if self.notices else None


def run(scenario: Scenario, line: ScenarioLine, until: datetime | None = None) -> LineFound:
    """The line after everything learned by `until`; None: after all that is told, and the time that no more was
    done. Raises ScenarioFault where more units are named than there are."""
    found = _begin(scenario, line)
    for event in scenario.told(until):
        if line.id in event.lines:
            before, found.delivery = found.delivery, deliveries.after(found.delivery, event)
            outcome = _happens(scenario, found, event)
            moved = found.delivery != before and outcome is Outcome.NO_EFFECT
            found.outcomes[event.number] = Outcome.APPLIED if moved else outcome
    for group in found.groups:
        _to(group, advance(group.state, TimePassed(until or END_OF_TIME)).state, until or END_OF_TIME)
    return found


def _begin(scenario: Scenario, line: ScenarioLine) -> LineFound:
    covered = coverage(
        ordered_in_person=scenario.in_person,
        cash_on_delivery=scenario.cash_on_delivery,
        exemption=line.exemption,
        business_buyer=scenario.business,
        settings=scenario.settings,
    )
    if not covered.covered or Regime.US_FEDERAL not in scenario.regimes:
        return LineFound(
            line,
            Coverage(False, covered.exemption),
            None,
            [Group(line.quantity, not_covered(scenario.zones))],
            delivery=deliveries.delivery_of(scenario, line),
        )
    found = LineFound(line, covered, None, [], delivery=deliveries.delivery_of(scenario, line))
    found.clock = clock_of(scenario, found, scenario.ordered, scenario.ordered)
    waits = scenario.incomplete is not None and not (scenario.incomplete == "address" and _keeps(scenario))
    state = incomplete(scenario.zones) if waits else opened(found.clock)
    group = Group(line.quantity, state)
    group.history.append((scenario.ordered, state.phase, None))
    found.groups.append(group)
    if waits:
        found.clock = None
    return found


def clock_of(scenario: Scenario, found: LineFound, pco: datetime, paid_at: datetime) -> Clock:
    """The clock from that moment on, California's where it is stricter."""
    federal = clock(
        pco,
        scenario.zones.buyer,
        scenario.zones.seller,
        found.line.promises,
        credit_application=scenario.credit_application,
        credit_refused=found.credit_refused,
        settings=scenario.settings,
    )
    if Regime.US_CALIFORNIA not in scenario.regimes:
        return federal
    return california_clock(federal, paid_at, found.line.promises, scenario.settings)


def _keeps(scenario: Scenario) -> bool:
    """Whether an address that was never usable leaves the clock running: unless the settings and the seller's
    prompt question say otherwise."""
    asked = any(one.verb == "address_completed" and one.get("asked_promptly") for one in scenario.events)
    return not (asked and scenario.settings.address_completed == "restarts_clock")


# --- One event ---


def _happens(scenario: Scenario, found: LineFound, happening: Happening) -> Outcome:
    if happening.reported > happening.at:
        for group in found.groups:
            _to(group, advance(group.state, TimePassed(happening.reported)).state, happening.reported)
    event = _event(scenario, found, happening)
    if isinstance(event, NoticeSent):
        return _notice(found, event, happening)
    if event is None:
        event = TimePassed(happening.at)
    outcome = _apply(found, event, happening)
    if isinstance(event, Shipped) and outcome is Outcome.BLOCKED:
        found.blocked.append(event.at)
    if isinstance(event, Completed) and outcome in _TOOK:
        found.clock = event.clock
    if isinstance(event, TimePassed) or (happening.verb == "delivered" and outcome is Outcome.DUPLICATE):
        return Outcome.NO_EFFECT
    return outcome


def _event(scenario: Scenario, found: LineFound, one: Happening) -> Event | None:
    """The rule's word for what happened; None for what it gives no effect."""
    at, key = one.at, one.get("notice")
    match one.verb:
        case "notice":
            return _notice_event(one)
        case "rider":
            until = None if one.get("until") == "indefinite" else one.get("until")
            return RiderOffered(at, key or found.last_notice or "", Rider(until))
        case "bounce":
            return Bounced(at, key or found.last_notice or "")
        case "consent" | "cancel" if str(one.get("method", "POST")).upper() == "GET":
            return None  # a mail scanner opens links; only a person sends a form
        case "consent":
            return Consented(at, key, bool(one.get("to_rider")))
        case "shipped" | "delivered":
            return _shipped(found, one)
        case "later_date":
            return LaterDateAsked(at, one.get("ship_by"))
        case "substitution_agreed":
            return SubstitutionAgreed(at, str(one.get("goods", "")), one.get("ship_by"))
        case "credit_refused":
            found.credit_refused = True
            return Dishonored(at)
        case "paid_again" | "credit_approved":
            # 435.1(c)(3): who qualifies after all buys on the credit applied for, and has its fifty days.
            on_credit = one.verb == "credit_approved" or one.get("tender") == "terms"
            found.credit_refused = found.credit_refused and not on_credit
            return Completed(at, clock_of(scenario, found, at, at))
        case "completed" | "address_completed":
            return Completed(at, clock_of(scenario, found, at, scenario.ordered))
        case "refund_sent" | "statement_sent" | "effect_sent":
            return EffectSent(at)
        case "cancel" | "ended_by_consumer" if found.delivery is not None and found.delivery.ended_at == at:
            offered = all(group.state.offered for group in found.groups)
            return CancelRequested(at) if offered else CancelGranted(at)
        case "cancel":
            return CancelRequested(at)
        case "cancel_granted":
            return CancelGranted(at)
        case "will_not_ship":
            return WillNotShip(at)
        case "dishonored":
            return Dishonored(at)
    return None


def _notice_event(one: Happening) -> NoticeSent:
    rider = one.get("rider")
    return NoticeSent(
        one.at,
        str(one.get("key")),
        one.get("revised"),
        one.get("kind"),
        None if rider is None else Rider(rider["until"]),
        tuple(one.get("omits", ())),
    )


def _shipped(found: LineFound, one: Happening) -> Shipped | None:
    """A shipment of the line, if what was seen is one: of a kit when the last component has gone."""
    seen = HandOver.WITH_BUYER if one.verb == "delivered" else one.get("seen")
    if not is_shipment(seen, found.line.way):
        return None
    at: datetime | None = one.at
    component = one.get("component")
    if component is not None:
        if component not in found.line.components:
            raise ScenarioFault(f"events[{one.number - 1}].component", "The line has no such component.")
        found.latest[component] = one.at
        at = kit_shipped_at(found.line.components, found.latest)
    return None if at is None else Shipped(at, one.get("substitute"))


def _notice(found: LineFound, event: NoticeSent, happening: Happening) -> Outcome:
    before = [advance(group.state, TimePassed(event.at)).state for group in found.groups]
    live = next((state for state in before if state.phase in LIVE), None)
    outcome = _apply(found, event, happening)
    plan = NoticePlan(NoticeKind.INFORMATION) if live is None else plan_notice(live, event.revised)
    if outcome is not Outcome.DUPLICATE:
        found.notices.append(
            NoticeFound(
                event.at,
                event.key,
                plan.kind if live else None,
                event.revised,
                plan.send_by,
                plan.reply_day,
                plan.reply_by,
                silence_on(plan.kind) if outcome in _TOOK else "nothing",
                outcome,
            )
        )
    return outcome


def silence_on(kind: NoticeKind) -> str:
    """What silence on a notice of that kind means."""
    if kind is NoticeKind.INFORMATION:
        return "nothing"
    return "consent" if kind is NoticeKind.SILENT_CONSENT else "cancel"


def silence_of(state: State) -> tuple[str, date | None]:
    """What doing nothing means to a line in that state, and at the end of which day."""
    if state.clock is None or state.expires_at is None:
        return "nothing", None
    if state.phase is Phase.WAIT_SILENT:
        return "consent", state.revised
    return "cancel", last_day(state)


def last_day(state: State) -> date | None:
    """The last day on which the line lives without anything done; None when no time runs."""
    if state.clock is None or state.expires_at is None:
        return None
    if state.phase is Phase.OPEN:
        return state.clock.ship_by
    return state.clock.express_by if state.phase is Phase.WAIT_EXPRESS else state.revised


# --- Units ---


def _apply(found: LineFound, event: Event, happening: Happening) -> Outcome:
    """Let the event befall the units it names, first those to which it means something."""
    chosen = _chosen(found, event, happening)
    outcomes = []
    for group in chosen:
        step = advance(group.state, event)
        _to(group, step.state, happening.reported)
        outcomes.append(step.outcome)
    return next((one for one in outcomes if one in _TOOK), outcomes[0])


def _chosen(found: LineFound, event: Event, happening: Happening) -> list[Group]:
    """The units an event concerns: the group it names, if there is one; as many as it says; else all. A name that
    is new is given to them."""
    known = [group for group in found.groups if group.name == happening.group]
    pool = known if happening.group is not None and known else found.groups
    chosen = pool if happening.units is None else _split(found, pool, event, happening)
    if happening.group is not None and not known:
        if happening.units is None:
            path = f"events[{happening.number - 1}].units"
            raise ScenarioFault(path, f"Say how many units the group {happening.group!r} has.")
        for group in chosen:
            group.name = happening.group
    return chosen


def _split(found: LineFound, pool: list[Group], event: Event, happening: Happening) -> list[Group]:
    """So many units of the pool: first those to which it means something, of them those without a name, and for a
    notice those that have none."""
    wanted = happening.units or 0
    if wanted > sum(group.units for group in pool):
        raise ScenarioFault(f"events[{happening.number - 1}].units", "There are not so many units.")

    def rank(group: Group) -> tuple[bool, ...]:
        told = isinstance(event, NoticeSent) and bool(group.state.notices)
        return advance(group.state, event).outcome not in _TOOK, group.name is not None, told

    chosen: list[Group] = []
    for group in sorted(pool, key=rank):
        if wanted == 0:
            break
        if group.units > wanted:
            rest = Group(group.units - wanted, group.state, group.name, list(group.history))
            found.groups.insert(found.groups.index(group) + 1, rest)
            group.units = wanted
        wanted -= group.units
        chosen.append(group)
    return chosen


def _to(group: Group, state: State, at: datetime) -> None:
    if (state.phase, state.revised) != (group.state.phase, group.state.revised):
        lapse = (
            state.cancellation.learned_at if state.cancellation and group.state.cancellation is None else at
        )
        group.history.append((min(lapse, at), state.phase, state.revised))
    group.state = state


def faults_of(scenario: Scenario, found: LineFound) -> list[str]:
    """What the merchant should mend in what was shown for the line."""
    clock_now = found.clock
    if clock_now is None:
        return []
    charged = any(tender.taken and tender.paid for tender in scenario.tenders)
    return [
        fault.value
        for fault in promise_faults(
            found.line.promises, clock_now, preorder=found.line.preorder, charged=charged
        )
    ]


def ask(scenario: Scenario, line: ScenarioLine, at: datetime, revised: date | None) -> dict[str, Any]:
    """Which notice a new date would need at that instant."""
    state = run(scenario, line, at).groups[0].state
    if state.phase not in LIVE:
        return {"kind": None, "send_by": None, "reply_day": None, "reply_by": None, "silence": "nothing"}
    plan = plan_notice(state, revised)
    return {
        "kind": plan.kind.value,
        "send_by": plan.send_by,
        "reply_day": plan.reply_day,
        "reply_by": plan.reply_by,
        "silence": silence_on(plan.kind),
    }
