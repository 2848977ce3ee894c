"""Toasts: "done", and how to undo it. Errors never come as a toast."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flask import flash, get_flashed_messages


@dataclass(frozen=True)
class Toast:
    """One short sentence; `undo_url` is answered to a POST."""

    text: str
    undo_url: str = ""
    link_url: str = ""
    link_label: str = ""


def toast(text: str, *, undo_url: str = "", link_url: str = "", link_label: str = "") -> None:
    """Show a toast on the next page drawn for this person (kept in the session, as Flask's flashes are)."""
    flash(asdict(Toast(text, undo_url, link_url, link_label)), "toast")  # type: ignore[arg-type]


def take_toasts() -> list[Toast]:
    """The waiting toasts; plain `flash("...")` texts are toasts without a link."""
    waiting = get_flashed_messages()
    return [Toast(**message) if isinstance(message, dict) else Toast(str(message)) for message in waiting]
