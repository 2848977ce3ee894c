"""Fetches the browser assets at their pinned versions; run by hand, the result is committed.

    python -m app.pages.vendor

Each package comes through `npm pack`, is checked against the sha512 recorded here, and gives only the files
named here. `static/vendor/manifest.json` lists what was taken, with version, license and sha256 of each file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.pages.outline import us_symbol

TARGET = Path(__file__).parent / "static" / "vendor"


@dataclass(frozen=True)
class Package:
    """One package: which files to copy (path inside -> name here) and where its license stands."""

    name: str
    version: str
    integrity: str
    license: str
    files: dict[str, str]
    license_file: str | None = "LICENSE"


PACKAGES = (
    Package(
        "@tabler/core",
        "1.6.1",
        "sha512-lgmR9gcxRp5JlLxcmRi9Rz85JrEvH6Bz71KnlcPVSa97wtwQNjgSs3g3fxwbAlulHyRMghhIV04QUuW3pqDsIg==",
        "MIT",
        {"dist/css/tabler.min.css": "tabler.min.css"},
        license_file=None,
    ),
    Package(
        "@fontsource-variable/figtree",
        "5.3.0",
        "sha512-VRVodD7OiG7apQwE8/2fMjaqpY/a0qRJqL5HtYj8CKIVps+9amaFcdfKmDIf7iqYQx6iPLlArVXAfKeIZmVcNQ==",
        "OFL-1.1",
        {
            "files/figtree-latin-wght-normal.woff2": "figtree-latin-wght-normal.woff2",
            "files/figtree-latin-ext-wght-normal.woff2": "figtree-latin-ext-wght-normal.woff2",
        },
    ),
    Package(
        "htmx.org",
        "4.0.1",
        "sha512-oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg==",
        "0BSD",
        {"dist/htmx.min.js": "htmx.min.js"},
    ),
    Package(
        "@tabler/icons",
        "3.51.0",
        "sha512-0pinvPZz7YeX+OSfxuEAbnEPWbocVXW5iU8h5lh41pYG8sZuQfpWECC980lxOT0clGIcNGn8xsBr+zKaRGdA/g==",
        "MIT",
        {},
    ),
    Package(
        "us-atlas",
        "3.0.1",
        "sha512-wEIZCq0ImPvGblTd8gZMqNNCPkQshugMUG/8nkSWXb02+XqNFREg9atHOKP9w6prLZTpqcLhSvdBW81MkV3/0Q==",
        "ISC",
        {},
    ),
    Package(
        "chart.js",
        "4.6.1",
        "sha512-hJyniucsFmq//EvXYvJ6c6mahPoI3kaxdjVH8awTaJ/fDNWeSqqqArixMJWkWNN6fcYvPU3HneSANFNYtRi61g==",
        "MIT",
        {"dist/chart.umd.min.js": "chart.umd.min.js"},
        license_file="LICENSE.md",
    ),
    Package(
        "sortablejs",
        "1.15.7",
        "sha512-Kk8wLQPlS+yi1ZEf48a4+fzHa4yxjC30M/Sr2AnQu+f/MPwvvX9XjZ6OWejiz8crBsLwSq8GHqaxaET7u6ux0A==",
        "MIT",
        {"Sortable.min.js": "Sortable.min.js"},
    ),
)

# fmt: off
ICONS = [
    "activity", "adjustments-horizontal", "alert-circle", "alert-triangle", "api", "arrow-back-up",
    "arrow-down", "arrow-left", "arrow-right", "arrow-up", "arrows-exchange", "arrows-split-2", "ban",
    "barcode", "basket", "bell", "bookmark", "box", "building", "building-community", "building-factory-2",
    "building-store", "building-warehouse", "calendar", "calendar-due", "calendar-event", "chart-bar",
    "chart-line", "check", "checks", "chevron-down", "chevron-left", "chevron-right", "chevron-up",
    "circle-check", "circle-x", "clipboard-check", "clipboard-list", "clock", "clock-pause", "cloud",
    "code", "columns", "copy", "credit-card", "credit-card-off", "credit-card-refund", "currency-dollar",
    "database", "device-desktop", "device-mobile", "dots", "download", "edit", "equal", "external-link",
    "eye", "eye-off", "file-import", "file-text", "filter", "flag", "flask", "gauge", "gift", "git-compare",
    "grip-vertical", "hand-stop", "headset", "heart-handshake", "help-circle", "history", "home",
    "hourglass", "info-circle", "key", "keyboard", "link", "list-check", "list-details", "lock",
    "lock-open", "login", "logout", "mail", "mail-opened", "map-pin", "menu-2", "message", "minus", "moon",
    "notes", "package", "packages", "percentage", "phone-call", "player-pause", "player-play", "plug",
    "plus", "printer", "receipt-2", "receipt-refund", "refresh", "rotate", "route", "ruler-2", "scale",
    "scan", "search", "selector", "send", "server", "settings", "shield", "shield-check", "shield-lock",
    "shopping-cart", "speakerphone", "stack-2", "star", "sun", "sun-moon", "tag", "tools", "transfer",
    "trash", "truck", "truck-delivery", "truck-return", "upload", "user", "user-circle", "user-plus",
    "user-x", "users", "versions", "wallet", "webhook", "world", "world-www", "x",
]
# fmt: on

TABLER_LICENSE = """MIT License

