"""Static files under addresses that carry their content's hash, so a browser may keep them for good.

`asset('kept.css')` gives `/static/kept.3f9a1c04d2.css`. Style sheets name other files with `url("vendor/x.woff2")`;
those names are replaced by the hashed ones, so a new font changes the style sheet's own address too.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Response, abort, request, url_for

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = Path(__file__).parent / "static"
HASH_LENGTH = 10
A_YEAR = 31_536_000
COMPRESSIBLE = {".css", ".js", ".svg", ".json", ".txt"}
TYPES = {".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """One static file as it is sent: its bytes, its type and the hash of both forms."""

    name: str
    content: bytes
    media_type: str

    @cached_property
    def digest(self) -> str:
        """The first hex digits of the content's SHA-256."""
        return hashlib.sha256(self.content).hexdigest()[:HASH_LENGTH]

    @cached_property
    def hashed_name(self) -> str:
        """`vendor/x.css` -> `vendor/x.3f9a1c04d2.css`."""
        stem, dot, suffix = self.name.rpartition(".")
        return f"{stem}.{self.digest}{dot}{suffix}"

    @cached_property
    def gzipped(self) -> bytes | None:
        """The compressed form, made on first use; None where it would not be smaller."""
        if Path(self.name).suffix not in COMPRESSIBLE:
            return None
        packed = gzip.compress(self.content, compresslevel=9, mtime=0)
        return packed if len(packed) < len(self.content) else None


class Assets:
    """The static files of the portal, read once per process."""

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self.by_name: dict[str, Asset] = {}
        # Style sheets last: their text is rewritten with the hashed names of the others.
        for path in sorted(paths, key=lambda path: path.suffix == ".css"):
            name = path.relative_to(folder).as_posix()
            self.by_name[name] = Asset(name, self._content(path, name), _media_type(path))
        self.by_hashed_name = {asset.hashed_name: asset for asset in self.by_name.values()}

    def _content(self, path: Path, name: str) -> bytes:
        content = path.read_bytes()
        if path.suffix != ".css":
            return content
        folder = Path(name).parent

        def hashed(match: re.Match[str]) -> str:
            target = self.by_name.get((folder / match[1]).as_posix())
            return f'url("{_relative(target.hashed_name, folder)}")' if target else match[0]

        return re.sub(r'url\("([\w./-]+)"\)', hashed, content.decode()).encode()

    def names(self) -> Iterable[str]:
        """Every file that can be asked for by name."""
        return self.by_name.keys()

    def url(self, name: str) -> str:
        """The address of a file. Raises KeyError naming the file when there is none."""
        if name not in self.by_name:
            raise KeyError(f"There is no static file {name}")
        return url_for("pages.static_file", name=self.by_name[name].hashed_name)

    def send(self, name: str) -> Response:
        """One file: for good under its hashed name, to be asked about again under any other.

        An old hash still answers with today's file: a page rendered before a release may ask for it.
        """
        asset = self.by_hashed_name.get(name)
        lasting = asset is not None
        if asset is None:
            asset = self.by_name.get(name) or self.by_name.get(_without_hash(name)) or abort(404)
        response = Response(asset.content, mimetype=asset.media_type)
        response.set_etag(asset.digest)
        if asset.gzipped is not None:
            response.vary.add("Accept-Encoding")
            if "gzip" in request.accept_encodings:
                response.set_data(asset.gzipped)
                response.content_encoding = "gzip"
                response.set_etag(f"{asset.digest}-gz")
        caching = f"public, max-age={A_YEAR}, immutable" if lasting else "public, no-cache"
        response.headers["Cache-Control"] = caching
        response.make_conditional(request)
        return response


def _media_type(path: Path) -> str:
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _relative(name: str, folder: Path) -> str:
    return Path(name).relative_to(folder).as_posix()


def _without_hash(name: str) -> str:
    return re.sub(rf"\.[0-9a-f]{{{HASH_LENGTH}}}(\.\w+)$", r"\1", name)
