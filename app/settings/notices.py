"""How buyers are told: the ways in order, quiet hours, and the wording of every message with its versions."""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import Any

from flask import Blueprint, Response, redirect, request
from markupsafe import Markup

from app import events
from app.calendar import local_date
from app.forms import Form
from app.notices import templates
from app.notices.compose import render
from app.notices.letters import shop_of
from app.notices.placeholders import KINDS, placeholders
from app.notices.printing import sample_page
from app.notices.samples import samples
from app.notices.source import LONGEST, Unfit, Wording
from app.notices.vocabulary import CHANNELS, LANGUAGES
from app.notices.ways import DEFAULT_QUIET, channels_of
from app.pages import toast
from app.web import page, visit
from infra import settings
from infra.addresses import NotPublic, check_public
from infra.errors import Problem, not_found
from infra.ids import new_id
from tenants import business
from tenants.scope import current

blueprint = Blueprint("notice_settings", __name__)

CHANNEL_WORDS = {
    "email": "Email",
    "sms": "Text message",
    "post": "Letter on paper",
    "webhook": "Your own system",
}
KIND_WORDS = {
    "delay": ("Delay notice", "Owed by law"),
    "undelivered": ("Not delivered in time", "Courtesy: European and British buyers"),
    "cancelled": ("Cancellation", "Owed to the buyer"),
    "refund": ("Refund statement", "Owed by law"),
    "payment_needed": ("Payment needed", "Owed to the buyer"),
    "received": ("Order received", "Courtesy"),
    "shipped": ("Shipped", "Courtesy"),
}
LANGUAGE_WORDS = {"en": "English", "es": "Spanish"}
HOURS = [(str(hour), f"{hour % 12 or 12} {'AM' if hour < 12 else 'PM'}") for hour in range(24)]
NO_CHANNEL = "none"


@blueprint.get("/settings/notices")
@page("settings:read")
def show() -> Any:
    """Ways, quiet hours, and the list of messages."""
    return _draw(Form(_stored()), 200)


def _stored() -> dict[str, str]:
    notices = _notices()
    quiet, hook = notices.get("quiet") or {}, notices.get("webhook") or {}
    ordered = channels_of(notices)
    ways = {f"way{at}": ordered[at] if at < len(ordered) else NO_CHANNEL for at in range(len(CHANNELS))}
    return ways | {
        "begins": str(quiet.get("begins", DEFAULT_QUIET[0])),
        "ends": str(quiet.get("ends", DEFAULT_QUIET[1])),
        "courtesy": "1" if quiet.get("courtesy") else "",
        "url": str(hook.get("url") or ""),
        "address": "\n".join((current().tenant.settings.get("contact") or {}).get("address") or ()),
    }


def _notices() -> dict[str, Any]:
    return dict(current().tenant.settings.get("notices") or {})


def _draw(form: Form, status: int = 422) -> Any:
    chosen = _notices().get("templates") or {}
    return form.again(
        "settings/notices.html",
        status,
        kinds=KIND_WORDS,
        languages=LANGUAGE_WORDS,
        chosen=chosen,
        channels=[*CHANNEL_WORDS.items(), (NO_CHANNEL, "None")],
        places=range(len(CHANNELS)),
        hours=HOURS,
        secret=(_notices().get("webhook") or {}).get("secret", ""),
        has_gateway=bool(settings.current().sms_url),
    )


@blueprint.post("/settings/notices")
@page("settings:write")
def save() -> Any:
    """Change ways, quiet hours, and where letters and calls go."""
    scope, form = current(), Form(request.form)
    ordered = _ordered(form)
    url = form.value("url").strip()
    address = [" ".join(line.split()) for line in form.value("address").splitlines() if line.strip()]
    begins, ends = (form.choice(name, [hour for hour, _ in HOURS]) for name in ("begins", "ends"))
    _check_url(form, url, needed="webhook" in ordered)
    _check_address(form, address, needed="post" in ordered)
    if form.has_faults:
        return _draw(form)
    notices = _notices()
    known = notices.get("webhook") or {}
    secret = known.get("secret") or f"whsec_{b64encode(secrets.token_bytes(24)).decode()}"
    notices |= {
        "channels": ordered,
        "quiet": {"begins": int(begins), "ends": int(ends), "courtesy": bool(form.value("courtesy"))},
        "webhook": {"url": url, "secret": secret} if url else {},
    }
    contact = dict(scope.tenant.settings.get("contact") or {}) | {"address": address}
    changed = business.change(
        scope,
        name=scope.tenant.name,
        timezone=scope.tenant.timezone,
        settings={"notices": notices, "contact": contact},
    )
    toast("Settings saved." if changed else "Nothing was changed.")
    return redirect("/settings/notices", 303)


def _ordered(form: Form) -> list[str]:
    given = [form.choice(f"way{at}", [*CHANNELS, NO_CHANNEL]) for at in range(len(CHANNELS))]
    ordered = [channel for channel in given if channel and channel != NO_CHANNEL]
    if not ordered:
        form.errors["way0"] = "Choose at least one way to reach a buyer."
    for at, channel in enumerate(given):
        if channel in CHANNELS and channel in given[:at]:
            form.errors[f"way{at}"] = "This way is in the list already."
    return ordered


