"""The words of orders. Closed lists, shared by tables, schemas and pages."""

HOLD_KINDS = ("payment", "fraud", "address", "credit", "manual", "review")
