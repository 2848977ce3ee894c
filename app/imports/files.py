"""An uploaded file as rows: unzipped, decoded and cut up as it streams by, never whole in memory."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Any

from infra.errors import Problem, invalid

BLOCK = 1 << 20
MOST_TEXT = 1 << 30
"""Bytes after unzipping: a small .gz may hold very much."""
MOST_COLUMNS = 1000

Row = tuple[int, list[str]]
"""Line number in the file at which the row begins (the header is 1), and its cells."""


def rows(stream: IO[bytes], delimiter: str | None = None) -> Iterator[Row]:
    """The file's rows, the header first; blank lines are left out. UTF-8 (with or without a mark), else Windows-1252,
    of which Latin-1 is a part.

    Raises Problem 422 for what is no text table, 413 when it unzips to more than MOST_TEXT.
    """
    encoding = _encoding(stream)
    with _unzipped(stream) as plain:
        text = io.TextIOWrapper(plain, encoding=encoding, errors="replace", newline="")
        delimiter = delimiter or _delimiter(text)
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=delimiter)
        begins = 1
        try:
            for cells in reader:
                if _unclosed(lines.taken(), delimiter):
                    raise csv.Error("a quote is opened there and never closed")
                if any(cell.strip() for cell in cells):
                    yield begins, cells
                begins = reader.line_num + 1
        except csv.Error as error:
            raise invalid("/file", f"Line {begins} cannot be read: {error}. Check its quotes.") from error
        finally:
            text.detach()


def titles(cells: list[str]) -> list[str]:
    """The header's column names. Raises Problem 422."""
    if len(cells) > MOST_COLUMNS:
        raise invalid("/file", f"The file has {len(cells)} columns. Send at most {MOST_COLUMNS}.")
    return [cell.strip() for cell in cells]


class _Lines:
    """The file's lines, of which those of the row at hand are kept."""

    def __init__(self, text: Iterable[str]) -> None:
        self._text, self._held = iter(text), list[str]()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._text)
        self._held.append(line)
        return line

    def taken(self) -> list[str]:
        """The lines read since the last time."""
        held, self._held = self._held, []
        return held


def _unclosed(lines: list[str], delimiter: str) -> bool:
    """Whether a row ran into the end of the file because one of its quotes was never closed."""
    if len(lines) == 1 and lines[0].endswith(("\n", "\r")):
        return False
    try:
        for _ in csv.reader(lines, delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _delimiter(text: io.TextIOWrapper[Any]) -> str:
    """The commonest of comma, semicolon and tab in the first line."""
    first = text.readline(100_000)
    text.seek(0)
    return max(",;\t", key=first.count)


def _encoding(stream: IO[bytes]) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    size, utf8 = 0, True
    try:
        with _unzipped(stream) as plain:
            while block := plain.read(BLOCK):
                size += len(block)
                if size > MOST_TEXT:
                    raise Problem(413, "too-large", "The file unzips to more than 1 GB. Send it in parts.")
                if b"\x00" in block:
                    raise invalid(
                        "/file", "This is no text file. Save the table as CSV in UTF-8 and send that."
                    )
                if utf8:
                    utf8 = _decodes(decoder, block)
    except (EOFError, OSError, zlib.error) as error:
        raise invalid("/file", "The file cannot be unzipped. Send it again, or as plain CSV.") from error
    if not size:
        raise invalid("/file", "The file is empty.")
    return "utf-8-sig" if utf8 and _ended(decoder) else "cp1252"


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _ended(decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _unzipped(stream: IO[bytes]) -> gzip.GzipFile | io.BufferedReader[_Borrowed]:
    """From the start, unzipped when it is a .gz; closing it leaves the upload open."""
    stream.seek(0)
    zipped = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    if zipped:
        return gzip.GzipFile(fileobj=stream)
    return io.BufferedReader(_Borrowed(stream))


class _Borrowed(io.RawIOBase):
    """The upload as a raw stream whose end is not ours to bring about."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Any) -> int:
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)
