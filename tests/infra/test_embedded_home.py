"""The folder of an installation: secrets made once, ports kept, one process at a time."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from infra.embedded import places, ports
from infra.embedded.home import Home, NotRunning
from infra.embedded.places import Account, UnsafeFolder, can_reach


def test_secrets_are_made_once_and_for_us_alone(tmp_path: Path) -> None:
    first = Home(tmp_path / "home").state
    assert Home(tmp_path / "home").state == first
    assert len(first["secret_key"]) >= 64
    assert (tmp_path / "home" / "state.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home" / "logs").stat().st_mode & 0o777 == 0o700


def test_two_homes_share_no_secret(tmp_path: Path) -> None:
    one, other = Home(tmp_path / "one").state, Home(tmp_path / "other").state
    assert not {value for value in one.values() if isinstance(value, str)} & set(map(str, other.values()))
    assert one["postgres_passwords"] != other["postgres_passwords"]


def test_a_port_is_kept_until_somebody_else_has_it(tmp_path: Path) -> None:
    port = Home(tmp_path).port("web")
    assert Home(tmp_path).port("web") == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert Home(tmp_path).port("web") != port


def test_the_first_free_port_is_taken_from_where_asked(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert taken < Home(tmp_path).port("web", start=taken) < taken + 100


def test_a_port_that_is_held_is_nobody_else_s_until_let_go(tmp_path: Path) -> None:
    first = Home(tmp_path / "one").port("web")
    with ports.hold(first):
        other = Home(tmp_path / "two").port("web", start=first)
        assert first < other
        with socket.socket() as server:  # the web's own processes share it
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            server.bind(("127.0.0.1", first))
            server.listen()
            socket.create_connection(("127.0.0.1", first), timeout=5).close()
    ports.hold(first).close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    first, second = Home(tmp_path), Home(tmp_path)
    assert first.lock()
    assert not second.lock()
    first.unlock()
    assert second.lock()
    second.unlock()


def test_what_is_published_is_there_until_it_is_retracted(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with pytest.raises(NotRunning, match="kept up"):
        home.environment()
    home.publish({"url": "http://x"}, {"SECRET_KEY": "s"})
    copies = [tmp_path / "one.json", tmp_path / "deep" / "two.json"]
    for copy in copies:
        home.write_ready_file(copy)
        assert json.loads(copy.read_text()) == {"url": "http://x"}
        assert copy.stat().st_mode & 0o777 == 0o600
    assert Home(tmp_path / "home").environment() == {"SECRET_KEY": "s"}
    home.retract()
    assert not any(copy.exists() for copy in copies)
    with pytest.raises(NotRunning):
        home.published()


def test_a_closed_folder_above_is_seen(tmp_path: Path) -> None:
    stranger = Account(uid=65534 if os.getuid() != 65534 else 65533, gid=65534)
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not can_reach(inner, stranger)
    assert can_reach(inner, None)
    assert can_reach(Path("/usr/bin"), stranger)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_server_data_of_a_closed_home_goes_where_the_server_can(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    home = Home(tmp_path / "closed" / "home")
    data = home.server_data("postgres")
    try:
        assert data.parent.parent == places.OPEN_ROOT
        assert can_reach(data.parent, places.server_account())
        assert home.server_data("postgres") == data
    finally:
        data.parent.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another's folder")
def test_a_folder_prepared_by_a_stranger_is_refused(tmp_path: Path) -> None:
    trap = tmp_path / "kept-0-trap"
    trap.mkdir()
    os.chown(trap, 65534, 65534)
    with pytest.raises(UnsafeFolder):
        places.own_folder(trap)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(UnsafeFolder):
        places.own_folder(link)
