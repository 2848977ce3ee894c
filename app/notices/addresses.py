"""Where a buyer can be reached: one address for each channel, as far as the order tells. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PHONE = re.compile(r"\+[1-9][0-9]{7,14}")


def of_order(order: Any, settings: Mapping[str, Any]) -> dict[str, str]:
    """Addresses by channel; empty where there is none. `settings` are the tenant's `notices`."""
    customer = order.customer
    hook = settings.get("webhook") or {}
    return {
        "email": customer.get("email") or "",
        "sms": telephone(customer.get("phone") or order.ship_to.get("phone") or ""),
        "post": "\n".join(postal(order.bill_to or order.ship_to, customer.get("name") or "")),
        "webhook": hook.get("url") or "" if hook.get("secret") else "",
    }


def telephone(given: str) -> str:
    """A number as gateways take it, +12025550136; empty when it is none. Ten figures are a United States number."""
    figures = re.sub(r"[^\d+]", "", given)
    if re.fullmatch(r"[2-9]\d{9}", figures):
        figures = f"+1{figures}"
    elif re.fullmatch(r"1[2-9]\d{9}", figures):
        figures = f"+{figures}"
    return figures if PHONE.fullmatch(figures) else ""


def postal(address: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """An address as it stands on an envelope; empty when it has no street."""
    if not address.get("line1"):
        return ()
    city = " ".join(part for part in (address.get("region"), address.get("postal_code")) if part)
    rows = (
        address.get("name") or name,
        address.get("company"),
        address.get("line1"),
        address.get("line2"),
        ", ".join(part for part in (address.get("city"), city) if part),
        address.get("country") if address.get("country") != "US" else None,
    )
    return tuple(row for row in rows if row)
