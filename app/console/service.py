"""What platform staff do inside a tenant: each act has a reason, is one transaction, and stands in the tenant's audit
log under the name of who did it."""

from __future__ import annotations

from uuid import UUID

from infra import outbox
from infra.errors import invalid, not_found, refused
from tenants import audit, service
from tenants.scope import Actor, Scope, inside

LEAST_REASON, MOST_REASON = 8, 500


def suspend(tenant_id: UUID, reason: str, actor: Actor) -> None:
    """Close a tenant's doors. Raises Problem 404, 409 `suspended-already`, 422 without a reason."""
    reason = _reason(reason)
    if _status(tenant_id, actor) == "suspended":
        raise refused("suspended-already", "This tenant is suspended already.")
    service.suspend(tenant_id, reason, actor)


def resume(tenant_id: UUID, reason: str, actor: Actor) -> None:
    """Open a suspended tenant's doors. Raises Problem 404, 409 `not-suspended`, 422 without a reason."""
    reason = _reason(reason)
    if _status(tenant_id, actor) != "suspended":
        raise refused("not-suspended", "This tenant is not suspended.")
    with inside(tenant_id, actor) as scope:
        # Written first, so that nothing is ever done without the reason standing there.
        audit.record(scope, "staff.acted", scope.tenant.name, act="resume", reason=reason)
    service.resume(tenant_id, actor)


def retry(tenant_id: UUID, row_id: UUID, reason: str, actor: Actor) -> str:
    """Have work that was given up tried again, with all its attempts. Returns its topic.

    Raises Problem 404, 409 `not-dead`, 422 without a reason.
    """
    reason = _reason(reason)
    with inside(tenant_id, actor) as scope:
        topic = _locked_dead(scope, row_id)
        outbox.again(scope.session, tenant_id, row_id)
        audit.record(scope, "work.retried", topic, reason=reason, work=row_id)
    return topic


def discard(tenant_id: UUID, row_id: UUID, reason: str, actor: Actor) -> str:
    """Give work up for good: it is over, and says by whom and why. Returns its topic.

    Raises Problem 404, 409 `not-dead`, 422 without a reason.
    """
    reason = _reason(reason)
    with inside(tenant_id, actor) as scope:
        topic = _locked_dead(scope, row_id)
        outbox.discard(scope.session, tenant_id, row_id, f"Discarded by {actor.name}: {reason}")
        audit.record(scope, "work.discarded", topic, reason=reason, work=row_id)
    return topic


def _reason(given: str) -> str:
    reason = " ".join(given.split())
    if not LEAST_REASON <= len(reason) <= MOST_REASON:
        raise invalid(
            "/reason",
            f"Give a reason of {LEAST_REASON} to {MOST_REASON} characters. The tenant reads it in its audit log.",
        )
    return reason


def _status(tenant_id: UUID, actor: Actor) -> str:
    with inside(tenant_id, actor) as scope:
        row = scope.row("SELECT status FROM tenants WHERE tenant_id = :tenant")
    if row is None:
        raise not_found("tenant")
    return str(row.status)


def _locked_dead(scope: Scope, row_id: UUID) -> str:
    row = scope.row(
        "SELECT topic, state FROM outbox WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=row_id
    )
    if row is None:
        raise not_found("piece of work")
    if row.state != "dead":
        raise refused(
            "not-dead", "This work is not given up any more: somebody was quicker, or it was sent again."
        )
    return str(row.topic)
