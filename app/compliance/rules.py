"""The compliance report's figures and the written procedures, from rows and settings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app import events
from app.calendar import day_in_words, end_of_day
from app.promises.vocabulary import Case
from infra.errors import invalid

MOST_DAYS = 1100
"""Three years, a little over: what one report may span."""
NOTE = (
    "These are counts of what is recorded. They help to see where a procedure needs care; they do not say whether the"
    " law was kept."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report. `amount`: minor units by currency code, where it is about money."""

    group: str
    name: str
    count: int
    amounts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the tenant's zone, both included, and the instants (UTC) between which they lie."""

    first: date
    last: date
    start: datetime
    end: datetime

    @property
    def words(self) -> str:
        """ "Sun, Nov 1, 2026 to Mon, Nov 30, 2026"."""
        return f"{day_in_words(self.first)} to {day_in_words(self.last)}"


def period(first: date, last: date, zone: str) -> Period:
    """Raises Problem 422 at /to for a period that ends before it begins or is too long."""
    if last < first:
        raise invalid("/to", "The last day lies before the first.")
    if first.year < 2000 or last.year > 2200:
        raise invalid("/from", "Give days between the years 2000 and 2200.")
    if (last - first).days > MOST_DAYS:
        raise invalid("/to", f"Ask for at most {MOST_DAYS} days at once.")
    return Period(
        first, last, end_of_day(date.fromordinal(first.toordinal() - 1), zone), end_of_day(last, zone)
    )


GROUPS = {
    "orders": "Orders placed in the period",
    "promises": "Their lines under the rule",
    "deliveries": "Their lines under a law of delivery",
    "notices": "Messages written",
    "answers": "Answers received",
    "cases": "Lines canceled by law, by case",
    "cancellations": "Cancellations by reason",
    "refunds": "Refunds that came due",
    "incidents": "Incidents",
}
NAMES: dict[str, dict[str, str]] = {
    "orders": {
        "all": "All orders",
        "covered": "With lines under the rule",
        "delivery": "With lines under a law of delivery (EU, UK)",
    },
    "promises": {
        "in_time": "Shipped in time",
        "late": "Shipped after the deadline",
        "cancelled": "Canceled before shipment",
        "open": "Open, deadline to come",
        "overdue": "Open past the deadline",
    },
    "deliveries": {
        "due": "Last day to deliver to come",
        "extended": "Within the further time the buyer gave",
        "late": "Past the last day, not reported as delivered",
        "terminable": "Past it, and the buyer may end the contract",
        "delivered": "Delivered",
        "ended": "Ended by the buyer",
        "closed": "Canceled otherwise",
    },
    "refunds": {
        "in_time": "Sent in time, buyer told",
        "late": "Sent after the last lawful day",
        "open": "Open, last day to come",
        "overdue": "Open past the last day",
    },
    "answers": {
        "consent": "Agreed to wait",
        "cancel": "Canceled",
        "consent_rider": "Agreed to a further delay",
    },
    "notices": {
        "received": "Order received",
        "shipped": "Shipped",
        "cancelled": "Cancellation",
        "refund": "Refund statement",
        "payment_needed": "Payment needed",
        "undelivered": "Not delivered in time (EU, UK)",
        "delay: silent_consent": "Delay: silence agrees",
        "delay: express_definite": "Delay: must agree to the new date",
        "delay: express_indefinite": "Delay: must agree, no date known",
    },
    "cases": {
        Case.BUYER: "The buyer canceled, 435.2(c)(1)",
        Case.NO_CONSENT: "No consent in time, (c)(2)",
        Case.REVISED_DATE_MISSED: "The revised date was missed, (c)(3)",
        Case.SELLER: "The seller will not ship, (c)(4) or (b)(4)",
        Case.NO_OPTION_OFFERED: "No option was offered, (c)(5)",
    },
    "incidents": {
        events.PROMISE_ENDED: "Cancellations by law that took effect late",
        events.SHIPPED_TOO_LATE: "Parcels that left after their line was canceled",
        events.REFUND_ALARMED: "Refunds that passed their last day",
        events.NOTICE_FAILED: "Messages that could not be sent",
        events.CAPTURE_FAILED: "Charges that failed after shipment",
    },
}


