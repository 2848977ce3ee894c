"""The delay rule once more, from the tables of the specification and not from the code, to compare with it.

No phases and no transitions: a line is its facts (T, the valid notices, what the buyer agreed to), and one formula
says until which day it lives on them. One zone, events in the order of their time.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

NY = ZoneInfo("America/New_York")
FOREVER = date.max


@dataclass(frozen=True)
class Told:
    """A valid notice: when, its word, its date (FOREVER: none), its kind, the last day of an answer, its rider (a
    date, FOREVER, or None for none)."""

    at: datetime
    key: str
    asked: date
    kind: str
    reply: date
    rider: date | None = None
    words: tuple = ()
    said: str | None = None
    choice_before: bool = False
    again: tuple = ()  # (key, when, said) of each time the same words were sent once more

    def sent(self, key, by=datetime.max.replace(tzinfo=NY)) -> bool:
        every = ((self.key, self.at), *((one, at) for one, at, _ in self.again))
        return any(key in (None, one) and at <= by for one, at in every)


@dataclass
class Facts:
    """A line: `agreed` pairs the number of notices then in force with the date agreed to."""

    t: date | None
    told: list[Told] = field(default_factory=list)
    agreed: list[tuple[int, str, date]] = field(default_factory=list)
    choice: bool = False
    end: tuple | None = None  # ("shipped", instant) or (case, day of vesting)
    settled: bool = False
    refunded: bool = False

    @property
    def yes(self) -> date | None:
        """The day the buyer is content with: the last consent, else the silent notice's; None: none yet."""
        if self.agreed:
            return self.agreed[-1][2]
        return self.told[0].asked if self.told and self.told[0].kind == "silent_consent" else None

    @property
    def lives(self) -> date:
        """Section 1.7: T without an option; T+30 with an unanswered one; else the day agreed to."""
        if not self.told and not self.agreed:
            return self.t
        return self.yes or self.t + timedelta(days=30)

    def case(self) -> str:
        if not self.told and not self.agreed:
            return "c5"
        return "c3" if self.yes else "c2"

    def word(self) -> str:
        if self.end:
            return self.end[0] if self.end[0] == "shipped" else "refunded" if self.refunded else "cancelled"
        if self.t is None:
            return "incomplete"
        if not self.told and not self.agreed:
            return "open"
        if self.yes == FOREVER:
            return "consent_indefinite"
        if self.told[-1].kind == "renewed" and (not self.agreed or self.agreed[-1][0] < len(self.told)):
            return "wait_renewed"
        if self.agreed:
            return "consent_definite"
        return "wait_silent" if self.yes else "wait_express"


def over(day: date, at: datetime) -> bool:
    return day != FOREVER and at.astimezone(NY).date() > day


def pass_time(facts: Facts, at: datetime) -> None:
    if facts.t and not facts.end and over(facts.lives, at):
        facts.end = (facts.case(), facts.lives)


def kind_needed(facts: Facts, asked: date) -> str | None:
    """Sections 1.5 and 1.6; None for a mere message."""
    if facts.yes is not None:
        return "renewed" if facts.yes != FOREVER and asked > facts.yes else None
    if asked > facts.t + timedelta(days=30):
        return "express_indefinite" if asked == FOREVER else "express_definite"
    return None if facts.told or asked <= facts.t else "silent_consent"


def notice(facts: Facts, at, key, asked, said, rider, defects) -> None:
    if facts.end or facts.t is None:
        return
    if any(one.sent(key) for one in facts.told):
        return
    if facts.told and facts.told[-1].words == (asked, rider):
        last = facts.told[-1]
        if not defects and said in (None, last.kind):
            facts.told[-1] = replace(last, again=(*last.again, (key, at, said)))
        return
    kind = kind_needed(facts, asked)
    if kind is None:
        return
    before, facts.choice = facts.choice, True
    if defects or said not in (None, kind):
        return
    reply = (
        facts.yes
        if kind == "renewed"
        else asked
        if kind == "silent_consent"
        else facts.t + timedelta(days=30)
    )
    facts.told.append(Told(at, key, asked, kind, reply, rider, (asked, rider), said, before))


