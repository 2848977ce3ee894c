"""The readings of the delay rule that a merchant works under, where its text is silent: one versioned object.

It is kept with every clock, refund and notice that it shaped. Each default is the reading with the earlier
deadline, except where the specification names the legal day and keeps the stricter one beside it. What would
loosen the rule itself (a buffer after T) is no setting and cannot be written down as one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import orjson

BASE_VERSION = "2026-11"


class SettingsFault(ValueError):
    """A settings document says what it may not. `path` names the member, `detail` the remedy."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path, self.detail = path, detail


def member(path: str, name: object) -> str:
    """The path of a member, whatever its name holds: ~, / and . are written ~0, ~1 and ~2."""
    return f"{path}.{str(name).replace('~', '~0').replace('/', '~1').replace('.', '~2')}"


def pointer(path: str) -> str:
    """A path as the RFC 6901 pointer into what was sent."""
    return "/" + path.replace(".", "/").replace("~2", ".")


@dataclass(frozen=True, slots=True)
class Settings:
    """The readings chosen, each under the mark of the specification.

    `zone` (A5): whose midnight ends a day; strict is the earlier of the buyer's and the seller's.
    `range_end` (A4): which end of a promised range is T. `vests_on` (A3): the day a lapsed option's refund
    counts from, the last day of the missed period or the day after it. `count_vesting_day` (A6): whether that
    day is the first of the seven working days. `observed_fridays` (A2): whether the Friday before a Saturday
    holiday is free; the earlier deadline that follows when it is not (A2s) is kept beside it.
    `credit_refused_days` (U8): days when the seller refused credit and the buyer paid otherwise.
    `address_completed` (U7): whether a clock restarts when an address that was never usable is mended, if the
    seller asked promptly and can prove it. `business_buyers` (U3): `exempt` only on the word of counsel, named
    in `counsel`. `decide_days`: how long before the deadline a person is asked to decide.
    `refund_target_days`: our own aim for a refund, in working days. `transit_days` (A4): working days a parcel is
    under way where no rate card says, by which a promised day of delivery becomes one of shipping.
    """

    version: str = BASE_VERSION
    zone: Literal["strict", "seller", "buyer"] = "strict"
    range_end: Literal["upper", "lower"] = "upper"
    vests_on: Literal["last_day", "next_day"] = "last_day"
    count_vesting_day: bool = False
    observed_fridays: bool = True
    credit_refused_days: Literal[30, 50] = 30
    address_completed: Literal["keeps_clock", "restarts_clock"] = "keeps_clock"
    business_buyers: Literal["covered", "exempt"] = "covered"
    counsel: str = ""
    decide_days: int = 5
    refund_target_days: int = 2
    transit_days: int = 5


DEFAULT = Settings()

CHOICES: dict[str, tuple[Any, ...]] = {
    "zone": ("strict", "seller", "buyer"),
    "range_end": ("upper", "lower"),
    "vests_on": ("last_day", "next_day"),
    "count_vesting_day": (False, True),
    "observed_fridays": (True, False),
    "credit_refused_days": (30, 50),
    "address_completed": ("keeps_clock", "restarts_clock"),
    "business_buyers": ("covered", "exempt"),
}
LIMITS = {"decide_days": (0, 25), "refund_target_days": (0, 7), "transit_days": (0, 60)}

FIXED: dict[str, str] = {
    "days": "calendar",  # A1
    "roll_forward": "none",  # A1: no deadline moves over a weekend or holiday
    "several_promises": "earliest",  # A4
    "second_notice": "renewed",  # U5: also before T
    "revoke_consent": "until_shipment",  # U6
    "failed_reauthorization": "keeps_clock",  # U7
    "defective_notice": "void",  # U10
    "equal_instants": "cancellation",  # trap 6
    "lost_discount": "larger",  # U9: of the formula and the pro-rata share
    "tender_order": "card_first",  # U9
}
"""Readings with one lawful or safe side: written down with the others, never chosen."""

VIOLATIONS = {
    "grace": "A buffer after the deadline breaks 435.2(c)(5): leave it out and act earlier (`decide_days`).",
    "silence": "What silence means follows from the kind of notice (435.2(b)), not from a setting.",
    "consent": "Consent answers an option that was offered (435.2(b)(1)(iv)); it cannot be agreed beforehand.",
    "store_credit": "Store credit is no refund of money (435.1(d)): leave it out.",
}


def from_settings(document: Mapping[str, Any] | None, path: str = "promises") -> Settings:
    """The readings that a tenant's settings document chooses; what it leaves out has its default.

    Without a `version` of its own a changed document gets one that follows from its content, so that equal
    documents have equal versions. Raises SettingsFault, naming the path and the remedy.
    """
    if document is None:
        return DEFAULT
    if not isinstance(document, Mapping):
        raise SettingsFault(path, "Give an object.")
    chosen = {name: _value(name, value, member(path, name)) for name, value in document.items()}
    chosen = {name: value for name, value in chosen.items() if name not in FIXED}
    settings = Settings(**chosen)
    if settings.business_buyers == "exempt" and not settings.counsel:
        raise SettingsFault(
            f"{path}.counsel", "Name the counsel who advised that orders of businesses are exempt, and when."
        )
    if "version" in chosen or settings == DEFAULT:
        return settings
    digest = hashlib.sha256(orjson.dumps(asdict(settings), option=orjson.OPT_SORT_KEYS)).hexdigest()
    return Settings(**{**chosen, "version": f"{BASE_VERSION}+{digest[:8]}"})


def to_document(settings: Settings) -> dict[str, Any]:
    """The readings in full, the fixed ones included, as they are kept for proof; `from_settings` reads them
    again."""
    return {**asdict(settings), **FIXED}


def _value(name: str, value: Any, path: str) -> Any:
    if name in FIXED:
        if value != FIXED[name]:
            raise SettingsFault(path, f'Only "{FIXED[name]}" is possible here.')
    elif name in CHOICES:
        if not any(value == one and type(value) is type(one) for one in CHOICES[name]):
            raise SettingsFault(path, f"Give one of {orjson.dumps(CHOICES[name]).decode()}.")
    elif name in LIMITS:
        least, most = LIMITS[name]
        if type(value) is not int or not least <= value <= most:
            raise SettingsFault(path, f"Give a whole number of days from {least} to {most}.")
    elif name in _TEXTS:
        least = 1 if name == "version" else 0
        if not isinstance(value, str) or not least <= len(value.strip()) <= 200 or not value.isprintable():
            raise SettingsFault(path, f"Give a text of {least} to 200 characters on one line.")
    else:
        known = ", ".join(sorted([*_TEXTS, *CHOICES, *LIMITS, *FIXED]))
        wrong = next((why for word, why in VIOLATIONS.items() if word in name), f"Known are {known}.")
        raise SettingsFault(path, wrong)
    return value


_TEXTS = frozenset({one.name for one in fields(Settings)} - CHOICES.keys() - LIMITS.keys())
