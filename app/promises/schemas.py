"""Promises, delay notices and answers, in and out."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.promises.queries import VIEWS
from app.promises.service import ANSWERS
from app.promises.vocabulary import STATES
from app.shapes import Instant, ListIn, Strict, Text


class RiderIn(Strict):
    """Besides: whether the buyer would also agree to a further delay nobody foresees. `until` null: an indefinite
    one."""

    until = fields.Date(required=True, allow_none=True)


class DelayNoticeIn(Strict):
    """Lines that will ship later. `ship_by` null: no date can be given."""

    lines = fields.List(
        Text(60, least=1),
        validate=validate.Length(1, 1000),
        metadata={"description": "Ids of lines; without them every open line that the rule covers."},
    )
    ship_by = fields.Date(
        required=True, allow_none=True, metadata={"description": "The new day to ship by, or null."}
    )
    reason = Text(500, least=3, required=True, metadata={"description": "In words for the buyer."})
    rider = fields.Nested(RiderIn)


class DelayNoticeOut(Schema):
    """One notice as it was sent: its kind follows from the first promise and the new date."""

    id = fields.String()
    kind = fields.String()
    lines = fields.List(fields.String())
    ship_by = fields.String(allow_none=True)
    reply_by = Instant()
    state = fields.String()
    subject = fields.String()


class DelayNoticesOut(Schema):
    """The notices of a delay: lines that share kind and dates share one."""

    data = fields.List(fields.Nested(DelayNoticeOut))


CHANNELS = ("phone", "letter", "chat", "email", "counter")


class DelayAnswerIn(Strict):
    """What a buyer answered to somebody, as that person can show."""

    notice = Text(60, least=1, required=True, metadata={"description": "Id of the delay notice."})
    answer = fields.String(required=True, validate=validate.OneOf(ANSWERS))
    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    received_at = Instant(
        metadata={"description": "When it was received, if earlier than now. Counts for the law."}
    )
    evidence = Text(
        2000,
        least=3,
        required=True,
        metadata={"description": "The buyer's own words, or where the letter or recording is kept."},
    )


class DelayAnswerOut(Schema):
    """What the answer did: `applied`, or `duplicate` when it was recorded before."""

    outcome = fields.String()


class AmendmentIn(Strict):
    """What the buyer asked for or agreed to: a later date to ship by, or other goods for a line."""

    lines = fields.List(Text(60, least=1), required=True, validate=validate.Length(1, 1000))
    ship_by = fields.Date(metadata={"description": "The later day the buyer asks for."})
    substitute = Text(200, least=1, metadata={"description": "The goods the buyer agreed to instead."})
    evidence = Text(2000, least=3, required=True, metadata={"description": "The buyer's own words."})

    @validates_schema
    def one(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of the two."""
        if ("ship_by" in data) == ("substitute" in data):
            raise ValidationError("Send either ship_by or substitute.", "ship_by")


class AmendmentOut(Schema):
    """The lines that were amended."""

    lines = fields.List(fields.String())


class LawOut(Schema):
    """A law that a line follows, and its name."""

    code = fields.String()
    name = fields.String()


class DeliveryOut(Schema):
    """The clock of a law of delivery (EU, UK): `deliver_by` is the day in force, agreed or granted since."""

    deliver_by = fields.Date()
    deadline = Instant(metadata={"description": "First instant that is no longer in time."})
    first_deliver_by = fields.Date()
    essential = fields.Boolean()
    state = fields.String(
        metadata={
            "description": "due, late, extended, terminable, delivered, ended; closed: canceled otherwise."
        }
    )


class DeliveryActIn(Strict):
    """What was said of a delivery that a law of delivery governs (EU, UK)."""

    said = fields.String(
        required=True,
        validate=validate.OneOf(("delivered", "period_granted", "ended_by_buyer")),
        metadata={
            "description": "delivered: the buyer has the goods. period_granted: the buyer gives a further time."
            " ended_by_buyer: the buyer ends the contract."
        },
    )
    lines = fields.List(
        Text(60, least=1),
        validate=validate.Length(1, 1000),
        metadata={"description": "Ids of lines; without them all to which it can apply."},
    )
    until = fields.Date(metadata={"description": "period_granted: the last day of the further time."})
    at = Instant(metadata={"description": "When it was so, or was received; else now. Business time, UTC."})
    evidence = Text(2000, least=3, required=True, metadata={"description": "What shows it."})

    @validates_schema
    def dated(self, data: dict[str, Any], **_: Any) -> None:
        """A further time has an end; nothing else has."""
        if ("until" in data) != (data["said"] == "period_granted"):
            raise ValidationError("Send it with period_granted, and only then.", "until")


