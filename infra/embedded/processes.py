"""Starting processes so that none outlives its parent, and recognizing those that did."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
READY_FILE = "KEPT_READY_FILE"
"""The variable that names the file a process without an address makes when it is ready."""
AFTER_FILE = "KEPT_AFTER_FILE"
"""The variable that names the file before which a process must not begin; it loads meanwhile."""
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(number: int = signal.SIGTERM) -> Callable[[], None] | None:
    """A `preexec_fn`: the kernel sends the child this signal when the thread that started it dies.

    Only Linux can; elsewhere a later start finds the leftovers by their pid files.
    """
    if _LIBC is None:
        return None
    parent = os.getpid()

    def ask_kernel() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return ask_kernel


def started_at(pid: int) -> str | None:
    """When a process began, as opaque text: with the pid it names one process for good. None: gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None if sys.platform == "linux" else _started_at_by_ps(pid)
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _started_at_by_ps(pid: int) -> str | None:
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return answer.stdout.strip() or None


def begin() -> None:
    """All is loaded: wait for what the supervisor, where there is one, lets go first; then tell it that we begin."""
    if file := os.environ.get(AFTER_FILE):
        while not Path(file).exists():
            time.sleep(0.03)
    if file := os.environ.get(READY_FILE):
        Path(file).touch()


def write_pid(path: Path, pid: int) -> None:
    """Record a process with its start time."""
    path.write_text(f"{pid} {started_at(pid) or ''}")


def read_pid(path: Path) -> int | None:
    """The recorded process if that very one still runs, else None."""
    try:
        number, _, began = path.read_text().partition(" ")
        pid = int(number)
    except (OSError, ValueError):
        return None
    return pid if began and started_at(pid) == began else None


def end(pid: int, number: int = signal.SIGTERM, grace: float = 10.0) -> None:
    """Ask a process that is not our child to end, insist after `grace` seconds, and wait for it."""
    began = started_at(pid)
    for sign, patience in ((number, grace), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if began is None or started_at(pid) != began:
                return
            time.sleep(0.05)


def end_child(process: subprocess.Popen[bytes], number: int = signal.SIGTERM, grace: float = 10.0) -> None:
    """Ask a child to end and wait for it as `await_end` does."""
    if process.poll() is None:
        process.send_signal(number)
    await_end(process, grace)


def await_end(process: subprocess.Popen[bytes], grace: float = 10.0) -> None:
    """Wait for a child that was asked to end, insist after `grace` seconds, reap it, and end what is left of
    its group."""
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    end_group(process.pid)


def end_group(group: int) -> None:
    """Kill what is left of a process group whose leader is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
