"""What is bought and how it is paid in a scenario file: lines, tenders, the seller's ordering terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from app.promises.check.words import (
    ScenarioFault,
    Times,
    amount,
    as_list,
    flag,
    known_keys,
    one_of,
    promise,
    whole,
    word,
)
from app.promises.readings import Settings
from app.promises.refunds import CLASS_OF_TENDER, Discount, OrderingTerms, Tender
from app.promises.rules import Exemption, PromiseInput, Way


@dataclass(frozen=True, slots=True)
class ScenarioLine:
    """One line: `goods` is what all its units cost, in minor units."""

    id: str
    quantity: int
    goods: int
    promises: tuple[PromiseInput, ...] = ()
    exemption: Exemption | None = None
    way: Way = Way.CARRIER
    components: tuple[str, ...] = ()
    preorder: bool = False


# --- Lines ---

LINE = (
    "id",
    "sku",
    "title",
    "price",
    "quantity",
    "kind",
    "exemption",
    "promises",
    "promise",
    "way",
    "components",
    "preorder",
)
KINDS: dict[str, Exemption | None] = {
    "stock": None,
    "preorder": None,
    "pre_order": None,
    "made_to_order": None,
    "custom": None,
    "digital": None,
    "kit": None,
    "gift": None,
    "printed_gift": None,
    "first_serial_delivery": None,
    "seeds": Exemption.SEEDS_AND_PLANTS,
    "plants": Exemption.SEEDS_AND_PLANTS,
    "growing_plants": Exemption.SEEDS_AND_PLANTS,
    "photo_finishing": Exemption.SERVICE,
    "photo_prints": Exemption.SERVICE,
    "service": Exemption.SERVICE,
    "negative_option": Exemption.NEGATIVE_OPTION,
    "later_serial_delivery": Exemption.LATER_SERIAL_DELIVERY,
}
WAYS = {
    **{way.value: way for way in Way},
    "ship": Way.CARRIER,
    "pickup": Way.STORE_PICKUP,
    "pick_up": Way.STORE_PICKUP,
    "bopis": Way.STORE_PICKUP,
    "download": Way.DIGITAL,
}
DEFAULT_PRICE = 100_00


def lines(
    given: Mapping[str, Any], times: Times, settings: Settings, currency: str, path: str
) -> tuple[ScenarioLine, ...]:
    """The lines; without any, one called "1". What stands beside `lines` holds for each that says nothing."""
    shared = {key: given[key] for key in LINE if key in given and key != "id"}
    bodies = as_list(given.get("lines")) or [{}]
    found = []
    for at, one in enumerate(bodies):
        where = f"{path}.lines[{at}]"
        own = known_keys(one, LINE, where)
        if "promise" in own:
            own["promises"] = own.pop("promise")
        body = {**shared, **own}
        found.append(
            _line(str(body.get("id", body.get("sku", at + 1))), body, times, settings, currency, where)
        )
    if len({line.id for line in found}) < len(found):
        raise ScenarioFault(f"{path}.lines", "Two lines have the same id.")
    return tuple(found)


def _line(
    name: str, body: Mapping[str, Any], times: Times, settings: Settings, currency: str, path: str
) -> ScenarioLine:
    quantity = whole(body.get("quantity", 1), f"{path}.quantity", 1)
    price = DEFAULT_PRICE if body.get("price") is None else amount(body["price"], currency, f"{path}.price")
    shown = as_list(body.get("promises"))
    stated = [promise(one, times, settings, f"{path}.promises[{at}]") for at, one in enumerate(shown)]
    kind = word(body.get("kind", "stock"))
    exemption = one_of(kind, KINDS, f"{path}.kind")
    if body.get("exemption") is not None:
        exemption = one_of(body["exemption"], {one.value: one for one in Exemption}, f"{path}.exemption")
    way = body.get("way", "digital" if kind == "digital" else "carrier")
    return ScenarioLine(
        id=name,
        quantity=quantity,
        goods=price * quantity,
        promises=tuple(one for one in stated if one is not None),
        exemption=exemption,
        way=one_of(way, WAYS, f"{path}.way"),
        components=tuple(str(one) for one in as_list(body.get("components"))),
        preorder=flag(body.get("preorder", kind in ("preorder", "pre_order")), f"{path}.preorder"),
    )


# --- Tenders ---

TENDER = ("kind", "amount", "captured", "cycle_ends", "note")
TENDERS = {
    **{kind: kind for kind in CLASS_OF_TENDER},
    "credit_card": "card",
    "store_brand_card": "card",
    "cheque": "check",
    "debit": "debit_card",
    "bnpl": "pay_later",
    "klarna": "pay_later",
    "affirm": "pay_later",
    "afterpay": "pay_later",
    "paypal_credit": "pay_later",
    "paypal": "wallet",
    "apple_pay": "wallet",
    "google_pay": "wallet",
    "seller_credit": "terms",
    "house_account": "terms",
    "charge_account": "terms",
    "net_30": "terms",
    "invoice": "terms",
    "store_credit": "credit",
    "ach": "bank_transfer",
    "wire": "bank_transfer",
    "bitcoin": "crypto",
    "other": "external",
}
ON_DELIVERY = frozenset({"cod", "c.o.d.", "c_o_d", "cash_on_delivery"})


def tenders(
    given: Any, total: int | None, currency: str, times: Times, path: str
) -> tuple[tuple[Tender, ...], bool]:
    """The tenders, and whether the order is paid on delivery. Without any a captured credit card; one without an
    amount paid the whole, or what the others leave. Raises ScenarioFault when they do not make the total."""
    bodies = [one if isinstance(one, Mapping) else {"kind": one} for one in as_list(given)] or [
        {"kind": "card"}
    ]
    found, open_at = [], []
    for at, one in enumerate(bodies):
        body = known_keys(one, TENDER, f"{path}[{at}]")
        if word(body.get("kind", "card")) in ON_DELIVERY:
            return (), True
        if body.get("amount") is None:
            open_at.append(at)
        found.append(_tender(body, currency, times, f"{path}[{at}]"))
    if len(open_at) > 1:
        raise ScenarioFault(path, "Say what each tender paid (`amount`); only one may be left out.")
    paid = sum(one.paid for one in found)
    if open_at:
        rest = (total or 0) - paid
        if rest < 0:
            raise ScenarioFault(path, "The other tenders paid more than the total.")
        at = open_at[0]
        found[at] = replace(found[at], paid=rest)
    return tuple(found), False


def _tender(body: Mapping[str, Any], currency: str, times: Times, path: str) -> Tender:
    cycle = body.get("cycle_ends")
    return Tender(
        kind=one_of(body.get("kind", "card"), TENDERS, f"{path}.kind"),
        paid=0 if body.get("amount") is None else amount(body["amount"], currency, f"{path}.amount"),
        taken=flag(body.get("captured", True), f"{path}.captured"),
        cycle_ends=None if cycle is None else times.day(cycle, f"{path}.cycle_ends"),
    )


# --- Ordering terms, total ---

TERMS = ("shipping", "handling", "insurance", "discounts", "tax_percent", "taxes_charges")
CHARGES = ("shipping", "handling", "insurance", "tax", "discount")


def terms(given: Any, currency: str, path: str) -> OrderingTerms | None:
    """The seller's ordering terms; None when the file gives none."""
    if given is None:
        return None
    body = known_keys(given, TERMS, path)
    return OrderingTerms(
        shipping=_steps(body.get("shipping", []), currency, f"{path}.shipping"),
        handling=sum(
            amount(body.get(name, 0), currency, f"{path}.{name}") for name in ("handling", "insurance")
        ),
        discounts=tuple(
            _discount(one, currency, f"{path}.discounts[{at}]")
            for at, one in enumerate(as_list(body.get("discounts")))
        ),
        tax_percent=_percent(body.get("tax_percent", 0), f"{path}.tax_percent"),
        taxes_charges=flag(body.get("taxes_charges", True), f"{path}.taxes_charges"),
    )


