"""A status changes here and nowhere else: the table allows it, the history keeps it.

A machine's first state is no step; every later one is a row of `status_changes`, so a status can be checked
against its history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from infra.errors import refused
from infra.ids import new_id
from tenants.scope import Scope


@dataclass(frozen=True)
class Machine:
    """One small machine: its column, its first state and the steps it allows."""

    name: str
    table: str
    column: str
    first: str
    steps: Mapping[str, frozenset[str]]

    def allows(self, before: str, after: str) -> bool:
        """Whether the step stands in the table."""
        return after in self.steps.get(before, frozenset())


def _steps(**table: str) -> Mapping[str, frozenset[str]]:
    return {state: frozenset(after.split()) for state, after in table.items()}


ORDER = Machine(
    "order", "orders", "status", "placed", _steps(draft="placed cancelled", placed="closed cancelled")
)
WORK = Machine(
    "work",
    "fulfillment_orders",
    "work_status",
    "open",
    _steps(
        open="picking packed shipped incomplete cancelled",
        picking="packed shipped incomplete cancelled",
        packed="shipped incomplete cancelled",
    ),
)
REQUEST = Machine(
    "request",
    "fulfillment_orders",
    "request_status",
    "held",
    _steps(
        held="submitted closed",
        submitted="accepted rejected cancel_requested closed held",
        accepted="cancel_requested rejected closed",
        cancel_requested="accepted closed",
    ),
)
MACHINES = {machine.name: machine for machine in (ORDER, WORK, REQUEST)}


def transition(
    scope: Scope, machine: Machine, subject_id: UUID, before: str, after: str, *, why: str = ""
) -> None:
    """Take one step: the caller holds the row's lock and read `before` under it.

    Raises Problem 409 by the name `<machine>-<before>` when the table has no such step.
    """
    transition_all(scope, machine, [subject_id], before, after, why=why)


def transition_all(
    scope: Scope, machine: Machine, subject_ids: Sequence[UUID], before: str, after: str, *, why: str = ""
) -> None:
    """The same step of several subjects, in two statements. As `transition`."""
    if not machine.allows(before, after):
        raise refused(
            f"{machine.name}-{before.replace('_', '-')}",
            f"It is {before.replace('_', ' ')}, so it cannot become {after.replace('_', ' ')}.",
        )
    scope.execute(
        f"UPDATE {machine.table} SET {machine.column} = :after WHERE tenant_id = :tenant AND id = ANY(:ids)",
        after=after,
        ids=list(subject_ids),
    )
    scope.many(
        "INSERT INTO status_changes (tenant_id, id, machine, subject_id, before, after, why, actor, at)"
        " VALUES (:tenant, :id, :machine, :subject, :before, :after, :why, :actor, :at)",
        [
            {
                "id": new_id(),
                "machine": machine.name,
                "subject": subject_id,
                "before": before,
                "after": after,
                "why": why,
                "actor": str(scope.actor),
                "at": scope.now(),
            }
            for subject_id in subject_ids
        ],
    )
