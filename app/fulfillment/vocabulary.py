"""The words of work: how far it is, how its provider stands. Closed lists, shared by tables, schemas and pages."""

WORK = ("open", "picking", "packed", "shipped", "incomplete", "cancelled")
REQUEST = ("held", "submitted", "accepted", "rejected", "cancel_requested", "closed")
