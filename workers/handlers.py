"""The two kinds of later work. A topic has at most one `Call`, its first handler, and any number of verbs.

`Verb`: one transaction, committed together with the outbox row's end: it happens exactly once.
`Call`: something outside is asked. begin (transaction) -> call (no transaction open, keyed by the attempt) ->
finish (transaction). A crash in between leaves the attempt open; the row is sent again, `begin` finds the same
attempt and `call` repeats it under the same key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tenants.scope import Scope


@dataclass(frozen=True)
class Verb:
    """run(scope, subject_id, **payload): one transaction. Must be harmless when there is nothing to do."""

    run: Callable[..., None]

    @property
    def name(self) -> str:
        """What the outbox calls it when it is done and another verb of the row is not."""
        return f"{self.run.__module__}.{self.run.__qualname__}"


@dataclass(frozen=True)
class Call:
    """begin(scope, subject_id, **payload) -> request or None; call(request) -> answer; finish(scope, request,
    answer). `call` returns an answer also for a lawful refusal (a decline); it raises when the outcome is
    unknown, and the row is tried again later."""

    begin: Callable[..., Any]
    call: Callable[[Any], Any]
    finish: Callable[[Scope, Any, Any], None]
    failed: Callable[[Scope, Any, Exception], None] | None = None
    """Told when `call` raised, in a transaction of its own: marks the attempt unknown."""


Handler = Verb | Call


def parted(handlers: Sequence[Handler]) -> tuple[Call | None, tuple[Verb, ...]]:
    """A topic's call, if it has one, and its verbs."""
    calls = [handler for handler in handlers if isinstance(handler, Call)]
    return next(iter(calls), None), tuple(handler for handler in handlers if isinstance(handler, Verb))


@dataclass(frozen=True)
class Work:
    """One outbox row as a worker sees it."""

    tenant_id: UUID
    row_id: UUID
    topic: str
    subject_id: UUID
    payload: dict[str, Any]
