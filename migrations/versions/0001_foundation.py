"""The foundation: every table of the first release, fenced."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.fences import drop_operator_view, fence, open_global, operator_view

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "audit_entries",
    "status_changes",
    "price_tables",
    "routing_decisions",
    "routing_networks",
    "stock_movements",
    "inbound_receipts",
    "timeline",
    "delay_answers",
    "notice_deliveries",
    "notice_templates",
    "promise_events",
    "shipments",
    "shipment_lines",
    "seals",
)
TENANT_TABLES = (
    "audit_entries",
    "channels",
    "counters",
    "customers",
    "idempotency_keys",
    "imports",
    "inbox",
    "invitations",
    "rate_cards",
    "rate_card_zones",
    "nodes",
    "outbox",
    "rule_versions",
    "skus",
    "status_changes",
    "tenants",
    "timers",
    "grants",
    "import_chunks",
    "import_lines",
    "import_rows",
    "members",
    "orders",
    "allotments",
    "stock_cases",
    "stock_positions",
    "api_keys",
    "fulfillment_orders",
    "notices",
    "notice_deliveries",
    "notice_templates",
    "received_mails",
    "oauth_clients",
    "order_holds",
    "order_lines",
    "routing_decisions",
    "stock_movements",
    "inbound_orders",
    "inbound_lines",
    "inbound_receipts",
    "tax_records",
    "tenders",
    "timeline",
    "delay_answers",
    "fulfillment_order_lines",
    "oauth_tokens",
    "promises",
    "promise_events",
    "quotes",
    "quote_holds",
    "reservations",
    "shipments",
    "ledger_entries",
    "shipment_lines",
    "refunds_due",
    "seals",
    "price_tables",
    "routing_networks",
    "simulations",
    "simulation_slices",
    "cool_downs",
    "node_loads",
    "routing_exceptions",
)
GLOBAL_TABLES = (
    "accounts",
    "key_directory",
    "providers",
    "staff",
    "stripe_accounts",
    "tenant_directory",
    "account_tenants",
    "sso_subjects",
    "web_sessions",
)

TABLES_IN_ORDER = (
    "accounts",
    "audit_entries",
    "channels",
    "counters",
    "customers",
    "idempotency_keys",
    "imports",
    "inbox",
    "invitations",
    "key_directory",
    "rate_cards",
    "rate_card_zones",
    "nodes",
    "outbox",
    "providers",
    "rule_versions",
    "skus",
    "staff",
    "status_changes",
    "stripe_accounts",
    "tenant_directory",
    "tenants",
    "timers",
    "account_tenants",
    "grants",
    "import_chunks",
    "import_lines",
    "import_rows",
    "members",
    "orders",
    "sso_subjects",
    "allotments",
    "stock_cases",
    "stock_positions",
    "web_sessions",
    "api_keys",
    "fulfillment_orders",
    "notices",
    "notice_deliveries",
    "notice_templates",
    "received_mails",
    "oauth_clients",
    "order_holds",
    "order_lines",
    "routing_decisions",
    "stock_movements",
    "inbound_orders",
    "inbound_lines",
    "inbound_receipts",
    "tax_records",
    "tenders",
    "timeline",
    "delay_answers",
    "fulfillment_order_lines",
    "oauth_tokens",
    "promises",
    "promise_events",
    "quotes",
    "quote_holds",
    "reservations",
    "shipments",
    "ledger_entries",
    "shipment_lines",
    "refunds_due",
    "seals",
    "price_tables",
    "routing_networks",
    "simulations",
    "simulation_slices",
    "cool_downs",
    "node_loads",
    "routing_exceptions",
)

WORK_WAITING = """
    SELECT tenant_id,
           count(*) FILTER (WHERE state = 'waiting' AND available_at <= now()) AS waiting,
           count(*) FILTER (WHERE state = 'sent') AS sent,
           count(*) FILTER (WHERE state = 'sent' AND leased_until < now()) AS lapsed,
           min(available_at) AS oldest
    FROM outbox WHERE state IN ('waiting', 'sent') GROUP BY tenant_id
"""

TIMERS_DUE = """
    SELECT t.tenant_id, t.clock_offset, due.next_due
    FROM tenants t CROSS JOIN LATERAL (
        SELECT min(due_at) AS next_due FROM timers
        WHERE timers.tenant_id = t.tenant_id AND timers.state = 'armed') due
    WHERE due.next_due <= now() + make_interval(secs => t.clock_offset)
"""

MONEY_UNSETTLED = """
    SELECT tenant_id, count(*) AS entries, min(asked_at) AS oldest
    FROM ledger_entries WHERE outcome IN ('pending', 'unknown') AND asked_at IS NOT NULL GROUP BY tenant_id
"""

HISTORY_NEW = """
    SELECT t.tenant_id FROM tenants t WHERE EXISTS (
        SELECT 1 FROM timeline e WHERE e.tenant_id = t.tenant_id AND e.id >= CAST(lpad(to_hex(CAST(
            extract(epoch FROM now() - interval '3 minutes') * 1000 AS bigint)), 12, '0')
            || '70008000000000000000' AS uuid))
