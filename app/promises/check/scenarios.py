"""A scenario of the delay rule as it stands in a file: what is given, what happened, what is expected.

Reads the JSON form of docs/promises.md into values that the pure rules take. Raises ScenarioFault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from app import calendar
from app.network.places import destination_zones
from app.promises.check.events import Happening, read_events
from app.promises.check.goods import LINE, ScenarioLine, lines, tenders, terms, total
from app.promises.check.words import ScenarioFault, Times, amount, as_list, flag, known_keys, one_of
from app.promises.readings import Settings, SettingsFault, from_settings
from app.promises.refunds import OrderingTerms, Tender
from app.promises.regimes import Regime, regime_of
from app.promises.rules import UNSTATED_DAYS, PromiseInput, Zones, clock

NEW_YORK = "America/New_York"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario, read. `alone` is what the buyer would have paid for the kept goods alone, where the file
    says so; `terms` are the ordering terms from which it follows otherwise."""

    id: str
    title: str
    ordered: datetime
    zones: Zones
    times: Times
    lines: tuple[ScenarioLine, ...]
    tenders: tuple[Tender, ...]
    settings: Settings
    regimes: tuple[Regime, ...]
    currency: str = "USD"
    credit_application: bool = False
    incomplete: str | None = None
    in_person: bool = False
    cash_on_delivery: bool = False
    business: bool = False
    essential: bool = False
    alone: int | None = None
    terms: OrderingTerms | None = None
    events: tuple[Happening, ...] = ()
    as_of: datetime | None = None
    expected: Mapping[str, Any] | None = None
    asked: tuple[Mapping[str, Any], ...] = ()

    @property
    def paid(self) -> int:
        return sum(tender.paid for tender in self.tenders)

    def told(self, until: datetime | None) -> list[Happening]:
        """The events learned by `until`, as they were learned; None: all of them."""
        return [event for event in self.events if until is None or event.reported <= until]


def read(document: Any) -> list[Scenario]:
    """Every scenario of a file: a list, an object with `scenarios`, or one alone. Raises ScenarioFault."""
    if isinstance(document, Mapping) and "scenarios" in document:
        document = document["scenarios"]
    given = as_list(document)
    if not given:
        raise ScenarioFault("scenarios", "There is none: give a list of objects.")
    bodies: dict[str, Mapping[str, Any]] = {}
    found = []
    for at, one in enumerate(given):
        path = f"scenarios[{at}]"
        body = known_keys(one, _SCENARIO, path)
        name = str(body.get("id", at + 1))
        if name in bodies:
            raise ScenarioFault(f"{path}.id", f"{name!r} is there already.")
        bodies[name] = body = _inherited(body, bodies, path)
        found.append(_scenario(name, body, path))
    return found


_SCENARIO = ("id", "title", "row", "note", "basis", "as", "given", "events", "expected", "as_of", "ask")


def _inherited(body: dict[str, Any], bodies: Mapping[str, Mapping[str, Any]], path: str) -> dict[str, Any]:
    """`as` takes over what is given in an earlier scenario, and its events too when there are none here."""
    if "as" not in body:
        return body
    model = bodies.get(str(body["as"]))
    if model is None:
        raise ScenarioFault(f"{path}.as", f"No earlier scenario is called {body['as']!r}.")
    given = {**_keyed(model.get("given", {}), path), **_keyed(body.get("given", {}), f"{path}.given")}
    return {"events": model.get("events", []), **body, "given": given}


def _keyed(given: Any, path: str) -> dict[str, Any]:
    keyed = known_keys(given, (*_GIVEN, *_ALIASES), path)
    return {_ALIASES.get(key, key): value for key, value in keyed.items()}


_GIVEN = (
    "ordered",
    "T",
    "zone",
    "seller_zone",
    "buyer_zone",
    "seller",
    "ship_to",
    "buyer",
    "medium",
    "tenders",
    "credit_application",
    "incomplete",
    "lines",
    "total",
    "currency",
    "charges",
    "alone",
    "terms",
    "settings",
    "regimes",
    "essential",
    *(key for key in LINE if key != "id"),
)
_ALIASES = {
    "order": "ordered",
    "ordered_at": "ordered",
    "order_time": "ordered",
    "promise": "promises",
    "tender": "tenders",
    "payment": "tenders",
    "ordered_by": "medium",
    "channel": "medium",
    "fulfillment": "way",
    "qty": "quantity",
    "amount": "total",
    "paid": "total",
}


