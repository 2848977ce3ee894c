"""The embedded Valkey: password, durability, and life after kill -9."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from infra.embedded.valkey import EmbeddedValkey


def test_it_wants_a_password_and_drops_nothing(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert client.config_get("bind") == {"bind": "127.0.0.1"}
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=client.connection_pool.connection_kwargs["port"]).ping()


def test_what_was_written_a_second_ago_survives_a_stop_and_a_start(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "val key")
    try:
        server.start()
        assert (server.data / "valkey.conf").stat().st_mode & 0o777 == 0o600
        redis.Redis.from_url(server.url()).set("name", "value")
        server.stop()
        server.start()
        assert redis.Redis.from_url(server.url()).get("name") == b"value"
    finally:
        server.stop()
