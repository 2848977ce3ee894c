"""The script `kept`: which Python it takes, when it installs, where it puts the environment."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "kept"


@pytest.fixture
def kept() -> ModuleType:
    loader = SourceFileLoader("kept_script", str(SCRIPT))
    spec = importlib.util.spec_from_loader("kept_script", loader)
    assert spec is not None
    made = importlib.util.module_from_spec(spec)
    loader.exec_module(made)
    return made


def program(path: Path, text: str, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_python_that_is_old_closed_or_broken_is_passed_by(kept, tmp_path: Path, monkeypatch) -> None:
    old = program(tmp_path / "a" / "python3.11", "#!/bin/sh\nexit 1\n").parent
    broken = program(tmp_path / "b" / "python3.11", "#!/nowhere/python\n").parent
    plain = program(tmp_path / "c" / "python3.11", "#!/bin/sh\nexit 0\n", mode=0o644).parent
    good = program(tmp_path / "d" / "python3.11", "#!/bin/sh\nexit 0\n")
    monkeypatch.setenv("PATH", ":".join(map(str, [old, broken, plain, good.parent])))
    monkeypatch.setattr(sys, "executable", "")
    assert kept.find_python() == str(good)


def test_an_environment_counts_only_with_its_lock_unchanged(kept, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(kept, "ROOT", str(tmp_path))
    (tmp_path / "requirements.txt").write_text("flask==1 --hash=sha256:0\n")
    program(tmp_path / ".venv" / "bin" / "python", "#!/bin/sh\nexit 0\n")
    folder = str(tmp_path / ".venv")
    assert not kept.holds(folder, "requirements.txt")
    Path(kept.marker(folder, "requirements.txt")).write_text(kept.digest("requirements.txt"))
    assert kept.holds(folder, "requirements.txt")
    (tmp_path / "requirements.txt").write_text("flask==2 --hash=sha256:0\n")
    assert not kept.holds(folder, "requirements.txt")


def test_a_checkout_that_is_not_ours_to_write_gets_its_environment_elsewhere(
    kept, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(kept.os, "access", lambda path, mode: False)
    monkeypatch.setattr(kept, "ROOT", str(tmp_path))
    (tmp_path / "requirements.txt").write_text("")
    assert kept.environment_folder("requirements.txt").startswith(str(tmp_path / "data" / "kept" / "venv-"))


def test_the_lock_of_the_tests_holds_all_of_the_other(kept) -> None:
    base, tests = (pins(SCRIPT.parent / lock) for lock in (kept.BASE_LOCK, kept.LOCKS["test"]))
    assert base <= tests


def pins(lock: Path) -> set[str]:
    return {line for line in lock.read_text().splitlines() if "==" in line}


@pytest.mark.parametrize(("words", "status"), [([], 2), (["nonsense"], 2), (["--help"], 0)])
def test_it_says_what_it_can_do(words: list[str], status: int) -> None:
    answer = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True)
    assert answer.returncode == status
    for command in ("up", "down", "test", "clock", "integrity", "bench"):
        assert f"  {command} " in answer.stdout + answer.stderr
