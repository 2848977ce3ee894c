"""What the lines of an order are promised: by what was shown with it, and by the quote that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from app.intake.quoted import Named, Told, earliest
from app.intake.rows import Line
from app.intake.rules import PricedLine
from app.intake.terms import Sale, Terms, check_day, check_preorder, terms, zones_of
from app.promises.laws import Laws
from app.promises.readings import Settings
from app.routing.baskets import destination
from app.routing.configuration import Configuration
from infra.ids import new_id


class Promiser:
    """Decides the terms of lines under one merchant's laws, readings and network."""

    def __init__(self, configured: Configuration, readings: Settings, laws: Laws) -> None:
        self._configured, self._readings, self._laws = configured, readings, laws

    def line(
        self,
        request: Mapping[str, Any],
        at: int,
        priced: PricedLine,
        sale: Sale,
        zones: tuple[str, ...],
        quote: Named | None = None,
    ) -> Line:
        """One line under its clocks; `zones`: of the order's address. Raises Problem 422 for a pre-order that is paid
        for now without a day, or whose stated day is past; 409 `quote-outdated`."""
        given, goes_to = request["lines"][at], request["ship_to"]
        if given.get("ship_to"):
            goes_to, zones = given["ship_to"], zones_of(given["ship_to"])
        told = quote.told.get(priced.sku.code) if quote else None
        shown = given.get("promise") or request.get("promise") or (told.shown if told else None)
        decide = partial(self._terms, priced, goes_to, zones)
        sold = decide(sale, shown)
        if told:
            sold = _as_quoted(decide, sold, told, sale, priced.sku.code)
        if given.get("promise"):
            check_day(sold, given["promise"], f"/lines/{at}/promise")
        elif request.get("promise"):
            check_day(sold, request["promise"], "/promise")
        check_preorder(sold, sale, priced.sku, shown, f"/lines/{at}/promise")
        return Line(id=new_id(), priced=priced, request=given, terms=sold, shown=shown, told=told)

    def _terms(
        self,
        priced: PricedLine,
        goes_to: Mapping[str, Any],
        zones: tuple[str, ...],
        sale: Sale,
        shown: Mapping[str, Any] | None,
    ) -> Terms:
        under_way = partial(self._under_way, goes_to)
        return terms(sale, priced.sku, shown, goes_to, zones, under_way, self._readings, self._laws)

    def _under_way(self, goes_to: Mapping[str, Any]) -> int:
        """Working days that a parcel to there takes at most, by the rate cards of the merchant's nodes; by the
        merchant's setting where they do not say, or nobody knows where it is."""
        network, to = self._configured.network, destination(goes_to)
        if to.lat is None or not len(network):
            return self._readings.transit_days
        known = int(network.tariffs.transit_days(network.lanes(to).rows).max())
        return known if known >= 0 else self._readings.transit_days


def _as_quoted(
    decide: Callable[[Sale, Mapping[str, Any] | None], Terms], own: Terms, told: Told, sale: Sale, code: str
) -> Terms:
    as_told = decide(replace(sale, placed_at=min(told.quoted_at, sale.placed_at)), told.shown)
    return earliest(own, as_told, decide(sale, told.day), told, sale, code)
