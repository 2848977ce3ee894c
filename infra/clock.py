"""What time it is. Business time may be moved in a sandbox; real time may not.

Sessions, keys, limits, retries, leases and signatures use real time. Promises, authorizations and everything a
buyer or a law counts use business time, which a scope asks for and hands to the rules.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def real_now() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


def business_now(offset_seconds: int) -> datetime:
    """A tenant's time, UTC: the wall clock moved forward by the tenant's offset."""
    return real_now() + timedelta(seconds=offset_seconds)
