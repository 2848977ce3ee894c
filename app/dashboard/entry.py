"""New order: phone and mail orders typed by keyboard, priced and dated while typed, placed by the same verb."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from app.catalog.queries import skus
from app.customers import queries as customers
from app.dashboard import basket as baskets
from app.dashboard.basket import Basket
from app.intake.service import place
from app.pages import formats, register_nav, toast
from app.quotes.availability import availability
from app.shapes import identifier
from app.web import page
from tenants.scope import Scope, current

blueprint = Blueprint("order_entry", __name__, template_folder="templates")
register_nav("", "New order", "order_entry.form", "phone-call", permission="orders:write", order=21)
TENDERS = [
    ("card", "Card"),
    ("check", "Check or money order"),
    ("terms", "Invoice on terms"),
    ("cash", "Cash"),
]
TEST_CARDS = [
    ("pm_card_visa", "Visa, works"),
    ("pm_card_mastercard", "Mastercard, works"),
    ("pm_card_chargeDeclined", "Declined"),
    ("pm_card_chargeDeclinedInsufficientFunds", "Declined, no funds"),
    ("pm_card_authenticationRequired", "Asks the buyer's bank"),
]
"""The processor's documented test cards, offered in a sandbox."""
SPOKEN = ("phone", "broadcast")
FIRST = ("phone", "mail", "email", "broadcast", "social", "store")
MOST_FOUND = 6


@blueprint.get("/orders/new")
@page("orders:write")
def form() -> str:
    """An empty order; `?customer=` and `?channel=` fill in what is known."""
    scope = current()
    made = Basket.read({"channel": request.args.get("channel", "")}, scope.tenant.currency)
    known = customers.one(scope, identifier(request.args.get("customer", "")))
    if known is not None:
        made.know(known)
    return _shown(scope, made, known=known)


@blueprint.post("/orders/new", endpoint="typed")
@page("orders:write")
def typed() -> Any:
    """What was typed, priced again; or, when asked to, the order placed."""
    scope = current()
    made = Basket.read(request.form, scope.tenant.currency)
    known = customers.one(scope, identifier(request.form.get("customer", "")))
    asked, _, what = request.form.get("do", "").partition(":")
    if asked == "customer":
        known = customers.one(scope, identifier(what))
        if known is not None:
            made.know(known)
    elif asked == "remove" and what.isdigit():
        made.remove(int(what))
    elif asked == "add":
        _add(scope, made, what)
    baskets.price(scope, made)
    if asked == "place":
        return _place(scope, made, known)
    return _shown(scope, made, known=known, done=asked)


def _add(scope: Scope, made: Basket, code: str) -> None:
    """The item named, or the one the search text means: its code, else the first that was found."""
    text = request.form.get("find", "").strip()
    if not code and text:
        found = skus(scope, limit=MOST_FOUND, q=text)["data"]
        exact = [sku["sku"] for sku in found if sku["sku"].lower() == text.lower()]
        codes = exact or [sku["sku"] for sku in found]
        if not codes:
            made.errors["find"] = f"Nothing in the catalog fits “{text[:60]}”."
            return
        code = codes[0]
    if code:
        made.add(code)


def _place(scope: Scope, made: Basket, known: Any) -> Response:
    there = _placed_before(scope, made)
    if there is not None:
        return there
    said = _said(scope, made)
    order = baskets.order_of(scope, made, said.striptags())
    if _is_spoken(scope, made) and request.form.get("agreed") != baskets.digest(said):
        made.errors["agreed"] = "Read the dates to the buyer, then confirm it here."
        order = None
    if order is not None:
        placed = place(scope, [order])[0]
        if placed.problem is None and placed.order is not None:
            toast(f"Order {placed.order['number']} is placed.")
            return redirect(url_for("order_pages.detail", order_id=placed.order["id"]), 303)
        there = _placed_before(scope, made)
        if there is not None:
            return there
        assert placed.problem is not None
        made.errors[""] = placed.problem.detail
    return make_response(_shown(scope, made, known=known), 422)


