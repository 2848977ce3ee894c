"""How a merchant chooses the laws its orders follow and its readings of the delay rule: checked, versioned, and written
down with what they were before (audit log). Orders keep what held when they were placed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from app.promises.laws import Laws, laws_document, laws_from
from app.promises.readings import (
    FIXED,
    Settings,
    SettingsFault,
    from_settings,
    member,
    pointer,
    to_document,
)
from infra.errors import invalid, refused
from tenants import business
from tenants.scope import Scope


def in_force(scope: Scope) -> tuple[Settings, Laws]:
    """The readings and the laws that an order placed now follows. Raises Problem 409 when what is stored is none."""
    settings = scope.tenant.settings
    try:
        return from_settings(settings.get("promises")), laws_from(settings.get("laws"))
    except SettingsFault as fault:
        raise refused("promise-settings", f"Mend the settings first. {fault}") from fault


def followed(scope: Scope) -> dict[str, Any]:
    """What is chosen now, in full, with the versions."""
    settings = scope.tenant.settings
    return {
        "promises": to_document(from_settings(settings.get("promises"))),
        "laws": laws_document(laws_from(settings.get("laws"))),
        "configuration": scope.tenant.config_version,
    }


def follow(
    scope: Scope,
    *,
    readings: Mapping[str, Any] | None = None,
    laws: Mapping[str, Any] | None = None,
    replaces: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Choose anew, for orders placed from now on; None leaves a part as it is. `replaces`: the versions that were seen,
    by part. Returns what is chosen then. Raises Problem 422 naming the member and the remedy; 409 `settings-changed`
    when another version is in force than was seen."""
    _check_seen(scope, replaces or {})
    chosen: dict[str, Any] = {}
    if readings is not None:
        with _named():
            made = to_document(from_settings(_unversioned(readings)))
        chosen["promises"] = {name: value for name, value in made.items() if name not in FIXED}
    if laws is not None:
        with _named():
            document = laws_document(laws_from(_unversioned(laws)))
        _check_channels(scope, document["channels"])
        chosen["laws"] = document
    business.change(scope, name=scope.tenant.name, timezone=scope.tenant.timezone, settings=chosen)
    settings = {**scope.tenant.settings, **chosen}
    return {
        "promises": to_document(from_settings(settings.get("promises"))),
        "laws": laws_document(laws_from(settings.get("laws"))),
        "configuration": _configuration(scope),
    }


def _check_seen(scope: Scope, replaces: Mapping[str, str]) -> None:
    """One change at a time: read under the lock, for what the scope knows may be from before another's change."""
    row = scope.row("SELECT settings FROM tenants WHERE tenant_id = :tenant FOR NO KEY UPDATE")
    stored = row.settings if row is not None else {}
    now = {
        "promises": from_settings(stored.get("promises")).version,
        "laws": laws_from(stored.get("laws")).version,
    }
    if any(now[part] != seen for part, seen in replaces.items()):
        raise refused(
            "settings-changed",
            "Somebody changed these settings meanwhile. Open them anew, then change what they say now.",
        )


@contextmanager
def _named() -> Iterator[None]:
    """A document's fault as a problem at its member."""
    try:
        yield
    except SettingsFault as fault:
        raise invalid(pointer(fault.path), fault.detail) from fault


def _unversioned(document: Mapping[str, Any]) -> dict[str, Any]:
    """Its version follows from what it says."""
    return {member: value for member, value in document.items() if member != "version"}


def _check_channels(scope: Scope, channels: Mapping[str, str]) -> None:
    if not channels:
        return
    known = scope.rows(
        "SELECT code FROM channels WHERE tenant_id = :tenant AND code = ANY(:codes)", codes=list(channels)
    )
    for code in sorted(channels.keys() - {row.code for row in known}):
        raise invalid(
            pointer(member("laws.channels", code)), f"There is no channel {code}. See Settings for the codes."
        )


def _configuration(scope: Scope) -> int:
    row = scope.row("SELECT config_version FROM tenants WHERE tenant_id = :tenant")
    return int(row.config_version) if row is not None else 0
