"""The buyer's own page of an order, behind a signed link: looking never acts, a POST does.

No log-in and no script. The token in the address is the key, so these forms need no other token against foreign
sites: whoever could forge the request would have to know the address already.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import wraps
from typing import Any
from uuid import UUID

import structlog
from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app import links
from app.calendar import local_date
from app.cancellation.lapses import buyer_cancels, contract_ended
from app.pages import PageContext
from app.payments.service import CardWanted, card_wanted, confirm_action, retry_payment
from app.promises.deliveries import say
from app.promises.queries import open_question
from app.promises.service import ANSWERS, answer_delay
from app.selfservice.queries import order_page
from app.selfservice.words import Words
from app.shapes import identifier
from infra import limits
from infra import stripe_gateway as gateway
from infra.errors import Problem, invalid, refused
from tenants.scope import Actor, Scope, opened, retried

blueprint = Blueprint("buyer", __name__, template_folder="templates")
log = structlog.get_logger()
LIMIT, LIMIT_PER_ADDRESS = "60/minute", "240/minute"
SANDBOX_CARDS = [
    ("pm_card_visa", "Test card that works"),
    ("pm_card_chargeDeclined", "Test card that is declined"),
]
SESSION = re.compile(r"cs_[A-Za-z0-9_]{1,200}")
NO_ANSWER = "The card page does not answer at the moment. Try again in a minute."
View = Callable[[Scope, UUID], AnyResponse]
LinkView = Callable[[links.Link, str], AnyResponse]


class _Nowhere(Exception):
    """The link's order does not exist."""


def _linked(view: LinkView) -> Callable[[str], AnyResponse]:
    """An address behind a buyer's link: rate limited, for the link's order, with every failure in plain words."""

    @wraps(view)
    def guarded(token: str) -> AnyResponse:
        try:
            # Guessing is counted by address, use by link; the digest keeps the key itself out of the counters.
            limits.spend_named(LIMIT_PER_ADDRESS, f"buyer-address:{request.remote_addr}")
            link = links.read(token)
            if link is None or link.purpose != links.ORDER:
                return _nothing()
            limits.spend_named(LIMIT, f"buyer:{hashlib.sha256(token.encode()).hexdigest()[:24]}")
            return _private(view(link, token))
        except _Nowhere:
            return _nothing()
        except Problem as problem:
            return _plain(problem.status, problem.title, problem.detail)
        except HTTPException as error:
            return _plain(error.code or 500, "This did not work", "Go back and try again.")
        except Exception as error:
            log.error("buyer_page.failed", exc_info=error)
            return _plain(
                500, "This page could not be shown", "It failed on our side. Try again in a minute."
            )

    return guarded


def _buyer(view: View) -> Callable[[str], AnyResponse]:
    """A view behind a buyer's link, in one transaction, committed once when it went well."""

    @wraps(view)
    def answered(link: links.Link, token: str) -> AnyResponse:
        return _in_order(link, token, view)

    return _linked(answered)


def _in_order(link: links.Link, token: str, view: View) -> AnyResponse:
    """Answer inside the link's tenant; run again after a lost race, committed unless it is a refusal."""
    return retried(lambda: _inside(link, token, view))


def _inside(link: links.Link, token: str, view: View) -> AnyResponse:
    with opened(
        link.tenant_id, Actor("buyer", str(link.order_id), "the buyer"), request_id=g.request_id
    ) as scope:
        order = scope.row(
            "SELECT o.id FROM orders o JOIN tenants t ON t.tenant_id = :tenant WHERE o.tenant_id = :tenant"
            " AND o.id = :id",
            id=link.order_id,
        )
        if order is None:
            raise _Nowhere
        g.buyer_token, g.tenant_id, g.actor = token, link.tenant_id, "buyer"
        g.page_context = PageContext(
            tenant_name=scope.tenant.name, zone=scope.tenant.timezone, now=scope.now(), may=lambda _: False
        )
        answer = view(scope, link.order_id)
        if answer.status_code < 400:
            scope.keep()
        return answer