def _placed_before(scope: Scope, made: Basket) -> Response | None:
    """To the order that this very form has placed already: its button was pressed twice."""
    row = scope.row(
        "SELECT id FROM orders WHERE tenant_id = :tenant AND channel = :channel AND external_ref = :ref",
        channel=made.values["channel"],
        ref=made.ref,
    )
    return None if row is None else redirect(url_for("order_pages.detail", order_id=row.id), 303)


def _is_spoken(scope: Scope, made: Basket) -> bool:
    row = scope.row(
        "SELECT kind FROM channels WHERE tenant_id = :tenant AND code = :code", code=made.values["channel"]
    )
    return row is not None and row.kind in SPOKEN


def _said(scope: Scope, made: Basket) -> Markup:
    """The ship times as they are read out."""
    today = formats.local_day(scope.now(), scope.tenant.timezone)
    sentences = []
    for titles, day, digital in baskets.spoken(made.rows, today):
        goods, verb = _listed(titles), "ships" if len(titles) == 1 else "ship"
        start = Markup("Your ") + goods
        if digital:
            goes = "goes" if len(titles) == 1 else "go"
            sentences.append(Markup("{} {} out <b>today</b> by email.").format(start, goes))
        elif day is None:
            sentences.append(
                Markup(
                    "We cannot say yet when your {} {}. If it is not within 30 days, we write to you, and you can"
                    " cancel."
                ).format(goods, verb)
            )
        else:
            sentences.append(Markup("{} {} by <b>{}</b>.").format(start, verb, _long(day, today)))
    return Markup(" ").join(sentences)


def _listed(titles: list[str]) -> Markup:
    """ "apron, throw and kettle": the titles as a sentence has them; apart by semicolons where one has a comma."""
    named = [escape(title) for title in titles]
    mark = "; " if len(titles) > 1 and any("," in title for title in titles) else ", "
    head = Markup(mark).join(named[:-1])
    end = mark if mark == "; " else " "
    return Markup("{}{}and {}").format(head, end, named[-1]) if head else named[-1]


def _long(day: date, today: date) -> str:
    return formats.long_date(day, "UTC", today)


def _shown(scope: Scope, made: Basket, *, known: Any = None, done: str = "") -> str:
    """The form with everything that follows from what was typed."""
    spoken = _is_spoken(scope, made)
    said = _said(scope, made) if made.totals is not None else Markup("")
    text = "" if done == "add" and "find" not in made.errors else request.form.get("find", "").strip()
    look_up = "" if done == "customer" else request.form.get("look_up", "").strip()
    return render_template(
        "dashboard/entry.html",
        basket=made,
        known=known,
        find=text,
        found=_found(scope, text, made.values["channel"]) if len(text) > 1 else [],
        look_up=look_up,
        callers=customers.find(scope, look_up) if len(look_up) > 2 else [],
        channels=_channels(scope),
        tenders=TENDERS,
        test_cards=TEST_CARDS if scope.tenant.environment == "sandbox" else [],
        spoken=spoken,
        said=said,
        said_digest=baskets.digest(said),
        agreed=request.form.get("agreed") == baskets.digest(said),
        today=formats.local_day(scope.now(), scope.tenant.timezone),
        done=done,
    )


def _channels(scope: Scope) -> list[tuple[str, str]]:
    rows = scope.rows("SELECT code, name, kind FROM channels WHERE tenant_id = :tenant")
    rows.sort(key=lambda row: (FIRST.index(row.kind) if row.kind in FIRST else len(FIRST), row.name))
    return [(row.code, row.name) for row in rows if row.kind in FIRST]


def _found(scope: Scope, text: str, channel: str) -> list[dict[str, Any]]:
    """Items that fit the text, with what can be sold now and when it ships."""
    found = []
    for sku in skus(scope, limit=MOST_FOUND, q=text)["data"]:
        known = availability(scope, sku["sku"])
        found.append({**sku, "available": known["available"], "day": known["earliest_ship"]})
    return found