def _check_url(form: Form, url: str, *, needed: bool) -> None:
    if not url:
        if needed:
            form.errors["url"] = "Enter the address of your system, or take it out of the ways."
        return
    try:
        check_public(url, allow_private=settings.current().private_services == "allow")
    except (NotPublic, OSError):
        form.errors["url"] = "Enter a public https address that can be reached."


def _check_address(form: Form, address: list[str], *, needed: bool) -> None:
    if needed and len(address) < 2:
        form.errors["address"] = "Letters need your own postal address, on two lines or more."
    elif len(address) > 5 or any(len(line) > 60 for line in address):
        form.errors["address"] = "Use at most five lines of 60 characters."


# ---- one message


@blueprint.get("/settings/notices/<kind>/<language>")
@page("settings:read")
def wording(kind: str, language: str) -> Any:
    """The wording in force or the version asked for, with what a buyer would read."""
    _check_kind(kind, language)
    asked = request.args.get("version", "")
    version = int(asked) if asked.isdigit() and len(asked) < 9 else _in_force(kind, language)
    found = templates.wording(current(), kind, language, version)
    return _draw_wording(kind, language, _form(found), version, 200)


@blueprint.post("/settings/notices/<kind>/<language>")
@page("settings:write")
def act(kind: str, language: str) -> Any:
    """`preview` a wording without keeping it; `keep` it as a new version; `use` a version; `test` it on oneself."""
    _check_kind(kind, language)
    form, do = Form(request.form), request.form.get("do", "preview")
    asked = form.value("version")
    version = int(asked) if asked.isdigit() and len(asked) < 9 else 0
    if do == "keep":
        return _keep(kind, language, form, version)
    if do == "use":
        return _use(kind, language, form, version)
    if do == "test":
        return _test(kind, language, version)
    form.errors |= templates.faults(_shop(), _today(), kind, language, _given(form))
    return _draw_wording(kind, language, form, version, 422 if form.errors else 200)


def _keep(kind: str, language: str, form: Form, version: int) -> Any:
    given = _given(form)
    form.errors |= templates.faults(_shop(), _today(), kind, language, given)
    if form.errors:
        return _draw_wording(kind, language, form, version)
    kept = templates.keep(current(), _shop(), kind, language, given)
    toast(f"Kept as version {kept}. It is not in force yet.")
    return redirect(f"/settings/notices/{kind}/{language}?version={kept}", 303)


def _use(kind: str, language: str, form: Form, version: int) -> Any:
    try:
        templates.put_in_force(current(), _shop(), kind, language, version)
    except Problem as problem:
        if problem.status == 404:
            raise
        form.refused(problem)
        found = templates.wording(current(), kind, language, version)
        again = _form(found)
        again.problems = form.problems
        return _draw_wording(kind, language, again, version, problem.status)
    toast(f"Version {version} is in force." if version else "Kept's own wording is in force.")
    return redirect(f"/settings/notices/{kind}/{language}", 303)


def _test(kind: str, language: str, version: int) -> Any:
    scope, to = current(), visit().email
    templates.wording(scope, kind, language, version)
    scope.later(events.SAMPLE_ASKED, new_id(), kind=kind, language=language, version=version, to=to)
    toast(f"A sample is on its way to {to}.")
    return redirect(f"/settings/notices/{kind}/{language}?version={version}", 303)


def _check_kind(kind: str, language: str) -> None:
    if kind not in KINDS or language not in LANGUAGES:
        raise not_found("message")


def _in_force(kind: str, language: str) -> int:
    return int((_notices().get("templates") or {}).get(f"{kind}.{language}", 0))


def _form(found: Wording) -> Form:
    return Form({"subject": found.subject, "body": found.body, "sms": found.sms})


def _given(form: Form) -> Wording:
    subject, sms = (" ".join(form.value(name).split()) for name in ("subject", "sms"))
    return Wording(subject, form.value("body").replace("\r\n", "\n").strip() + "\n", sms)


def _shop() -> Any:
    return shop_of(current())


def _today() -> Any:
    return local_date(current().now(), current().tenant.timezone)


def _draw_wording(kind: str, language: str, form: Form, version: int, status: int = 422) -> Any:
    found = samples(kind, _shop(), _today(), language)
    case = form.value("case") if form.value("case") in found else request.args.get("case", "")
    case = case if case in found else next(iter(found))
    try:
        preview = render(found[case], _given(form))
    except Unfit:
        preview = None
    return form.again(
        "settings/wording.html",
        status,
        kind=kind,
        language=language,
        names=KIND_WORDS,
        languages=LANGUAGE_WORDS,
        version=version,
        in_force=_in_force(kind, language),
        versions=templates.versions(current(), kind, language),
        placeholders=placeholders(kind),
        longest=LONGEST,
        cases=list(found),
        case=case,
        preview=preview,
        html=Markup.escape(preview.html) if preview else "",
        address=visit().email,
    )


@blueprint.get("/settings/notices/<kind>/<language>/letter.pdf")
@page("settings:read")
def letter(kind: str, language: str) -> Response:
    """A version as a letter on paper, with sample facts."""
    _check_kind(kind, language)
    asked = request.args.get("version", "")
    version = int(asked) if asked.isdigit() and len(asked) < 9 else 0
    found = samples(kind, _shop(), _today(), language)
    facts = found.get(request.args.get("case", "")) or next(iter(found.values()))
    made = render(facts, templates.wording(current(), kind, language, version))
    return Response(sample_page(facts, made), mimetype="application/pdf")
