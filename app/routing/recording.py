"""What a decision was made from, kept with it, and the same decision made again from that: bit for bit.

The basket and what was excluded lie with the decision; the network it was decided on is kept once per change of
settings, the rule and the prices by their versions. All of it is compressed JSON.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import orjson

from app.calendar import zone
from app.routing import configuration as configurations
from app.routing.configuration import Configuration
from app.routing.documents import parse
from app.routing.facts import Basket, BasketLine, Destination, Ints, Network
from app.routing.policy import Rule
from app.routing.rules import Decision, decide
from app.routing.terms import NO_PRICES, Prices
from infra.clock import real_now
from infra.errors import not_found
from infra.ids import new_id
from tenants.scope import Scope

Excluded = Collection[tuple[int | None, int]]
MOST_KEPT = 4096
LINE = ("sku", "kind", "quantity", "weight_g", "volume_cm3", "value", "tax_code", "attributes")
PLAIN = (
    "channel",
    "currency",
    "ship_complete",
    "value",
    "service",
    "source_code",
    "email_domain",
    "is_business",
    "promise_is_delivery",
)
"""Fields of a basket that are JSON as they are."""

KEEP = """
INSERT INTO routing_networks (tenant_id, id, digest, document, made_at)
VALUES (:tenant, :id, :digest, :document, :now) ON CONFLICT (tenant_id, digest) DO NOTHING
"""
_known: set[tuple[UUID, str]] = set()


def keep(scope: Scope, configured: Configuration) -> None:
    """Keep the network that decisions of this transaction are made on, if it is new.

    It counts as known only once it was found there: what this transaction writes may still be rolled back.
    """
    key = (scope.tenant_id, configured.network.digest.hex())
    if key in _known:
        return
    document = zlib.compress(orjson.dumps(configured.made_from.document(), default=_as_text))
    if scope.execute(KEEP, id=new_id(), digest=key[1], document=document, now=real_now()):
        return
    if len(_known) >= MOST_KEPT:
        _known.clear()
    _known.add(key)


def _as_text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def inputs(
    configured: Configuration, basket: Basket, excluded: Excluded, relaxed: Collection[str] = ()
) -> str:
    """Everything a decision is made from besides network, rule and prices: compressed, as base64 text."""
    to, at = basket.destination, basket.at
    document: dict[str, Any] = {
        "network": configured.network.digest.hex(),
        "prices": configured.prices.version,
        "lines": [[getattr(line, name) for name in LINE] for line in basket.lines],
        "to": [to.lat, to.lon, to.region, to.postal_code, to.country],
        "available": [_sparse(row) for row in basket.available],
        "excluded": [list(pair) for pair in sorted(excluded, key=_order)],
        **{name: getattr(basket, name) for name in PLAIN},
    }
    if relaxed:
        document["relaxed"] = sorted(relaxed)
    if basket.load is not None:
        document["load"] = _sparse(basket.load)
    if basket.ahead is not None:
        document["ahead"] = _sparse(basket.ahead)
    if basket.promised_by is not None:
        document["promised_by"] = basket.promised_by.isoformat()
    if at is not None:
        document["at"] = [at.astimezone(zone("UTC")).isoformat(), getattr(at.tzinfo, "key", "UTC")]
    return base64.b64encode(zlib.compress(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))).decode()


def _order(pair: tuple[int | None, int]) -> tuple[int, int]:
    return (-1 if pair[0] is None else pair[0]), pair[1]


def _sparse(row: Ints) -> int | list[Any]:
    """[positions, values] of what is not zero; one number where all are the same."""
    first = int(row[0]) if len(row) else 0
    if (row == first).all():
        return first
    at = row.nonzero()[0]
    return [at.tolist(), row[at].tolist()]


def _dense(given: int | list[Any], count: int) -> Ints:
    if isinstance(given, int):
        return np.full(count, given, dtype=np.int64)
    row = np.zeros(count, dtype=np.int64)
    row[given[0]] = given[1]
    return row


def basket_of(document: Mapping[str, Any], network: Network) -> Basket:
    """The basket of kept inputs."""
    at = document.get("at")
    promised = document.get("promised_by")
    load, ahead = document.get("load"), document.get("ahead")
    return Basket(
        lines=[BasketLine(**dict(zip(LINE, line, strict=True))) for line in document["lines"]],
        destination=Destination(*document["to"]),
        available=np.stack([_dense(row, len(network)) for row in document["available"]]),
        load=None if load is None else _dense(load, len(network)),
        ahead=None if ahead is None else _dense(ahead, len(network)),
        promised_by=date.fromisoformat(promised) if promised else None,
        at=datetime.fromisoformat(at[0]).astimezone(zone(at[1])) if at else None,
        **{name: document[name] for name in PLAIN},
    )


def read(kept: bytes) -> dict[str, Any]:
    """Kept inputs as they were written."""
    found: dict[str, Any] = orjson.loads(zlib.decompress(kept))
    return found


class Recorded(NamedTuple):
    """What a decision was made from."""

    network: Network
    basket: Basket
    rule: Rule
    excluded: set[tuple[int | None, int]]
    prices: Prices
    relaxed: tuple[str, ...]

    def decide(self, *, relaxed: Collection[str] = (), without: Excluded = frozenset()) -> Decision:
        """Decide it once more; `relaxed` constraints given up besides, `without` some of what was excluded."""
        return decide(
            self.network,
            self.basket,
            self.rule,
            excluded=self.excluded - set(without),
            prices=self.prices,
            relaxed=(*self.relaxed, *relaxed),
        )


def recorded(scope: Scope, row: Any) -> Recorded:
    """What a row of routing_decisions was decided from. Raises Problem 404 when its inputs are not kept (it was not
    decided here)."""
    if row.inputs is None:
        raise not_found("record of what this was decided from")
    document = read(bytes(row.inputs))
    network = network_of_digest(scope, document["network"])
    rules = scope.row(
        "SELECT document FROM rule_versions WHERE tenant_id = :tenant AND version = :version",
        version=row.rule_version,
    )
    return Recorded(
        network,
        basket_of(document, network),
        parse(rules.document) if rules is not None else parse(configurations.default_document()),
        {(line, node) for line, node in document["excluded"]},
        prices_of_version(scope, network, document["prices"]),
        tuple(document.get("relaxed", ())),
    )


def again(scope: Scope, row: Any) -> tuple[Decision, Network]:
    """Decide once more what a row of routing_decisions was decided from. Raises as `recorded`."""
    found = recorded(scope, row)
    return found.decide(), found.network


def network_of_digest(scope: Scope, digest: str) -> Network:
    """A network that was kept. Raises Problem 404."""
    row = scope.row(
        "SELECT document FROM routing_networks WHERE tenant_id = :tenant AND digest = :digest", digest=digest
    )
    if row is None:
        raise not_found("network of that time")
    return configurations.network_of(orjson.loads(zlib.decompress(bytes(row.document))))


def prices_of_version(scope: Scope, network: Network, version: int) -> Prices:
    """A price table, laid out over a network; none when there is no such version."""
    row = scope.row(
        "SELECT document FROM price_tables WHERE tenant_id = :tenant AND version = :version", version=version
    )
    return Prices.of(network, version, row.document) if row is not None else NO_PRICES
