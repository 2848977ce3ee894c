"""Baskets from orders: one way to put what an order says before the rules, whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.calendar import zone
from app.network.loads import Loads
from app.network.places import locate
from app.routing.configuration import Configuration
from app.routing.facts import Basket, BasketLine, Destination, Ints, Network


@dataclass(frozen=True, slots=True)
class Asked:
    """What an order says besides its lines. `now` is UTC; `promised_by` the earliest day promised, of shipping or, if
    so marked, of delivery."""

    channel: str
    now: datetime
    timezone: str
    ship_complete: bool = False
    service: str = ""
    source_code: str = ""
    email: str = ""
    is_business: bool | None = None
    promised_by: date | None = None
    promise_is_delivery: bool = False
    currency: str = "USD"


def destination(
    goes_to: Mapping[str, Any], lat: float | None = None, lon: float | None = None
) -> Destination:
    """An address as routing sees it; looked up by its ZIP code or region where no point is given."""
    country, region, postal_code = (
        goes_to.get("country") or "US",
        goes_to.get("region") or "",
        goes_to.get("postal_code") or "",
    )
    if lat is None or lon is None:
        place = locate(postal_code or None, country, region or None)
        lat, lon = (place.lat, place.lon) if place else (None, None)
        region = region or (place.region if place else "")
    return Destination(lat, lon, region, postal_code, country)


def basket(
    configured: Configuration,
    asked: Asked,
    lines: Sequence[BasketLine],
    to: Destination,
    available: Ints,
    loads: Loads | None,
) -> Basket:
    """The basket to decide. `available[line, node]` in units, `loads` what nodes with a capacity have been given, None
    where that does not matter."""
    network = configured.network
    load = ahead = None
    if loads is not None and network.paced:
        ahead = loads.ahead(network.ids)
    if loads is not None and network.limited:
        leaving = network.departures.at(asked.now, asked.service, ahead).days
        load = loads.of(network.ids, leaving)
    values = [line.value for line in lines]
    return Basket(
        lines=lines,
        destination=to,
        available=available,
        channel=asked.channel,
        currency=asked.currency,
        ship_complete=asked.ship_complete,
        load=load,
        ahead=ahead,
        value=sum(value for value in values if value is not None) if None not in values else None,
        service=asked.service,
        source_code=asked.source_code,
        email_domain=asked.email.rpartition("@")[2].lower(),
        is_business=asked.is_business,
        promised_by=asked.promised_by,
        promise_is_delivery=asked.promise_is_delivery,
        at=asked.now.astimezone(zone(asked.timezone)),
    )


def resting_pairs(
    network: Network, resting: Sequence[tuple[str, str | None]], skus: Sequence[str]
) -> set[tuple[int | None, int]]:
    """(line, node) pairs of places that rest: (node id, SKU id, or None = everything there); `skus` by line."""
    pairs: set[tuple[int | None, int]] = set()
    for node, sku in resting:
        at = network.index.get(node)
        if at is not None:
            pairs |= {(line, at) for line, own in enumerate(skus) if own == sku} if sku else {(None, at)}
    return pairs
