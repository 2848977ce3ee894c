"""The supervisor, with small programs as children: order, healing, stopping, and what a kill leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from infra.embedded import processes
from infra.supervisor import end_leftovers
from infra.supervisor_logs import LARGEST, LogFile

pytestmark = pytest.mark.timeout(60)

ROOT = Path(__file__).resolve().parents[2]
DRIVER = """
import os
import sys
from pathlib import Path
from infra.supervisor import Child, PartFailed, Step, StopRequested, Supervisor

home = Path(sys.argv[1])
say = lambda text: print(text, flush=True)

def python(name, program, **more):
    return Child(name, [sys.executable, "-c", program], cwd=home, **more)

SLEEP = "import time; time.sleep(600)"
SERVE = "import time, pathlib; pathlib.Path('{0}.up').touch(); print('{0} serves', flush=True); time.sleep(600)"

def server(name, **more):
    return python(name, SERVE.format(name), ready=(home / f"{name}.up").exists, **more)

supervisor = Supervisor(home, home, say)
try:
    supervisor.start(PARTS)
    say("all ready")
    supervisor.watch(show=lambda name, line: say(f"{name}: {line}"))
except PartFailed as error:
    say(f"failed: {error}")
except StopRequested:
    say("asked to stop early")
finally:
    supervisor.stop()
    say("stopped")
"""


class Supervised:
    """A supervisor in a process of its own, over a folder."""

    def __init__(self, home: Path, parts: str) -> None:
        self.home = home
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER.replace("PARTS", parts), str(home)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_for(self, text: str) -> None:
        """Read on until a line holds this text."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))
            if text in line:
                return
        raise AssertionError(f"never said {text!r}, but: {self.said}")

    def child(self, name: str) -> int:
        """The pid of a running child."""
        pid = processes.read_pid(self.home / f"child-{name}.pid")
        assert pid is not None
        return pid

    def finish(self) -> None:
        """Stop in order."""
        self.process.send_signal(signal.SIGTERM)
        self.wait_for("stopped")
        self.process.wait(10)


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Callable[[str], Supervised]]:
    made: list[Supervised] = []

    def start(parts: str) -> Supervised:
        made.append(Supervised(tmp_path, parts))
        return made[-1]

    yield start
    for one in made:
        one.process.terminate()
        one.process.wait(20)
    end_leftovers(tmp_path, print)


