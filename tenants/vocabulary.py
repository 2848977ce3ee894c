"""The words of tenants. Closed lists, shared by tables, schemas and pages."""

ROLES = ("owner", "manager", "agent", "picker", "analyst")
CHANNEL_KINDS = (
    "store",
    "mail",
    "email",
    "social",
    "web",
    "phone_app",
    "tablet_app",
    "phone",
    "broadcast",
    "marketplace",
    "edi",
    "api",
)
