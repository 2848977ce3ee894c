"""The words of money. Closed lists, shared by tables, schemas and pages."""

TENDER_KINDS = ("card", "gift_card", "credit", "check", "terms", "cash", "external")
