"""An order's history as rows that never change, and how they are sealed: shared by the worker that seals and the books
that check.

Every row of history is written out as one canonical text, the same in every session: a JSON array of the table's name
and its lasting columns, instants as seconds since 1970. What may still change of a row (a message's delivery, an
entry's outcome) is told by an event of the timeline when it does, so it is sealed there.
"""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE_HOURS = 3
"""How old a row may be without a seal; older, it was written past the worker, or the worker stands still."""


@dataclass(frozen=True)
class Source:
    """A table whose rows belong to an order's history, and its columns that never change. `order` names the order, or
    `owner` the table that does, and our column that names its row."""

    table: str
    columns: tuple[str, ...]
    instants: tuple[str, ...] = ()
    order: str = "order_id"
    owner: tuple[str, str] | None = None
    where: str = "true"

    def order_id(self) -> str:
        """SQL: the order of a row."""
        if self.owner is None:
            return self.order
        owner, ours = self.owner
        return (
            f"(SELECT o.order_id FROM {owner} o"
            f" WHERE o.tenant_id = {self.table}.tenant_id AND o.id = {self.table}.{ours})"
        )

    def of(self, tenant: str, orders: str) -> str:
        """SQL: whether a row is of these orders: `= ...`, found by an index also through the owner."""
        if self.owner is None:
            return f"{self.order} {orders}"
        owner, ours = self.owner
        return f"{ours} = ANY(ARRAY(SELECT o.id FROM {owner} o WHERE {tenant} AND o.order_id {orders}))"


def _first(fact: str, column: str, kind: str) -> str:
    """A promise's first value, also after a dishonored payment gave its line another clock: the event of that has what
    was before."""
    return (
        f"coalesce((SELECT CAST(e.data->'before'->>'{fact}' AS {kind}) FROM promise_events e"
        " WHERE e.tenant_id = promises.tenant_id AND e.order_line_id = promises.order_line_id"
        f" AND e.kind = 'dishonored' ORDER BY e.id LIMIT 1), {column})"
    )


SOURCES = (
    Source("orders", ("number", "channel", "external_ref", "currency"), ("placed_at",), order="id"),
    Source("order_lines", ("sku", "title", "ordered", "unit_price")),
    Source("tenders", ("kind", "currency")),
    Source(
        "promises",
        (
            "order_line_id",
            "stated",
            "basis",
            "regimes",
            "evidence",
            _first("ship_by", "original_date", "date"),
        ),
        (_first("pco", "made_at", "timestamptz"), _first("deadline", "original_deadline", "timestamptz")),
    ),
    Source("promise_events", ("order_line_id", "kind", "key", "actor", "data"), ("at", "recorded_at")),
    Source("timeline", ("name", "actor", "data"), ("at",)),
    Source(
        "status_changes",
        ("before", "after", "why", "actor"),
        ("at",),
        order="subject_id",
        where="machine = 'order'",
    ),
    Source("notices", ("kind", "cause", "subject", "body_text", "body_html", "facts"), ("created_at",)),
    Source(
        "notice_deliveries",
        ("notice_id", "attempt", "channel", "address", "state", "reference", "error"),
        ("at",),
        owner=("notices", "notice_id"),
    ),
    Source("delay_answers", ("notice_id", "answer", "channel", "evidence"), ("received_at",)),
    Source(
        "shipments",
        ("fulfillment_order_id", "kind", "carrier", "service", "tracking_number"),
        ("shipped_at", "recorded_at"),
    ),
    Source(
        "shipment_lines",
        ("shipment_id", "order_line_id", "sku", "quantity"),
        owner=("shipments", "shipment_id"),
    ),
    Source("ledger_entries", ("tender_id", "kind", "amount", "key"), ("at",)),
    Source("refunds_due", ("tender_id", "amount", "cause", "vests_on"), ("opened_at",)),
)


def rows(tenant: str, orders: str = "", only: str = "true") -> str:
    """The statement of all history rows: tenant_id, order_id, id, source, content. `tenant` and `only` are conditions;
    `orders` says of which orders: `= ...`; in `only` `{source}` stands for the table's name."""
    return " UNION ALL ".join(
        f"{_row(one)}, {_content(one)} AS content FROM {one.table} WHERE {tenant} AND {one.where}"
        f" AND {one.of(tenant, orders) if orders else 'true'} AND {only.replace('{source}', one.table)}"
        for one in SOURCES
    )


def hashes(tenant: str) -> str:
    """As `rows`, with each row's hash in place of its content: a letter of ten thousand characters is not carried to
    where rows are put together."""
    return " UNION ALL ".join(
        f"{_row(one)}, {row_hash(_content(one))} AS hash FROM {one.table} WHERE {tenant} AND {one.where}"
        for one in SOURCES
    )


def _row(one: Source) -> str:
    return f"SELECT tenant_id, {one.order_id()} AS order_id, id, '{one.table}' AS source"


def keys(tenant: str, orders: str) -> str:
    """As `rows`, of order_id, id and source alone."""
    return " UNION ALL ".join(
        f"SELECT {one.order_id()} AS order_id, id, '{one.table}' AS source FROM {one.table}"
        f" WHERE {tenant} AND {one.where} AND {one.of(tenant, orders)}"
        for one in SOURCES
    )


def touched(tenant: str, since: str) -> str:
    """The statement of the orders with rows whose id is at least `since`: read by the primary keys."""
    return " UNION ".join(
        f"SELECT {one.order_id()} AS order_id FROM {one.table} WHERE {tenant} AND id >= {since} AND {one.where}"
        for one in SOURCES
    )


def _content(source: Source) -> str:
    instants = [f"extract(epoch FROM {column})" for column in source.instants]
    parts = ", ".join([f"'{source.table}'", "id", *source.columns, *instants])
    return f"json_build_array({parts})::text"  # the same text as of jsonb, a quarter sooner


HASH = "encode(sha256(convert_to({text}, 'UTF8')), 'hex')"


def row_hash(content: str) -> str:
    """SQL: the hash of a row's canonical text."""
    return HASH.format(text=content)


def digest(previous: str, row_list: str) -> str:
    """SQL: a seal's digest, over the digest before and its rows, each `id hash` on a line of its own, by id."""
    return HASH.format(text=f"{previous} || E'\\n' || {row_list}")


def row_list(key: str = "key", value: str = "value") -> str:
    """SQL aggregate: the rows of a seal as text."""
    return f"string_agg({key} || ' ' || {value}, E'\\n' ORDER BY {key} COLLATE \"C\")"


def older_than_patience(row_id: str) -> str:
    """SQL: whether a row should have been sealed by now; its id says when it was written. The first id that need not be
    is made once for the statement, not once a row."""
    milliseconds = f"extract(epoch FROM now() - interval '{PATIENCE_HOURS} hours') * 1000"
    return f"{row_id} < (SELECT rpad(lpad(to_hex(({milliseconds})::bigint), 12, '0'), 32, '0')::uuid)"