Copyright (c) 2018-2026 The Tabler Authors
Copyright (c) 2018-2026 codecalm.net Pawel Kuna

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
"""@tabler/core ships no license file; its package.json says MIT and its style sheet names these holders."""


def main() -> None:
    """Fetch, verify, copy and build everything, then write the manifest."""
    TARGET.mkdir(parents=True, exist_ok=True)
    manifest = []
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            source = fetch(package, Path(folder))
            made = copy_files(package, source)
            made += build_drawings(package, source)
            made.append(copy_license(package, source))
            manifest.append(describe(package, made))
            print(f"{package.name} {package.version}: {', '.join(path.name for path in made)}")
    (TARGET / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def fetch(package: Package, folder: Path) -> Path:
    """Download one package, check it against its recorded hash, and unpack it.

    Raises ValueError when the archive is not the one recorded.
    """
    command = [
        "npm",
        "pack",
        f"{package.name}@{package.version}",
        "--silent",
        "--pack-destination",
        str(folder),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    archive = folder / done.stdout.strip().splitlines()[-1]
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != package.integrity:
        raise ValueError(f"{package.name} {package.version}: expected {package.integrity}, got {found}")
    unpacked = archive.with_suffix("")
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked, filter="data")
    return unpacked / "package"


def copy_files(package: Package, source: Path) -> list[Path]:
    """Copy the files this package is wanted for; references to source maps we do not ship are dropped."""
    made = []
    for inside, name in package.files.items():
        content = (source / inside).read_bytes()
        if not name.endswith(".woff2"):
            content = re.sub(rb"\n?(//|/\*)# sourceMappingURL=[^\n]*", b"", content)
        made.append(write(name, content))
    return made


def build_drawings(package: Package, source: Path) -> list[Path]:
    """The icon sprite and the map, each from its package."""
    if package.name == "@tabler/icons":
        symbols = [icon_symbol(name, (source / f"icons/outline/{name}.svg").read_text()) for name in ICONS]
        sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
        return [write("icons.svg", sprite.encode())]
    if package.name == "us-atlas":
        return [
            write("us.svg", us_symbol(json.loads((source / "states-albers-10m.json").read_text())).encode())
        ]
    return []


def icon_symbol(name: str, svg: str) -> str:
    """One icon as a symbol that takes its color from the text around it."""
    shapes = re.findall(r"<(?:path|circle|rect|line|polyline|ellipse)\b[^>]*/>", svg)
    drawn = "".join(shape.replace(" />", "/>") for shape in shapes if 'stroke="none" d="M0 0h24' not in shape)
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round">{drawn}</symbol>'
    )


def copy_license(package: Package, source: Path) -> Path:
    """Keep the license text beside the files it covers."""
    text = (source / package.license_file).read_bytes() if package.license_file else TABLER_LICENSE.encode()
    return write(f"LICENSE.{package.name.lstrip('@').replace('/', '-')}.txt", text)


def describe(package: Package, made: list[Path]) -> dict[str, object]:
    """One entry of the manifest."""
    return {
        "name": package.name,
        "version": package.version,
        "license": package.license,
        "integrity": package.integrity,
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made},
    }


def write(name: str, content: bytes) -> Path:
    """Write one file into the vendor folder."""
    path = TARGET / name
    path.write_bytes(content)
    return path


if __name__ == "__main__":
    main()
