"""Identifiers: UUID version 7, so that rows written together lie together."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from threading import Lock
from uuid import UUID

COUNTER = 0xFFF
_lock = Lock()
_last = 0
"""Milliseconds and counter of the newest id, as one number: (milliseconds << 12) | counter."""


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562, section 6.2, method 1): 48 bits of Unix milliseconds, a counter of 12 bits, 62 random bits.

    Ids of one process sort in the order they were made, also within a millisecond: history is read by id.
    """
    global _last
    with _lock:
        _last = max(_last + 1, (time.time_ns() // 1_000_000) << 12)
        stamp = _last
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & COUNTER) << 64 | 0x2 << 62
    return UUID(int=value | int.from_bytes(os.urandom(8), "big") >> 2)


def made_at(value: UUID) -> datetime:
    """When an id of ours was made, UTC, to the millisecond."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, UTC)


def first_id_at(moment: datetime) -> UUID:
    """The smallest id that a row written at that real time can have: ids since then are at least as great."""
    return UUID(int=(max(0, int(moment.timestamp() * 1000)) << 80) | (0x7 << 76) | (0x2 << 62))
