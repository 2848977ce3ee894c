"""Who belongs to a tenant, with which role: reading it, inviting, changing, removing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from infra.clock import real_now
from infra.errors import Problem, invalid, not_found, refused
from infra.ids import new_id
from tenants import audit, service, sessions
from tenants.links import INVITATION, LIFETIMES
from tenants.rules import may_grant, role_permissions
from tenants.scope import FACTS, Scope, TenantFacts, directory, opened
from tenants.vocabulary import ROLES

INVITED = "member.invited"
"""The outbox topic of an invitation's mail."""
MOST_CHOICES = 40
NAMES_SECONDS = 60.0


@dataclass(frozen=True)
class Membership:
    """A member as the edge needs them."""

    id: UUID
    name: str
    role: str
    suspended_reason: str | None


def of_account(scope: Scope, account_id: UUID | None) -> Membership | None:
    """The account's membership here, and the tenant's facts with it in one read. None: not a member (any more)."""
    row = scope.row(
        f"SELECT {FACTS}, m.id AS member_id, m.name AS member_name, m.role, t.suspended_reason FROM tenants t"
        " JOIN members m ON m.tenant_id = t.tenant_id AND m.account_id = :account AND m.removed_at IS NULL"
        " WHERE t.tenant_id = :tenant",
        account=account_id,
    )
    if row is None:
        return None
    scope._facts = TenantFacts(*row[:10])
    return Membership(row.member_id, row.member_name, row.role, row.suspended_reason)


@dataclass(frozen=True)
class Choice:
    """A tenant that an account may work in."""

    tenant_id: UUID
    name: str
    environment: str


_names: dict[UUID, tuple[float, Choice]] = {}
"""Names shown in the tenant switch, good for a minute: each lies behind its own tenant's fence."""


def choices(account_id: UUID) -> list[Choice]:
    """The tenants of an account by name, live before sandbox; at most 40."""
    with directory() as session:
        ids = session.execute(
            text("SELECT tenant_id FROM account_tenants WHERE account_id = :account ORDER BY 1 LIMIT :most"),
            {"account": account_id, "most": MOST_CHOICES},
        ).scalars()
        known = ids.all()
    found = [_choice(tenant_id) for tenant_id in known]
    return sorted(found, key=lambda choice: (choice.name.casefold(), choice.environment))


def _choice(tenant_id: UUID) -> Choice:
    read_at, choice = _names.get(tenant_id, (0.0, None))
    if choice is None or time.monotonic() - read_at > NAMES_SECONDS:
        with opened(tenant_id) as scope:
            choice = Choice(tenant_id, scope.tenant.name, scope.tenant.environment)
        _names[tenant_id] = (time.monotonic(), choice)
    return choice


def listed(scope: Scope) -> list[Any]:
    """The team: id, account_id, name, email, role, created_at; owners first, then by name."""
    return scope.rows(
        "SELECT id, account_id, name, email, role, created_at FROM members WHERE tenant_id = :tenant"
        " AND removed_at IS NULL ORDER BY array_position(ARRAY['owner', 'manager', 'agent', 'picker', 'analyst'],"
        " role), lower(name), id"
    )


def invite(scope: Scope, email: str, role: str) -> UUID:
    """Offer a membership; a mail goes out after the commit. An open invitation to the same address is replaced.

    Raises Problem 409 for somebody who is a member already, 403 for a role that may do more than the inviter.
    """
    _may_give(scope, role)
    if scope.row(
        "SELECT id FROM members WHERE tenant_id = :tenant AND lower(email) = lower(:email) AND removed_at IS NULL",
        email=email,
    ):
        raise refused("already-member", f"{email} is in the team already. Change the role in the list.")
    now, invitation_id = real_now(), new_id()
    scope.execute(
        "UPDATE invitations SET revoked_at = :now WHERE tenant_id = :tenant AND lower(email) = lower(:email)"
        " AND accepted_at IS NULL AND revoked_at IS NULL",
        email=email,
        now=now,
    )
    scope.execute(
        "INSERT INTO invitations (tenant_id, id, email, role, invited_by, created_at, expires_at) VALUES (:tenant,"
        " :id, :email, :role, :by, :now, :expires)",
        id=invitation_id,
        email=email,
        role=role,
        by=scope.actor.name,
        now=now,
        expires=now + LIFETIMES[INVITATION],
    )
    scope.later(INVITED, invitation_id)
    audit.record(scope, "member.invited", email, role=role)
    return invitation_id


