"""The words of the catalog. Closed lists, shared by tables, schemas and pages."""

KINDS = (
    "stock",
    "preorder",
    "made_to_order",
    "digital",
    "gift_card_digital",
    "gift_card_physical",
    "kit",
)