def is_gone(pid: int, patience: float = 10.0) -> bool:
    deadline = time.monotonic() + patience
    while processes.started_at(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_parts_start_in_order_and_each_says_how_long_it_took(supervised) -> None:
    parts = """[[server("first")], Step("between", lambda: say("first is " + str((home / "first.up").exists()))),
        [python("task", "print(1)", once=True)], [server("second"), python("third", SLEEP)]]"""
    one = supervised(parts)
    one.wait_for("all ready")
    said = [line.split()[0] for line in one.said]
    assert said[:4] == ["first", "first", "between", "task"]
    assert set(said[4:6]) == {"second", "third"}
    assert "first is True" in one.said
    assert all(line.endswith(" s") for line in one.said if "ready in" in line)
    one.wait_for("second: second serves")


def test_a_killed_child_is_started_again_with_its_group(supervised) -> None:
    program = (
        "import subprocess, sys, time, pathlib\\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\\n"
        "pathlib.Path('grandchild').write_text(str(grandchild.pid)); pathlib.Path('forks.up').touch()\\n"
        "time.sleep(600)"
    )
    one = supervised(f"""[[python("forks", '''{program}''', ready=(home / "forks.up").exists)]]""")
    one.wait_for("all ready")
    before, grandchild = one.child("forks"), int((one.home / "grandchild").read_text())
    os.kill(before, signal.SIGKILL)
    one.wait_for("forks was ended by signal 9")
    one.wait_for("forks is back")
    assert one.child("forks") != before
    assert is_gone(grandchild)
    one.finish()


def test_a_child_that_keeps_dying_is_tried_ever_more_slowly(supervised) -> None:
    program = "import time, sys; time.sleep(1.3); sys.exit(3)"
    one = supervised(f"""[[python("weak", "{program}")]]""")
    one.wait_for("all ready")
    times = []
    for _ in range(4):
        one.wait_for("weak ended with status 3")
        times.append(time.monotonic())
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[2] > pauses[0]
    one.finish()


def test_stopping_goes_backwards_and_insists(supervised) -> None:
    stubborn = "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    stubborn += "pathlib.Path('stubborn.up').touch(); time.sleep(600)"
    one = supervised(
        f"""[[server("first")], [python("stubborn", "{stubborn}", grace=0.3, ready=(home / "stubborn.up").exists)]]"""
    )
    one.wait_for("all ready")
    pids = [one.child(name) for name in ("first", "stubborn")]
    one.finish()
    assert all(is_gone(pid) for pid in pids)
    assert not list(one.home.glob("child-*.pid"))


def test_a_part_that_cannot_start_shows_the_end_of_its_log(supervised) -> None:
    one = supervised("""[[server("first")], [python("broken", "raise SystemExit('no such table')")]]""")
    one.wait_for("failed: broken ended with status 1")
    one.wait_for("no such table")
    one.wait_for("stopped")
    assert not list(one.home.glob("child-*.pid"))


def test_a_part_that_is_never_ready_is_given_up(supervised) -> None:
    one = supervised("""[[python("deaf", SLEEP, ready=lambda: False, timeout=0.5)]]""")
    one.wait_for("failed: deaf is not ready after")
    one.wait_for("stopped")


def test_a_failed_task_fails_the_start(supervised) -> None:
    one = supervised("""[[python("data", "raise SystemExit('bad data')", once=True)], [server("never")]]""")
    one.wait_for("failed: data ended with status 1")
    one.wait_for("bad data")
    one.wait_for("stopped")
    assert not (one.home / "never.up").exists()


def test_what_loads_while_a_task_runs_has_its_time_from_the_end_of_that(supervised) -> None:
    made = "import time, pathlib\\nwhile not pathlib.Path('loaded').exists(): time.sleep(0.03)\\n"
    made += "time.sleep(2); pathlib.Path('data').touch()"
    waits = "from infra.embedded import processes; import time, pathlib; pathlib.Path('loaded').touch();"
    waits += "processes.begin(); time.sleep(600)"
    one = supervised(
        f"""[[python("data", "{made}", once=True), python("waits", "{waits}", timeout=1.5,
        ready=(home / "began").exists, env=os.environ | {{"KEPT_AFTER_FILE": str(home / "data"),
        "KEPT_READY_FILE": str(home / "began"), "PYTHONPATH": {str(ROOT)!r}}})]]"""
    )
    one.wait_for("all ready")
    assert {line.split()[0] for line in one.said if "ready in" in line} == {"data", "waits"}
    one.finish()
    assert not (one.home / "child-data.pid").exists()


def test_a_stop_during_the_start_is_heard(supervised) -> None:
    one = supervised("""[[server("first")], [python("deaf", SLEEP, ready=lambda: False)]]""")
    one.wait_for("first")
    pid = one.child("first")
    one.process.send_signal(signal.SIGINT)
    one.wait_for("asked to stop early")
    one.wait_for("stopped")
    assert is_gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_children_end_when_the_supervisor_is_killed(supervised) -> None:
    one = supervised("""[[server("first")]]""")
    one.wait_for("all ready")
    pid = one.child("first")
    one.process.kill()
    one.process.wait()
    assert is_gone(pid)


def test_what_outlived_its_supervisor_is_ended_by_the_next(supervised, tmp_path: Path) -> None:
    leftover = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    processes.write_pid(tmp_path / "child-old.pid", leftover.pid)
    (tmp_path / "child-other.pid").write_text(f"{os.getpid()} 1")  # our pid, but not our start
    one = supervised("""[[server("first")]]""")
    one.wait_for("Ending old, left over")
    assert leftover.wait(30) != 0  # insisted on after ten seconds
    one.wait_for("all ready")
    one.finish()


def test_a_log_is_read_on_in_whole_lines(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "a.log")
    with log.path.open("ab", buffering=0) as child:
        child.write(b"one\ntw")
        assert log.new_lines() == ["one"]
        child.write("o é\n".encode())
        assert log.new_lines() == ["two é"]
        assert log.new_lines() == []


def test_a_large_log_is_moved_aside_while_its_child_writes_on(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "a.log")
    with log.path.open("ab", buffering=0) as child:
        for expected in ("first", "second"):
            child.write(b"x" * LARGEST + b"\n" + expected.encode() + b"\n")
            log.rotate()
            assert log.path.stat().st_size == 0
            assert (tmp_path / "a.log.1").read_bytes().endswith(expected.encode() + b"\n")
        child.write(b"after\n")
    assert log.tail() == "after"
    assert (tmp_path / "a.log.2").read_bytes().endswith(b"first\n")
    assert not (tmp_path / "a.log.3").exists()
