"""Files that merchants bring: orders, SKUs, nodes and stock."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantTable, one_of, tenant_key


class Import(TenantTable):
    """One file, its mapping and its progress."""

    __tablename__ = "imports"
    kind: Mapped[str]
    filename: Mapped[str]
    mapping: Mapped[dict[str, Any]]
    """The whole document; `name` when it is one we know by name."""
    header: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(server_default="queued")
    rows_total: Mapped[int]
    rows_done: Mapped[int] = mapped_column(server_default="0")
    cursor: Mapped[int] = mapped_column(server_default="0")
    """Of orders: the first row of the last order taken; the next slice begins after it."""
    created: Mapped[int] = mapped_column(server_default="0")
    existing: Mapped[int] = mapped_column(server_default="0")
    refused: Mapped[int] = mapped_column(server_default="0")
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("kind", "orders", "skus", "nodes", "stock", "rate_card", "zone_pairs"),
        one_of("state", "draft", "queued", "running", "done"),
        Index(None, "tenant_id", "created_at"),
    )


class ImportChunk(TenantTable):
    """Some rows of the uploaded file, compressed ([[row, [cell, ...]], ...]); removed when they are taken."""

    __tablename__ = "import_chunks"
    import_id: Mapped[UUID]
    position: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (
        tenant_key("import_id", "imports"),
        Index("uq_import_chunks_position", "tenant_id", "import_id", "position", unique=True),
    )


class ImportLine(TenantTable):
    """A row of an order file, waiting for the other rows of its order; removed when the import is done."""

    __tablename__ = "import_lines"
    import_id: Mapped[UUID]
    row: Mapped[int]
    reference: Mapped[str]
    cells: Mapped[list[Any]]
    __table_args__ = (
        tenant_key("import_id", "imports"),
        Index("uq_import_lines_row", "tenant_id", "import_id", "row", unique=True),
        Index(None, "tenant_id", "import_id", "reference", "row"),
    )


class ImportRow(TenantTable):
    """What became of one row (of an order's first row)."""

    __tablename__ = "import_rows"
    import_id: Mapped[UUID]
    row: Mapped[int]
    """Line number in the file; the header is 1."""
    reference: Mapped[str]
    outcome: Mapped[str]
    message: Mapped[str] = mapped_column(server_default="")
    subject_id: Mapped[UUID | None]
    __table_args__ = (
        one_of("outcome", "created", "existing", "refused"),
        tenant_key("import_id", "imports"),
        Index("uq_import_rows_row", "tenant_id", "import_id", "row", unique=True),
        Index(None, "tenant_id", "import_id", "reference"),
    )
