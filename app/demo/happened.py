"""What happened to past orders, as rows by table that wait for one bulk statement."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from infra.ids import first_id_at


@dataclass
class Happened:
    """Rows of what happened after the placing, by table, for one batch of orders."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: str, **row: Any) -> None:
        """One more row of a table."""
        self.rows[table].append(row)

    def step(self, machine: str, subject: UUID, before: str, after: str, actor: str, at: datetime) -> None:
        """A machine's step from one status to the next."""
        self.add(
            "status_changes",
            id=id_at(at),
            machine=machine,
            subject_id=subject,
            before=before,
            after=after,
            actor=actor,
            at=at,
        )

    def told(self, order: UUID, name: str, actor: str, at: datetime, **data: Any) -> None:
        """An event on an order's timeline."""
        self.add("timeline", id=id_at(at), order_id=order, name=name, at=at, actor=actor, data=data)


def id_at(at: datetime) -> UUID:
    """An id as if made at that time: histories are read in the order of their ids."""
    return UUID(int=first_id_at(at).int | int.from_bytes(os.urandom(7), "big"))