class DeliveryActOut(Schema):
    """The lines for which it was new."""

    lines = fields.List(fields.String())


class RevisionIn(Strict):
    """A new date for all open lines of a SKU, or for these lines. `ship_by` null: no date can be given."""

    sku = Text(100, least=1)
    lines = fields.List(Text(60, least=1), validate=validate.Length(1, 5000))
    ship_by = fields.Date(required=True, allow_none=True)
    reason = Text(500, least=3, required=True, metadata={"description": "In words for the buyers."})
    preview = fields.Boolean(load_default=False, metadata={"description": "True: nothing is sent."})

    @validates_schema
    def one(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of the two."""
        if ("sku" in data) == ("lines" in data):
            raise ValidationError("Send either sku or lines.", "sku")


class RevisionOut(Schema):
    """What one order's buyer is told, or why nothing (`refused`)."""

    order_id = fields.String()
    order = fields.String()
    buyer = fields.String()
    lines = fields.List(fields.String())
    units = fields.Integer()
    kind = fields.String(allow_none=True)
    ship_by = fields.Date(allow_none=True)
    send_by = Instant(allow_none=True)
    reply_by = Instant(allow_none=True)
    refused = fields.String(allow_none=True)


class RevisionsOut(Schema):
    """All of them. `sent`: notices that leave now; 0 in a preview."""

    data = fields.List(fields.Nested(RevisionOut))
    sent = fields.Integer()


class PromiseListIn(ListIn):
    """Filters of the promises, the earliest deadline first. Without `state` and `bucket`: what is live."""

    state = Text(30, validate=validate.OneOf(STATES))
    bucket = Text(30, validate=validate.OneOf(tuple(VIEWS)))
    due_before = Instant()
    notice_state = Text(
        20, validate=validate.OneOf(("none", "queued", "sent", "delivered", "bounced", "failed"))
    )
    sku = Text(100)


class PromiseLineOut(Schema):
    """One line's promise as it stands."""

    id = fields.String()
    order_id = fields.String()
    order = fields.String()
    buyer = fields.String()
    line = fields.String()
    sku = fields.String()
    title = fields.String()
    units = fields.Integer(metadata={"description": "Units neither shipped nor canceled."})
    state = fields.String()
    made_at = Instant(metadata={"description": "When the clock began."})
    first_deadline = Instant()
    deadline = Instant()
    days_left = fields.Integer(
        metadata={"description": "Whole days until the deadline; negative when it is over."}
    )
    expected_ship_at = Instant(allow_none=True)
    cancelled_at = Instant(allow_none=True)
    notice = fields.Raw(
        allow_none=True, metadata={"description": "The latest delay notice: id, kind, state, dates."}
    )
    answer = fields.String(allow_none=True)
    proposed = fields.Raw(
        allow_none=True, metadata={"description": "The date Kept proposes, since when, and on what it rests."}
    )
    refund_by = Instant(allow_none=True)


class PromiseLinesOut(Schema):
    """A page of promises."""

    data = fields.List(fields.Nested(PromiseLineOut))
    next = fields.String(allow_none=True)


class PromiseCountsOut(Schema):
    """Lines in each bucket now, counted to 10,000: that many stands for as many or more."""

    due_today = fields.Integer()
    at_risk = fields.Integer()
    late = fields.Integer()
    waiting = fields.Integer()
    live = fields.Integer()
    to_decide = fields.Integer(metadata={"description": "A later date is proposed, and a person decides."})
    refund = fields.Integer(metadata={"description": "Canceled lines of orders with an unproven refund."})


class PolicyVersionsIn(Strict):
    """The versions that were seen: 409 when another one is in force by now."""

    promises = Text(200)
    laws = Text(200)


class PromisePolicyIn(Strict):
    """Each part whole; docs/promises.md lists their members."""

    promises = fields.Dict(metadata={"description": "How the delay rule is read."})
    laws = fields.Dict(
        metadata={"description": "seller_country, channels, ship_to, counsel: which laws orders follow."}
    )
    replaces = fields.Nested(PolicyVersionsIn)


class PromisePolicyOut(Schema):
    """Both parts in full. `configuration` counts every change of the merchant's settings."""

    promises = fields.Dict()
    laws = fields.Dict()
    configuration = fields.Integer()
