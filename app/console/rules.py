"""How a tenant stands from the platform's side, and which rows of the fence are right. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

SLOW_SECONDS = 60.0
"""Work that waits longer than this is worth a look."""
FENCE = "(tenant_id = (current_setting('app.tenant_id'::text))::uuid)"
POLICIES = {"tenant": (FENCE, FENCE), "operator": ("true", None), "owner": ("true", "true")}
"""What every tenant table's policies say: (what a role may see, what it may write)."""


@dataclass(frozen=True)
class Health:
    """A state of the pages' grammar, its word, and what is behind it."""

    s: str
    word: str
    note: str = ""


def health(*, status: str, dead: int, oldest_seconds: float, unsettled: int) -> Health:
    """How a tenant stands: the worst first. `oldest_seconds` is how long its oldest work has waited past its time."""
    if status == "suspended":
        return Health("idle", "Suspended", "Its doors are closed")
    if dead:
        return Health("late", "Failed jobs", f"{dead:,} given up")
    if unsettled:
        return Health("risk", "Money unsettled", f"{unsettled:,} without an answer")
    if oldest_seconds > SLOW_SECONDS:
        return Health("risk", "Slow", "Work waits over a minute")
    return Health("kept", "Healthy")


@dataclass(frozen=True)
class Fence:
    """One table's row-level security as PostgreSQL has it."""

    table: str
    enabled: bool
    forced: bool
    policies: Mapping[str, tuple[str | None, str | None]]
    """(USING, WITH CHECK) by the policy's name."""


def fence_faults(fences: Collection[Fence]) -> list[str]:
    """What is wrong with the fences; empty when all is right. None at all is a fault: nothing was looked at then."""
    faults = [] if fences else ["no table is there"]
    for fence in fences:
        if not (fence.enabled and fence.forced):
            faults.append(f"{fence.table} has no forced row-level security")
        elif dict(fence.policies) != POLICIES:
            faults.append(f"{fence.table} has other policies than it must")
    return faults
