"""Which laws orders follow, and how the delay rule is read: the page of the same choices as the API's."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for

from app.forms import Form
from app.pages import toast
from app.promises.policy import follow, followed
from app.promises.readings import FIXED, LIMITS
from app.promises.regimes import IN_WORDS, Regime
from app.web import page
from infra.errors import Problem
from tenants.scope import current

blueprint = Blueprint("promise_settings", __name__)
BUSINESS = [
    ("covered", "As consumers", "The delay rule protects every buyer. This is the safe reading."),
    (
        "exempt",
        "Outside the delay rule",
        "Only where counsel advised it: the rule itself names no such exemption.",
    ),
]
ADDRESS = [
    (
        "keeps_clock",
        "The first clock goes on",
        "The strict reading: the order is due as if the address had been good.",
    ),
    (
        "restarts_clock",
        "The clock begins anew with the usable one",
        "Only where the buyer was asked within a working day; nothing leaves meanwhile.",
    ),
]
WHOLE = ("transit_days", "decide_days", "refund_target_days")
CHOICES = ("business_buyers", "address_completed")
PARTS = ("promises", "laws")
PLACES = {
    "/laws/seller_country": "seller_country",
    "/laws/channels": "channels",
    "/laws/ship_to": "ship_to",
    "/laws/counsel": "laws_counsel",
    "/promises/counsel": "counsel",
}


@blueprint.get("/settings/promises")
@page("settings:read")
def show() -> Any:
    """The choices as they are."""
    return _draw(Form(_stored()), 200)


@blueprint.post("/settings/promises")
@page("settings:write")
def save() -> Any:
    """Change them, for orders placed from now on."""
    form = Form(request.form)
    before = followed(current())
    readings = {name: value for name, value in before["promises"].items() if name not in FIXED}
    readings |= {
        "business_buyers": form.choice("business_buyers", [code for code, *_ in BUSINESS]),
        "address_completed": form.choice("address_completed", [code for code, *_ in ADDRESS]),
        "counsel": form.text("counsel", most=200),
    } | {name: form.whole(name, *LIMITS[name]) for name in WHOLE}
    laws = {
        "seller_country": form.value("seller_country"),
        "channels": {code: country for code, country, *_ in _rows(form, "channels", 2)},
        "ship_to": {country: own for country, *own in _rows(form, "ship_to", 1)},
        "counsel": form.text("laws_counsel", most=200),
    }
    if form.has_faults:
        return _draw(form)
    try:
        after = follow(current(), readings=readings, laws=laws, replaces=_seen(form))
    except Problem as problem:
        _mark(form, problem)
        return _draw(form, problem.status)
    toast("Saved, for orders placed from now on." if after != before else "Nothing was changed.")
    return redirect(url_for("promise_settings.show"), 303)


def _rows(form: Form, name: str, least: int) -> list[list[str]]:
    """The words of each line of a field; commas and colons part them too."""
    lines = [line.replace(",", " ").replace(":", " ").split() for line in form.value(name).splitlines()]
    rows = [words for words in lines if words]
    if any(len(words) < least for words in rows):
        form.errors[name] = "Write a channel's code and a country on each line, such as: shop-de DE"
        return []
    first = [words[0] for words in rows]
    if twice := next((one for one in first if first.count(one) > 1), ""):
        form.errors[name] = f"{twice} has two lines. Write one."
    return rows


def _seen(form: Form) -> dict[str, str]:
    return {part: seen for part in PARTS if (seen := form.value(f"replaces_{part}"))}


def _mark(form: Form, problem: Problem) -> None:
    if not problem.errors:
        form.refused(problem)
    for fault in problem.errors:
        field = next((name for place, name in PLACES.items() if fault.pointer.startswith(place)), "")
        if field:
            form.errors[field] = fault.message
        else:
            form.problems.append(fault.message)


def _stored() -> dict[str, str]:
    chosen = followed(current())
    readings, laws = chosen["promises"], chosen["laws"]
    return {name: str(readings[name]) for name in (*WHOLE, *CHOICES, "counsel")} | {
        "seller_country": laws["seller_country"],
        "channels": "\n".join(f"{code} {country}" for code, country in laws["channels"].items()),
        "ship_to": "\n".join(" ".join([country, *own]) for country, own in laws["ship_to"].items()),
        "laws_counsel": laws["counsel"],
        **{f"replaces_{part}": chosen[part]["version"] for part in PARTS},
    }


def _draw(form: Form, status: int = 422) -> Any:
    chosen = followed(current())
    return form.again(
        "settings/promises.html",
        status,
        business=BUSINESS,
        addresses=ADDRESS,
        laws=[(one.value, IN_WORDS[one]) for one in Regime],
        versions=(chosen["laws"]["version"], chosen["promises"]["version"]),
    )