def _scenario(name: str, body: Mapping[str, Any], path: str) -> Scenario:
    where = f"{path}.given"
    given = _keyed(body.get("given", {}), where)
    settings = _settings(given.get("settings"), f"{where}.settings")
    zones, times = _zones(given, where)
    ordered = _ordered(given, times, where)
    times.anchors["day"] = calendar.earliest_local_date(ordered, zones.binding(settings))
    currency = str(given.get("currency", "USD")).upper()
    bought = lines(given, times, settings, currency, where)
    ordering = terms(given.get("terms"), currency, f"{where}.terms")
    worth = total(given, bought, ordering, currency, where)
    paid, on_delivery = tenders(given.get("tenders"), worth, currency, times, f"{where}.tenders")
    business = one_of(_kind_of_buyer(given), ("consumer", "business"), f"{where}.buyer") == "business"
    credit = one_of(str(given.get("credit_application", "none")), _CREDIT, f"{where}.credit_application")
    if "T" in given and given.get("ordered") is not None:
        bought = tuple(_promised(line, times.day(given["T"], f"{where}.T")) for line in bought)
    first = clock(
        ordered, zones.buyer, zones.seller, bought[0].promises, credit_application=credit, settings=settings
    )
    times.anchors["T"] = first.ship_by
    return Scenario(
        id=name,
        title=str(body.get("title", "")),
        ordered=ordered,
        zones=zones,
        times=times,
        lines=bought,
        tenders=paid,
        settings=settings,
        regimes=_regimes(given, not business, where),
        currency=currency,
        credit_application=credit,
        incomplete=_incomplete(given.get("incomplete")),
        in_person=one_of(given.get("medium", "internet"), _MEDIA, f"{where}.medium"),
        cash_on_delivery=on_delivery,
        business=business,
        essential=flag(given.get("essential", False), f"{where}.essential"),
        alone=None if given.get("alone") is None else amount(given["alone"], currency, f"{where}.alone"),
        terms=ordering,
        events=read_events(
            body.get("events"), times, currency, [line.id for line in bought], f"{path}.events"
        ),
        as_of=None if body.get("as_of") is None else times.instant(body["as_of"], f"{path}.as_of"),
        expected=body.get("expected"),
        asked=tuple(as_list(body.get("ask"))),
    )


def _promised(line: ScenarioLine, day: date) -> ScenarioLine:
    return replace(line, promises=(PromiseInput(ship_by=day),))


_MEDIA = {
    **dict.fromkeys(("internet", "web", "app", "email", "mail", "fax", "telephone", "phone", "api"), False),
    **dict.fromkeys(("marketplace", "social", "broadcast", "kiosk"), False),
    **dict.fromkeys(("in_person", "counter", "store"), True),
}
_CREDIT = {
    **dict.fromkeys(("true", "seller", "to_seller"), True),
    **dict.fromkeys(("false", "none", "bank", "third_party"), False),
}


def _settings(given: Any, path: str) -> Settings:
    try:
        return from_settings(given, path)
    except SettingsFault as wrong:
        raise ScenarioFault(wrong.path, wrong.detail) from wrong


def _zones(given: Mapping[str, Any], path: str) -> tuple[Zones, Times]:
    """Whose midnights count. An unknown buyer's zone is every zone the destination may lie in."""
    both = given.get("zone")
    reader = Times(NEW_YORK, NEW_YORK, NEW_YORK)
    seller = reader.zone(given.get("seller_zone", both or NEW_YORK), f"{path}.seller_zone")
    named = given.get("buyer_zone")
    if named in (None, "unknown") and given.get("ship_to") is not None:
        buyer = _destination(given["ship_to"], f"{path}.ship_to")
    elif named == "unknown":
        buyer = ()
    else:
        default = both or NEW_YORK
        buyer = tuple(reader.zone(one, f"{path}.buyer_zone") for one in as_list(named or default))
    return Zones(seller, buyer), Times(seller, buyer[0] if buyer else seller, both or seller)


def _destination(given: Any, path: str) -> tuple[str, ...]:
    body = known_keys(given, ("country", "region", "state", "postal_code", "zip"), path)
    region = body.get("region", body.get("state"))
    postal_code = body.get("postal_code", body.get("zip"))
    return destination_zones(str(body.get("country", "US")), _text(region), _text(postal_code))


def _text(value: Any) -> str | None:
    return None if value is None else str(value) or None


def _ordered(given: Mapping[str, Any], times: Times, path: str) -> datetime:
    """When the order was received; with T alone, thirty days before."""
    if given.get("ordered") is not None:
        return times.instant(given["ordered"], f"{path}.ordered")
    if "T" not in given:
        raise ScenarioFault(f"{path}.ordered", "Say when the order was received, or the day T.")
    day = times.day(given["T"], f"{path}.T") - timedelta(days=UNSTATED_DAYS)
    return times.instant(day.isoformat(), f"{path}.T")


def _kind_of_buyer(given: Mapping[str, Any]) -> Any:
    buyer = given.get("buyer", "consumer")
    return buyer.get("kind", "consumer") if isinstance(buyer, Mapping) else buyer


def _regimes(given: Mapping[str, Any], consumer: bool, path: str) -> tuple[Regime, ...]:
    """The laws named, else those that follow from seller and destination; both in the United States unless said."""
    if given.get("regimes") is not None:
        names = {one.value: one for one in Regime}
        return tuple(one_of(one, names, f"{path}.regimes") for one in as_list(given["regimes"]))
    seller, goes_to = given.get("seller", "US"), given.get("ship_to") or {}
    if not isinstance(goes_to, Mapping):
        raise ScenarioFault(f"{path}.ship_to", "Give an object.")
    country = seller.get("country", "US") if isinstance(seller, Mapping) else seller
    region = _text(goes_to.get("region", goes_to.get("state")))
    return regime_of(str(country), str(goes_to.get("country", "US")), region, consumer)


def _incomplete(given: Any) -> str | None:
    """What the order lacked when it came; None when it was complete."""
    if given in (None, False):
        return None
    return "information" if given is True else str(given)
