"""The words of stock: how units are, why they move. Closed lists, shared by tables, schemas and pages."""

DISPOSITIONS = ("sellable", "damaged", "quarantine", "on_hold", "in_transit", "returned_to_grade")
CAUSES = (
    "adjustment",
    "receipt",
    "count",
    "shipment",
    "return",
    "transfer_in",
    "transfer_out",
    "hold",
    "unhold",
)
