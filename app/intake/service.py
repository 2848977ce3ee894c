"""The verb `place`: price, promise, route, reserve and write orders; one read and one write for any number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

import orjson
import psycopg

from app.allocation.service import offer
from app.intake import quoted
from app.intake.drafts import Composer, Draft, Facts
from app.intake.rules import SkuFacts
from app.intake.statement import NUMBERS, READ, WRITE, WRITE_QUOTED
from app.inventory.allotments import NONE, Allotments
from app.inventory.shelf import Shelf
from app.network.loads import Loads
from app.orders.queries import documents
from app.routing import recording
from app.routing.configuration import configuration
from infra.errors import Problem, invalid
from tenants.scope import Contended, Scope, inside

NUMBER_BLOCK = 100
MOVED_CHECKS = ("reserved_within_on_hand", "packages_within_capacity")
SLACK = timedelta(minutes=5)
"""How far a channel's clock may be ahead of ours."""


@dataclass(frozen=True)
class Placed:
    """What became of one request: 201 with a new order, 200 with the one that is there, or a problem."""

    status: int
    order: dict[str, Any] | None = None
    problem: Problem | None = None


def place(scope: Scope, requests: list[dict[str, Any]]) -> list[Placed]:
    """Take orders as validated by schemas.OrderIn; each stands alone.

    Raises Contended when stock or a reference was taken meanwhile: the edge runs the transaction again.
    """
    configured = configuration(scope)
    quotes = quoted.named(scope, requests)
    facts = read(scope, requests, configured.allotments)
    composer = Composer(scope, configured, facts)
    results: list[Placed | None] = [None] * len(requests)
    fresh: dict[tuple[str, str], tuple[int, str]] = {}
    existing: dict[int, UUID] = {}
    used: dict[UUID, tuple[quoted.Named, Draft]] = {}
    for at, request in enumerate(requests):
        reference, digest = (request["channel"], request["external_ref"]), body_hash(request)
        if reference in facts.orders or reference in fresh:
            known = facts.orders.get(reference) or fresh[reference]
            if known[1] != digest:
                results[at] = Placed(409, problem=_other_body())
            elif isinstance(known[0], UUID):
                existing[at] = known[0]
            else:
                results[at] = Placed(200, composer.drafts[known[0]].document)
            continue
        try:
            _check_time(scope, request)
            quote = quoted.of(quotes, request, used)
            with facts.shelf.lent(quote.held if quote else (), request["channel"]):
                draft = composer.draft(request, digest, quote)
        except Problem as problem:
            results[at] = Placed(problem.status, problem=problem)
            continue
        if quote:
            used[quote.id] = (quote, draft)
        fresh[reference] = (len(composer.drafts) - 1, digest)
        results[at] = Placed(201, draft.document)
    _write(scope, composer, used)
    shown = dict(zip(existing, documents(scope, list(existing.values())), strict=True))
    return [result or Placed(200, shown[at]) for at, result in enumerate(results)]


def body_hash(request: Mapping[str, Any]) -> str:
    """Digest of the normalized request: a repeat is told from a conflict by it."""
    return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


def _other_body() -> Problem:
    return Problem(
        409,
        "external-ref-taken",
        "This channel already has an order with this external_ref and another body. Send a new external_ref.",
    )


def _check_time(scope: Scope, request: Mapping[str, Any]) -> None:
    placed_at: datetime | None = request.get("placed_at")
    if placed_at is not None and placed_at > scope.now() + SLACK:
        raise invalid("/placed_at", "It lies in the future. Send when the order was placed.")


def asked(tenant_id: UUID, requests: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """The values of the one read of intake. Loads of yesterday too: at some nodes it is still that day."""
    return {
        "tenant": tenant_id,
        "skus": sorted({line["sku"] for request in requests for line in request["lines"]}),
        "segments": ["shared", *sorted({request["channel"] for request in requests})],
        "channels": [request["channel"] for request in requests],
        "refs": [request["external_ref"] for request in requests],
        "today": (now - timedelta(days=1)).date(),
        "now": now,
    }


def read(scope: Scope, requests: list[dict[str, Any]], allotments: Allotments = NONE) -> Facts:
    """Everything that drafting these requests needs of the database, in one statement."""
    row = scope.raw().execute(READ, asked(scope.tenant_id, requests, scope.now()), prepare=True).fetchone()
    assert row is not None
    skus, parts, stock, waiting, orders, loads, resting, kinds = row
    known = [SkuFacts(*values) for values in skus or []]
    ids = {**(parts or {}), **{sku.code: sku.id for sku in known}}
    return Facts(
        skus={sku.code: sku for sku in known},
        shelf=Shelf(stock or [], waiting or {}, ids, allotments),
        channels=kinds or {},
        loads=Loads(loads or []),
        resting=resting or [],
        orders={(channel, ref): (UUID(id_), digest) for channel, ref, id_, digest in orders or []},
    )


def _write(scope: Scope, composer: Composer, used: Mapping[UUID, tuple[quoted.Named, Draft]]) -> None:
    if not composer.drafts:
        return
    composer.number(_numbers(scope.tenant_id, len(composer.drafts)))
    recording.keep(scope, composer.configured)
    ended = [
        {
            "id": quote_id,
            "order_id": draft.order["id"],
            "at": composer.now,
            "timer": quoted.timer_of(quote_id),
        }
        for quote_id, (_, draft) in used.items()
    ]
    values = {"tenant": scope.tenant_id, "doc": composer.written(ended)}
    with racing():
        row = scope.raw().execute(WRITE_QUOTED if used else WRITE, values, prepare=True).fetchone()
    if row is None or len(row[0]) != len(composer.drafts):
        raise Contended
    _offer_left(scope, composer, used.values())


def _offer_left(scope: Scope, composer: Composer, used: Iterable[tuple[quoted.Named, Draft]]) -> None:
    """What quotes held and their orders did not take is anybody's."""
    left: set[UUID] = set()
    for quote, draft in used:
        own = (one for one in composer.rows["reservations"] if one["order_id"] == draft.order["id"])
        left |= quoted.left_over(quote, own)
    offer(scope, left)


@contextmanager
def racing() -> Iterator[None]:
    """Raises Contended where a statement of stock or capacity lost a race."""
    try:
        yield
    except psycopg.errors.CheckViolation as error:
        # A node took its last package meanwhile. Or: the statement locks the newest version of a position and
        # checks that for free units, but PostgreSQL first tries the update on the version of the statement's
        # beginning, and its constraint with it. When that one was poorer, stock moved meanwhile: read again.
        if any(check in (error.diag.constraint_name or "") for check in MOVED_CHECKS):
            raise Contended from error
        raise


_blocks: dict[UUID, list[int]] = {}
_blocks_lock = Lock()


def _numbers(tenant_id: UUID, count: int) -> list[int]:
    """Order numbers from this process's block; a new block is its own short transaction."""
    with _blocks_lock:
        kept = _blocks.setdefault(tenant_id, [])
        if len(kept) < count:
            block = max(NUMBER_BLOCK, count)
            with inside(tenant_id) as scope:
                row = scope.raw().execute(NUMBERS, {"tenant": tenant_id, "block": block}).fetchone()
            assert row is not None
            kept.extend(range(row[0] - block + 1, row[0] + 1))
        taken, kept[:count] = kept[:count], []
        return taken
