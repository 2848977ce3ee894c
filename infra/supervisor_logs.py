"""Log files that other processes append to: read on, rotate by size, show the end."""

from __future__ import annotations

import shutil
from pathlib import Path

LARGEST = 8 * 1024 * 1024
KEPT = 2
AT_ONCE = 256 * 1024


class LogFile:
    """One child's log. The child holds it open for appending, so it is emptied in place, never renamed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._unfinished = b""
        path.touch(mode=0o600)

    def skip(self) -> None:
        """Forget what is there already."""
        self._offset = self.path.stat().st_size
        self._unfinished = b""

    def new_lines(self) -> list[str]:
        """Whole lines written since the last call; of a flood, the last part."""
        size = self.path.stat().st_size
        if size <= self._offset:
            self._offset = size
            return []
        with self.path.open("rb") as file:
            if size - self._offset > AT_ONCE:
                self._unfinished = b""
                self._offset = size - AT_ONCE
            file.seek(self._offset)
            *lines, self._unfinished = (self._unfinished + file.read(AT_ONCE)).split(b"\n")
            self._offset = file.tell()
        return [line.decode(errors="replace") for line in lines]

    def rotate(self) -> None:
        """Above the limit, move the content to `.1`. A line written in that very moment can be lost."""
        if self.path.stat().st_size < LARGEST:
            return
        for number in range(KEPT, 1, -1):
            older = self._old(number - 1)
            if older.exists():
                older.replace(self._old(number))
        shutil.copyfile(self.path, self._old(1))
        self._old(1).chmod(0o600)
        self.path.open("r+b").truncate(0)
        self._offset = 0

    def tail(self, lines: int = 20) -> str:
        """The last lines."""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - 64 * 1024))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])

    def _old(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
