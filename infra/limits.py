"""Rate limits per key and per tenant, counted in Valkey. They fail open: losing Valkey stops nobody."""

from __future__ import annotations

import time
from functools import cache
from uuid import UUID

import structlog
from limits import RateLimitItem, RateLimitItemPerMinute, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from infra import settings
from infra.errors import Problem

log = structlog.get_logger()


@cache
def _limiter() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(
        storage_from_string(settings.current().redis_url, socket_timeout=0.2, socket_connect_timeout=0.2)
    )


def spend(tenant_id: UUID, tenant_limit: int | None, key_id: UUID, key_limit: int | None) -> dict[str, str]:
    """Count one request against the key and the tenant, per minute.

    Returns the RateLimit headers of the tighter limit (empty when there is none). Raises Problem 429 with
    Retry-After.
    """
    headers: dict[str, str] = {}
    for name, most in ((f"key:{key_id}", key_limit), (f"tenant:{tenant_id}", tenant_limit)):
        if most is not None:
            headers = _hit(RateLimitItemPerMinute(most), name) or headers
    return headers


def spend_named(limit: str, name: str) -> None:
    """Count one attempt (a log-in, a reset) against a limit such as `5/minute`. Raises Problem 429."""
    _hit(parse(limit), name)


def _hit(item: RateLimitItem, name: str) -> dict[str, str]:
    try:
        allowed = _limiter().hit(item, name)
        window = _limiter().get_window_stats(item, name)
    except (RedisError, StorageError, OSError) as error:
        log.warning("limits.unavailable", error=str(error))
        return {}
    left = max(1, int(window.reset_time - time.time()) + 1)
    headers = {
        "RateLimit-Limit": str(item.amount),
        "RateLimit-Remaining": str(window.remaining),
        "RateLimit-Reset": str(left),
    }
    if not allowed:
        raise Problem(
            429,
            "too-many-requests",
            f"Wait {left} seconds and send again.",
            headers={**headers, "Retry-After": str(left)},
        )
    return headers
