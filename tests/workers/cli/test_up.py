"""`up` and `down` as a person or a tool uses them: the whole installation, on free ports, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.embedded.home import Home
from tests.installation import Kept, installed
from workers.cli.installation import is_healthy

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    with installed() as made:
        yield made


def test_the_ready_file_tells_a_tool_everything(kept: Kept) -> None:
    ready = kept.ready()
    assert ready["url"] == f"http://127.0.0.1:{kept.port}"
    assert ready["api"] == f"{ready['url']}/v1"
    assert len(ready["tenants"]) == 2
    for tenant in ready["tenants"]:
        assert {"id", "name", "environment", "api_key", "owner", "providers"} <= set(tenant)
        assert tenant["providers"][0]["nodes"] == ["*"]
    assert set(ready["operator"]) == {"email", "password"}
    assert is_healthy(ready["url"])
    with urllib.request.urlopen(
        urllib.request.Request(ready["mail"], headers={"Accept": "application/json"})
    ) as mail:
        assert isinstance(json.load(mail), list)


def test_everything_listens_on_loopback_only(kept: Kept) -> None:
    ours = {f"{port:04X}" for port in [kept.port, *Home(kept.home).state["ports"].values()]}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {tuple(row[1].split(":")) for row in rows if row[3] == "0A"}
    found = {address for address, port in listening if port in ours}
    assert found == {"0100007F"}


def test_a_second_up_points_to_the_first(kept: Kept, tmp_path: Path) -> None:
    copy = tmp_path / "second.json"
    again = kept.run("up", "--no-demo", "--ready-file", str(copy))
    assert again.returncode == 0
    assert "already running" in again.stdout
    assert json.loads(copy.read_text()) == kept.ready()


@pytest.mark.parametrize(
    "name", ["web", "relay", "worker-1", "schedule", "stripe", "mailbox", "valkey", "postgres"]
)
def test_a_killed_part_comes_back(kept: Kept, name: str) -> None:
    before = kept.child(name)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    kept.wait_healed(name, before)


def test_the_data_stays_when_it_is_stopped_or_killed(kept: Kept) -> None:
    owner = Home(kept.home).environment()["DATABASE_OWNER_URL"]
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept_between_runs AS SELECT 42 AS answer")
    before = kept.ready()
    supervisor = Home(kept.home).supervisor()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    assert kept.up().returncode == 0
    stopped = kept.run("down")
    assert stopped.returncode == 0
    assert "Stopped" in stopped.stdout
    assert not kept.ready_file.exists()
    assert kept.child("postgres") is None
    assert kept.up().returncode == 0
    assert kept.ready() == before
    with psycopg.connect(owner) as connection:
        assert connection.execute("SELECT answer FROM kept_between_runs").fetchone() == (42,)


def test_a_taken_port_is_refused_by_name(kept: Kept, tmp_path: Path) -> None:
    other = Kept(tmp_path)
    other.port = kept.port
    refused = other.up()
    assert refused.returncode == 1
    assert f"Port {kept.port} is taken" in refused.stdout
    assert not other.ready_file.exists()


def test_a_database_given_without_its_owner_is_refused(tmp_path: Path) -> None:
    refused = Kept(tmp_path).up(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert refused.returncode == 1
    assert "DATABASE_OWNER_URL" in refused.stdout


def test_a_part_that_fails_shows_why(tmp_path: Path) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    given = dict.fromkeys(("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_OPERATOR_URL"), nowhere)
    failed = Kept(tmp_path).up(**given)
    assert failed.returncode == 1
    assert "data ended with status 1" in failed.stdout
    assert "connection" in failed.stdout.lower()
    assert "is set: that one is used" in failed.stdout


def test_down_with_nothing_running_says_so(tmp_path: Path) -> None:
    answer = Kept(tmp_path).run("down")
    assert (answer.returncode, answer.stdout[:12]) == (0, "Nothing runs")