def _steps(given: Any, currency: str, path: str) -> tuple[tuple[int, int], ...]:
    if not isinstance(given, list):
        return ((0, amount(given, currency, path)),)
    found = []
    for at, one in enumerate(given):
        body = known_keys(one, ("from", "charge"), f"{path}[{at}]")
        found.append(
            (
                amount(body.get("from", 0), currency, f"{path}[{at}].from"),
                amount(body.get("charge"), currency, f"{path}[{at}].charge"),
            )
        )
    return tuple(found)


def _discount(given: Any, currency: str, path: str) -> Discount:
    body = known_keys(given, ("over", "off", "percent"), path)
    return Discount(
        over=amount(body.get("over", 0), currency, f"{path}.over"),
        off=amount(body.get("off", 0), currency, f"{path}.off"),
        percent=_percent(body.get("percent", 0), f"{path}.percent"),
    )


def _percent(value: Any, path: str) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal(-1)
    if not 0 <= found <= 100:
        raise ScenarioFault(path, "Give a percentage from 0 to 100.")
    return found


def total(
    given: Mapping[str, Any],
    found: tuple[ScenarioLine, ...],
    ordering: OrderingTerms | None,
    currency: str,
    path: str,
) -> int | None:
    """What the order costs: as said, else goods and charges, else by the terms."""
    if given.get("total") is not None:
        return amount(given["total"], currency, f"{path}.total")
    goods = sum(line.goods for line in found)
    if given.get("charges") is None:
        return ordering.total(goods) if ordering else goods
    body = known_keys(given["charges"], CHARGES, f"{path}.charges")
    sums = {name: amount(value, currency, f"{path}.charges.{name}") for name, value in body.items()}
    return goods + sum(sums.values()) - 2 * sums.get("discount", 0)
