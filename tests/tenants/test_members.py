"""Two owners who remove each other at once: one stays."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from sqlalchemy import text

from infra.clock import real_now
from infra.errors import Problem
from infra.ids import new_id
from tenants import members, service
from tenants.rules import role_permissions
from tenants.scope import Actor, directory, inside, retried
from tests.factories import Merchant


def account() -> UUID:
    made = new_id()
    with directory() as session:
        session.execute(
            text("INSERT INTO accounts (id, email, name, created_at) VALUES (:id, :email, 'N', :now)"),
            {"id": made, "email": f"{made}@shop.example", "now": real_now()},
        )
    return made


def test_two_owners_who_remove_each_other_leave_one(merchant: Merchant) -> None:
    for _ in range(5):
        with inside(merchant.tenant_id) as scope:
            for row in members.listed(scope):
                scope.execute("DELETE FROM members WHERE tenant_id = :tenant AND id = :id", id=row.id)
            both = [service.add_member(scope, account(), "owner") for _ in range(2)]
        refusals: list[str] = []
        start = threading.Barrier(2)

        def remove(member_id: UUID) -> None:
            def work() -> None:
                with inside(merchant.tenant_id) as scope:
                    members.remove(scope, member_id)

            start.wait()  # noqa: B023
            try:
                retried(work)
            except Problem as problem:
                refusals.append(problem.code)  # noqa: B023

        threads = [threading.Thread(target=remove, args=(member_id,)) for member_id in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert refusals == ["last-owner"]
        with inside(merchant.tenant_id) as scope:
            assert len(members.listed(scope)) == 1


@pytest.mark.parametrize("giver", ["manager", "agent", "picker", "analyst"])
def test_nobody_gives_a_role_that_may_do_more(merchant: Merchant, giver: str) -> None:
    actor = Actor("member", "x", "X", role_permissions(giver))
    with pytest.raises(Problem) as caught, inside(merchant.tenant_id, actor) as scope:
        members.invite(scope, "new@shop.example", "owner")
    assert caught.value.code == "more-than-own"
    with inside(merchant.tenant_id) as scope:
        assert members.invitations(scope) == []