def _private(answer: AnyResponse) -> AnyResponse:
    """The address is a key: it is not kept, not passed on to other sites, not listed."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _nothing() -> AnyResponse:
    return _plain(
        404,
        "This link does not lead anywhere",
        "It may have been cut short on its way to you. Open it again from the shop's message, whole.",
    )


def _plain(status: int, title: str, text: str) -> AnyResponse:
    g.page_context = PageContext(may=lambda _: False)
    return _private(make_response(render_template("selfservice/plain.html", title=title, text=text), status))


def _page(scope: Scope, order_id: UUID, status: int = 200, problem: str = "", code: str = "") -> Response:
    shown = order_page(scope, order_id)
    assert shown is not None
    cards = SANDBOX_CARDS if scope.tenant.environment == "sandbox" else []
    told = shown["t"].refusal(problem, code) if problem else ""
    return make_response(
        render_template("selfservice/order.html", token=g.buyer_token, problem=told, cards=cards, **shown),
        status,
    )


def _done(scope: Scope, order_id: UUID, verb: Callable[[], Any]) -> AnyResponse:
    """Do it and show the page anew; a refusal is shown on the page, and nothing is changed."""
    scope.execute("SAVEPOINT asked")
    try:
        verb()
    except Problem as problem:
        if problem.status >= 500:
            raise
        scope.execute("ROLLBACK TO SAVEPOINT asked")
        return _page(scope, order_id, problem.status, problem.detail, problem.code)
    return redirect(url_for("buyer.show", token=g.buyer_token), 303)


def _sent() -> Mapping[str, Any]:
    """The form's fields; programs may send them as JSON."""
    if request.is_json:
        body = request.get_json(silent=True)
        return body if isinstance(body, dict) else {}
    return request.form


def _lines(sent: Mapping[str, Any]) -> list[UUID]:
    """The lines named; none named means all to which it can apply."""
    named = (sent.get("lines") or []) if request.is_json else request.form.getlist("line")
    if not isinstance(named, list):
        raise invalid("/lines", "Give a list of lines.")
    return [identifier(str(one.get("id") if isinstance(one, dict) else one)) for one in named]


@blueprint.get("/o/<token>", endpoint="show")
@_buyer
def show(scope: Scope, order_id: UUID) -> AnyResponse:
    """The order as it is. Looking changes nothing."""
    return _page(scope, order_id)


@blueprint.post("/o/<token>/delay-answer", endpoint="delay_answer")
@_buyer
def delay_answer(scope: Scope, order_id: UUID) -> AnyResponse:
    """Wait or cancel, in answer to a delay notice of this order."""
    return _done(scope, order_id, lambda: _answer(scope, order_id))


def _answer(scope: Scope, order_id: UUID) -> None:
    answer = _sent().get("answer")
    if answer not in ANSWERS:
        raise invalid("/answer", "Choose to wait or to cancel.")
    asked = open_question(scope, order_id)
    given = _sent().get("notice")
    notice_id = identifier(str(given)) if given else asked.id if asked is not None else None
    own = scope.row(
        "SELECT id FROM notices WHERE tenant_id = :tenant AND order_id = :order AND id = :id AND kind = 'delay'",
        order=order_id,
        id=notice_id,
    )
    if own is None:
        raise refused("not-asked", "There is nothing to answer at the moment.")
    answer_delay(
        scope,
        own.id,
        str(answer),
        "page",
        _seen(),
    )


def _seen() -> dict[str, Any]:
    """What shows that it was the buyer: from where the form was sent."""
    return {"address": request.remote_addr, "agent": request.headers.get("User-Agent", "")[:300]}


@blueprint.post("/o/<token>/cancellation", endpoint="cancellation")
@_buyer
def cancellation(scope: Scope, order_id: UUID) -> AnyResponse:
    """Cancel what has not shipped: the lines named, or everything. Where a delay notice gave the right to, it takes
    effect now; else the warehouse is asked."""
    return _done(scope, order_id, lambda: _cancel(scope, order_id))


def _cancel(scope: Scope, order_id: UUID) -> None:
    sent = _sent()
    lines = _lines(sent)
    if "chosen" in sent and not lines:
        raise invalid("/line", "Choose what to cancel.")
    buyer_cancels(scope, order_id, lines or None, _seen(), "You canceled it")


@blueprint.post("/o/<token>/delivery", endpoint="delivery")
@_buyer
def delivery(scope: Scope, order_id: UUID) -> AnyResponse:
    """Under a law of delivery: give the shop a further time, or end the contract where the law lets the buyer."""
    return _done(scope, order_id, lambda: _deliver(scope, order_id))


def _deliver(scope: Scope, order_id: UUID) -> None:
    sent = _sent()
    lines = set(_lines(sent)) or None
    if sent.get("act") == "end":
        contract_ended(scope, order_id, lines, _seen())
    elif sent.get("act") == "wait":
        try:
            until = date.fromisoformat(str(sent.get("until") or ""))
        except ValueError as error:
            raise invalid("/until", "Give the day until which you will wait.") from error
        say(scope, order_id, "period_granted", lines, _seen(), until=until)
    else:
        raise invalid("/act", "Choose to give a further time, or to end the contract.")


@blueprint.post("/o/<token>/payment", endpoint="payment")
@_buyer
def payment(scope: Scope, order_id: UUID) -> AnyResponse:
    """Try the payment again, or say that the bank was answered."""
    return _done(scope, order_id, lambda: _pay(scope, order_id))


