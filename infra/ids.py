"""Identifiers: UUID version 7, so that rows written together lie together."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from uuid import UUID


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits."""
    value = int.from_bytes(os.urandom(10), "big")
    value |= (time.time_ns() // 1_000_000) << 80
    value &= ~(0xF << 76) & ~(0x3 << 62)
    return UUID(int=value | (0x7 << 76) | (0x2 << 62))


def made_at(value: UUID) -> datetime:
    """When an id of ours was made, UTC, to the millisecond."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, UTC)


def first_id_at(moment: datetime) -> UUID:
    """The smallest id that a row written at that real time can have: ids since then are at least as great."""
    return UUID(int=(max(0, int(moment.timestamp() * 1000)) << 80) | (0x7 << 76) | (0x2 << 62))
