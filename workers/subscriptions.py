"""Who reacts to what: one table."""

from __future__ import annotations

from workers.handlers import Handler

SUBSCRIPTIONS: dict[str, tuple[Handler, ...]] = {}