def _pay(scope: Scope, order_id: UUID) -> None:
    if _sent().get("confirmed"):
        if not confirm_action(scope, order_id):
            raise refused("nothing-to-pay", "There is nothing to confirm at the moment.")
        return
    method = str(_sent().get("card") or "") or None
    known = {code for code, _ in SANDBOX_CARDS}
    if method is not None and (scope.tenant.environment != "sandbox" or method not in known):
        raise invalid("/card", "Choose one of the cards offered.")
    retry_payment(scope, order_id, method)


# ---- another card, given on the processor's own page


@blueprint.post("/o/<token>/card", endpoint="card")
@_linked
def card(link: links.Link, token: str) -> AnyResponse:
    """Open the processor's page for another card. It is a plain link: the page's policy lets no form leave it."""
    wanted: list[CardWanted] = []
    answer = _in_order(link, token, lambda scope, order_id: _wanted(scope, order_id, wanted))
    if not wanted:
        return answer
    own = links.url(link.tenant_id, link.order_id)
    try:
        address = gateway.card_page(
            wanted[-1].account,
            customer=wanted[-1].customer,
            email=wanted[-1].email,
            name=wanted[-1].name,
            currency=wanted[-1].currency,
            success_url=f"{own}/card?session={{CHECKOUT_SESSION_ID}}",
            cancel_url=own,
            metadata=_named(link),
            key=wanted[-1].customer_key,
        )
    except gateway.Unknown as lost:
        log.warning("buyer_card.no_answer", error=str(lost))
        return _told(link, token, 503, NO_ANSWER)
    except gateway.Rejected as refusal:
        log.warning("buyer_card.rejected", error=str(refusal))
        return _told(link, token, 409, "A card cannot be taken at the moment. Write to us, and we help.")
    t = _words(wanted[-1])
    return make_response(render_template("selfservice/card.html", token=token, address=address, t=t))


def _words(wanted: CardWanted) -> Words:
    """What the page says, in the buyer's language."""
    page = g.page_context
    return Words(wanted.language, page.zone, local_date(page.now, page.zone))


def _wanted(scope: Scope, order_id: UUID, wanted: list[CardWanted]) -> AnyResponse:
    """Read which card is wanted, or show the refusal. The read's lock is let go before the processor is asked."""
    try:
        wanted.append(card_wanted(scope, order_id))
    except Problem as problem:
        return _page(scope, order_id, problem.status, problem.detail, problem.code)
    return make_response("", 204)


def _named(link: links.Link) -> dict[str, str]:
    """What a card page carries, so that its card can be used for no other order."""
    return {"tenant": str(link.tenant_id), "order": str(link.order_id)}


def _told(link: links.Link, token: str, status: int, problem: str) -> AnyResponse:
    return _in_order(link, token, lambda scope, order_id: _page(scope, order_id, status, problem))


@blueprint.get("/o/<token>/card", endpoint="card_added")
@_buyer
def card_added(scope: Scope, order_id: UUID) -> AnyResponse:
    """Back from the processor's page: ask whether to pay with the card. Looking changes nothing."""
    session = request.args.get("session", "")
    try:
        wanted = card_wanted(scope, order_id)
    except Problem:
        wanted = None
    if wanted is None or not SESSION.fullmatch(session):
        return redirect(url_for("buyer.show", token=g.buyer_token), 303)
    return make_response(
        render_template(
            "selfservice/card_added.html",
            token=g.buyer_token,
            session=session,
            wanted=wanted,
            t=_words(wanted),
        )
    )


@blueprint.post("/o/<token>/card/use", endpoint="card_use")
@_linked
def card_use(link: links.Link, token: str) -> AnyResponse:
    """Pay with the card that was left on the processor's page."""
    session = str(_sent().get("session") or "")
    wanted: list[CardWanted] = []
    answer = _in_order(link, token, lambda scope, order_id: _wanted(scope, order_id, wanted))
    if not wanted:
        return answer
    if not SESSION.fullmatch(session):
        return _told(link, token, 422, "Choose “Use another card” to give a card.")
    try:
        given = gateway.card_given(wanted[-1].account, session)
    except gateway.Unknown as lost:
        log.warning("buyer_card.no_answer", error=str(lost))
        return _told(link, token, 503, NO_ANSWER)
    except gateway.Rejected:
        return _told(link, token, 409, "This card page is not known here. Choose “Use another card” again.")
    if given is None:
        return _told(link, token, 409, "No card was added yet. Finish the card page first.")
    method, customer, names = given
    if names != _named(link):
        return _told(link, token, 409, "This card was given for another order. Choose “Use another card”.")

    def use(scope: Scope, order_id: UUID) -> AnyResponse:
        return _done(scope, order_id, lambda: retry_payment(scope, order_id, method, customer))

    return _in_order(link, token, use)