def invitation(scope: Scope, invitation_id: UUID) -> Any | None:
    """An invitation that may still be accepted: id, email, role, invited_by, created_at, expires_at."""
    return scope.row(
        "SELECT id, email, role, invited_by, created_at, expires_at FROM invitations WHERE tenant_id = :tenant"
        " AND id = :id AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > :now",
        id=invitation_id,
        now=real_now(),
    )


def invitations(scope: Scope) -> list[Any]:
    """Invitations that are neither accepted nor revoked, newest first; also the expired ones."""
    return scope.rows(
        "SELECT id, email, role, invited_by, created_at, expires_at FROM invitations WHERE tenant_id = :tenant"
        " AND accepted_at IS NULL AND revoked_at IS NULL ORDER BY id DESC LIMIT 100"
    )


def withdraw(scope: Scope, invitation_id: UUID) -> None:
    """The link of an invitation stops working. Raises 404."""
    row = scope.row(
        "UPDATE invitations SET revoked_at = coalesce(revoked_at, :now) WHERE tenant_id = :tenant AND id = :id"
        " AND accepted_at IS NULL RETURNING email",
        id=invitation_id,
        now=real_now(),
    )
    if row is None:
        raise not_found("invitation")
    audit.record(scope, "invitation.withdrawn", row.email)


def accept(scope: Scope, invitation_id: UUID, account_id: UUID) -> str:
    """The account becomes a member. Returns the role. Raises 404 when it was used, withdrawn or expired."""
    now = real_now()
    row = scope.row(
        "UPDATE invitations SET accepted_at = :now WHERE tenant_id = :tenant AND id = :id AND accepted_at IS NULL"
        " AND revoked_at IS NULL AND expires_at > :now RETURNING role",
        id=invitation_id,
        now=now,
    )
    if row is None:
        raise not_found("invitation")
    service.add_member(scope, account_id, row.role)
    sessions.rotate_soon(scope.session, account_id)
    return str(row.role)


def change_role(scope: Scope, member_id: UUID, role: str) -> None:
    """Give a member another role. Raises 404, 403 (more than the giver has), 409 `last-owner`."""
    _may_give(scope, role)
    member = _locked(scope, member_id)
    if member.role == role:
        return
    if member.role == "owner":
        _refuse_last_owner(scope, member_id)
    scope.execute(
        "UPDATE members SET role = :role WHERE tenant_id = :tenant AND id = :id", id=member_id, role=role
    )
    sessions.rotate_soon(scope.session, member.account_id)
    audit.record(scope, "member.role_changed", member.email, before=member.role, role=role)


def remove(scope: Scope, member_id: UUID) -> None:
    """End a membership; the person's next request finds it gone. Raises 404, 409 `last-owner`."""
    member = _locked(scope, member_id)
    if member.role == "owner":
        _refuse_last_owner(scope, member_id)
    scope.execute(
        "UPDATE members SET removed_at = :now WHERE tenant_id = :tenant AND id = :id",
        id=member_id,
        now=real_now(),
    )
    scope.execute(
        "DELETE FROM account_tenants WHERE tenant_id = :tenant AND account_id = :account",
        account=member.account_id,
    )
    sessions.rotate_soon(scope.session, member.account_id)
    audit.record(scope, "member.removed", member.email, role=member.role)


def _may_give(scope: Scope, role: str) -> None:
    if role not in ROLES:
        raise invalid("/role", "Choose one of the roles.")
    if scope.actor.kind != "system" and not may_grant(scope.actor.permissions, role_permissions(role)):
        raise Problem(403, "more-than-own", "Nobody can give a role that may do more than their own.")


def _locked(scope: Scope, member_id: UUID) -> Any:
    # All owners first, in one order: two owners who remove each other at once wait, and the second is refused.
    scope.rows(
        "SELECT id FROM members WHERE tenant_id = :tenant AND role = 'owner' AND removed_at IS NULL ORDER BY id"
        " FOR UPDATE"
    )
    member = scope.row(
        "SELECT id, account_id, email, role FROM members WHERE tenant_id = :tenant AND id = :id"
        " AND removed_at IS NULL FOR UPDATE",
        id=member_id,
    )
    if member is None:
        raise not_found("member")
    return member


def _refuse_last_owner(scope: Scope, member_id: UUID) -> None:
    others = scope.row(
        "SELECT count(*) AS n FROM members WHERE tenant_id = :tenant AND role = 'owner' AND removed_at IS NULL"
        " AND id <> :id",
        id=member_id,
    )
    assert others is not None
    if others.n == 0:
        raise refused("last-owner", "A team needs an owner. Make somebody else an owner first.")
