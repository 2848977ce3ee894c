"""What can be done with an order now; what cannot keeps its place with the reason. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.pages import formats

Row = Mapping[str, Any]


def acts(
    order: Row,
    lines: Sequence[Row],
    holds: Sequence[Row],
    work: Sequence[Row],
    *,
    needs_payment: bool,
    delay_lines: int,
    asked: bool,
) -> list[dict[str, Any]]:
    """[{key, label, detail, icon, refused}]: the page gives each key its address or dialog."""
    made = []
    if delay_lines:
        made.append(
            _act("delay", "Send delay notice", f"{formats.plural(delay_lines, 'line')} will be late", "mail")
        )
    if asked:
        made.append(
            _act(
                "delay_answer",
                "Record the buyer's answer",
                "Given by phone, letter, chat or email",
                "message",
            )
        )
    if needs_payment:
        made.append(
            _act("payment", "Try the card again", "The buyer may also mend it on their page", "credit-card")
        )
    made.append(_route(order, lines, holds))
    made.append(_cancel(order, lines))
    made.append(_hold(order, holds))
    made += [
        _act(f"release:{hold['kind']}", f"Lift the {hold['kind']} hold", hold["reason"], "lock-open")
        for hold in holds
        if hold["kind"] != "payment"
    ]
    made.append(_address(order, work))
    made.append(_address_request(order, lines, holds))
    return made


def _act(key: str, label: str, detail: str, icon: str, refused: bool = False) -> dict[str, Any]:
    return {"key": key, "label": label, "detail": detail, "icon": icon, "refused": refused}


def _route(order: Row, lines: Sequence[Row], holds: Sequence[Row]) -> dict[str, Any]:
    label, icon = "Look for stock again", "arrows-split-2"
    waiting = sum(line["backordered"] for line in lines)
    if not waiting or order["status"] != "placed":
        return _act("route", label, "Not needed: no unit waits for stock", icon, refused=True)
    return _act("route", label, f"{formats.plural(waiting, 'unit')} wait{'s' if waiting == 1 else ''}", icon)


def _cancel(order: Row, lines: Sequence[Row]) -> dict[str, Any]:
    label, icon = "Cancel units", "circle-x"
    open_units = sum(line["allocated"] + line["backordered"] for line in lines)
    if order["status"] == "cancelled":
        return _act("cancel", label, "Not now: the order is canceled", icon, refused=True)
    if not open_units:
        return _act("cancel", label, "Not now: every unit has shipped or is canceled", icon, refused=True)
    shipped = sum(line["shipped"] for line in lines)
    detail = f"{formats.plural(open_units, 'open unit')}"
    return _act(
        "cancel", label, detail + (f"; {formats.number(shipped)} left already" if shipped else ""), icon
    )


def _hold(order: Row, holds: Sequence[Row]) -> dict[str, Any]:
    label, icon = "Hold the order", "lock"
    if order["status"] != "placed":
        word = order["status"].replace("cancelled", "canceled")
        return _act("hold", label, f"Not now: the order is {word}", icon, refused=True)
    if any(hold["kind"] == "manual" for hold in holds):
        return _act("hold", label, "It is held already", icon, refused=True)
    return _act("hold", label, "Nothing leaves until you lift it", icon)


def _address(order: Row, work: Sequence[Row]) -> dict[str, Any]:
    label, icon = "Change address", "map-pin"
    if order["status"] != "placed":
        word = order["status"].replace("cancelled", "canceled")
        return _act("address", label, f"Not now: the order is {word}", icon, refused=True)
    for one in work:
        if one["work_status"] in ("shipped", "incomplete"):
            return _act("address", label, f"Not now: units have left {one['node_name']}", icon, refused=True)
        if one["request_status"] in ("accepted", "cancel_requested") and one["work_status"] != "cancelled":
            return _act(
                "address", label, f"Not now: {one['node_name']} has accepted the work", icon, refused=True
            )
    return _act("address", label, "Units are routed again when the place changes", icon)


def _address_request(order: Row, lines: Sequence[Row], holds: Sequence[Row]) -> dict[str, Any]:
    label, icon = "The address is not usable", "map-pin"
    if order["status"] != "placed" or not any(line["allocated"] + line["backordered"] for line in lines):
        return _act("address_request", label, "Not now: nothing is left to send", icon, refused=True)
    asked = any(hold["kind"] == "address" for hold in holds)
    detail = (
        "The buyer was asked; say if none ever came" if asked else "Note that the buyer was asked for another"
    )
    return _act("address_request", label, detail, icon)
