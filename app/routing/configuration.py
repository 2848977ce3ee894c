"""A tenant's network and active rule, prepared once per configuration version and kept in the process."""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.inventory.allotments import Allotments, Hold
from app.network.loads import LOADS, Loads
from app.network.queries import cards_in_use
from app.network.rules import Timetable
from app.routing.documents import default_document, parse
from app.routing.facts import Network, NodeFacts
from app.routing.policy import DEFAULT_SCOPE, Rule
from app.routing.queries import in_force
from app.routing.terms import NO_PRICES, Prices
from tenants.scope import Scope

MOST_KEPT = 512
HOLDS = (
    "SELECT channel, sku_id, node_id, share_percent, units, borrow FROM allotments WHERE tenant_id = :tenant"
)


@dataclass(frozen=True)
class Source:
    """The rows that a network is laid out from."""

    nodes: list[Mapping[str, Any]]
    cards: Sequence[tuple[Mapping[str, Any], Mapping[int, bytes]]]

    def network(self) -> Network:
        """Lay it out."""
        return Network.build([_facts(node) for node in self.nodes], self.cards)

    def document(self) -> dict[str, Any]:
        """What `network_of` reads; bytes and ids are left to the writer."""
        cards = [[dict(card), [[area, zones] for area, zones in pairs.items()]] for card, pairs in self.cards]
        return {"nodes": self.nodes, "cards": cards}


def network_of(document: Mapping[str, Any]) -> Network:
    """The network of a kept document (JSON, bytes as base64)."""
    cards = [
        (card, {area: base64.b64decode(zones) for area, zones in pairs}) for card, pairs in document["cards"]
    ]
    return Source(document["nodes"], cards).network()


@dataclass(frozen=True)
class Configuration:
    """What routing needs of a tenant, besides stock."""

    network: Network
    rules: Mapping[str, tuple[int, Rule]]
    """By scope (`default` or a channel's code): the version in force and what it says."""
    prices: Prices
    node_ids: tuple[UUID, ...]
    zones: tuple[str, ...]
    allotments: Allotments
    """What channels hold of the shared stock."""
    virtual: int | None
    """Position of the node that delivers digital goods."""
    capacities: Mapping[str, int | None]
    """Packages a day by node id, of nodes that have a limit."""
    made_from: Source

    def ruled(self, channel: str = DEFAULT_SCOPE) -> tuple[int, Rule]:
        """The version and the rule for orders of a channel: its own, else everybody's."""
        return self.rules.get(channel) or self.rules[DEFAULT_SCOPE]


_kept: OrderedDict[tuple[UUID, int], Configuration] = OrderedDict()


def configuration(scope: Scope) -> Configuration:
    """The configuration in force for this transaction's version of the tenant's settings."""
    key = (scope.tenant_id, scope.tenant.config_version)
    found = _kept.get(key)
    if found is None:
        found = _kept[key] = _read(scope)
        if len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return found


def loads(scope: Scope, configured: Configuration) -> Loads:
    """What nodes with a capacity have been given; of yesterday too, for at some nodes it is still that day."""
    if not (configured.network.limited or configured.network.paced):
        return Loads()
    rows = scope.rows(LOADS, today=(scope.now() - timedelta(days=1)).date())
    return Loads((str(row.node_id), row.day, row.packages) for row in rows)


def _read(scope: Scope) -> Configuration:
    nodes = scope.rows("SELECT * FROM nodes WHERE tenant_id = :tenant ORDER BY code")
    rules = {of: (version, parse(document)) for of, (version, document) in in_force(scope).items()}
    rules.setdefault(DEFAULT_SCOPE, (0, parse(default_document())))
    source = Source([dict(node._mapping) for node in nodes], cards_in_use(scope))
    network = source.network()
    by_code = {node.code: node for node in nodes}
    ordered = [by_code[code] for code in network.codes]
    virtual = next((at for at, node in enumerate(ordered) if node.kind == "virtual" and node.open), None)
    return Configuration(
        network=network,
        rules=rules,
        prices=_prices(scope, network),
        made_from=source,
        node_ids=tuple(node.id for node in ordered),
        zones=tuple(node.timezone for node in ordered),
        allotments=Allotments((*_shares(rules), *(_hold(row) for row in scope.rows(HOLDS)))),
        virtual=virtual,
        capacities={
            str(node.id): node.capacity_per_day for node in nodes if node.capacity_per_day is not None
        },
    )


def _prices(scope: Scope, network: Network) -> Prices:
    """The newest price table, laid out over the network."""
    row = scope.row(
        "SELECT version, document FROM price_tables WHERE tenant_id = :tenant ORDER BY version DESC LIMIT 1"
    )
    return Prices.of(network, row.version, row.document) if row is not None else NO_PRICES


def _shares(rules: Mapping[str, tuple[int, Rule]]) -> Iterator[Hold]:
    """What the default rules hold for channels; an allotment of its own comes before it."""
    _, rule = rules[DEFAULT_SCOPE]
    for share in rule.allotments:
        yield Hold(share.channel, None, None, round(share.share_percent), None, share.borrow)


def _hold(row: Any) -> Hold:
    sku, node = (None if one is None else str(one) for one in (row.sku_id, row.node_id))
    return Hold(row.channel, sku, node, row.share_percent, row.units, row.borrow)


def _facts(node: Mapping[str, Any]) -> NodeFacts:
    return NodeFacts(
        id=str(node["id"]),
        code=node["code"],
        name=node["name"],
        kind=node["kind"],
        lat=node["latitude"],
        lon=node["longitude"],
        priority=node["priority"],
        region=node["address"].get("region", ""),
        country=node["address"].get("country", "US"),
        capacity_per_day=node["capacity_per_day"],
        handling_per_package=node["handling_per_package"],
        handling_per_unit=node["handling_per_unit"],
        open=node["open"],
        postal_code=node["address"].get("postal_code", ""),
        capacity_per_hour=node["capacity_per_hour"],
        capabilities=tuple(node["capabilities"]),
        zones=tuple(node["zones"]),
        rate_card=node["rate_card"],
        timetable=Timetable.of(node),
    )
