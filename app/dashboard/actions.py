"""What is done from the order pages: each posts to the verb that the API calls too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from app.allocation.service import offer
from app.cancellation.service import cancel as cancel_units
from app.intake import addresses
from app.orders import service as orders
from app.orders.vocabulary import HOLD_KINDS
from app.pages import formats, toast
from app.payments.service import retry_payment
from app.shapes import AddressIn, identifier
from app.web import page
from infra.errors import Problem, invalid, refused
from tenants.scope import Scope, current

blueprint = Blueprint("order_actions", __name__)
MOST_SELECTED = 200
ADDRESS = ("name", "company", "line1", "line2", "city", "region", "postal_code", "country", "phone")


def _back(order_id: UUID) -> Response:
    return redirect(url_for("order_pages.detail", order_id=order_id), 303)


def _reason() -> str:
    reason = request.form.get("reason", "").strip()
    if not 1 <= len(reason) <= 500:
        raise invalid("/reason", "Give a reason of up to 500 characters.")
    return reason


@blueprint.post("/orders/<uuid:order_id>/cancel", endpoint="cancel")
@page("orders:write")
def cancel(order_id: UUID) -> Response:
    """Cancel the units named, line by line."""
    wanted = [
        {"id": name.removeprefix("line-"), "quantity": _units(value)}
        for name, value in request.form.items()
        if name.startswith("line-") and _units(value)
    ]
    if not wanted:
        raise refused("nothing-chosen", "No units were chosen. Enter how many to cancel.")
    done = cancel_units(current(), order_id, wanted, _reason())
    asked = sum(one["quantity"] for one in done["pending"])
    units = sum(_units(value) for name, value in request.form.items() if name.startswith("line-"))
    toast(
        f"{formats.plural(units, 'unit')} canceled."
        if not asked
        else f"{formats.plural(asked, 'unit')} asked back from a node; the rest is canceled."
    )
    return _back(order_id)


def _units(value: str) -> int:
    value = value.strip() or "0"
    if not (value.isascii() and value.isdigit() and len(value) < 8):
        raise invalid("/quantity", "Enter whole units.")
    return int(value)


@blueprint.post("/orders/<uuid:order_id>/hold", endpoint="hold")
@page("orders:write")
def hold(order_id: UUID) -> Response:
    """Hold the order."""
    kind = request.form.get("kind", "manual")
    if kind not in HOLD_KINDS or kind == "payment":
        raise invalid("/kind", "Choose what kind of hold it is.")
    orders.place_hold(current(), order_id, kind, _reason())
    toast("The order is held.")
    return _back(order_id)


@blueprint.post("/orders/<uuid:order_id>/release", endpoint="release")
@page("orders:write")
def release(order_id: UUID) -> Response:
    """Lift one hold."""
    kind = request.form.get("kind", "")
    if kind == "payment":
        raise refused("payment-needed", "A payment hold ends when the payment is mended, or with the order.")
    orders.release_hold(current(), order_id, kind, "Lifted from the order's page")
    toast("The hold is lifted.")
    return _back(order_id)


@blueprint.post("/orders/<uuid:order_id>/address", endpoint="address")
@page("orders:write")
def address(order_id: UUID) -> Response:
    """Send the order elsewhere."""
    given = {name: request.form[name].strip() for name in ADDRESS if request.form.get(name, "").strip()}
    try:
        ship_to = AddressIn().load(given)
    except ValidationError as error:
        name, messages = next(iter(error.normalized_messages().items()))
        raise invalid(f"/{name}", f"{str(name).replace('_', ' ').capitalize()}: {messages[0]}") from error
    orders.change_address(current(), order_id, ship_to)
    toast("The address is changed.")
    return _back(order_id)


@blueprint.post("/orders/<uuid:order_id>/address-request", endpoint="address_request")
@page("orders:write")
def address_request(order_id: UUID) -> Response:
    """The address was never usable: the buyer was asked for another, or never gave one."""
    orders.lock(current(), order_id)
    evidence = request.form.get("evidence", "").strip()
    if not 3 <= len(evidence) <= 2000:
        raise invalid("/evidence", "Write down when and how the buyer was asked.")
    if request.form.get("outcome") == "never":
        addresses.never(current(), order_id, evidence)
        toast("What was open is canceled; what was paid for it goes back.")
    else:
        stopped = addresses.ask(current(), order_id, evidence)
        toast("The order is held; its clock " + ("stands still." if stopped else "goes on."))
    return _back(order_id)


@blueprint.post("/orders/<uuid:order_id>/route", endpoint="route")
@page("orders:write")
def route(order_id: UUID) -> Response:
    """Look for stock again for the units that wait."""
    scope = current()
    orders.lock(scope, order_id)
    skus = scope.rows(
        "SELECT DISTINCT r.sku_id FROM reservations r JOIN order_lines l ON l.tenant_id = :tenant"
        " AND l.id = r.order_line_id WHERE r.tenant_id = :tenant AND l.order_id = :order AND r.supply = 'none'",
        order=order_id,
    )
    if not skus:
        raise refused("nothing-waits", "No unit of this order waits for stock.")
    offer(scope, [row.sku_id for row in skus], cause="asked")
    toast("Stock is being looked for; units are matched by promise, then age.")
    return _back(order_id)


@blueprint.post("/orders/<uuid:order_id>/payment", endpoint="payment")
@page("orders:write")
def payment(order_id: UUID) -> Response:
    """Try the order's card again."""
    retry_payment(current(), order_id)
    toast("The card is being asked again.")
    return _back(order_id)


VERBS: dict[str, tuple[Callable[[Scope, UUID], Any], str]] = {
    "hold": (lambda scope, one: orders.place_hold(scope, one, "manual", "Held from the list"), "held"),
    "release": (
        lambda scope, one: orders.release_hold(scope, one, "manual", "Lifted from the list"),
        "released",
    ),
    "cancel": (lambda scope, one: cancel_units(scope, one, None, _reason()), "canceled"),
}


@blueprint.post("/orders/bulk", endpoint="bulk")
@page("orders:write")
def bulk() -> Response:
    """One verb over the selected orders; each that a rule refuses is skipped and counted."""
    scope = current()
    found = VERBS.get(request.form.get("action", ""))
    ids = sorted({identifier(value) for value in request.form.getlist("ids")})
    if found is None or not ids:
        raise invalid("/ids", "Select orders, then choose what to do with them.")
    if len(ids) > MOST_SELECTED:
        raise invalid("/ids", f"Select at most {MOST_SELECTED} orders at once.")
    verb, word = found
    skipped: dict[str, int] = {}
    for order_id in ids:
        scope.execute("SAVEPOINT one_order")
        try:
            verb(scope, order_id)
        except Problem as problem:
            scope.execute("ROLLBACK TO SAVEPOINT one_order")
            skipped[problem.detail] = skipped.get(problem.detail, 0) + 1
        scope.execute("RELEASE SAVEPOINT one_order")
    toast(_told(len(ids) - sum(skipped.values()), word, skipped))
    back = request.form.get("back", "")
    own = back.startswith("/orders?") or back == "/orders"
    return redirect(back if own else url_for("order_pages.list"), 303)


def _told(done: int, word: str, skipped: dict[str, int]) -> str:
    text = f"{formats.plural(done, 'order')} {word}."
    for reason, count in skipped.items():
        text += f" {formats.number(count)} skipped: {reason}"
    return text
