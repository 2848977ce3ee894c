"""Folders that a server running as another user can reach, and the files that must not be seen by others."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

OPEN_ROOT = Path("/var/tmp")
UNUSED = shutil.ignore_patterns("__pycache__", "include")


class UnsafeFolder(Exception):
    """A folder that we must own belongs to somebody else."""


@dataclass(frozen=True)
class Account:
    """The user a server runs as when we are root, because that server refuses root."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """`nobody` when we are root, None (ourselves) otherwise."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def can_reach(path: Path, account: Account | None) -> bool:
    """Whether the account may pass through every folder above `path` and into it."""
    if account is None:
        return os.access(path, os.X_OK)
    resolved = path.resolve()
    return all(_may_enter(folder, account) for folder in (resolved, *resolved.parents))


def _may_enter(folder: Path, account: Account) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def home_folder(home: Path) -> Path:
    """Make the home. As root it can be passed through (the server's user must), though not listed.

    Raises OSError when it cannot be made.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o755)
    if home.stat().st_uid == os.geteuid():
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return home


def reachable_folder(home: Path, identity: str) -> Path:
    """Where this home keeps server data: in itself, or in /var/tmp when it is closed to the server's user."""
    account = server_account()
    if account is None or can_reach(home, account):
        return home
    digest = hashlib.sha256(f"{home.resolve()}\0{identity}".encode()).hexdigest()[:12]
    return own_folder(OPEN_ROOT / f"kept-{os.geteuid()}-{digest}")


def own_folder(path: Path) -> Path:
    """Make a folder that others pass through and only we write. Raises UnsafeFolder: it is another's."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o711)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise UnsafeFolder(f"{path} exists and is not ours. Remove it, or give --home another folder.")
    path.chmod(0o711)
    return path


def temporary_folder() -> Path:
    """A fresh folder for server data that the server's user can reach. The caller removes it."""
    account = server_account()
    made = Path(tempfile.mkdtemp(prefix="kept-"))
    made.chmod(0o700 if account is None else 0o711)
    if can_reach(made, account):
        return made
    made.rmdir()
    made = Path(tempfile.mkdtemp(prefix="kept-", dir=OPEN_ROOT))
    made.chmod(0o711)
    return made


def reachable_copy(folders: list[Path], name: str, account: Account | None) -> Path:
    """The parent of these sibling folders, or of a copy of them that the account can reach and read."""
    if account is None or all(can_reach(folder, account) for folder in folders):
        return folders[0].parent
    target = own_folder(OPEN_ROOT / f"kept-{os.geteuid()}-programs") / name
    if not target.is_dir():
        _copy(folders, target)
    return target


def _copy(folders: list[Path], target: Path) -> None:
    """Copy under another name first, so that a copy broken off is never taken for a whole one."""
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=target.parent))
    try:
        for folder in folders:
            shutil.copytree(folder, partial / folder.name, ignore=UNUSED)
        for path in (partial, *partial.rglob("*")):
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        with contextlib.suppress(OSError):  # another process was quicker
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """Write a file only we can read, whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
