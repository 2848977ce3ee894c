"""Rate cards as pages: the list, one card with its prices as a heat table, and the form that makes or changes it."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.entries import address, place
from app.forms import Form
from app.network import listing, rate_entry
from app.network.queries import rate_card_row
from app.network.rate_cards import put_rate_card
from app.network.rules import code_error
from app.network.tariffs import GRAMS_PER_LB
from app.network.views import blueprint
from app.pages import toast
from app.web import page
from infra.errors import Problem
from tenants.scope import current

__all__ = ["blueprint"]

SHORT = 20
"""Weight steps that a card's page shows before it is asked for all."""


@blueprint.get("/network/rate-cards", endpoint="cards")
@page("nodes:read")
def cards() -> str:
    """Every rate card."""
    return render_template("network/cards.html", cards=listing.cards(current()))


@blueprint.get("/network/rate-cards/<card>", endpoint="card")
@page("nodes:read")
def card(card: str) -> str:
    """One card: its prices by weight and zone, how it is set up, and who ships by it."""
    found = rate_card_row(current(), card)
    whole = "all" in request.args or len(found.prices) <= SHORT
    return render_template(
        "network/card.html",
        card=found,
        zone_by=rate_entry.ZONE_BY[found.zone_by][0],
        dim_units=rate_entry.DIM_UNITS,
        surcharges=[(one, rate_entry.surcharge_words(one)) for one in found.surcharges],
        reach=_reach(found),
        rows=_heat(found.prices if whole else _some(found.prices)),
        whole=whole,
        nodes=listing.shipping_by(current(), card),
        prices_url=address("imports_pages.new", kind="rate_card", rate_card=card),
        zones_url=address("imports_pages.new", kind="zone_pairs", rate_card=card),
    )


def _some(prices: list[Any]) -> list[Any]:
    """Some of the steps, from the lightest to the heaviest, evenly spread."""
    return [prices[round(at * (len(prices) - 1) / (SHORT - 1))] for at in range(SHORT)]


def _heat(prices: list[Any]) -> list[dict[str, Any]]:
    """Rows of the table: each amount with its share of the dearest one."""
    dearest = max((amount for _, amounts in prices for amount in amounts if amount is not None), default=0)
    return [
        {
            "weight": _pounds(grams),
            "grams": grams,
            "cells": [(amount, (amount or 0) / dearest if dearest else 0) for amount in amounts],
        }
        for grams, amounts in prices
    ]


def _pounds(grams: int) -> str:
    pounds = grams / GRAMS_PER_LB
    return f"{pounds:.0f} lb" if abs(pounds - round(pounds)) * GRAMS_PER_LB < 1 else f"{pounds:.2f} lb"


def _reach(card: Any) -> list[tuple[str, int | None]]:
    """(how far, days under way) by zone."""
    zones = len(card.prices[0][1]) if card.prices else len(card.zone_miles) + 1
    miles = [f"{one:,g}" for one in card.zone_miles]
    words = [f"to {miles[at]} mi" if at < len(miles) else "" for at in range(zones)]
    if miles and len(miles) < zones:
        words[len(miles)] = f"over {miles[-1]} mi"
    days = [*card.transit_days, *[None] * zones]
    return list(zip(words, days[:zones], strict=True))


@blueprint.get("/network/rate-cards/new", endpoint="new_card")
@page("nodes:write")
def new_card() -> str:
    """An empty form."""
    sent = MultiDict({"zone_by": "distance", "dim_unit": "in3_per_lb"})
    return render_template("network/card_edit.html", **_context(Form(sent), None))


@blueprint.post("/network/rate-cards/new", endpoint="create_card")
@page("nodes:write")
def create_card() -> Any:
    """Make a card by the verb of `PUT /v1/rate-cards/{code}`; one that is there already is not overwritten."""
    form = Form(request.form)
    code = form.value("code").strip()
    if wrong := code_error(code):
        form.errors["code"] = wrong if code else "Enter a code: nodes and files name the card by it."
    elif any(code == known for known, _ in listing.card_names(current())):
        form.errors["code"] = f"{code} is there already. Open it to change it."
    return _save(form, code, None)


@blueprint.get("/network/rate-cards/<card>/edit", endpoint="edit_card")
@page("nodes:write")
def edit_card(card: str) -> str:
    """The form of a card that is there."""
    kept = rate_card_row(current(), card)
    return render_template("network/card_edit.html", **_context(Form(rate_entry.values(kept._mapping)), kept))


@blueprint.post("/network/rate-cards/<card>/edit", endpoint="save_card")
@page("nodes:write")
def save_card(card: str) -> Any:
    """Replace a card; its prices stay."""
    return _save(Form(request.form), card, rate_card_row(current(), card))


def _save(form: Form, code: str, kept: Any) -> Any:
    given = rate_entry.read(form, current().tenant.currency)
    if not form.has_faults:
        try:
            put_rate_card(current(), code, given)
            return _saved(code, given["name"])
        except Problem as problem:
            place(form, problem.errors, rate_entry.POINTERS)
            if not problem.errors:
                form.refused(problem)
    return render_template("network/card_edit.html", **_context(form, kept)), 422


def _saved(code: str, name: str) -> Response:
    toast(f"{name} saved.")
    return redirect(url_for("network_pages.card", card=code), 303)


def _context(form: Form, kept: Any) -> dict[str, Any]:
    return {
        "form": form,
        "kept": kept,
        "zone_by": rate_entry.ZONE_BY,
        "dim_units": rate_entry.DIM_UNITS,
    }