def in_words(figure: Figure) -> str:
    """A figure's name as people read it."""
    known = NAMES.get(figure.group, {})
    name, told, failed = figure.name.partition(", not delivered")
    if name in known:
        return known[name] + told + failed
    words = figure.name.replace("_", " ").replace("cancelled", "canceled")
    return words[:1].upper() + words[1:]


def grouped(figures: Iterable[Figure]) -> list[tuple[str, list[Figure]]]:
    """The report by group, in order: [(heading, figures)]; empty groups stay, but a merchant who had no order under a
    law of delivery is told nothing of them."""
    found: dict[str, list[Figure]] = {group: [] for group in GROUPS}
    for figure in figures:
        found[figure.group].append(figure)
    if not found["deliveries"]:
        del found["deliveries"]
        found["orders"] = [one for one in found["orders"] if one.name != "delivery"]
    return [(GROUPS[group], own) for group, own in found.items()]


# ---- the written procedures


@dataclass(frozen=True, slots=True)
class Chapter:
    """One part of the procedures: a heading and its sentences."""

    title: str
    sentences: tuple[str, ...]


def procedures(
    merchant: str,
    zone: str,
    readings: Mapping[str, Any],
    laws: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> list[Chapter]:
    """What Kept does for this merchant under its current settings, in plain words (16 CFR 435.2(a)(4), (d))."""
    notices, contact = settings.get("notices") or {}, settings.get("contact") or {}
    return [
        Chapter("Promises", _on_promises(merchant, zone, readings)),
        Chapter("When something will be late", _on_delays(notices, readings)),
        Chapter("The buyer's answer", _on_answers(contact)),
        Chapter("Cancellation", _on_cancellation(settings)),
        Chapter("Refunds", _on_refunds(settings, readings)),
        Chapter("Other laws", _on_other_laws(laws, readings)),
        Chapter("Payments", _on_payments(settings)),
        Chapter("Records", _on_records()),
        Chapter("What people do", _on_people(merchant)),
    ]


def _on_promises(merchant: str, zone: str, readings: Mapping[str, Any]) -> tuple[str, ...]:
    whose = {
        "strict": "where the day ends first, at the buyer's or at the seller's",
        "seller": f"at the seller's ({zone})",
        "buyer": "at the buyer's",
    }[readings["zone"]]
    return (
        f"{merchant} tells each buyer by when an item ships. What was shown, and what it was based on (stock, expected"
        " deliveries, lead time), is kept with the order.",
        "Where no time was stated, an item must ship within 30 days of the complete order, or within 50 days where the"
        " buyer applied to the seller for credit. Of several statements the earliest counts.",
        f"Days are calendar days without a move for weekends or holidays; a day ends {whose}.",
        "An item has shipped when the carrier has it. A printed label is no shipment.",
    )


def _on_delays(notices: Mapping[str, Any], readings: Mapping[str, Any]) -> tuple[str, ...]:
    by_itself = (
        "The right notice goes out by itself before the deadline."
        if notices.get("delay", "automatic") == "automatic"
        else "A person is asked first, with the proposed date; if nobody decides by the last call, one working day"
        " before the deadline, the notice goes out by itself."
    )
    return (
        "Open items are looked at again and again; one that will not ship in time is alarmed"
        f" {readings['decide_days']} days before its deadline.",
        by_itself,
        "The notice names the new date, or says that none can be given and why, the right to cancel for a prompt"
        " refund, and what happens if the buyer does nothing. One that lacks any of this is not sent.",
        "A notice is never sent twice for the same cause.",
    )


def _on_answers(contact: Mapping[str, Any]) -> tuple[str, ...]:
    ways = ["the page in the message, without a log-in"]
    if contact.get("email"):
        ways.append(f"email to {contact['email']}")
    if contact.get("toll_free"):
        ways.append(f"a free call to {contact['toll_free']}")
    return (
        f"Buyers answer at no cost by {', or '.join(ways)}.",
        "An answer counts from when it is received. Looking at the page is no answer.",
        "A buyer who agreed to wait may still cancel until the item ships.",
    )


def _on_cancellation(settings: Mapping[str, Any]) -> tuple[str, ...]:
    hours = settings.get("recall_hours", 4)
    return (
        "Silence has the effect that the notice named: consent to a date within 30 days, else cancellation when the"
        " time is over. Without a valid notice an item is canceled at the end of its promised time.",
        "Items that a buyer cancels, or that the law treats as canceled, are taken back from work and their stock is"
        " freed. A place that had accepted the work is asked to give it back;"
        f" after {hours} hours without an answer the money is dealt with all the same.",
        "The buyer is told in writing what is canceled and what becomes of the money.",
    )


def _on_refunds(settings: Mapping[str, Any], readings: Mapping[str, Any]) -> tuple[str, ...]:
    friday = "are not" if readings["observed_fridays"] else "are"
    table = (settings.get("refunds") or {}).get("shipping")
    return (
        "What is canceled is refunded in full, with its share of shipping and tax"
        + (", and more where the rest alone would have cost less by the shipping table." if table else "."),
        f"The aim is {readings['refund_target_days']} working days; the last day is seven working days after the right"
        " to the refund arose, or one month where the seller itself gave credit. Working days are Monday to Friday"
        " without federal holidays;"
        f" Fridays observed for a Saturday's holiday {friday} working days for the last lawful day, and always are for"
        " the day that Kept alarms for.",
        "Money goes back the way it came: cards through the processor, a check or cash by a check, cash or a money"
        " order. Store credit is refused for money that was paid otherwise. What was only set aside is let go, and the"
        " buyer told so.",
        "When it cannot go back that way, a check is due within seven working days of finding that out.",
        "A refund counts as made when the money has gone and the buyer has a statement with its date and amount. Until"
        " then it stays open, and alarms when the aim is missed, two working days before the last day, and after it.",
    )


def _on_other_laws(laws: Mapping[str, Any], readings: Mapping[str, Any]) -> tuple[str, ...]:
    sellers = ", ".join(
        [laws["seller_country"], *sorted(set(laws["channels"].values()) - {laws["seller_country"]})]
    )
    chosen = [f"{country}: {', '.join(own) or 'none'}" for country, own in sorted(laws["ship_to"].items())]
    return (
        f"Which laws an item follows is decided when it is ordered, by where the seller is ({sellers}) and where it"
        " goes, and kept with it."
        + (
            f" By choice for {'; '.join(chosen)} (advised by {laws['counsel'] or 'nobody'})."
            if chosen
            else ""
        ),
        "In California the earlier of both clocks holds, and money goes back within a week.",
        "Consumers in the European Union and the United Kingdom must have the goods on the day agreed, or within"
        " 30 days. When it is late they may give a further time; after it, or at once where delivery was refused or"
        " the day was essential, they may end the contract and get everything back without undue delay. Silence ends"
        " nothing.",
        "Buyers that are businesses are treated "
        + (
            "as consumers are by the delay rule."
            if readings["business_buyers"] == "covered"
            else f"as outside of the delay rule (advised by {readings['counsel']})."
        ),
        "An address that cannot be used is asked for within a working day, and the order held; its clock "
        + (
            "goes on."
            if readings["address_completed"] == "keeps_clock"
            else "begins anew with the usable one."
        ),
    )


def _on_payments(settings: Mapping[str, Any]) -> tuple[str, ...]:
    hours = settings.get("payment_hold_hours", 24)
    return (
        "Cards are charged when goods ship, for what shipped. Checks, cash and money paid at another party's checkout"
        " are taken with the order.",
        f"A payment that fails holds the order; after {hours} hours without another one it is canceled.",
    )


def _on_records() -> tuple[str, ...]:
    return (
        "Every step is recorded when it happens, with who did it. A chain of hashes over each order's history shows"
        " later changes; the check of the books recomputes it.",
        "The records are kept for at least five years; nothing in Kept deletes them earlier.",
        "The proof file of an order holds all of it, for people and for programs.",
    )


def _on_people(merchant: str) -> tuple[str, ...]:
    return (
        f"Whoever works on orders at {merchant} is shown these procedures, and watches the lists of exceptions and of"
        " refunds every working day.",
        "Agreements with whoever ships for the merchant ask for prompt reports of hand-overs, shortages and stock.",
        "Test orders are placed from time to time, and complaints about lateness are looked into.",
    )
