"""What happened in a scenario file, in the order in which it was learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from app.promises.check.goods import TENDERS
from app.promises.check.words import (
    ScenarioFault,
    Times,
    amount,
    as_list,
    flag,
    known_keys,
    one_of,
    whole,
    word,
)
from app.promises.refunds import RefundForm
from app.promises.rules import HandOver
from app.promises.vocabulary import NoticeKind

# What may be said of every event, and then word -> what else may be said of it.
_ALWAYS = ("event", "at", "zone", "reported", "line", "lines", "units", "group", "note", "id")
EVENTS: dict[str, tuple[str, ...]] = {
    "notice": ("key", "revised", "kind", "reason", "omits", "rider", "way"),
    "rider": ("notice", "until"),
    "bounce": ("notice",),
    "consent": ("notice", "to_rider", "method", "way"),
    "cancel": ("method", "way"),
    "question": ("way",),
    "cancel_granted": (),
    "will_not_ship": (),
    "shipped": ("component", "substitute", "seen"),
    "delivered": ("component",),
    "later_date": ("ship_by",),
    "substitution_agreed": ("goods", "ship_by"),
    "dishonored": ("tender",),
    "credit_refused": ("tender",),
    "paid_again": ("tender",),
    "credit_approved": (),
    "completed": (),
    "address_completed": ("asked_promptly",),
    "effect_sent": (),
    "refund_sent": ("tender", "amount", "form", "statement"),
    "statement_sent": ("tender",),
    "refund_impossible": ("tender",),
    "period_granted": ("until",),
    "delivery_refused": (),
    "ended_by_consumer": (),
    "time_passes": (),
    "nothing": ("what",),
}
"""`nothing` is what the rule gives no effect: a page changed, an address changed, a fraud review, a capture, a failed
renewal of an authorization, a price recalculated, a loss in transit, blanket consent in the terms of sale."""

_SEEN = {
    **{seen.value: seen for seen in HandOver},
    "scan": HandOver.CARRIER_SCAN,
    "pickup_signed": HandOver.CARRIER_PICKUP,
    "label_printed": HandOver.LABEL,
    "label_created": HandOver.LABEL,
    "fulfilled": HandOver.MARKED_SHIPPED,
    "collected": HandOver.WITH_BUYER,
}
_SYNONYMS = {
    "notice_sent": "notice",
    "delay_notice": "notice",
    "renewed_notice": "notice",
    "rider_sent": "rider",
    "bounced": "bounce",
    "consented": "consent",
    "buyer_consents": "consent",
    "express_consent": "consent",
    "cancel_requested": "cancel",
    "buyer_cancels": "cancel",
    "cancelled": "cancel",
    "buyer_asks": "question",
    "seller_cancels": "will_not_ship",
    "ships": "shipped",
    "shipment": "shipped",
    "later_date_asked": "later_date",
    "substitution": "substitution_agreed",
    "payment_dishonored": "dishonored",
    "dishonoured": "dishonored",
    "payment_failed": "dishonored",
    "honored": "paid_again",
    "honoured": "paid_again",
    "payment_replaced": "paid_again",
    "new_tender": "paid_again",
    "qualifies": "credit_approved",
    "credit_granted": "credit_approved",
    "order_completed": "completed",
    "void_sent": "effect_sent",
    "cancellation_notice_sent": "effect_sent",
    "refund": "refund_sent",
    "statement": "statement_sent",
    "account_closed": "refund_impossible",
    "additional_period": "period_granted",
    "refused": "delivery_refused",
    "terminated": "ended_by_consumer",
    "page_changed": "nothing",
    "address_changed": "nothing",
    "fraud_review": "nothing",
    "captured": "nothing",
    "authorized": "nothing",
    "reauthorization_failed": "nothing",
    "price_changed": "nothing",
    "tax_changed": "nothing",
    "lost": "nothing",
    "damaged": "nothing",
    "returned": "nothing",
    "blanket_consent": "nothing",
    "gift_offered": "nothing",
    "late_stock": "nothing",
}
_NAMES = ("key", "notice", "component", "substitute", "goods", "method")
_FIELDS = {
    "until": "day",
    "ship_by": "day",
    "revised": "day",
    "to_rider": "flag",
    "asked_promptly": "flag",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event: its word, when it took effect, when it was learned (`reported`), the lines it concerns, of how
    many units (None: all) and of which named group of them, and what else is said of it."""

    number: int
    name: str
    verb: str
    at: datetime
    reported: datetime
    lines: tuple[str, ...]
    units: int | None = None
    group: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def get(self, key: str, default: Any = None) -> Any:
        return self.more.get(key, default)


def read_events(
    given: Any, times: Times, currency: str, lines: Sequence[str], path: str
) -> tuple[Happening, ...]:
    """The events in the order in which they were learned; at one instant in the order of the file."""
    found = [
        _event(one, at, times, currency, lines, f"{path}[{at - 1}]")
        for at, one in enumerate(as_list(given), 1)
    ]
    keyed = _keyed_notices(found)
    return tuple(sorted(keyed, key=lambda one: one.reported))


def _keyed_notices(found: list[Happening]) -> list[Happening]:
    """Notices without a key are n1, n2 and so on, in the order of the file."""
    number, keyed = 0, []
    for one in found:
        if one.verb == "notice":
            number += 1
            more = {"key": f"n{number}", **one.more}
            one = replace(one, more=more)
        keyed.append(one)
    return keyed


