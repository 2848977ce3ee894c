"""Every line's end, judged by the independent oracle of the rule from nothing but the rows that were kept: what was
sent, answered and handed over, and when. The seller is in New York, the earliest zone of all buyers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tenants.scope import inside
from tests.promises.oracle import FOREVER, Facts, happen

LINES = """
SELECT l.id, l.sku, l.ordered, l.shipped, l.cancelled, p.made_at, p.original_date, p.state,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(e.kind, e.at, e.data) ORDER BY e.id), '[]') FROM promise_events e
        WHERE e.tenant_id = :tenant AND e.order_line_id = l.id) AS events,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(n.id, n.sent_at, n.facts->>'revised', n.facts->>'delay')), '[]')
        FROM notices n WHERE n.tenant_id = :tenant AND n.order_id = l.order_id AND n.kind = 'delay'
            AND n.sent_at IS NOT NULL AND n.state <> 'failed'
            AND jsonb_exists(n.facts->'lines', l.id::text)) AS notices,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(a.notice_id, a.received_at, a.answer)), '[]')
        FROM delay_answers a JOIN notices n ON n.tenant_id = :tenant AND n.id = a.notice_id
        WHERE a.tenant_id = :tenant AND a.order_id = l.order_id
            AND jsonb_exists(n.facts->'lines', l.id::text)) AS answers,
    (SELECT coalesce(jsonb_agg(DISTINCT s.shipped_at), '[]') FROM shipment_lines x JOIN shipments s
        ON s.tenant_id = :tenant AND s.id = x.shipment_id
        WHERE x.tenant_id = :tenant AND x.order_line_id = l.id) AS left_at
FROM order_lines l JOIN promises p ON p.tenant_id = :tenant AND p.order_line_id = l.id
WHERE l.tenant_id = :tenant AND l.covered ORDER BY l.id
"""
RECORDED = {"cancel_requested": "c1", "will_not_ship": "c4", "dishonored": "dishonor"}
Happened = tuple[datetime, int, str, dict[str, Any]]
"""(when, rank at one instant, the oracle's word, its facts)"""


@dataclass(frozen=True)
class Verdict:
    """How a line ended: `shipped` or the paragraph of 435.2(c); and what is wrong with it, if anything."""

    line: UUID
    end: str
    fault: str = ""


def judged(tenant_id: UUID) -> list[Verdict]:
    """A verdict on every covered line of the tenant."""
    with inside(tenant_id) as scope:
        now, lines = scope.now(), scope.rows(LINES)
    return [_verdict(line, now) for line in lines]


def _clock(line: Any) -> tuple[datetime, date]:
    """(properly completed at, T): of the order, or of the payment that replaced one that was dishonored."""
    begun = [data for kind, _, data in line.events if kind == "completed"]
    if begun:
        return _at(begun[-1]["pco"]), date.fromisoformat(begun[-1]["ship_by"])
    return line.made_at, line.original_date


def _verdict(line: Any, now: datetime) -> Verdict:
    happened = sorted(_happened(line), key=lambda one: one[:2])
    for moment in line.left_at:
        end = _end(line, [*happened, (_at(moment), 9, "ship", {})], _at(moment))
        if end is None or end[0] != "shipped":
            return Verdict(line.id, "shipped", f"{line.sku} left at {moment}, after {end}")
    if line.shipped + line.cancelled < line.ordered:
        return Verdict(
            line.id, "open", f"{line.ordered - line.shipped - line.cancelled} units are {line.state}"
        )
    if not line.cancelled:
        return Verdict(line.id, "shipped")
    ended = [data for kind, _, data in line.events if kind == "ended"]
    if not ended:
        return Verdict(line.id, "cancelled", "cancelled, and no paragraph says why")
    case = ended[-1]["case"]
    lawful = _end(line, happened, now)
    day = ended[-1].get("vests_on")
    if lawful is None or lawful[0] != case or (day and lawful[1] != date.fromisoformat(day)):
        return Verdict(
            line.id, case, f"ended by {case} of {day}; by the rule {lawful}: {_clock(line)} {happened}"
        )
    if ended[-1].get("late_by"):
        return Verdict(line.id, case, f"its end took effect {ended[-1]['late_by']} s late")
    return Verdict(line.id, case)


def _happened(line: Any) -> Iterable[Happened]:
    """What the clock in force heard of; what was before it has lapsed with the earlier one."""
    began, _ = _clock(line)
    for key, at, revised, kind in line.notices:
        asked = date.fromisoformat(revised) if revised else FOREVER
        facts = {"key": key, "asked": asked, "said": kind, "rider": None, "defects": ()}
        if _at(at) >= began:
            yield _at(at), 0, "notice", facts
    for key, at, answer in line.answers:
        if _at(at) >= began:
            yield (
                _at(at),
                1,
                *(("c1", {}) if answer == "cancel" else ("consent", {"key": key, "to_rider": False})),
            )
    for kind, at, data in line.events:
        word = "c4" if kind == "ended" and data["case"] == "c4" else RECORDED.get(kind)
        if word is not None and _at(at) >= began:
            yield _at(at), 3, word, {}


def _end(line: Any, happened: Iterable[Happened], now: datetime) -> tuple[Any, ...] | None:
    facts = Facts(_clock(line)[1])
    for at, _, word, more in sorted(happened, key=lambda one: one[:2]):
        if at <= now:
            happen(facts, word, at, **more)
    happen(facts, "nothing", now)
    return facts.end


def _at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
