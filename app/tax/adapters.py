"""Who works out the tax of a tenant's orders: the built-in rates, or a service that the merchant names.

A tenant's setting is `{"adapter": "builtin"}` or `{"adapter": "http", "url": "https://..."}`. The service
gets

    POST {"reference", "currency", "ship_to": {"region", "country", "postal_code"},
          "lines": [{"amount", "tax_code"}], "charges": [{"code", "amount"}]}

and answers `{"total", "lines": [tax per line], "charges": [tax per charge], "rate"?}`; amounts are minor
units.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests

from app.tax.rules import TaxableCharge, TaxableLine, TaxQuote, estimate

_LARGEST_ANSWER = 1_000_000
_LARGEST_TAX = 10**15


class TaxUnavailable(Exception):
    """The tax could not be had now; try again later, or estimate and settle later. Carries the reason."""


class UnknownTaxAdapter(ValueError):
    """The tenant's setting names no adapter, or an address that may not be called."""


@dataclass(frozen=True, slots=True)
class TaxRequest:
    """One order's question. `reference` is the same at every attempt, so that a service can tell a repeat."""

    region: str
    country: str
    postal_code: str
    currency: str
    lines: tuple[TaxableLine, ...]
    charges: tuple[TaxableCharge, ...] = ()
    reference: str = ""


class TaxAdapter(Protocol):
    def quote(self, request: TaxRequest) -> TaxQuote:
        """The tax of an order. Raises TaxUnavailable."""
        ...


class BuiltInRates:
    """The state base rates of rules.py. Never unavailable."""

    def quote(self, request: TaxRequest) -> TaxQuote:
        return estimate(request.region, request.country, request.lines, request.charges)


class HttpTaxAdapter:
    """A service of the merchant's choice. Not to be called while a transaction is open.

    Redirects are not followed, and unless `allow_private` an address inside our own network is refused each
    time the name is resolved.
    """

    def __init__(self, url: str, *, timeout: float = 5.0, allow_private: bool = False) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise UnknownTaxAdapter("the tax service needs an http or https address without a user name")
        self.url, self.timeout, self.allow_private = url, timeout, allow_private

    def quote(self, request: TaxRequest) -> TaxQuote:
        """Ask the service once. Raises TaxUnavailable for no answer, a bad status, or sums that do not add
        up."""
        try:
            self._refuse_private()
            with requests.post(
                self.url,
                json=_question(request),
                timeout=(min(self.timeout, 2.0), self.timeout),
                allow_redirects=False,
                stream=True,
            ) as answer:
                if answer.status_code != 200:
                    raise TaxUnavailable(f"the tax service answered {answer.status_code}")
                body = answer.raw.read(_LARGEST_ANSWER + 1, decode_content=True)
        except (requests.RequestException, OSError) as failure:
            raise TaxUnavailable(f"the tax service did not answer: {type(failure).__name__}") from failure
        if len(body) > _LARGEST_ANSWER:
            raise TaxUnavailable("the tax service's answer is too long")
        return _read(body, request, urlsplit(self.url).hostname or "")

    def _refuse_private(self) -> None:
        if self.allow_private:
            return
        parts = urlsplit(self.url)
        for *_, address in socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM):
            if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
                raise TaxUnavailable("the tax service's address is not a public one")


def adapter_for(settings: Mapping[str, Any], *, allow_private: bool = False) -> TaxAdapter:
    """The adapter a tenant's settings name; the built-in rates when they name none. Raises
    UnknownTaxAdapter."""
    name = settings.get("adapter", "builtin")
    if name == "builtin":
        return BuiltInRates()
    if name == "http":
        return HttpTaxAdapter(str(settings.get("url") or ""), allow_private=allow_private)
    raise UnknownTaxAdapter(f"no tax adapter is named {name!r}")


def _question(request: TaxRequest) -> dict[str, Any]:
    return {
        "reference": request.reference,
        "currency": request.currency,
        "ship_to": {
            "region": request.region,
            "country": request.country,
            "postal_code": request.postal_code,
        },
        "lines": [asdict(line) for line in request.lines],
        "charges": [asdict(charge) for charge in request.charges],
    }


def _read(body: bytes, request: TaxRequest, host: str) -> TaxQuote:
    try:
        answer = json.loads(body)
        total, lines, charges = answer["total"], answer["lines"], answer.get("charges", [])
        rate = Decimal(str(answer.get("rate", 0)))
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation, RecursionError) as wrong:
        raise TaxUnavailable("the tax service's answer cannot be read") from wrong
    if not (_fits(lines, len(request.lines)) and _fits(charges, len(request.charges)) and _fits([total], 1)):
        raise TaxUnavailable("the tax service's answer does not fit the question")
    if sum(lines) + sum(charges) != total:
        raise TaxUnavailable("the tax service's parts do not sum to its total")
    return TaxQuote(total, tuple(lines), tuple(charges), rate, host)


def _fits(parts: Any, count: int) -> bool:
    if not isinstance(parts, Sequence) or isinstance(parts, str) or len(parts) != count:
        return False
    return all(type(part) is int and 0 <= part <= _LARGEST_TAX for part in parts)
