"""Which laws a merchant's orders follow: by the country of the company that sells, and of the buyer. Pure.

One versioned document (setting `laws`), like the readings of the rule: what it says is decided once for each line, when
the order is placed, and kept with its promise.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.promises.readings import SettingsFault, member
from app.promises.regimes import DELIVERY_LAWS, Regime, regime_of

BASE_VERSION = "2026-11"
COUNTRY = re.compile(r"[A-Z]{2}")
MEMBERS = ("seller_country", "channels", "ship_to", "counsel", "version")


@dataclass(frozen=True, slots=True)
class Laws:
    """`seller_country`: where the company that sells is established, ISO 3166 (`channels`: by channel, where another
    one sells). `ship_to`: by country of the buyer, the laws to follow instead of those that `regime_of` finds; fewer
    only on the word of counsel, named in `counsel`."""

    version: str = BASE_VERSION
    seller_country: str = "US"
    channels: Mapping[str, str] = field(default_factory=dict)
    ship_to: Mapping[str, tuple[Regime, ...]] = field(default_factory=dict)
    counsel: str = ""


DEFAULT_LAWS = Laws()


def governing(
    laws: Laws, channel: str, ship_to: Mapping[str, Any], *, business: bool = False
) -> tuple[Regime, ...]:
    """The laws that a line follows, the federal rule first; () when none does."""
    country, region = (ship_to.get("country") or "US").strip().upper(), ship_to.get("region")
    seller = laws.channels.get(channel, laws.seller_country)
    found = regime_of(seller, country, region, consumer=not business)
    chosen = laws.ship_to.get(country)
    if chosen is None:
        return found
    return tuple(
        one
        for one in Regime
        if one in chosen
        and (one is not Regime.US_CALIFORNIA or one in found)
        and not (business and one in DELIVERY_LAWS)
    )


def laws_from(document: Mapping[str, Any] | None, path: str = "laws") -> Laws:
    """The laws by a tenant's settings; what the document leaves out has its default, and without a `version` a changed
    one gets one that follows from its content. Raises SettingsFault, naming the path and the remedy."""
    if document is None:
        return DEFAULT_LAWS
    if not isinstance(document, Mapping):
        raise SettingsFault(path, "Give an object.")
    for name in document:
        if name not in MEMBERS:
            raise SettingsFault(member(path, name), f"Known are {', '.join(MEMBERS)}.")
    counsel, version = (_text(document.get(name), f"{path}.{name}") for name in ("counsel", "version"))
    laws = Laws(
        seller_country=_country(document.get("seller_country", "US"), f"{path}.seller_country"),
        channels=_channels(document.get("channels"), f"{path}.channels"),
        ship_to=_ship_to(document.get("ship_to"), f"{path}.ship_to"),
        counsel=counsel,
    )
    _check_counsel(laws, path)
    return Laws(version or _version(laws), laws.seller_country, laws.channels, laws.ship_to, laws.counsel)


def laws_document(laws: Laws) -> dict[str, Any]:
    """The laws in full, as `laws_from` reads them again."""
    return {
        "version": laws.version,
        "seller_country": laws.seller_country,
        "channels": dict(laws.channels),
        "ship_to": {country: [one.value for one in chosen] for country, chosen in laws.ship_to.items()},
        "counsel": laws.counsel,
    }


def _channels(given: Any, path: str) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise SettingsFault(path, "Give an object: the country by the channel's code.")
    if not all(str(code).isprintable() for code in given):
        raise SettingsFault(path, "A channel's code has no control characters.")
    return {str(code): _country(country, member(path, code)) for code, country in given.items()}


def _ship_to(given: Any, path: str) -> dict[str, tuple[Regime, ...]]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise SettingsFault(path, "Give an object: a list of laws by the buyer's country.")
    chosen: dict[str, tuple[Regime, ...]] = {}
    for name, laws in given.items():
        country = _country(name, path)
        if country in chosen:
            raise SettingsFault(
                member(path, name), f"{country} is given twice. Give it once, with all its laws."
            )
        chosen[country] = _chosen(laws, member(path, name))
    return chosen


def _chosen(given: Any, path: str) -> tuple[Regime, ...]:
    known = [one.value for one in Regime]
    if not isinstance(given, Sequence) or isinstance(given, str) or any(one not in known for one in given):
        raise SettingsFault(path, f"Give a list of {', '.join(known)}.")
    return tuple(one for one in Regime if one.value in given)


def _country(given: Any, path: str) -> str:
    code = given.strip().upper() if isinstance(given, str) else ""
    if not COUNTRY.fullmatch(code):
        raise SettingsFault(path, "Give a country by its two letters, such as US or DE.")
    return code


def _text(given: Any, path: str) -> str:
    if given is None:
        return ""
    if not isinstance(given, str) or len(given) > 200 or not given.isprintable():
        raise SettingsFault(path, "Give a text of at most 200 characters on one line.")
    return given.strip()


def _check_counsel(laws: Laws, path: str) -> None:
    """Raises SettingsFault where a law that governs is left out on nobody's word."""
    if laws.counsel:
        return
    for country, chosen in laws.ship_to.items():
        region = "CA" if country == "US" else None
        for seller in {laws.seller_country, *laws.channels.values()}:
            left_out = [one.value for one in regime_of(seller, country, region) if one not in chosen]
            if left_out:
                raise SettingsFault(
                    f"{path}.counsel",
                    f"For {country} this leaves out {', '.join(left_out)}: name the counsel who advised it, and when.",
                )


def _version(laws: Laws) -> str:
    if laws == DEFAULT_LAWS:
        return BASE_VERSION
    said = {**laws_document(laws), "version": ""}
    digest = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f"{BASE_VERSION}+{digest[:8]}"