def _event(
    given: Any, number: int, times: Times, currency: str, lines: Sequence[str], path: str
) -> Happening:
    if not isinstance(given, Mapping):
        raise ScenarioFault(path, "Give an object with `event` and `at`.")
    body = _with_event(given, path)
    spoken = word(body["event"])
    verb = _SYNONYMS.get(spoken, spoken)
    if spoken in _SEEN:
        verb, body = "shipped", {"seen": spoken, **body}
    if verb not in EVENTS:
        raise ScenarioFault(f"{path}.event", f"{spoken!r} is not known: give one of {', '.join(EVENTS)}.")
    body = known_keys(body, (*_ALWAYS, *EVENTS[verb]), path)
    if body.get("at") is None:
        raise ScenarioFault(f"{path}.at", "Say when it happened.")
    at = times.instant(body["at"], f"{path}.at", body.get("zone"))
    reported = body.get("reported")
    return Happening(
        number=number,
        name=str(body.get("id", spoken)),
        verb=verb,
        at=at,
        reported=at if reported is None else times.instant(reported, f"{path}.reported"),
        lines=_lines(body, lines, path),
        units=None if body.get("units") is None else whole(body["units"], f"{path}.units", 1),
        group=None if body.get("group") is None else str(body["group"]),
        more=_more(verb, body, times, currency, path),
    )


def _with_event(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    """`{"cancel": "2026-03-10"}` says the same as `{"event": "cancel", "at": "2026-03-10"}`."""
    body = {word(key): value for key, value in given.items()}
    if "type" in body:
        body["event"] = body.pop("type")
    if "event" in body:
        return body
    spoken = [key for key in body if (key in EVENTS or key in _SYNONYMS or key in _SEEN)]
    if len(spoken) > 1:
        spoken = [key for key in spoken if key not in ("notice", "rider", "delivered")] or spoken[:1]
    if not spoken:
        raise ScenarioFault(path, f"Say which `event`: one of {', '.join(EVENTS)}.")
    body["at"] = body.pop(spoken[0])
    body["event"] = spoken[0]
    return body


def _lines(body: Mapping[str, Any], lines: Sequence[str], path: str) -> tuple[str, ...]:
    named = [str(one) for one in as_list(body.get("lines", body.get("line")))]
    unknown = [one for one in named if one not in lines]
    if unknown:
        raise ScenarioFault(f"{path}.line", f"There is no line {unknown[0]!r}; there are {', '.join(lines)}.")
    return tuple(named or lines)


def _more(verb: str, body: Mapping[str, Any], times: Times, currency: str, path: str) -> dict[str, Any]:
    more = {key: body[key] for key in EVENTS[verb] if key in body}
    for key in _NAMES:
        if more.get(key) is not None:
            more[key] = str(more[key])
    for key, shape in _FIELDS.items():
        if more.get(key) is not None:
            more[key] = (times.day if shape == "day" else flag)(more[key], f"{path}.{key}")
    if verb == "notice":
        _notice(more, times, path)
    if verb == "rider" and "until" not in more:
        raise ScenarioFault(f"{path}.until", "Say until which day further delay is asked for, or null.")
    if verb == "later_date" and not isinstance(more.get("ship_by"), date):
        raise ScenarioFault(f"{path}.ship_by", "Say the day the buyer asked for.")
    if verb == "period_granted" and not isinstance(more.get("until"), date):
        raise ScenarioFault(f"{path}.until", "Say the last day of the further time.")
    if verb == "shipped":
        more["seen"] = one_of(more.get("seen", "carrier_scan"), _SEEN, f"{path}.seen")
    if more.get("tender") is not None:
        more["tender"] = one_of(more["tender"], TENDERS, f"{path}.tender")
    if more.get("amount") is not None:
        more["amount"] = amount(more["amount"], currency, f"{path}.amount")
    if more.get("form") is not None:
        more["form"] = one_of(more["form"], FORMS, f"{path}.form")
    if not isinstance(more.get("statement"), bool | None):
        more["statement"] = times.instant(more["statement"], f"{path}.statement")
    return more


FORMS = {
    **{form.value: form.value for form in RefundForm},
    **dict.fromkeys(("cash", "check", "cheque", "money_order"), RefundForm.CASH_OR_CHECK.value),
    "credit_memo": RefundForm.CREDIT_MEMO_AND_COPY.value,
    "same_form": RefundForm.SAME_FORM_AND_STATEMENT.value,
    **{
        other: other
        for other in ("store_credit", "voucher", "gift_card", "coupon", "scrip", "points", "other")
    },
}
"""What may be said of a refund sent: the lawful forms, and what is offered in their stead."""

KINDS: dict[str, NoticeKind | None] = {
    **{kind.value: kind for kind in NoticeKind},
    "n1": NoticeKind.SILENT_CONSENT,
    "n2": NoticeKind.EXPRESS_DEFINITE,
    "n3": NoticeKind.EXPRESS_INDEFINITE,
    "silent": NoticeKind.SILENT_CONSENT,
    "indefinite": NoticeKind.EXPRESS_INDEFINITE,
}


def _notice(more: dict[str, Any], times: Times, path: str) -> None:
    if "revised" not in more:
        raise ScenarioFault(f"{path}.revised", "Say the new day to ship by, or null when none can be given.")
    more["kind"] = None if more.get("kind") is None else one_of(more["kind"], KINDS, f"{path}.kind")
    rider = more.get("rider")
    if rider is not None:
        body = (
            known_keys(rider, ("until",), f"{path}.rider") if isinstance(rider, Mapping) else {"until": rider}
        )
        if "until" not in body:
            raise ScenarioFault(f"{path}.rider.until", "Say until which day, or null.")
        until = body["until"]
        indefinite = until is None or until == "indefinite"
        more["rider"] = {"until": None if indefinite else times.day(until, f"{path}.rider")}
    more["omits"] = [str(one) for one in as_list(more.get("omits"))]
    # 435.2(a)(3)(ii): who cannot give a date gives the reason.
    if more["revised"] is None and not more.get("reason") and "reason" not in more["omits"]:
        more["omits"].append("reason")
