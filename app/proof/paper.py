"""The proof file on paper: the JSON document, put in words for a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.calendar import zone
from app.money import Money
from app.promises.regimes import IN_WORDS, Regime
from infra.report import Heading, Pairs, Part, Table, Words, pdf

Row = Mapping[str, Any]
NONE = "None."


def printed(proof: Mapping[str, Any]) -> bytes:
    """The proof file as a PDF."""
    order = proof["order"]
    place = proof["merchant"]["timezone"]
    foot = f"{proof['merchant']['name']} · order {order['number']} · made {_time(proof['made_at'], place)}"
    return pdf(f"Proof file of order {order['number']}", foot, parts(proof))


def parts(proof: Mapping[str, Any]) -> list[Part]:
    """The parts of the report, in order."""
    place = proof["merchant"]["timezone"]
    return [
        *_head(proof, place),
        *_promises(proof, place),
        *_notices(proof, place),
        *_answers(proof, place),
        *_shipments(proof, place),
        *_cancellations(proof, place),
        *_refunds(proof),
        *_money(proof, place),
        *_timeline(proof, place),
        *_seal(proof, place),
    ]


def _head(proof: Mapping[str, Any], place: str) -> list[Part]:
    order, merchant = proof["order"], proof["merchant"]
    address = order["ship_to"]
    return [
        Heading(f"Proof file of order {order['number']}", 1),
        Words(
            "What the buyer was promised and told, what they answered, what shipped and what was given back, as"
            f" recorded by {merchant['name']} in Kept. Times are those of {place}. It is a record, no legal advice."
        ),
        Pairs(
            [
                (
                    "Placed",
                    f"{_time(order['placed_at'], place)}, {order['channel']}, {order['external_ref']}",
                ),
                (
                    "Buyer",
                    _joined(
                        order["buyer"].get("name"), order["buyer"].get("email"), order["buyer"].get("phone")
                    ),
                ),
                (
                    "Ship to",
                    _joined(
                        *(
                            address.get(name)
                            for name in ("name", "line1", "line2", "city", "region", "postal_code")
                        ),
                        address.get("country"),
                    ),
                ),
                ("Total", _amount(order["total"])),
                ("State", _word(order["status"])),
                ("First knew of a delay", _time(proof["first_aware_at"], place) or "No delay was known"),
                ("Readings of the rule", _facts(merchant["readings"])),
            ]
        ),
    ]


def _promises(proof: Mapping[str, Any], place: str) -> list[Part]:
    made: list[Part] = [Heading("Promised, and on which basis")]
    for line in proof["lines"]:
        made.append(Heading(f"{line['title']} ({line['sku']})", 3))
        promise = line["promise"]
        units = f"{line['ordered']} ordered, {line['shipped']} shipped, {line['cancelled']} canceled"
        rows = [("Units", units), ("Value", _amount(line["total"]))]
        if promise is None:
            made.append(Pairs([*rows, ("Promise", NONE)]))
            continue
        rows += [
            ("Made", _time(promise["made_at"], place)),
            (
                "Follows",
                "; ".join(IN_WORDS[Regime(law)] for law in promise["regimes"]) or "none of the known laws",
            ),
            (
                "Shown to the buyer",
                "a stated day" if promise["stated"] else f"no day stated: {promise['basis']}",
            ),
            ("Basis", _facts(promise["evidence"]) or promise["basis"]),
            ("First promised to ship by", promise["original_date"]),
            ("Deadline in force", _time(promise["deadline"], place)),
            ("State", _word(promise["state"])),
        ]
        if promise["delivery_state"] is not None:
            rows.append(("Delivery", f"by {promise['deliver_by']}, {_word(promise['delivery_state'])}"))
        if promise.get("vested_at"):
            rows.append(
                ("Right to a refund since", _joined(_time(promise["vested_at"], place), promise["vests_on"]))
            )
        rows += [
            (
                _word(one["kind"]).capitalize(),
                _joined(_time(one["at"], place), one["actor"], _facts(one["data"])),
            )
            for one in line["promise_events"]
        ]
        made.append(Pairs(rows))
    return made


def _notices(proof: Mapping[str, Any], place: str) -> list[Part]:
    made: list[Part] = [Heading("Told to the buyer")]
    for notice in proof["notices"]:
        sent = _time(notice["sent_at"], place)
        made += [
            Heading(notice["subject"], 3),
            Pairs(
                [
                    ("Kind", notice["kind"].replace("_", " ")),
                    ("Written", _time(notice["created_at"], place)),
                    ("Way", f"{notice['channel']} to {notice['recipient']}"),
                    ("Became", _joined(notice["state"], sent and f"sent {sent}", notice["error"])),
                    *[
                        (word, _time(notice[name], place))
                        for name, word in (("delivered_at", "Delivered"), ("bounced_at", "Bounced"))
                        if notice.get(name)
                    ],
                    *[("Attempt", _attempt(one, place)) for one in notice["deliveries"]],
                ]
            ),
            Words(notice["body_text"].strip(), small=True),
        ]
    return made if proof["notices"] else [*made, Words(NONE)]


def _attempt(row: Row, place: str) -> str:
    return _joined(
        _time(row["at"], place), row["channel"], row["address"], row["state"], row["reference"], row["error"]
    )


def _answers(proof: Mapping[str, Any], place: str) -> list[Part]:
    rows = [
        (
            _time(one["received_at"], place),
            {"consent": "Agrees to wait", "cancel": "Cancels"}.get(one["answer"], one["answer"]),
            one["channel"],
            _facts(one["evidence"]),
        )
        for one in proof["answers"]
    ]
    return [
        Heading("Answers received"),
        _table(("Received", "Answer", "Way", "Evidence"), rows, (3, 2, 2, 5)),
    ]


def _shipments(proof: Mapping[str, Any], place: str) -> list[Part]:
    rows = [
        (
            _time(one["shipped_at"], place),
            ", ".join(f"{part['quantity']} × {part['sku']}" for part in one["lines"]),
            _joined(
                one["kind"],
                one["carrier"],
                one["service"],
                one["tracking_number"],
                _facts(one["handed_to"] or {}),
            ),
            _time(one["recorded_at"], place),
        )
        for one in proof["shipments"]
    ]
    columns = ("Handed over", "Items", "Way", "Reported")
    return [Heading("Physical hand-overs"), _table(columns, rows, (3, 3, 4, 3))]


def _cancellations(proof: Mapping[str, Any], place: str) -> list[Part]:
    rows = [
        (
            _time(one["at"], place),
            ", ".join(f"{part['quantity']} × {part['sku']}" for part in one.get("lines", [])),
            str(one.get("reason", "")),
            one["actor"],
        )
        for one in proof["cancellations"]
    ]
    return [Heading("Cancellations"), _table(("When", "Items", "Why", "By"), rows, (3, 3, 4, 2))]


def _refunds(proof: Mapping[str, Any]) -> list[Part]:
    made: list[Part] = [Heading("Refunds")]
    for one in proof["refunds"]:
        rows = [
            ("Tender", one["tender"].replace("_", " ")),
            ("Came due", one["vests_on"]),
            ("Last lawful day", one["latest_on"]),
            ("What counts as refund", one["form"].replace("_", " ")),
            (
                "Sent",
                _joined(
                    one["sent_on"], one["sent_form"] and one["sent_form"].replace("_", " "), one["reference"]
                ),
            ),
            ("Statement to the buyer", one["statement_sent_on"]),
            (
                "Cannot go back as it came",
                _joined(one["impossible_on"], _word(one["impossible_reason"] or "")),
            ),
            ("State", one["state"]),
        ]
        word = "" if one["taken"] else ", never taken"
        made += [
            Heading(f"{_amount(one['amount'])}{word}", 3),
            Pairs([(name, value) for name, value in rows if value]),
        ]
    return made if proof["refunds"] else [*made, Words(NONE)]


def _money(proof: Mapping[str, Any], place: str) -> list[Part]:
    currency = proof["order"]["total"]["currency"]
    rows = [
        (
            _time(one["at"], place),
            one["kind"],
            str(Money(one["amount"], currency)),
            _joined(one["outcome"], one["error"]),
            one["reference"] or "",
        )
        for one in proof["money"]["entries"]
    ]
    columns = ("When", "Entry", "Amount", "Outcome", "Reference")
    return [Heading("Money ledger"), _table(columns, rows, (3, 2, 2, 3, 4))]


def _timeline(proof: Mapping[str, Any], place: str) -> list[Part]:
    rows = [
        (_time(one["at"], place), one["name"], one["actor"], _facts(one["data"])) for one in proof["timeline"]
    ]
    return [Heading("Everything that happened"), _table(("When", "What", "By", "Facts"), rows, (3, 3, 2, 6))]


def _seal(proof: Mapping[str, Any], place: str) -> list[Part]:
    seal = proof["seal"]
    rows = [
        (str(one["position"]), _time(one["made_at"], place), str(len(one["rows"])), one["digest"])
        for one in proof["seals"]
    ]
    return [
        Heading("Seals"),
        Words(
            "The history is sealed by a chain of hashes, so that a later change of any row shows. The JSON form of"
            f" this file holds every row and hash. {seal['how_to_verify']}"
        ),
        Words(
            f"Newest digest: {seal['digest'] or 'not sealed yet'}. Rows not sealed yet: {seal['unsealed_rows']}."
        ),
        _table(("Seal", "Made", "Rows", "Digest (SHA-256)"), rows, (1, 3, 1, 8)),
    ]


def _table(columns: tuple[str, ...], rows: Sequence[Sequence[Any]], shares: tuple[float, ...]) -> Part:
    if not rows:
        return Words(NONE)
    return Table(columns, [[str(value) for value in row] for row in rows], shares)


def _facts(value: Any) -> str:
    """Data in words: names and values, nested ones in brackets."""
    if isinstance(value, Mapping):
        return "; ".join(
            f"{key.replace('_', ' ')}: {_facts(part)}"
            for key, part in value.items()
            if part not in (None, "")
        )
    if isinstance(value, list):
        return ", ".join(f"({_facts(part)})" if isinstance(part, Mapping) else _facts(part) for part in value)
    return str(value)


def _word(state: str) -> str:
    return state.replace("_", " ").replace("cancelled", "canceled")


def _joined(*values: Any) -> str:
    return ", ".join(str(value) for value in values if value)


def _amount(value: Row) -> str:
    return str(Money(value["amount"], value["currency"]))


def _time(value: str | None, place: str) -> str:
    if not value:
        return ""
    return f"{datetime.fromisoformat(value).astimezone(zone(place)):%Y-%m-%d %H:%M:%S %Z}"
