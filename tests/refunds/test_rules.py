"""What is owed back, and in which form: pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from app.promises.regimes import Regime
from app.refunds import rules
from app.refunds.rules import LineMoney, Share, newly_due, shipped_alone
from infra.errors import Problem

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (Share(4000, 0, 2000, 2000), (0, 2000)),
        (Share(4000, 0, 0, 0, let_go=2000), (0, 2000)),
        (Share(4000, 4000, 2000, 2000), (2000, 0)),
        (Share(4000, 4000, 0, 0, owed=2000), (2000, 0)),
        (Share(4000, 4000, 0, 0), (4000, 0)),
        (Share(4000, 2000, 2000, 1900, let_go=2000), (100, 0)),
        (Share(4000, 2000, 2000, 1900, owed=100, let_go=2000), (0, 0)),
        (Share(4000, 4000, 4000, 4000), (0, 0)),
        (Share(4000, 9000, 0, 0), (4000, 0)),
    ],
)
def test_what_is_newly_due(share: Share, expected: tuple[int, int]) -> None:
    assert newly_due(share) == expected


def test_row_62_of_the_specification() -> None:
    lines = [LineMoney(7000, 700, 616, 1, 1), LineMoney(3000, 300, 264, 1, 0)]
    alone = shipped_alone(lines, [(0, 800), (10_000, 1000)])
    assert alone is not None
    assert 11880 - alone == 3456


@pytest.mark.parametrize(
    ("line", "alone"),
    [
        (LineMoney(7000, 800, 624, 1, 0), 0),
        (LineMoney(7000, 800, 624, 1, 1), None),
        (LineMoney(7000, 2500, 760, 1, 0), None),
    ],
    ids=["nothing kept costs nothing", "nothing cancelled", "charged otherwise than by the table"],
)
def test_when_the_shipping_table_speaks(line: LineMoney, alone: int | None) -> None:
    assert shipped_alone([line], [(0, 800)]) == alone


@pytest.mark.parametrize(
    ("kind", "vests", "latest"),
    [
        ("check", date(2026, 12, 18), date(2026, 12, 30)),
        ("card", date(2026, 6, 10), date(2026, 6, 22)),
        ("terms", date(2026, 7, 1), date(2026, 8, 1)),
    ],
)
def test_rows_55_58_and_the_plain_case(kind: str, vests: date, latest: date) -> None:
    assert rules.days(vests, kind, NEW_YORK).latest_on == latest


def test_row_56_strict_and_legal_day() -> None:
    days = rules.days(date(2027, 12, 22), "external", NEW_YORK)
    assert (days.latest_on, days.strict_on) == (date(2028, 1, 4), date(2027, 12, 31))
    assert days.due_at == datetime(2028, 1, 1, 5, tzinfo=UTC)


def test_row_59_counts_from_the_discovery() -> None:
    days = rules.days(date(2026, 7, 1), "card", NEW_YORK, impossible_on=date(2026, 7, 8))
    assert days.latest_on == date(2026, 7, 17)


CALIFORNIA = frozenset({Regime.US_FEDERAL, Regime.US_CALIFORNIA})


def test_what_goes_to_california_is_refunded_within_its_week() -> None:
    vested = date(2026, 10, 2)  # seven working days end on the 14th: the 12th is a holiday
    assert rules.days(vested, "card", NEW_YORK).latest_on == date(2026, 10, 14)
    california = rules.days(vested, "card", NEW_YORK, regimes=CALIFORNIA)
    assert (california.latest_on, california.strict_on) == (date(2026, 10, 9), date(2026, 10, 9))
    found = rules.days(vested, "card", NEW_YORK, regimes=CALIFORNIA, impossible_on=date(2026, 10, 8))
    assert found.latest_on == date(2026, 10, 20), "a check counts from the day the way was found closed"


OWN = {"gift_card": "gift_card", "store_credit": "credit"}


def expected(kind: str, form: str, impossible: bool) -> str:
    """The form that is kept, or the name of the refusal, written from the table of 435.1(d)."""
    if form in OWN and OWN[form] != kind:
        return "store-credit-unlawful"
    if kind == "card" and not impossible:
        return "card-refunds-itself"
    if form in ("original", *OWN) and kind in ("check", "cash"):
        return "form-unlawful"
    return "original" if form in OWN else form


@pytest.mark.parametrize("kind", ["card", "check", "cash", "external", "terms", "gift_card", "credit"])
@pytest.mark.parametrize("impossible", [False, True])
@pytest.mark.parametrize("form", rules.FORMS)
def test_every_form_for_every_tender(kind: str, impossible: bool, form: str) -> None:
    wanted = expected(kind, form, impossible)
    if "-" not in wanted:
        assert rules.check_form(kind, form, impossible=impossible) == wanted
        return
    with pytest.raises(Problem) as refusal:
        rules.check_form(kind, form, impossible=impossible)
    assert (refusal.value.status, refusal.value.code) == (409, wanted)


@pytest.mark.parametrize(
    ("outcomes", "step"),
    [
        ([], "begin"),
        ([("pending", 100, None)], "wait"),
        ([("unknown", 100, None)], "wait"),
        ([("succeeded", 100, None)], "paid"),
        ([("succeeded", 60, None)], "begin"),
        ([("failed", 100, "expired_or_canceled_card")], "refused"),
        ([("failed", 100, "lost")], "begin"),
        ([("failed", 100, "lost"), ("succeeded", 100, None)], "paid"),
        ([("succeeded", 60, None), ("failed", 40, "charge_disputed")], "refused"),
    ],
)
def test_where_the_money_stands(outcomes: list[tuple[str, int, str | None]], step: str) -> None:
    assert rules.progress(outcomes, 100) == step


def test_the_alarms_follow_each_other() -> None:
    due = SimpleNamespace(
        target_on=date(2026, 6, 12), strict_on=date(2026, 6, 22), due_at=datetime(2026, 6, 23, 4, tzinfo=UTC)
    )
    now, seen = datetime(2026, 6, 10, 12, tzinfo=UTC), []
    while (moment := rules.next_look(due, NEW_YORK, now)) is not None:
        now = moment
        seen.append((rules.alarm(due, NEW_YORK, now), now))
    assert seen == [
        (rules.TARGET_MISSED, datetime(2026, 6, 13, 4, tzinfo=UTC)),
        (rules.SOON, datetime(2026, 6, 18, 4, tzinfo=UTC)),
        (rules.LATE, datetime(2026, 6, 23, 4, tzinfo=UTC)),
    ]
