"""A buyer's link opens one order of one tenant, and nothing else."""

from __future__ import annotations

from app import links
from infra.ids import new_id
from infra.settings import Settings


def test_a_token_says_what_it_opens_and_is_the_same_every_time(in_force: Settings) -> None:
    tenant, order = new_id(), new_id()
    token = links.token(tenant, order)
    assert links.token(tenant, order) == token
    assert links.read(token) == links.Link(tenant, order, links.ORDER)
    assert links.url(tenant, order) == f"{in_force.public_url}/o/{token}"


def test_a_token_that_was_changed_opens_nothing(in_force: Settings) -> None:
    token = links.token(new_id(), new_id())
    body, _, signature = token.rpartition(".")
    other = links.token(new_id(), new_id()).rpartition(".")[0]
    for forged in ("", "nonsense", body, f"{other}.{signature}", token[:-1] + "AB"):
        assert links.read(forged) is None
