"""A form as it was sent: its values stay, each fault stands at its field, the answer is 422.

form = Form(request.form)
name = form.text("name", "Enter a name.")
email = form.email("email")
if form.errors:
    return form.again("settings/team.html", ...)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template
from werkzeug.datastructures import MultiDict

from app.money import ungrouped
from infra.errors import Problem
from tenants import passwords
from tenants.accounts import is_address


class Form:
    """Values as typed, and what is wrong with them by field name."""

    def __init__(self, sent: Mapping[str, str] | None = None) -> None:
        self.sent: MultiDict[str, str] = MultiDict(sent or {})
        self.errors: dict[str, str] = {}
        self.problems: list[str] = []
        """Faults that belong to no field."""

    def value(self, name: str, default: Any = "") -> str:
        """A field as typed, for drawing it again; `default` in a form not sent yet."""
        return str(self.sent.get(name, default))

    def error(self, name: str) -> str:
        """What is wrong with a field; empty when nothing."""
        return self.errors.get(name, "")

    def chosen(self, name: str, value: str) -> bool:
        """Whether a box of several is ticked."""
        return value in self.sent.getlist(name)

    def text(self, name: str, missing: str = "", *, most: int = 120) -> str:
        """Text on one line; `missing` is what to say when it is needed and empty."""
        given = " ".join(self.sent.get(name, "").split())
        if missing and not given:
            self.errors[name] = missing
        elif len(given) > most:
            self.errors[name] = f"Use at most {most} characters."
        elif not given.isprintable():
            self.errors[name] = "Use letters, figures and signs only."
        return given

    def email(self, name: str) -> str:
        """An email address."""
        given = self.sent.get(name, "").strip()
        if not is_address(given):
            self.errors[name] = "Enter an email address such as name@example.com."
        return given

    def new_password(self, name: str, *own_words: str) -> str:
        """A password to be set, exactly as typed."""
        given = self.sent.get(name, "")
        if fault := passwords.fault(given, *own_words):
            self.errors[name] = fault
        return given

    def choice(self, name: str, options: Collection[str]) -> str:
        """One of the options."""
        given = self.sent.get(name, "")
        if given not in options:
            self.errors[name] = "Choose one of the list."
        return given

    def choices(self, name: str, options: Collection[str], missing: str) -> list[str]:
        """Some of the options, at least one."""
        given = [value for value in self.sent.getlist(name) if value in options]
        if not given:
            self.errors[name] = missing
        return sorted(set(given))

    def whole(self, name: str, least: int, most: int, *, optional: bool = False) -> int | None:
        """A whole number; None when empty and optional, or wrong."""
        given = ungrouped(self.sent.get(name, "").strip())
        if not given and optional:
            return None
        if not (given.isascii() and given.isdigit() and len(given) < 12 and least <= int(given) <= most):
            self.errors[name] = f"Enter a whole number from {least:,} to {most:,}."
            return None
        return int(given)

    def percent(self, name: str, most: int, hint: str) -> float | None:
        """A percentage from 0 to `most`; None when empty or wrong."""
        given = self.sent.get(name, "").strip().rstrip("%").strip()
        if not given:
            return None
        try:
            found = float(given)
        except ValueError:
            found = -1.0
        if not 0 <= found <= most:
            self.errors[name] = f"Enter a percentage from 0 to {most}, {hint}."
            return None
        return found

    def day(self, name: str, zone: str, *, ends: bool = False, needed: bool = False) -> datetime | None:
        """A day of the calendar as its first moment in the zone (`ends`: as the end of that day), UTC."""
        given = self.sent.get(name, "").strip()
        if not given and not needed:
            return None
        try:
            chosen = date.fromisoformat(given)
        except ValueError:
            chosen = date.min
        if not 2000 <= chosen.year <= 2200:
            self.errors[name] = "Enter a day such as 2026-12-31."
            return None
        chosen += timedelta(days=1 if ends else 0)
        return datetime.combine(chosen, time.min, ZoneInfo(zone)).astimezone(UTC)

    def refused(self, problem: Problem, field: str = "") -> None:
        """A verb refused: its sentence stands at the field, or above the form."""
        if field:
            self.errors[field] = problem.detail
        else:
            self.problems.append(problem.detail)

    @property
    def has_faults(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.errors or self.problems)

    def again(self, template: str, status: int = 422, **context: Any) -> tuple[str, int]:
        """The page again with everything typed and every fault."""
        return render_template(template, form=self, **context), status
