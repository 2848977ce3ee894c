"""A merchant's own wordings: kept as versions that never change, put in force one at a time, checked before either.

Which version is in force stands in the tenant's settings, `notices.templates` {"delay.es": 3}; without an entry Kept's
own wording, version 0, is.
"""

from __future__ import annotations

from typing import Any

from app.calendar import local_date
from app.notices.compose import own_wording, render
from app.notices.facts import Shop
from app.notices.placeholders import KINDS, placeholders
from app.notices.rules import lint
from app.notices.samples import samples
from app.notices.source import Unfit, Wording, check
from app.notices.vocabulary import LANGUAGES
from infra.errors import invalid, not_found, refused
from infra.ids import new_id
from tenants import audit, business
from tenants.scope import Scope

PARTS = ("subject", "body", "sms")


def wording(scope: Scope, kind: str, language: str, version: int) -> Wording:
    """One version; 0 is Kept's own. Raises Problem 404."""
    if kind not in KINDS or language not in LANGUAGES:
        raise not_found("message")
    if version == 0:
        return own_wording(kind, language)
    row = scope.row(
        "SELECT subject, body, sms FROM notice_templates WHERE tenant_id = :tenant AND kind = :kind"
        " AND language = :language AND version = :version",
        kind=kind,
        language=language,
        version=version,
    )
    if row is None:
        raise not_found("version")
    return Wording(row.subject, row.body, row.sms, version)


def in_force(scope: Scope, kind: str, language: str) -> Wording:
    """The wording by which messages of this kind are made now."""
    return wording(scope, kind, language, _chosen(scope).get(f"{kind}.{language}", 0))


def versions(scope: Scope, kind: str, language: str) -> list[Any]:
    """A kind's own versions, the newest first."""
    return scope.rows(
        "SELECT version, created_at, created_by FROM notice_templates WHERE tenant_id = :tenant AND kind = :kind"
        " AND language = :language ORDER BY version DESC",
        kind=kind,
        language=language,
    )


def faults(shop: Shop, today: Any, kind: str, language: str, given: Wording) -> dict[str, str]:
    """What is wrong with a wording, by part: that it cannot be used, or what the message would lack in some case."""
    found = {part: fault for part in PARTS if (fault := _unfit(kind, part, getattr(given, part)))}
    if found:
        return found
    lacks: dict[str, str] = {}
    for case, facts in samples(kind, shop, today, language).items():
        try:
            missing = lint(facts, render(facts, given))
        except Unfit as unfit:
            return {"body": str(unfit)}
        for name in missing:
            lacks.setdefault(name, case)
    body = [f"{name} ({case})" for name, case in lacks.items() if "text message" not in name]
    short = [name.removesuffix(" in the text message") for name in lacks if "text message" in name]
    if body:
        found["body"] = f"The message lacks: {', '.join(body)}. Put the placeholders for it back."
    if short:
        found["sms"] = f"The text message lacks: {', '.join(short)}. Put the placeholders for it back."
    return found


def _unfit(kind: str, part: str, source: str) -> str:
    by_shape: dict[str, list[str]] = {"text": [], "block": [], "flag": []}
    for one in placeholders(kind):
        by_shape[one.shape].append(one.name)
    if not source.strip():
        return "It is empty."
    try:
        check(part, source, by_shape["text"], by_shape["block"], by_shape["flag"])
    except Unfit as unfit:
        return str(unfit)
    return ""


def keep(scope: Scope, shop: Shop, kind: str, language: str, given: Wording) -> int:
    """Keep a wording as the next version, not in force yet; returns its number, also of the newest one when that is
    the same. Raises Problem 404, 422 at /subject, /body or /sms for one that may not be used."""
    wording(scope, kind, language, 0)
    for part, fault in faults(shop, _today(scope), kind, language, given).items():
        raise invalid(f"/{part}", fault)
    scope.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))",
        key=f"{scope.tenant_id}:wording:{kind}:{language}",
    )
    known = versions(scope, kind, language)
    newest = known[0].version if known else 0
    if newest and _same(wording(scope, kind, language, newest), given):
        return int(newest)
    scope.execute(
        "INSERT INTO notice_templates (tenant_id, id, kind, language, version, subject, body, sms, created_at,"
        " created_by) VALUES (:tenant, :id, :kind, :language, :version, :subject, :body, :sms, :now, :who)",
        id=new_id(),
        kind=kind,
        language=language,
        version=newest + 1,
        subject=given.subject,
        body=given.body,
        sms=given.sms,
        now=scope.now(),
        who=scope.actor.name,
    )
    audit.record(scope, "notice_template.kept", f"{kind}.{language}", version=newest + 1)
    return int(newest) + 1


def put_in_force(scope: Scope, shop: Shop, kind: str, language: str, version: int) -> None:
    """Make messages of this kind by this version from now on; 0: by Kept's own wording.

    Raises Problem 404; 409 `notice-incomplete` when it lacks what the message must say by today's rules.
    """
    found = faults(shop, _today(scope), kind, language, wording(scope, kind, language, version))
    if found:
        raise refused("notice-incomplete", " ".join(found.values()))
    notices = scope.tenant.settings.get("notices") or {}
    chosen = {**_chosen(scope), f"{kind}.{language}": version}
    business.change(
        scope,
        name=scope.tenant.name,
        timezone=scope.tenant.timezone,
        settings={"notices": {**notices, "templates": {name: one for name, one in chosen.items() if one}}},
    )


def _chosen(scope: Scope) -> dict[str, int]:
    return dict((scope.tenant.settings.get("notices") or {}).get("templates") or {})


def _today(scope: Scope) -> Any:
    return local_date(scope.now(), scope.tenant.timezone)


def _same(one: Wording, other: Wording) -> bool:
    return all(getattr(one, part) == getattr(other, part) for part in PARTS)
