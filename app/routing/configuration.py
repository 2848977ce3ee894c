"""A tenant's network and active rule, prepared once per configuration version and kept in the process."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.network.queries import cards_in_use
from app.network.rules import Timetable
from app.routing.documents import default_document, parse
from app.routing.facts import Network, NodeFacts
from app.routing.policy import Rule
from tenants.scope import Scope

MOST_KEPT = 512


@dataclass(frozen=True)
class Configuration:
    """What routing needs of a tenant, besides stock."""

    network: Network
    rule: Rule
    rule_version: int
    node_ids: tuple[UUID, ...]
    zones: tuple[str, ...]
    virtual: int | None
    """Position of the node that delivers digital goods."""


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


def _read(scope: Scope) -> Configuration:
    nodes = scope.rows("SELECT * FROM nodes WHERE tenant_id = :tenant ORDER BY code")
    rules = scope.row(
        "SELECT version, document FROM rule_versions WHERE tenant_id = :tenant AND state = 'active'"
    )
    network = Network.build([_facts(node) for node in nodes], cards_in_use(scope))
    by_code = {node.code: node for node in nodes}
    ordered = [by_code[code] for code in network.codes]
    virtual = next((at for at, node in enumerate(ordered) if node.kind == "virtual" and node.open), None)
    return Configuration(
        network=network,
        rule=parse(rules.document if rules else default_document()),
        rule_version=rules.version if rules else 0,
        node_ids=tuple(node.id for node in ordered),
        zones=tuple(node.timezone for node in ordered),
        virtual=virtual,
    )


def _facts(node: Any) -> NodeFacts:
    return NodeFacts(
        id=str(node.id),
        code=node.code,
        name=node.name,
        kind=node.kind,
        lat=node.latitude,
        lon=node.longitude,
        priority=node.priority,
        region=node.address.get("region", ""),
        country=node.address.get("country", "US"),
        capacity_per_day=node.capacity_per_day,
        handling_per_package=node.handling_per_package,
        handling_per_unit=node.handling_per_unit,
        open=node.open,
        postal_code=node.address.get("postal_code", ""),
        capacity_per_hour=node.capacity_per_hour,
        capabilities=tuple(node.capabilities),
        zones=tuple(node.zones),
        rate_card=node.rate_card,
        timetable=Timetable.of(node._mapping),
    )
