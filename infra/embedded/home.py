"""The folder of one installation: its secrets and ports, its logs, and whether it runs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
from pathlib import Path
from typing import IO, Any

from infra.embedded import places, ports, processes
from infra.embedded.postgres import new_passwords

PREPARED = "prepared.json"
"""The tenants and their log-ins, once the data is there."""


class NotRunning(Exception):
    """Nothing runs in this home."""


class Home:
    """One installation. Everything in it is for its user's eyes only."""

    def __init__(self, path: Path) -> None:
        """Make the folder if there is none, with secrets that stay for good."""
        self.path = places.home_folder(path.absolute())
        self.logs = self._private("logs")
        self.run = self._private("run")
        self._state_file = self.path / "state.json"
        self._ports: dict[str, int] = {}
        self._lock: IO[str] | None = None

    @property
    def state(self) -> dict[str, Any]:
        """Secrets and ports, made once."""
        try:
            return json.loads(self._state_file.read_text())
        except FileNotFoundError:
            made = {
                "identity": secrets.token_hex(8),
                "secret_key": secrets.token_urlsafe(48),
                "webhook_secret": f"whsec_{secrets.token_urlsafe(32)}",
                "operator_password": secrets.token_urlsafe(12),
                "postgres_passwords": new_passwords(),
                "valkey_password": secrets.token_urlsafe(24),
                "ports": {},
            }
            self._save(made)
            return made

    def port(self, name: str, start: int | None = None) -> int:
        """The port this part had before, else the first free one from `start`, else any. Kept for later."""
        if name not in self._ports:
            self._ports[name] = self._choose_port(name, start)
        return self._ports[name]

    def server_data(self, name: str) -> Path:
        """Where an embedded server keeps its data; outside the home when its user cannot reach that."""
        return places.reachable_folder(self.path, self.state["identity"]) / name

    def lock(self) -> bool:
        """Become the one process that runs this home; False when another is. Held until `unlock` or death."""
        held = (self.run / "lock").open("w")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            return False
        self._lock = held
        return True

    def unlock(self) -> None:
        """Let another process run this home."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def publish(self, document: dict[str, Any], environment: dict[str, str]) -> None:
        """Say that everything is ready: the addresses and log-ins, and the settings of this run."""
        places.write_private(self.run / "environment.json", json.dumps(environment))
        places.write_private(self.run / "ready.json", json.dumps(document))

    def published(self) -> dict[str, Any]:
        """The document of the run that is ready now. Raises NotRunning."""
        return self._read("ready.json")

    def environment(self) -> dict[str, str]:
        """The settings of the run that is ready now. Raises NotRunning."""
        return self._read("environment.json")

    def write_ready_file(self, path: Path) -> None:
        """Copy the published document where a tool waits for it; `retract` removes it."""
        path = path.absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        places.write_private(path, json.dumps(self.published(), indent=2) + "\n")
        known = self._ready_files()
        if str(path) not in known:
            places.write_private(self.run / "ready-files.json", json.dumps([*known, str(path)]))

    def retract(self) -> None:
        """No longer ready: remove the document, all its copies and what it is made of."""
        for path in self._ready_files():
            with contextlib.suppress(OSError):
                Path(path).unlink(missing_ok=True)
        for name in ("ready.json", "ready-files.json", "environment.json", PREPARED):
            (self.run / name).unlink(missing_ok=True)

    @property
    def prepared(self) -> Path:
        """Where this run's data, once there, is told of."""
        return self.run / PREPARED

    def supervisor(self) -> int | None:
        """The process that runs this home."""
        return processes.read_pid(self.run / "supervisor.pid")

    def _choose_port(self, name: str, start: int | None) -> int:
        state = self.state
        port = state["ports"].get(name)
        if port is None or not ports.is_free(port):
            port = ports.free_port() if start is None else ports.first_free(start)
            state["ports"][name] = port
            self._save(state)
        return int(port)

    def _ready_files(self) -> list[str]:
        try:
            return json.loads((self.run / "ready-files.json").read_text())
        except FileNotFoundError:
            return []

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return json.loads((self.run / name).read_text())
        except FileNotFoundError:
            raise NotRunning(f"Nothing runs in {self.path}. Start it: ./kept up --home {self.path}") from None

    def _private(self, name: str) -> Path:
        folder = self.path / name
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder

    def _save(self, state: dict[str, Any]) -> None:
        places.write_private(self._state_file, json.dumps(state, indent=2) + "\n")