"""


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("email_verified_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        info={"scope": "GLOBAL", "append_only": False},
    )
    op.create_index("uq_accounts_email", "accounts", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "audit_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("request_id", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_entries")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(op.f("ix_audit_entries_tenant_id_at"), "audit_entries", ["tenant_id", "at"], unique=False)
    op.create_table(
        "channels",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('store', 'mail', 'email', 'social', 'web', 'phone_app', 'tablet_app', 'phone', 'broadcast', 'marketplace', 'edi', 'api')",
            name=op.f("ck_channels_kind_known"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_channels")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_channels_code", "channels", ["tenant_id", "code"], unique=True)
    op.create_table(
        "counters",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_counters")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_counters_name", "counters", ["tenant_id", "name"], unique=True)
    op.create_table(
        "customers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customers")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "uq_customers_email", "customers", ["tenant_id", sa.literal_column("lower(email)")], unique=True
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor_key", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_idempotency_keys")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_idempotency_keys_tenant_id_created_at"),
        "idempotency_keys",
        ["tenant_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "uq_idempotency_keys_key", "idempotency_keys", ["tenant_id", "route", "actor_key", "key"], unique=True
    )
    op.create_table(
        "imports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("header", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("rows_total", sa.BigInteger(), nullable=False),
        sa.Column("rows_done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cursor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("existing", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('orders', 'skus', 'nodes', 'stock', 'rate_card', 'zone_pairs')",
            name=op.f("ck_imports_kind_known"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'queued', 'running', 'done')", name=op.f("ck_imports_state_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_imports")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_imports_tenant_id_created_at"), "imports", ["tenant_id", "created_at"], unique=False
    )
    op.create_table(
        "inbox",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_inbox")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_inbox_external", "inbox", ["tenant_id", "source", "external_id"], unique=True)
    op.create_table(
        "invitations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("accepted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'agent', 'picker', 'analyst')",
            name=op.f("ck_invitations_role_known"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invitations")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_table(
        "key_directory",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_key_directory")),
        info={"scope": "GLOBAL", "append_only": False},
    )
    op.create_table(
        "rate_cards",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), server_default="", nullable=False),
        sa.Column("service", sa.Text(), server_default="", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("zone_by", sa.Text(), server_default="distance", nullable=False),
        sa.Column("zone_miles", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("dim_divisor", sa.BigInteger(), nullable=True),
        sa.Column("dim_unit", sa.Text(), server_default="in3_per_lb", nullable=False),
        sa.Column("dim_over", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("surcharges", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("fuel_basis_points", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "transit_days", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.Column("prices", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("zone_by IN ('distance', 'zip3')", name=op.f("ck_rate_cards_zone_by_known")),
        sa.CheckConstraint(
            "dim_unit IN ('in3_per_lb', 'cm3_per_kg')", name=op.f("ck_rate_cards_dim_unit_known")
        ),
        sa.CheckConstraint(
            "dim_divisor IS NULL OR dim_divisor > 0", name=op.f("ck_rate_cards_divisor_positive")
        ),
        sa.CheckConstraint(
            "dim_over >= 0 AND fuel_basis_points >= 0", name=op.f("ck_rate_cards_not_negative")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rate_cards")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_rate_cards_code", "rate_cards", ["tenant_id", "code"], unique=True)
    op.create_table(
        "rate_card_zones",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rate_card_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.BigInteger(), nullable=False),
        sa.Column("zones", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "origin BETWEEN 0 AND 999 AND length(zones) = 1000", name=op.f("ck_rate_card_zones_whole_row")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rate_card_id"],
            ["rate_cards.tenant_id", "rate_cards.id"],
            name=op.f("fk_rate_card_zones_tenant_id_rate_card_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rate_card_zones")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "uq_rate_card_zones_origin",
        "rate_card_zones",
        ["tenant_id", "rate_card_id", "origin"],
        unique=True,
    )
    op.create_table(
        "nodes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("capacity_per_day", sa.BigInteger(), nullable=True),
        sa.Column("capacity_per_hour", sa.BigInteger(), nullable=True),
        sa.Column("handling_minutes", sa.BigInteger(), nullable=True),
        sa.Column("handling_per_package", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("handling_per_unit", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("priority", sa.BigInteger(), server_default="100", nullable=False),
        sa.Column("cutoff", sa.Text(), nullable=True),
        sa.Column("cutoffs", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("calendar", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "capabilities", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.Column("zones", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("rate_card", sa.Text(), nullable=True),
        sa.Column("open", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('warehouse', 'store', 'vendor', 'workshop', 'virtual')",
            name=op.f("ck_nodes_kind_known"),
        ),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_nodes_place_whole")),
        sa.CheckConstraint(
            "capacity_per_day IS NULL OR capacity_per_day >= 0", name=op.f("ck_nodes_capacity_not_negative")
        ),
        sa.CheckConstraint(
            "capacity_per_hour IS NULL OR capacity_per_hour >= 0", name=op.f("ck_nodes_hourly_not_negative")
        ),
        sa.CheckConstraint(
            "handling_minutes IS NULL OR handling_minutes >= 0", name=op.f("ck_nodes_minutes_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rate_card"],
            ["rate_cards.tenant_id", "rate_cards.code"],
            name=op.f("fk_nodes_tenant_id_rate_card"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_nodes")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_nodes_code", "nodes", ["tenant_id", "code"], unique=True)
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("available_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("leased_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("handled", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (finished_at IS NOT NULL)", name=op.f("ck_outbox_done_is_finished")
        ),
        sa.CheckConstraint("state <> 'dead' OR error IS NOT NULL", name=op.f("ck_outbox_dead_has_reason")),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'done', 'dead')", name=op.f("ck_outbox_state_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outbox")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "ix_outbox_dead", "outbox", ["tenant_id"], unique=False, postgresql_where=sa.text("state = 'dead'")
    )
    op.create_index(
        op.f("ix_outbox_tenant_id_available_at"),
        "outbox",
        ["tenant_id", "available_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        op.f("ix_outbox_tenant_id_leased_until"),
        "outbox",
        ["tenant_id", "leased_until"],
        unique=False,
        postgresql_where=sa.text("state = 'sent'"),
    )
    op.create_index(
        op.f("ix_outbox_tenant_id_subject_id"), "outbox", ["tenant_id", "subject_id"], unique=False
    )
    op.create_table(
        "providers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_providers")),
        info={"scope": "GLOBAL", "append_only": False},
    )
    op.create_table(
        "rule_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.Text(), server_default="default", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("activated_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'simulated', 'active', 'retired')", name=op.f("ck_rule_versions_state_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rule_versions")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "uq_rule_versions_active",
        "rule_versions",
        ["tenant_id", "scope"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index("uq_rule_versions_version", "rule_versions", ["tenant_id", "version"], unique=True)
    op.create_table(
        "skus",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_code", sa.Text(), server_default="standard", nullable=False),
        sa.Column("release_date", sa.Date(), nullable=True),
        sa.Column("lead_time_days", sa.BigInteger(), nullable=True),
        sa.Column("components", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("exempt_from_delay_rule", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('stock', 'preorder', 'made_to_order', 'digital', 'gift_card_digital', 'gift_card_physical', 'kit')",
            name=op.f("ck_skus_kind_known"),
        ),
        sa.CheckConstraint("price >= 0", name=op.f("ck_skus_price_not_negative")),
        sa.CheckConstraint("weight_g >= 0", name=op.f("ck_skus_weight_not_negative")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_skus")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_skus_code", "skus", ["tenant_id", "code"], unique=True)
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("sso_subject", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
        sa.UniqueConstraint("sso_subject", name=op.f("uq_staff_sso_subject")),
        info={"scope": "GLOBAL", "append_only": False},
    )
    op.create_table(
        "status_changes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_status_changes")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        op.f("ix_status_changes_tenant_id_subject_id_machine_id"),
        "status_changes",
        ["tenant_id", "subject_id", "machine", "id"],
        unique=False,
    )
    op.create_table(
        "stripe_accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_stripe_accounts")),
        info={"scope": "GLOBAL", "append_only": False},
    )
    op.create_table(
        "tenant_directory",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenant_directory")),
        info={"scope": "GLOBAL", "append_only": False},
    )
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("timezone", sa.Text(), server_default="America/New_York", nullable=False),
        sa.Column("currency", sa.Text(), server_default="USD", nullable=False),
        sa.Column("stripe_account", sa.Text(), nullable=True),
        sa.Column("clock_offset", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("config_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("rate_limit", sa.BigInteger(), nullable=True),
        sa.Column("suspended_reason", sa.Text(), nullable=True),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "clock_offset = 0 OR environment = 'sandbox'", name=op.f("ck_tenants_only_sandbox_clock_moves")
        ),
        sa.CheckConstraint("environment IN ('sandbox', 'live')", name=op.f("ck_tenants_environment_known")),
        sa.CheckConstraint("status IN ('active', 'suspended')", name=op.f("ck_tenants_status_known")),
        sa.CheckConstraint("id = tenant_id", name=op.f("ck_tenants_id_is_tenant")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenants")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_table(
        "timers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="armed", nullable=False),
        sa.Column("fired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('armed', 'fired', 'disarmed')", name=op.f("ck_timers_state_known")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_timers")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_timers_tenant_id_due_at"),
        "timers",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'armed'"),
    )
    op.create_index("uq_timers_key", "timers", ["tenant_id", "key"], unique=True)
    op.create_table(
        "account_tenants",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_account_tenants_account_id")),
        sa.PrimaryKeyConstraint("account_id", "tenant_id", name=op.f("pk_account_tenants")),
        info={"scope": "GLOBAL", "append_only": False},
    )
    op.create_table(
        "grants",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("nodes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name=op.f("fk_grants_provider_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_grants")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_table(
        "import_chunks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["imports.tenant_id", "imports.id"],
            name=op.f("fk_import_chunks_tenant_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_import_chunks")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "uq_import_chunks_position", "import_chunks", ["tenant_id", "import_id", "position"], unique=True
    )
    op.create_table(
        "import_lines",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("cells", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["imports.tenant_id", "imports.id"],
            name=op.f("fk_import_lines_tenant_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_import_lines")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_import_lines_tenant_id_import_id_reference_row"),
        "import_lines",
        ["tenant_id", "import_id", "reference", "row"],
        unique=False,
    )
    op.create_index("uq_import_lines_row", "import_lines", ["tenant_id", "import_id", "row"], unique=True)
    op.create_table(
        "import_rows",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('created', 'existing', 'refused')", name=op.f("ck_import_rows_outcome_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["imports.tenant_id", "imports.id"],
            name=op.f("fk_import_rows_tenant_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_import_rows")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_import_rows_tenant_id_import_id_reference"),
        "import_rows",
        ["tenant_id", "import_id", "reference"],
        unique=False,
    )
    op.create_index("uq_import_rows_row", "import_rows", ["tenant_id", "import_id", "row"], unique=True)
    op.create_table(
        "members",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("removed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'agent', 'picker', 'analyst')", name=op.f("ck_members_role_known")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_members_account_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_members")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_members_account", "members", ["tenant_id", "account_id"], unique=True)
    op.create_table(
        "orders",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("source_code", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("customer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ship_to", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("bill_to", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ship_lat", sa.Float(), nullable=True),
        sa.Column("ship_lon", sa.Float(), nullable=True),
        sa.Column("buyer_zone", sa.Text(), nullable=False),
        sa.Column("placed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reference_date", sa.Date(), nullable=True),
        sa.Column("items_total", sa.BigInteger(), nullable=False),
        sa.Column("discounts_total", sa.BigInteger(), nullable=False),
        sa.Column("charges_total", sa.BigInteger(), nullable=False),
        sa.Column("tax_total", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("authorized_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("captured_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refunded_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_status", sa.Text(), nullable=False),
        sa.Column("charges", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("discounts", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'placed', 'closed', 'cancelled')", name=op.f("ck_orders_status_known")
        ),
        sa.CheckConstraint(
            "tax_status IN ('given', 'estimated', 'settled')", name=op.f("ck_orders_tax_status_known")
        ),
        sa.CheckConstraint(
            "total = items_total - discounts_total + charges_total + tax_total AND total >= 0",
            name=op.f("ck_orders_adds_up"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "channel"],
            ["channels.tenant_id", "channels.code"],
            name=op.f("fk_orders_tenant_id_channel"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_orders_tenant_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_orders")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "ix_orders_email",
        "orders",
        ["tenant_id", sa.literal_column("lower(customer->>'email')")],
        unique=False,
    )
    op.create_index(
        op.f("ix_orders_tenant_id_customer_id"), "orders", ["tenant_id", "customer_id"], unique=False
    )
    op.create_index(
        op.f("ix_orders_tenant_id_placed_at_id"), "orders", ["tenant_id", "placed_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_orders_tenant_id_status_placed_at"),
        "orders",
        ["tenant_id", "status", "placed_at"],
        unique=False,
    )
    op.create_index("uq_orders_external_ref", "orders", ["tenant_id", "channel", "external_ref"], unique=True)
    op.create_index("uq_orders_number", "orders", ["tenant_id", "number"], unique=True)
    op.create_table(
        "sso_subjects",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sso_subjects_account_id")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_sso_subjects")),
        info={"scope": "GLOBAL", "append_only": False},
    )
    op.create_table(
        "allotments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=True),
        sa.Column("node_id", sa.Uuid(), nullable=True),
        sa.Column("share_percent", sa.BigInteger(), nullable=True),
        sa.Column("units", sa.BigInteger(), nullable=True),
        sa.Column("borrow", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint(
            "(share_percent IS NULL) <> (units IS NULL)", name=op.f("ck_allotments_one_measure")
        ),
        sa.CheckConstraint("share_percent BETWEEN 0 AND 100", name=op.f("ck_allotments_share_is_percent")),
        sa.CheckConstraint("units >= 0", name=op.f("ck_allotments_units_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "node_id"],
            ["nodes.tenant_id", "nodes.id"],
            name=op.f("fk_allotments_tenant_id_node_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sku_id"],
            ["skus.tenant_id", "skus.id"],
            name=op.f("fk_allotments_tenant_id_sku_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_allotments")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "uq_allotments_place",
        "allotments",
        ["tenant_id", "channel", "sku_id", "node_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "stock_cases",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("kind IN ('count', 'rejection')", name=op.f("ck_stock_cases_kind_known")),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'dismissed')", name=op.f("ck_stock_cases_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "node_id"],
            ["nodes.tenant_id", "nodes.id"],
            name=op.f("fk_stock_cases_tenant_id_node_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sku_id"],
            ["skus.tenant_id", "skus.id"],
            name=op.f("fk_stock_cases_tenant_id_sku_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stock_cases")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_stock_cases_tenant_id_state"), "stock_cases", ["tenant_id", "state"], unique=False
    )
    op.create_table(
        "stock_positions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=False),
        sa.Column("disposition", sa.Text(), server_default="sellable", nullable=False),
        sa.Column("segment", sa.Text(), server_default="shared", nullable=False),
        sa.Column("on_hand", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("safety", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "disposition IN ('sellable', 'damaged', 'quarantine', 'on_hold', 'in_transit', 'returned_to_grade')",
            name=op.f("ck_stock_positions_disposition_known"),
        ),
        sa.CheckConstraint(
            "reserved >= 0 AND reserved <= on_hand", name=op.f("ck_stock_positions_reserved_within_on_hand")
        ),
        sa.CheckConstraint("safety >= 0", name=op.f("ck_stock_positions_safety_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "node_id"],
            ["nodes.tenant_id", "nodes.id"],
            name=op.f("fk_stock_positions_tenant_id_node_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sku_id"],
            ["skus.tenant_id", "skus.id"],
            name=op.f("fk_stock_positions_tenant_id_sku_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stock_positions")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_stock_positions_tenant_id_node_id"),
        "stock_positions",
        ["tenant_id", "node_id"],
        unique=False,
    )
    op.create_index(
        "uq_stock_positions_place",
        "stock_positions",
        ["tenant_id", "sku_id", "node_id", "disposition", "segment"],
        unique=True,
    )
    op.create_table(
        "web_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("previous_digest", sa.LargeBinary(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("rotated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("user_agent", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_web_sessions_account_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_web_sessions_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("previous_digest", name=op.f("uq_web_sessions_previous_digest")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_web_sessions_token_digest")),
        info={"scope": "GLOBAL", "append_only": False},
    )
    op.create_index(op.f("ix_web_sessions_account_id"), "web_sessions", ["account_id"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("rate_limit", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "grant_id"],
            ["grants.tenant_id", "grants.id"],
            name=op.f("fk_api_keys_tenant_id_grant_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "replaced_by"],
            ["api_keys.tenant_id", "api_keys.id"],
            name=op.f("fk_api_keys_tenant_id_replaced_by"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_keys")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_api_keys_prefix", "api_keys", ["tenant_id", "prefix"], unique=True)
    op.create_table(
        "fulfillment_orders",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("work_status", sa.Text(), server_default="open", nullable=False),
        sa.Column("request_status", sa.Text(), server_default="held", nullable=False),
        sa.Column("service", sa.Text(), server_default="standard", nullable=False),
        sa.Column("ship_to", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("promised_by", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("leaves_on", sa.Date(), nullable=True),
        sa.Column("gathered_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("submitted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reject_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "request_status IN ('held', 'submitted', 'accepted', 'rejected', 'cancel_requested', 'closed')",
            name=op.f("ck_fulfillment_orders_request_status_known"),
        ),
        sa.CheckConstraint(
            "work_status IN ('open', 'picking', 'packed', 'shipped', 'incomplete', 'cancelled')",
            name=op.f("ck_fulfillment_orders_work_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "node_id"],
            ["nodes.tenant_id", "nodes.id"],
            name=op.f("fk_fulfillment_orders_tenant_id_node_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_fulfillment_orders_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fulfillment_orders")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "ix_fulfillment_orders_gathered",
        "fulfillment_orders",
        ["tenant_id", "gathered_until"],
        unique=False,
        postgresql_where=sa.text("request_status = 'held'"),
    )
    op.create_index(
        "ix_fulfillment_orders_open_work",
        "fulfillment_orders",
        ["tenant_id", "node_id"],
        unique=False,
        postgresql_where=sa.text("work_status IN ('open', 'picking', 'packed')"),
    )
    op.create_index(
        op.f("ix_fulfillment_orders_tenant_id_order_id"),
        "fulfillment_orders",
        ["tenant_id", "order_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_fulfillment_orders_tenant_id_request_status_node_id_id"),
        "fulfillment_orders",
        ["tenant_id", "request_status", "node_id", "id"],
        unique=False,
    )
    op.create_index(
        "uq_fulfillment_orders_number", "fulfillment_orders", ["tenant_id", "number"], unique=True
    )
    op.create_table(
        "notices",
        "notice_deliveries",
        "notice_templates",
        "received_mails",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="email", nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("template_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body_text", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("body_sms", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("send_by", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("delivered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("bounced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'delivered', 'bounced', 'failed')",
            name=op.f("ck_notices_state_known"),
        ),
        sa.CheckConstraint(
            "channel IN ('email', 'sms', 'post', 'webhook')", name=op.f("ck_notices_channel_known")
        ),
        sa.CheckConstraint("language IN ('en', 'es')", name=op.f("ck_notices_language_known")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_notices_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notices")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "ix_notices_failed",
        "notices",
        ["tenant_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('bounced', 'failed')"),
    )
    op.create_index(
        "ix_notices_to_print",
        "notices",
        ["tenant_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued' AND channel = 'post'"),
    )
    op.create_index(op.f("ix_notices_tenant_id_order_id"), "notices", ["tenant_id", "order_id"], unique=False)
    op.create_index("uq_notices_cause", "notices", ["tenant_id", "cause"], unique=True)
    op.create_table(
        "notice_deliveries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "channel IN ('email', 'sms', 'post', 'webhook')", name=op.f("ck_notice_deliveries_channel_known")
        ),
        sa.CheckConstraint(
            "state IN ('started', 'deferred', 'accepted', 'delivered', 'refused', 'bounced', 'given_up')",
            name=op.f("ck_notice_deliveries_state_known"),
        ),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_notice_deliveries_attempt_counted")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "notice_id"],
            ["notices.tenant_id", "notices.id"],
            name=op.f("fk_notice_deliveries_tenant_id_notice_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notice_deliveries")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        "uq_notice_deliveries_learned",
        "notice_deliveries",
        ["tenant_id", "notice_id", "attempt", "state"],
        unique=True,
    )
    op.create_table(
        "notice_templates",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sms", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint("language IN ('en', 'es')", name=op.f("ck_notice_templates_language_known")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_notice_templates_version_counted")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notice_templates")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        "uq_notice_templates_version",
        "notice_templates",
        ["tenant_id", "kind", "language", "version"],
        unique=True,
    )
    op.create_table(
        "received_mails",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="closed", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "kind IN ('bounce', 'delay', 'delivered', 'automatic', 'reply')",
            name=op.f("ck_received_mails_kind_known"),
        ),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_received_mails_state_known")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "notice_id"],
            ["notices.tenant_id", "notices.id"],
            name=op.f("fk_received_mails_tenant_id_notice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_received_mails_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_received_mails")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "ix_received_mails_open",
        "received_mails",
        ["tenant_id", "received_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("uq_received_mails_key", "received_mails", ["tenant_id", "key"], unique=True)
    op.create_table(
        "oauth_clients",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=False),
        sa.Column("previous_digest", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("rate_limit", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "grant_id"],
            ["grants.tenant_id", "grants.id"],
            name=op.f("fk_oauth_clients_tenant_id_grant_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_oauth_clients")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_oauth_clients_client", "oauth_clients", ["tenant_id", "client_id"], unique=True)
    op.create_table(
        "order_holds",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("released_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('payment', 'fraud', 'address', 'credit', 'manual', 'review')",
            name=op.f("ck_order_holds_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_order_holds_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_order_holds")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "ix_order_holds_open",
        "order_holds",
        ["tenant_id", "placed_at"],
        unique=False,
        postgresql_where="released_at IS NULL",
    )
    op.create_index(
        "uq_order_holds_live",
        "order_holds",
        ["tenant_id", "order_id", "kind"],
        unique=True,
        postgresql_where="released_at IS NULL",
    )
    op.create_table(
        "order_lines",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=False),
        sa.Column("ordered", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("backordered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("allocated", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("delivered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refunded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("charges", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("value_shipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("value_cancelled", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tax_code", sa.Text(), nullable=False),
        sa.Column("covered", sa.Boolean(), nullable=False),
        sa.Column("components", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("ship_to", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "delivered BETWEEN 0 AND shipped", name=op.f("ck_order_lines_delivered_was_shipped")
        ),
        sa.CheckConstraint(
            "ordered > 0 AND cancelled >= 0 AND backordered >= 0 AND allocated >= 0 AND shipped >= 0 AND ordered = cancelled + backordered + allocated + shipped",
            name=op.f("ck_order_lines_every_unit_once"),
        ),
        sa.CheckConstraint(
            "refunded BETWEEN 0 AND ordered", name=op.f("ck_order_lines_refunded_was_ordered")
        ),
        sa.CheckConstraint(
            "returned BETWEEN 0 AND shipped", name=op.f("ck_order_lines_returned_was_shipped")
        ),
        sa.CheckConstraint(
            "total = items - discount + charges + tax AND total >= 0", name=op.f("ck_order_lines_adds_up")
        ),
        sa.CheckConstraint(
            "value_shipped >= 0 AND value_cancelled >= 0 AND value_shipped + value_cancelled <= total",
            name=op.f("ck_order_lines_value_within_total"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_order_lines_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sku_id"],
            ["skus.tenant_id", "skus.id"],
            name=op.f("fk_order_lines_tenant_id_sku_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_order_lines")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "ix_order_lines_backordered",
        "order_lines",
        ["tenant_id", "sku_id"],
        unique=False,
        postgresql_where="backordered > 0",
    )
    op.create_index(
        op.f("ix_order_lines_tenant_id_order_id"), "order_lines", ["tenant_id", "order_id"], unique=False
    )
    op.create_index(
        op.f("ix_order_lines_tenant_id_sku_id_order_id"),
        "order_lines",
        ["tenant_id", "sku_id", "order_id"],
        unique=False,
    )
    op.create_table(
        "routing_decisions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), nullable=False),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("explanation", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=True),
        sa.Column("packages", sa.BigInteger(), nullable=False),
        sa.Column("miles", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_routing_decisions_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_routing_decisions")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        op.f("ix_routing_decisions_tenant_id_order_id_id"),
        "routing_decisions",
        ["tenant_id", "order_id", "id"],
        unique=False,
    )
    op.create_table(
        "stock_movements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.Column("delta", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "cause IN ('adjustment', 'receipt', 'count', 'shipment', 'return', 'transfer_in', 'transfer_out', 'hold', 'unhold')",
            name=op.f("ck_stock_movements_cause_known"),
        ),
        sa.CheckConstraint("delta <> 0", name=op.f("ck_stock_movements_moves_something")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "position_id"],
            ["stock_positions.tenant_id", "stock_positions.id"],
            name=op.f("fk_stock_movements_tenant_id_position_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stock_movements")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        op.f("ix_stock_movements_tenant_id_position_id_id"),
        "stock_movements",
        ["tenant_id", "position_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_stock_movements_tenant_id_reference"),
        "stock_movements",
        ["tenant_id", "reference"],
        unique=False,
    )
    op.create_table(
        "inbound_orders",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("supplier", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("cancelled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "node_id"],
            ["nodes.tenant_id", "nodes.id"],
            name=op.f("fk_inbound_orders_tenant_id_node_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_inbound_orders")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_inbound_orders_reference", "inbound_orders", ["tenant_id", "reference"], unique=True)
    op.create_index(
        op.f("ix_inbound_orders_tenant_id_supplier"),
        "inbound_orders",
        ["tenant_id", "supplier"],
        unique=False,
    )
    op.create_table(
        "inbound_lines",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inbound_order_id", sa.Uuid(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("first_expected_on", sa.Date(), nullable=True),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_inbound_lines_brings_something")),
        sa.CheckConstraint(
            "received >= 0 AND received <= quantity", name=op.f("ck_inbound_lines_received_within_quantity")
        ),
        sa.CheckConstraint(
            "(received_at IS NOT NULL) = (received = quantity)",
            name=op.f("ck_inbound_lines_received_at_end"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "inbound_order_id"],
            ["inbound_orders.tenant_id", "inbound_orders.id"],
            name=op.f("fk_inbound_lines_tenant_id_inbound_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sku_id"],
            ["skus.tenant_id", "skus.id"],
            name=op.f("fk_inbound_lines_tenant_id_sku_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_inbound_lines")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "uq_inbound_lines_sku",
        "inbound_lines",
        ["tenant_id", "inbound_order_id", "sku_id"],
        unique=True,
    )
    op.create_index(
        "ix_inbound_lines_open",
        "inbound_lines",
        ["tenant_id", "sku_id"],
        unique=False,
        postgresql_where="received < quantity",
    )
    op.create_table(
        "inbound_receipts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inbound_order_id", sa.Uuid(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "inbound_order_id"],
            ["inbound_orders.tenant_id", "inbound_orders.id"],
            name=op.f("fk_inbound_receipts_tenant_id_inbound_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_inbound_receipts")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        "uq_inbound_receipts_receipt",
        "inbound_receipts",
        ["tenant_id", "inbound_order_id", "receipt"],
        unique=True,
    )
    op.create_table(
        "tax_records",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("quoted", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=True),
        sa.Column("difference", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('estimated', 'settled')", name=op.f("ck_tax_records_status_known")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_tax_records_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tax_records")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_tax_records_order", "tax_records", ["tenant_id", "order_id"], unique=True)
    op.create_table(
        "tenders",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=True),
        sa.Column("processor_customer", sa.Text(), nullable=True),
        sa.Column("card", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("mandate_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('card', 'gift_card', 'credit', 'check', 'terms', 'cash', 'external')",
            name=op.f("ck_tenders_kind_known"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_tenders_amount_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_tenders_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenders")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_tenders_position", "tenders", ["tenant_id", "order_id", "position"], unique=True)
    op.create_table(
        "timeline",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_timeline_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_timeline")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        op.f("ix_timeline_tenant_id_order_id_id"), "timeline", ["tenant_id", "order_id", "id"], unique=False
    )
    op.create_index(
        "ix_timeline_reported",
        "timeline",
        ["tenant_id", "at"],
        unique=False,
        postgresql_where="name IN ('order.cancelled', 'order.lines_cancelled', 'notice.failed',"
        " 'payment.capture_failed', 'shipment.refused', 'promise.cancelled', 'refund.alarmed')",
    )
    op.create_table(
        "delay_answers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.CheckConstraint(
            "answer IN ('consent', 'cancel', 'consent_rider')", name=op.f("ck_delay_answers_answer_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "notice_id"],
            ["notices.tenant_id", "notices.id"],
            name=op.f("fk_delay_answers_tenant_id_notice_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_delay_answers_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_delay_answers")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        op.f("ix_delay_answers_tenant_id_order_id"), "delay_answers", ["tenant_id", "order_id"], unique=False
    )
    op.create_table(
        "fulfillment_order_lines",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fulfillment_order_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("picked", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("packed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("released", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cancel_requested", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("excludes", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "excludes IN ('node', 'sku')", name=op.f("ck_fulfillment_order_lines_excludes_known")
        ),
        sa.CheckConstraint(
            "picked BETWEEN 0 AND quantity AND packed BETWEEN 0 AND quantity",
            name=op.f("ck_fulfillment_order_lines_picks_within_quantity"),
        ),
        sa.CheckConstraint(
            "quantity > 0 AND shipped >= 0 AND released >= 0 AND cancel_requested >= 0",
            name=op.f("ck_fulfillment_order_lines_counts_not_negative"),
        ),
        sa.CheckConstraint(
            "shipped + released + cancel_requested <= quantity",
            name=op.f("ck_fulfillment_order_lines_ships_within_quantity"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "fulfillment_order_id"],
            ["fulfillment_orders.tenant_id", "fulfillment_orders.id"],
            name=op.f("fk_fulfillment_order_lines_tenant_id_fulfillment_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_line_id"],
            ["order_lines.tenant_id", "order_lines.id"],
            name=op.f("fk_fulfillment_order_lines_tenant_id_order_line_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fulfillment_order_lines")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_fulfillment_order_lines_tenant_id_fulfillment_order_id"),
        "fulfillment_order_lines",
        ["tenant_id", "fulfillment_order_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_fulfillment_order_lines_tenant_id_order_line_id"),
        "fulfillment_order_lines",
        ["tenant_id", "order_line_id"],
        unique=False,
    )
    op.create_table(
        "oauth_tokens",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_row_id", sa.Uuid(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_row_id"],
            ["oauth_clients.tenant_id", "oauth_clients.id"],
            name=op.f("fk_oauth_tokens_tenant_id_client_row_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_oauth_tokens")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_oauth_tokens_tenant_id_expires_at"),
        "oauth_tokens",
        ["tenant_id", "expires_at"],
        unique=False,
    )
    op.create_index("uq_oauth_tokens_prefix", "oauth_tokens", ["tenant_id", "prefix"], unique=True)
    op.create_table(
        "promises",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("stated", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("original_deadline", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("original_date", sa.Date(), nullable=False),
        sa.Column("deadline", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expected_ship_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("vested_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("vests_on", sa.Date(), nullable=True),
        sa.Column(
            "regimes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default='["us_federal"]',
            nullable=False,
        ),
        sa.Column("deliver_by", sa.Date(), nullable=True),
        sa.Column("delivery_deadline", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("delivery_state", sa.Text(), nullable=True),
        sa.Column("delivery_due_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('incomplete', 'open', 'wait_silent', 'wait_express', 'wait_renewed', 'consent_definite', 'consent_indefinite', 'shipped', 'cancelled', 'not_covered', 'delivery')",
            name=op.f("ck_promises_state_known"),
        ),
        sa.CheckConstraint(
            "delivery_state IN ('due', 'late', 'extended', 'terminable', 'delivered', 'ended', 'closed')",
            name=op.f("ck_promises_delivery_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_promises_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_line_id"],
            ["order_lines.tenant_id", "order_lines.id"],
            name=op.f("fk_promises_tenant_id_order_line_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_promises")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "ix_promises_live",
        "promises",
        ["tenant_id", "deadline"],
        unique=False,
        postgresql_where="state NOT IN ('shipped', 'cancelled', 'not_covered', 'incomplete')",
    )
    op.create_index(
        "ix_promises_without_date",
        "promises",
        ["tenant_id", "deadline"],
        unique=False,
        postgresql_where="state NOT IN ('shipped', 'cancelled', 'not_covered', 'incomplete')"
        " AND state <> 'consent_indefinite' AND (expected_ship_at IS NULL OR expected_ship_at >= deadline)",
    )
    op.create_index(
        "ix_promises_waiting",
        "promises",
        ["tenant_id", "deadline"],
        unique=False,
        postgresql_where="state IN ('wait_silent', 'wait_express', 'wait_renewed')",
    )
    op.create_index(
        "ix_promises_due",
        "promises",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_include=["order_id"],
        postgresql_where="due_at IS NOT NULL",
    )
    op.create_index(
        "ix_promises_delivery_due",
        "promises",
        ["tenant_id", "delivery_due_at"],
        unique=False,
        postgresql_include=["order_id"],
        postgresql_where="delivery_due_at IS NOT NULL",
    )
    op.create_index(
        "ix_promises_undelivered",
        "promises",
        ["tenant_id", "delivery_deadline"],
        unique=False,
        postgresql_where="delivery_state IN ('late', 'terminable')",
    )
    op.create_index(
        op.f("ix_promises_tenant_id_order_id"), "promises", ["tenant_id", "order_id"], unique=False
    )
    op.create_index("uq_promises_line", "promises", ["tenant_id", "order_line_id"], unique=True)
    op.create_table(
        "promise_events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.CheckConstraint(
            "kind IN ('dishonored', 'completed', 'later_asked', 'substituted', 'late_known', 'at_risk', 'revised', 'cancel_requested', 'will_not_ship', 'ended', 'corrected', 'gone', 'made', 'address_asked', 'address_came', 'delivered', 'period_granted', 'delivery_refused', 'ended_by_buyer')",
            name=op.f("ck_promise_events_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_promise_events_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_line_id"],
            ["order_lines.tenant_id", "order_lines.id"],
            name=op.f("fk_promise_events_tenant_id_order_line_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_promise_events")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        op.f("ix_promise_events_tenant_id_order_id"),
        "promise_events",
        ["tenant_id", "order_id"],
        unique=False,
    )
    op.create_index(
        "uq_promise_events_cause",
        "promise_events",
        ["tenant_id", "order_line_id", "kind", "key"],
        unique=True,
    )
    op.create_table(
        "quotes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("quoted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("held_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("promises", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "ended_by IN ('order', 'time', 'withdrawal', 'loss')", name=op.f("ck_quotes_ended_by_known")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_quotes_ended_by_something")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_quotes_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_quotes")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_quotes_order", "quotes", ["tenant_id", "order_id"], unique=True)
    op.create_index(
        "ix_quotes_held",
        "quotes",
        ["tenant_id", "held_until"],
        unique=False,
        postgresql_where="ended_at IS NULL",
    )
    op.create_table(
        "quote_holds",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("units > 0", name=op.f("ck_quote_holds_holds_something")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "quote_id"],
            ["quotes.tenant_id", "quotes.id"],
            name=op.f("fk_quote_holds_tenant_id_quote_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "position_id"],
            ["stock_positions.tenant_id", "stock_positions.id"],
            name=op.f("fk_quote_holds_tenant_id_position_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_quote_holds")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "uq_quote_holds_position",
        "quote_holds",
        ["tenant_id", "quote_id", "position_id"],
        unique=True,
    )
    op.create_index(
        op.f("ix_quote_holds_tenant_id_position_id"),
        "quote_holds",
        ["tenant_id", "position_id"],
        unique=False,
    )
    op.create_table(
        "reservations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=True),
        sa.Column("position_id", sa.Uuid(), nullable=True),
        sa.Column("supply", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("ship_by", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(supply = 'none') = (node_id IS NULL)", name=op.f("ck_reservations_backorder_has_no_node")
        ),
        sa.CheckConstraint(
            "(supply = 'on_hand') = (position_id IS NOT NULL)",
            name=op.f("ck_reservations_on_hand_has_position"),
        ),
        sa.CheckConstraint(
            "supply IN ('on_hand', 'none', 'made', 'unlimited', 'vendor')",
            name=op.f("ck_reservations_supply_known"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservations_holds_something")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_line_id"],
            ["order_lines.tenant_id", "order_lines.id"],
            name=op.f("fk_reservations_tenant_id_order_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "position_id"],
            ["stock_positions.tenant_id", "stock_positions.id"],
            name=op.f("fk_reservations_tenant_id_position_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reservations")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "ix_reservations_backorders",
        "reservations",
        ["tenant_id", "sku_id", "ship_by", "made_at"],
        unique=False,
        postgresql_where="supply = 'none'",
    )
    op.create_index(
        op.f("ix_reservations_tenant_id_order_line_id"),
        "reservations",
        ["tenant_id", "order_line_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_reservations_tenant_id_position_id"),
        "reservations",
        ["tenant_id", "position_id"],
        unique=False,
    )
    op.create_table(
        "shipments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fulfillment_order_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="carrier", nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), server_default="", nullable=False),
        sa.Column("tracking_number", sa.Text(), nullable=False),
        sa.Column("shipped_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("handed_to", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('carrier', 'counter', 'digital')", name=op.f("ck_shipments_kind_known")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_shipments_value_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "fulfillment_order_id"],
            ["fulfillment_orders.tenant_id", "fulfillment_orders.id"],
            name=op.f("fk_shipments_tenant_id_fulfillment_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_shipments_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_shipments")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        op.f("ix_shipments_tenant_id_order_id"), "shipments", ["tenant_id", "order_id"], unique=False
    )
    op.create_index(
        "uq_shipments_report", "shipments", ["tenant_id", "fulfillment_order_id", "report"], unique=True
    )
    op.create_table(
        "ledger_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("authorization_id", sa.Uuid(), nullable=True),
        sa.Column("shipment_id", sa.Uuid(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("captured", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("capture_before", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("next_action", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("settled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('authorize', 'capture', 'refund', 'void', 'expire')",
            name=op.f("ck_ledger_entries_kind_known"),
        ),
        sa.CheckConstraint(
            "outcome IN ('pending', 'succeeded', 'failed', 'unknown')",
            name=op.f("ck_ledger_entries_outcome_known"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_ledger_entries_amount_not_negative")),
        sa.CheckConstraint(
            "captured BETWEEN 0 AND amount", name=op.f("ck_ledger_entries_captured_within_authorized")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "authorization_id"],
            ["ledger_entries.tenant_id", "ledger_entries.id"],
            name=op.f("fk_ledger_entries_tenant_id_authorization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_ledger_entries_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "shipment_id"],
            ["shipments.tenant_id", "shipments.id"],
            name=op.f("fk_ledger_entries_tenant_id_shipment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tender_id"],
            ["tenders.tenant_id", "tenders.id"],
            name=op.f("fk_ledger_entries_tenant_id_tender_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ledger_entries")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_ledger_entries_tenant_id_order_id"),
        "ledger_entries",
        ["tenant_id", "order_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_ledger_entries_tenant_id_reference"),
        "ledger_entries",
        ["tenant_id", "reference"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_entries_unsettled",
        "ledger_entries",
        ["tenant_id", "asked_at"],
        unique=False,
        postgresql_where=sa.text("outcome IN ('pending', 'unknown')"),
    )
    op.create_index("uq_ledger_entries_key", "ledger_entries", ["tenant_id", "key"], unique=True)
    op.create_table(
        "shipment_lines",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("fulfillment_order_line_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_shipment_lines_ships_something")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "fulfillment_order_line_id"],
            ["fulfillment_order_lines.tenant_id", "fulfillment_order_lines.id"],
            name=op.f("fk_shipment_lines_tenant_id_fulfillment_order_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_line_id"],
            ["order_lines.tenant_id", "order_lines.id"],
            name=op.f("fk_shipment_lines_tenant_id_order_line_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "shipment_id"],
            ["shipments.tenant_id", "shipments.id"],
            name=op.f("fk_shipment_lines_tenant_id_shipment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_shipment_lines")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(
        op.f("ix_shipment_lines_tenant_id_order_line_id"),
        "shipment_lines",
        ["tenant_id", "order_line_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_shipment_lines_tenant_id_shipment_id"),
        "shipment_lines",
        ["tenant_id", "shipment_id"],
        unique=False,
    )
    op.create_table(
        "refunds_due",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("taken", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("form", sa.Text(), server_default="same_form_and_statement", nullable=False),
        sa.Column("vests_on", sa.Date(), nullable=False),
        sa.Column("latest_on", sa.Date(), nullable=False),
        sa.Column("strict_on", sa.Date(), nullable=False),
        sa.Column("target_on", sa.Date(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("paid_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("paid_form", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("impossible_on", sa.Date(), nullable=True),
        sa.Column("impossible_reason", sa.Text(), nullable=True),
        sa.Column("statement_id", sa.Uuid(), nullable=True),
        sa.Column("stated_on", sa.Date(), nullable=True),
        sa.Column("statement_reference", sa.Text(), nullable=True),
        sa.Column("proven_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("alarm", sa.SmallInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "form IN ('cash_or_check', 'credit_memo_and_copy', 'not_charged_statement', 'account_statement',"
            " 'same_form_and_statement')",
            name=op.f("ck_refunds_due_form_known"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_due_owes_something")),
        sa.CheckConstraint("alarm BETWEEN 0 AND 3", name=op.f("ck_refunds_due_alarm_known")),
        sa.CheckConstraint(
            "proven_at IS NULL OR (paid_at IS NOT NULL AND stated_on IS NOT NULL)",
            name=op.f("ck_refunds_due_proof_is_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"],
            ["ledger_entries.tenant_id", "ledger_entries.id"],
            name=op.f("fk_refunds_due_tenant_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_refunds_due_tenant_id_order_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "statement_id"],
            ["notices.tenant_id", "notices.id"],
            name=op.f("fk_refunds_due_tenant_id_statement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tender_id"],
            ["tenders.tenant_id", "tenders.id"],
            name=op.f("fk_refunds_due_tenant_id_tender_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_refunds_due")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_refunds_due_tenant_id_order_id"), "refunds_due", ["tenant_id", "order_id"], unique=False
    )
    op.create_index(
        "ix_refunds_due_open",
        "refunds_due",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("proven_at IS NULL"),
    )
    op.create_index("ix_refunds_due_statement", "refunds_due", ["tenant_id", "statement_id"], unique=True)
    op.create_index("uq_refunds_due_cause", "refunds_due", ["tenant_id", "tender_id", "cause"], unique=True)
    op.create_table(
        "seals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("position > 0", name=op.f("ck_seals_position_positive")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_seals_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_seals")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index(op.f("ix_seals_tenant_id_made_at"), "seals", ["tenant_id", "made_at"], unique=False)
    op.create_index("uq_seals_position", "seals", ["tenant_id", "order_id", "position"], unique=True)
    op.create_table(
        "price_tables",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("basis", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_price_tables")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index("uq_price_tables_version", "price_tables", ["tenant_id", "version"], unique=True)
    op.create_table(
        "routing_networks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_routing_networks")),
        info={"scope": "TENANT", "append_only": True},
    )
    op.create_index("uq_routing_networks_digest", "routing_networks", ["tenant_id", "digest"], unique=True)
    op.create_table(
        "simulations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("against", sa.BigInteger(), nullable=False),
        sa.Column("orders_from", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("orders_to", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("orders_total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("orders_done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=True),
        sa.Column("left_before", sa.LargeBinary(), nullable=True),
        sa.Column("left_after", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_simulations_state_known"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_simulations")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_simulations_tenant_id_created_at"), "simulations", ["tenant_id", "created_at"], unique=False
    )
    op.create_table(
        "simulation_slices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("simulation_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("orders", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "simulation_id"],
            ["simulations.tenant_id", "simulations.id"],
            name=op.f("fk_simulation_slices_tenant_id_simulation_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_simulation_slices")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        "uq_simulation_slices_position",
        "simulation_slices",
        ["tenant_id", "simulation_id", "position"],
        unique=True,
    )
    op.create_table(
        "cool_downs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "node_id"],
            ["nodes.tenant_id", "nodes.id"],
            name=op.f("fk_cool_downs_tenant_id_node_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sku_id"],
            ["skus.tenant_id", "skus.id"],
            name=op.f("fk_cool_downs_tenant_id_sku_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cool_downs")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(op.f("ix_cool_downs_tenant_id_until"), "cool_downs", ["tenant_id", "until"], unique=False)
    op.create_index(
        "uq_cool_downs_place",
        "cool_downs",
        ["tenant_id", "node_id", "sku_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "node_loads",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("packages", sa.BigInteger(), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "capacity IS NULL OR packages <= capacity", name=op.f("ck_node_loads_packages_within_capacity")
        ),
        sa.CheckConstraint("packages >= 0", name=op.f("ck_node_loads_packages_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "node_id"],
            ["nodes.tenant_id", "nodes.id"],
            name=op.f("fk_node_loads_tenant_id_node_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_node_loads")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index("uq_node_loads_day", "node_loads", ["tenant_id", "node_id", "day"], unique=True)
    op.create_table(
        "routing_exceptions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "kind IN ('nowhere', 'cycles', 'cancel', 'gone')", name=op.f("ck_routing_exceptions_kind_known")
        ),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_routing_exceptions_state_known")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_routing_exceptions_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_routing_exceptions")),
        info={"scope": "TENANT", "append_only": False},
    )
    op.create_index(
        op.f("ix_routing_exceptions_tenant_id_state_opened_at"),
        "routing_exceptions",
        ["tenant_id", "state", "opened_at"],
        unique=False,
    )
    op.create_index(
        "uq_routing_exceptions_open",
        "routing_exceptions",
        ["tenant_id", "order_id", "kind"],
        unique=True,
        postgresql_where="state = 'open'",
    )
    for table in TENANT_TABLES:
        fence(table, append_only=table in APPEND_ONLY)
    for table in GLOBAL_TABLES:
        open_global(table)
    operator_view("work_waiting", WORK_WAITING)
    operator_view("timers_due", TIMERS_DUE)
    operator_view("money_unsettled", MONEY_UNSETTLED)
    operator_view("history_new", HISTORY_NEW)


def downgrade() -> None:
    for view in ("history_new", "money_unsettled", "timers_due", "work_waiting"):
        drop_operator_view(view)
    for table in reversed(TABLES_IN_ORDER):
        op.drop_table(table)
