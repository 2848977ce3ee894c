"""Runs processes under one roof: starts them in order, heals those that die, stops them in reverse order.

Start it from the main thread: Linux ends a child when the thread that started it ends.
"""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from infra.embedded import processes
from infra.supervisor_logs import LogFile

TICK = 0.25
STEADY = 10.0
"""Seconds a child must have run for its earlier deaths to be forgotten."""
ALIVE = 1.0
LONGEST_PAUSE = 5.0
SILENCE = 5.0
"""Seconds after which a step that still runs says so."""


class PartFailed(Exception):
    """A part did not start; the message ends with its log's last lines."""


class StopRequested(Exception):
    """A signal asked to stop while the parts were being started."""


@dataclass(frozen=True)
class Child:
    """A process to keep alive, or to run once."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path = Path("/")
    ready: Callable[[], bool] | None = None
    """Whether it answers. Without it, having run for ALIVE seconds is enough."""
    once: bool = False
    """It runs to its end, however long, and is ready then; `timeout` of what starts with it counts from there."""
    before: Callable[[], None] | None = None
    """Called before every start."""
    run_as: Mapping[str, Any] = field(default_factory=dict)
    stop_signal: int = signal.SIGTERM
    grace: float = 10.0
    """Seconds between the stop signal and SIGKILL."""
    timeout: float = 300.0
    """Seconds within which it must be ready at first."""
    retry_for: float = 0.0
    """Seconds from the beginning during which a process that ends at once is started again."""


@dataclass(frozen=True)
class Step:
    """Something to do once, between parts."""

    name: str
    run: Callable[[], None]


class _Running:
    """A child, its process and its history."""

    def __init__(self, child: Child, log: LogFile, pid_file: Path) -> None:
        self.child = child
        self.log = log
        self.pid_file = pid_file
        self.process: subprocess.Popen[bytes] | None = None
        self.began = 0.0
        self.deaths = 0
        self.start_again_at: float | None = None
        self.recovering = False

    def spawn(self) -> None:
        child = self.child
        if child.before is not None:
            child.before()
        with self.log.path.open("ab") as log:
            self.process = subprocess.Popen(
                list(child.argv),
                cwd=child.cwd,
                env=None if child.env is None else dict(child.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=processes.die_with_parent(child.stop_signal),
                **child.run_as,
            )
        processes.write_pid(self.pid_file, self.process.pid)
        self.began = time.monotonic()

    def ended(self) -> int | None:
        """How the process ended; None while it runs."""
        return None if self.process is None else self.process.poll()

    def is_ready(self) -> bool:
        if self.child.once:
            return self.ended() == 0
        if self.ended() is not None:
            return False
        if self.child.ready is None:
            return time.monotonic() - self.began > ALIVE
        return self.child.ready()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.ended() is None:
            self.process.send_signal(self.child.stop_signal)

    def await_stop(self) -> None:
        if self.process is not None:
            processes.await_end(self.process, self.child.grace)
        self.pid_file.unlink(missing_ok=True)


class Supervisor:
    """Parts under one roof. `start` them, `watch` until asked to stop, and always `stop`."""

    def __init__(self, run: Path, logs: Path, say: Callable[[str], None]) -> None:
        """`run` keeps pid files, `logs` a file per child; `say` is told about every step."""
        self._run = run
        self._logs = logs
        self._say = say
        self._groups: list[list[_Running]] = []
        self._stop_requested = False
        self._starting = True
        self._wakeup = os.pipe()
        for end in self._wakeup:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wakeup[1], warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # ends the pause in `watch` at once
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)

    def start(self, parts: Sequence[Step | Sequence[Child]]) -> None:
        """Start in order; children in a list start together. Raises PartFailed or StopRequested."""
        self.end_leftovers()
        for part in parts:
            if isinstance(part, Step):
                self._do(part)
            else:
                self._start_together(part)
        self._starting = False

    def watch(self, show: Callable[[str, str], None] | None = None) -> None:
        """Heal what dies until asked to stop; `show(name, line)` is given every new log line."""
        while not self._stop_requested:
            select.select([self._wakeup[0]], [], [], TICK)
            self._drain_wakeup()
            for running in self._children():
                self._heal(running)
                lines = running.log.new_lines()
                if show is not None:
                    for line in lines:
                        show(running.child.name, line)
                running.log.rotate()

    def has_children(self) -> bool:
        """Whether there is anything to stop."""
        return bool(self._groups)

    def stop(self) -> None:
        """Stop everything, the last started first; what started together is stopped together."""
        self._starting = False
        for together in reversed(self._groups):
            _stop_together(together)
        self._groups.clear()

    def end_leftovers(self) -> None:
        """End children of an earlier supervisor that outlived it."""
        end_leftovers(self._run, self._say)

    def _do(self, step: Step) -> None:
        began = time.monotonic()
        with self._announced(lambda: step.name):
            step.run()
        self._say(f"{step.name:<12} done in {time.monotonic() - began:.1f} s")

    def _start_together(self, children: Sequence[Child]) -> None:
        began = time.monotonic()
        group: list[_Running] = []
        self._groups.append(group)
        for child in children:
            with self._announced(lambda: group[-1].child.name):
                group.append(_Running(child, *self._files(child.name)))
                group[-1].spawn()
        waiting = list(group)
        with self._announced(lambda: next((one.child.name for one in waiting), children[-1].name)):
            self._await(waiting, group, began)
        for running in self._children():  # one without an address may have ended while others were awaited
            self._check_start(running, began, began)

    def _await(self, waiting: list[_Running], group: list[_Running], began: float) -> None:
        limited_from = began
        while waiting:
            if any(running.child.once for running in waiting):
                limited_from = time.monotonic()
            for running in list(waiting):
                self._check_start(running, began, limited_from)
                if not running.is_ready():
                    continue
                waiting.remove(running)
                if running.child.once:
                    running.await_stop()
                    group.remove(running)
                self._say(f"{running.child.name:<12} ready in {time.monotonic() - began:.1f} s")
            time.sleep(0.03)

    def _files(self, name: str) -> tuple[LogFile, Path]:
        log = LogFile(self._logs / f"{name}.log")
        log.rotate()
        log.skip()
        return log, self._run / f"child-{name}.pid"

    def _check_start(self, running: _Running, began: float, limited_from: float) -> None:
        """Raises PartFailed when a part being started has ended for good or takes too long."""
        child = running.child
        waited = time.monotonic() - limited_from
        if running.ended() is not None:
            if child.once and running.ended() == 0:
                return
            if time.monotonic() - began > child.retry_for:
                raise PartFailed(f"{child.name} ended with status {running.ended()}:\n{running.log.tail()}")
            time.sleep(0.2)
            running.spawn()
        elif waited > child.timeout and not running.is_ready():
            raise PartFailed(f"{child.name} is not ready after {waited:.0f} s:\n{running.log.tail()}")

    def _children(self) -> Iterator[_Running]:
        return itertools.chain.from_iterable(self._groups)

    def _heal(self, running: _Running) -> None:
        now = time.monotonic()
        status = running.ended()
        if status is None or running.process is None:
            if running.recovering and running.is_ready():
                running.recovering = False
                self._say(f"{running.child.name} is back after {now - running.began:.1f} s")
            return
        if running.start_again_at is None:
            running.deaths = 1 if now - running.began > STEADY else running.deaths + 1
            pause = min(0.05 * 2**running.deaths, LONGEST_PAUSE)
            running.start_again_at = now + pause
            processes.end_group(running.process.pid)  # what it started must not hold its port
            how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
            self._say(f"{running.child.name} {how}: starting it again")
        if now >= running.start_again_at:
            running.start_again_at = None
            running.recovering = True
            running.spawn()

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_requested = True
        if self._starting:
            self._starting = False
            raise StopRequested(signal.Signals(number).name)

    def _drain_wakeup(self) -> None:
        try:
            while os.read(self._wakeup[0], 4096):
                pass
        except BlockingIOError:
            pass

    @contextmanager
    def _announced(self, name: Callable[[], str]) -> Iterator[None]:
        """Say every few seconds what a long step waits for."""
        done = threading.Event()
        began = time.monotonic()

        def speak() -> None:
            while not done.wait(SILENCE):
                self._say(f"{name():<12} still at it, {time.monotonic() - began:.0f} s")

        speaker = threading.Thread(target=speak, daemon=True)
        speaker.start()
        try:
            yield
        finally:
            done.set()
            speaker.join()


def _stop_together(group: Sequence[_Running]) -> None:
    for running in group:
        running.ask_to_stop()
    for running in group:
        running.await_stop()


def end_leftovers(run: Path, say: Callable[[str], None]) -> int:
    """End what a killed supervisor left behind, by its pid files. How many were ended."""
    ended = 0
    for path in run.glob("child-*.pid"):
        pid = processes.read_pid(path)
        if pid is not None:
            say(f"Ending {path.stem.removeprefix('child-')}, left over from an earlier run")
            processes.end(pid, signal.SIGINT)  # PostgreSQL would wait for its sessions on SIGTERM
            processes.end_group(pid)
            ended += 1
        path.unlink(missing_ok=True)
    return ended
