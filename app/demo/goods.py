"""What the demo merchant sells: well-made things for the home, of every kind that Kept knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

COLORS = {"SAG": "sage", "OAT": "oat", "IND": "indigo", "CLY": "clay", "CHR": "charcoal", "IVY": "ivory"}
FAMILIES = (
    # code, title, price, weight in grams, variants: codes of COLORS or sizes
    ("LN-SHT", "Washed linen sheet set, queen", 21900, 2400, "SAG OAT IND CHR IVY"),
    ("LN-DUV", "Washed linen duvet cover, queen", 24900, 2100, "SAG OAT IND CHR IVY"),
    ("LN-PIL", "Linen pillowcase pair", 5900, 420, "SAG OAT IND CLY CHR IVY"),
    ("LN-TOW", "Linen kitchen towel", 2200, 140, "SAG OAT IND CLY CHR"),
    ("LN-NAP", "Linen napkins, set of four", 4400, 240, "SAG OAT IND CLY"),
    ("LN-TBL", "Linen tablecloth, 70 by 108 inches", 12900, 1100, "SAG OAT IVY"),
    ("LN-APR", "Cross-back linen apron", 6800, 380, "SAG OAT IND CHR"),
    ("CT-BTH", "Organic cotton bath towel", 3800, 620, "SAG OAT IND CLY CHR IVY"),
    ("CT-HND", "Organic cotton hand towel", 2200, 260, "SAG OAT IND CLY CHR IVY"),
    ("CT-MAT", "Ribbed cotton bath mat", 4800, 900, "SAG OAT CHR IVY"),
    ("CT-QLT", "Hand-stitched cotton quilt", 28900, 2900, "OAT IND IVY"),
    ("WL-THR", "Lambswool throw", 14800, 1150, "SAG OAT IND CLY CHR"),
    ("WL-CSH", "Wool cushion cover, 20 inches", 6400, 350, "SAG OAT IND CLY CHR IVY"),
    ("WL-RUG", "Flat-woven wool rug, 5 by 8 feet", 49800, 9800, "OAT IND CHR"),
    ("WL-RUN", "Flat-woven wool runner, 2.5 by 8 feet", 25800, 5100, "OAT IND CHR"),
    ("WL-SLP", "Felted wool slippers", 8400, 480, "S M L XL"),
    ("CR-MUG", "Stoneware mug, 12 ounces", 3200, 410, "SAG OAT IND CLY CHR"),
    ("CR-BWL", "Stoneware cereal bowl", 3400, 560, "SAG OAT IND CLY CHR"),
    ("CR-PLT", "Stoneware dinner plate", 3800, 780, "SAG OAT IND CLY CHR"),
    ("CR-SAL", "Stoneware salad plate", 3000, 520, "SAG OAT IND CLY CHR"),
    ("CR-SRV", "Stoneware serving bowl", 7800, 1600, "SAG OAT CLY"),
    ("CR-VAS", "Hand-thrown vase", 8800, 1300, "SAG OAT CLY CHR"),
    ("CR-PTC", "Stoneware pitcher", 6800, 1200, "SAG OAT CLY"),
    ("CR-PLN", "Terracotta planter with saucer", 4800, 2200, "S M L"),
    ("GL-TUM", "Recycled glass tumblers, set of four", 4800, 1300, "SAG IND IVY"),
    ("GL-CAR", "Recycled glass carafe", 4200, 900, "SAG IND IVY"),
    ("GL-JAR", "Glass storage jar with acacia lid", 2600, 700, "S M L XL"),
    ("GL-VOT", "Pressed glass votives, set of six", 3600, 850, "SAG IND IVY"),
    ("WD-BRD", "Walnut cutting board", 8900, 1700, "S M L"),
    ("WD-SPN", "Olive wood cooking spoons, set of three", 3400, 210, "ONE"),
    ("WD-TRY", "Ash serving tray", 7200, 1250, "S M L"),
    ("WD-STL", "Oak step stool", 16800, 4300, "ONE CHR"),
    ("WD-FRM", "Ash picture frame", 3900, 620, "S M L"),
    ("WD-HKS", "Oak peg rail", 5800, 1100, "S M L"),
    ("MT-SKL", "Carbon steel skillet", 8900, 1800, "S M L"),
    ("MT-DUT", "Enameled Dutch oven, 5.5 quarts", 24800, 5600, "SAG OAT IND CHR"),
    ("MT-KET", "Gooseneck kettle", 9800, 980, "OAT CHR"),
    ("MT-FLT", "Forged flatware, 20 pieces", 18800, 1900, "ONE CHR"),
    ("MT-LMP", "Brass reading lamp", 18400, 2600, "ONE CHR"),
    ("MT-CND", "Brass candle holders, set of three", 7600, 1400, "ONE"),
    ("CN-SOY", "Soy candle, 40 hours", 3400, 520, "CEDAR FIG ROSEMARY CITRUS SMOKE"),
    ("CN-TPR", "Beeswax tapers, set of six", 2800, 310, "OAT IND CLY IVY"),
    ("BD-SOP", "Olive oil bar soap, set of three", 2400, 360, "CEDAR FIG ROSEMARY CITRUS"),
    ("BD-BRS", "Boar bristle bath brush", 3200, 190, "ONE"),
    ("BD-ROB", "Waffle cotton robe", 11800, 980, "S M L XL"),
    ("GD-TRW", "Forged garden trowel", 3800, 340, "ONE"),
    ("GD-SNP", "Herb snips", 2900, 130, "ONE"),
    ("GD-CAN", "Galvanized watering can", 5400, 1400, "S L"),
    ("GD-GLV", "Goatskin garden gloves", 3600, 180, "S M L"),
    ("KT-GRD", "Hand coffee grinder", 7900, 640, "ONE"),
    ("KT-PRS", "Pour-over coffee stand", 6200, 900, "ONE CHR"),
    ("KT-MRT", "Granite mortar and pestle", 5600, 3900, "ONE"),
    ("KT-SCL", "Mechanical kitchen scale", 6400, 1500, "SAG OAT"),
    ("ST-BSK", "Seagrass storage basket", 5200, 1200, "S M L XL"),
    ("ST-BOX", "Linen storage box with lid", 4400, 950, "SAG OAT CHR"),
    ("ST-HMP", "Willow laundry hamper", 13800, 3600, "ONE"),
    ("PP-NTB", "Cloth-bound notebook", 2400, 420, "SAG OAT IND CLY CHR"),
    ("PP-CAL", "Letterpress wall calendar", 3200, 380, "ONE"),
    ("PP-CRD", "Letterpress note cards, set of eight", 2200, 160, "SAG OAT IND"),
)
SIZES = {"S": "small", "M": "medium", "L": "large", "XL": "extra large"}
SIZE_FACTOR = {"S": 0.8, "M": 1.0, "L": 1.3, "XL": 1.55}

PREORDERS = (
    ("PR-ADV", "Wooden advent calendar, this year's edition", 9800, 1900, 6),
    ("PR-TEA", "Ironware teapot by Mori Workshop", 16800, 2100, 18),
    ("PR-BLK", "Natural dye wool blanket, spring edition", 23800, 2200, 45),
    ("PR-CHR", "Ladder-back chair, second run", 38800, 6800, 33),
    ("PR-BOK", "The Slow Kitchen, signed first edition", 4200, 1100, 24),
    ("PR-LNT", "Paper lantern by Studio Hale", 12400, 700, 60),
)
MADE = (
    ("MO-TBL", "Farmhouse table made to measure, white oak", 189000, 62000, 28),
    ("MO-BNC", "Oak bench made to measure", 78000, 21000, 21),
    ("MO-SHF", "Wall shelf cut to length, ash", 14800, 3800, 10),
    ("MO-CRT", "Custom curtain panel, linen", 16800, 1700, 14),
    ("MO-CSH", "Custom bench cushion", 22800, 2600, 14),
    ("MO-MNO", "Monogrammed linen napkins, set of eight", 11800, 480, 7),
    ("MO-SGN", "Hand-lettered house number", 9600, 1500, 9),
    ("MO-LMP", "Lamp shade made to order", 12800, 900, 12),
)
DIGITAL = (
    ("DG-KNT", "Fisherman sweater, knitting pattern", 900),
    ("DG-SEW", "Cross-back apron, sewing pattern", 1200),
    ("DG-BRD", "Four country loaves, a baking guide", 1500),
    ("DG-GRD", "The small kitchen garden, a planner", 1800),
    ("DG-DYE", "Natural dyes at home, a video course", 4900),
)
KITS = (
    ("KIT-BRK", "Breakfast for two", 18800, {"CR-MUG-OAT": 2, "CR-BWL-OAT": 2, "LN-NAP-OAT": 1}),
    ("KIT-DIN", "Dinner for four, clay", 38800, {"CR-PLT-CLY": 4, "CR-SAL-CLY": 4, "LN-NAP-CLY": 1}),
    ("KIT-BED", "The linen bed, sage", 44800, {"LN-SHT-SAG": 1, "LN-DUV-SAG": 1, "LN-PIL-SAG": 1}),
    ("KIT-BTH", "Bath set for two, indigo", 10800, {"CT-BTH-IND": 2, "CT-HND-IND": 2}),
    ("KIT-COF", "Slow coffee", 16200, {"KT-GRD": 1, "KT-PRS": 1, "CR-MUG-CHR": 1}),
    ("KIT-GRD", "First garden", 11800, {"GD-TRW": 1, "GD-SNP": 1, "GD-GLV-M": 1}),
    ("KIT-HST", "For the host", 9400, {"CN-SOY-FIG": 1, "LN-TOW-CLY": 1, "BD-SOP-FIG": 1}),
    ("KIT-WRT", "Letters by hand", 6200, {"PP-NTB-IND": 1, "PP-CRD-IND": 2}),
    ("KIT-COK", "The cook's corner", 21200, {"MT-SKL-M": 1, "WD-BRD-M": 1, "WD-SPN": 1}),
    ("KIT-EVE", "A quiet evening", 21400, {"WL-THR-CHR": 1, "CN-SOY-CEDAR": 1, "CR-MUG-CHR": 1}),
)
SOLD_OUT = ("CR-PTC-CLY", "MT-KET-CHR", "WL-RUG-IND", "CT-QLT-OAT", "BD-BRS", "ST-HMP")
"""Nobody has any: what is ordered waits for a delivery."""


def catalog(today: date) -> dict[str, dict[str, Any]]:
    """code -> SKU as PUT /skus takes it. Release dates follow `today`."""
    return dict(_all(today))


def _all(today: date) -> Iterator[tuple[str, dict[str, Any]]]:
    for code, title, price, weight, variants in FAMILIES:
        for variant in variants.split():
            yield _variant(code, title, price, weight, variant)
    for code, title, price, weight, days in PREORDERS:
        released = (today + timedelta(days=days)).isoformat()
        yield code, _sku(title, "preorder", price, weight) | {"release_date": released}
    for code, title, price, weight, days in MADE:
        yield code, _sku(title, "made_to_order", price, weight) | {"lead_time_days": days}
    for code, title, price in DIGITAL:
        yield code, _sku(title, "digital", price, 0)
    for amount in (2500, 5000, 10000, 20000):
        worth = f"${amount // 100}"
        yield f"GC-E-{amount // 100}", _sku(f"Gift card by email, {worth}", "gift_card_digital", amount, 0)
        yield (
            f"GC-P-{amount // 100}",
            _sku(f"Gift card in a linen sleeve, {worth}", "gift_card_physical", amount, 40),
        )
    for code, title, price, parts in KITS:
        components = [{"sku": part, "quantity": units} for part, units in parts.items()]
        yield code, _sku(title, "kit", price, 0) | {"components": components}


def _variant(code: str, title: str, price: int, weight: int, variant: str) -> tuple[str, dict[str, Any]]:
    if variant == "ONE":
        return code, _sku(title, "stock", price, weight)
    factor = (
        SIZE_FACTOR.get(variant, 1.0) if code != "WL-SLP" and code != "BD-ROB" and code != "GD-GLV" else 1.0
    )
    words = COLORS.get(variant) or SIZES.get(variant) or variant.lower()
    full = _sku(f"{title}, {words}", "stock", round(price * factor / 100) * 100, round(weight * factor))
    return f"{code}-{variant}", full


def _sku(title: str, kind: str, price: int, weight: int) -> dict[str, Any]:
    gift = kind.startswith("gift_card")
    return {
        "title": title,
        "kind": kind,
        "price": {"amount": price, "currency": "USD"},
        "weight_g": weight,
        "tax_code": "gift_card" if gift else "standard",
    }