def rider(facts: Facts, key, until) -> None:
    for at, one in enumerate(facts.told):
        if not facts.end and one.sent(key) and one.kind in ("silent_consent", "express_definite"):
            facts.told[at] = replace(one, rider=until)


def consent(facts: Facts, at, key, to_rider) -> None:
    pool = [n for n, one in enumerate(facts.told) if one.sent(key, at)]
    if facts.end or not pool:
        return
    n = pool[-1]
    one = facts.told[n]
    if to_rider:
        if (
            one.rider is None
            or one.kind not in ("silent_consent", "express_definite")
            or one.rider <= one.asked
        ):
            return
        until = one.rider
    else:
        if over(one.reply, at):
            return
        until = min(other.asked for other in facts.told[n:])
    silent_yes = not facts.agreed and len(facts.told) == 1 and until == facts.yes
    if facts.yes is None or until > facts.yes or silent_yes:
        facts.agreed.append((len(facts.told), one.key, until))


def bounce(facts: Facts, at, key) -> None:
    """Section 1.5: a notice that did not arrive was not offered. What was sent besides is judged without it."""
    lapsed = facts.end is not None and facts.end[0] in ("c2", "c3", "c5") and not facts.settled
    n = next((n for n, one in enumerate(facts.told) if one.sent(key)), None)
    if n is None or (facts.end and not lapsed) or any(number > n for number, _, _ in facts.agreed):
        return
    again = Facts(facts.t, facts.told[:n], list(facts.agreed), facts.told[n].choice_before)
    for one in facts.told[n:]:
        for name, when, said in ((one.key, one.at, one.said), *one.again):
            if name != key:
                pass_time(again, when)
                notice(again, when, name, one.asked, said, one.rider, ())
    pass_time(again, at)
    if not facts.end or (again.end and again.end[1] < facts.end[1]):
        facts.told, facts.end, facts.choice = again.told, again.end, again.choice
    elif again.end and again.end[1] == facts.end[1]:
        facts.told = again.told


def cancel(facts: Facts, at, case) -> None:
    equal = facts.end == ("shipped", at)  # at the same instant the buyer's cancellation comes first
    if (facts.end and not (equal and case == "c1")) or (
        case == "c1" and (facts.t is None or not facts.choice)
    ):
        return
    facts.end = (case, at.astimezone(NY).date())


def _until(facts: Facts, at: datetime) -> date:
    """The day past which a day that the buyer names is a later one."""
    return facts.lives if facts.lives != FOREVER else at.astimezone(NY).date() - timedelta(days=1)


def happen(facts: Facts, word: str, at: datetime, **more) -> None:
    """Let one event happen, after the time until then has passed."""
    pass_time(facts, at)
    if word == "notice":
        notice(facts, at, **more)
    elif word == "rider":
        rider(facts, **more)
    elif word == "consent":
        consent(facts, at, **more)
    elif word == "bounce":
        bounce(facts, at, **more)
    elif word in ("c1", "c4"):
        cancel(facts, at, word)
        facts.settled = facts.settled or bool(
            more.get("told") and facts.end == ("c4", at.astimezone(NY).date())
        )
    elif word == "ship" and not facts.end:
        facts.end = ("shipped", at)
    elif word == "dishonor" and not facts.end and facts.t:
        facts.t, facts.told, facts.agreed, facts.choice = None, [], [], False
    elif word == "complete" and not facts.end and facts.t is None:
        facts.t = more["t"]
        pass_time(facts, at)
    elif word == "later" and not facts.end and facts.t and more["day"] > _until(facts, at):
        facts.t, facts.told, facts.agreed = more["day"], [], []
    elif word in ("sent", "proven") and facts.end and facts.end[0] != "shipped":
        facts.settled = True
        facts.refunded = facts.refunded or word == "proven"
