"""The form of one rate card: from what is kept to what is typed, and from what was typed to the API's body."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.entries import amount, loaded
from app.forms import Form
from app.money import Money
from app.network.schemas import RateCardIn

ZONE_BY = {
    "distance": ("Distance", "Zones end at the miles below"),
    "zip3": ("Table of ZIP areas", "From a file; where it is silent, the miles below"),
}
DIM_UNITS = {"in3_per_lb": "cubic inches a pound", "cm3_per_kg": "cubic centimeters a kilogram"}
WHEN = {
    "always": "always",
    "residential": "to a home",
    "weight_over_g": "over {value:,} g",
    "volume_over_cm3": "over {value:,} cm³",
    "zone_at_least": "from zone {value}",
}
POINTERS = {
    "/rate_card": "code",
    **{
        f"/{name}": name
        for name in (
            "name",
            "carrier",
            "service",
            "zone_by",
            "zone_miles",
            "transit_days",
            "dim_divisor",
            "dim_unit",
            "dim_over",
            "fuel_percent",
            "surcharges",
        )
    },
}


def values(row: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the fields of a card that is kept."""
    return {
        "code": row["code"],
        **{name: row[name] for name in ("name", "carrier", "service", "zone_by", "dim_unit")},
        "zone_miles": ", ".join(f"{miles:g}" for miles in row["zone_miles"]),
        "transit_days": ", ".join(map(str, row["transit_days"])),
        "dim_divisor": row["dim_divisor"] or "",
        "dim_over": row["dim_over"] or "",
        "fuel_percent": f"{row['fuel_basis_points'] / 100:g}" if row["fuel_basis_points"] else "",
        "surcharges": "\n".join(_surcharge_text(one, row["currency"]) for one in row["surcharges"]),
    }


def read(form: Form, currency: str) -> dict[str, Any]:
    """The card as the API would load it, without prices, which come from files; faults stand in the form."""
    body = {
        "name": form.text("name", "Enter a name people know it by.", most=200),
        "carrier": form.text("carrier", most=60),
        "service": form.text("service", most=60),
        "zone_by": form.choice("zone_by", ZONE_BY),
        "zone_miles": _figures(form, "zone_miles", "Write miles from near to far, such as 150, 300, 600."),
        "transit_days": _figures(
            form, "transit_days", "Write whole days by zone, such as 2, 3, 5.", whole=True
        ),
        "dim_divisor": form.whole("dim_divisor", 1, 100_000, optional=True),
        "dim_unit": form.choice("dim_unit", DIM_UNITS),
        "dim_over": form.whole("dim_over", 0, 10_000_000, optional=True) or 0,
        "fuel_percent": form.percent("fuel_percent", 100, "such as 12.5") or 0.0,
        "surcharges": list(_surcharges(form, currency)),
    }
    return loaded(form, RateCardIn(), body, POINTERS)


def surcharge_words(one: Mapping[str, Any]) -> str:
    """When a surcharge is asked: "over 22,680 g"."""
    return WHEN[one["when"]].format(value=one["value"])


def _figures(form: Form, name: str, remedy: str, *, whole: bool = False) -> list[Any]:
    found: list[Any] = []
    for word in re.split(r"[\s,;]+", form.value(name).strip()):
        if not word:
            continue
        if not re.fullmatch(r"\d{1,5}" if whole else r"\d{1,5}(\.\d{1,3})?", word):
            form.errors[name] = remedy
            return []
        found.append(int(word) if whole else float(word))
    return found


def _surcharges(form: Form, currency: str) -> Iterable[dict[str, Any]]:
    """Lines of `code amount when value`: "home 1.20 residential"."""
    for line in form.value("surcharges").splitlines():
        words = line.split()
        if not words:
            continue
        asked = Form({"amount": words[1] if len(words) > 1 else "?"})
        price = amount(asked, "amount", currency)
        when = words[2] if len(words) > 2 else "always"
        value = words[3] if len(words) > 3 else ""
        if price is None or when not in WHEN or len(words) > 4 or not re.fullmatch(r"\d{0,12}", value):
            form.errors["surcharges"] = (
                f"Write code, amount and when, such as home 1.20 residential. Not so: {line[:40]}"
            )
            return
        yield {
            "code": words[0],
            "amount": price["amount"],
            "when": when,
            "value": int(value) if value else None,
        }


def _surcharge_text(one: Mapping[str, Any], currency: str) -> str:
    price = Money(one["amount"], currency).decimal()
    return " ".join(
        [one["code"], str(price), one["when"], *([str(one["value"])] if one["value"] is not None else [])]
    )
