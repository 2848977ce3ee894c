"""Static files: addresses by content, cached for good, compressed when asked; licenses and hashes as recorded."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from app import pages
from app.pages.assets import FOLDER, Assets
from app.pages.outline import us_symbol


def url(app, name: str) -> str:
    with app.test_request_context():
        return app.jinja_env.globals["asset"](name)


def test_a_hashed_address_is_kept_for_good(app, client) -> None:
    address = url(app, "kept.css")
    assert re.fullmatch(r"/static/kept\.[0-9a-f]{10}\.css", address)
    answer = client.get(address)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.mimetype == "text/css"
    assert "X-Frame-Options" not in answer.headers


def test_other_names_are_asked_about_again(app, client) -> None:
    plain = client.get("/static/kept.css")
    assert plain.headers["Cache-Control"] == "public, no-cache"
    again = client.get("/static/kept.css", headers={"If-None-Match": plain.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    old = client.get("/static/kept.0000000000.css")
    assert (old.data, old.headers["Cache-Control"]) == (plain.data, "public, no-cache")


def test_gzip_by_accept_encoding(app, client) -> None:
    address = url(app, "vendor/tabler.min.css")
    packed = client.get(address, headers={"Accept-Encoding": "br, gzip"})
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.data) == plain.data
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert packed.headers["ETag"] != plain.headers["ETag"]
    font = client.get(url(app, "vendor/figtree-latin-wght-normal.woff2"), headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in font.headers


def test_style_sheets_name_hashed_files(app, client) -> None:
    fonts = re.findall(r'url\("(vendor/[^"]+)"\)', client.get(url(app, "kept.css")).text)
    assert len(fonts) == 2
    for font in fonts:
        assert client.get(f"/static/{font}").headers["Cache-Control"].endswith("immutable")


@pytest.mark.parametrize(
    "name", ["nothing.css", "../assets.py", "vendor/../../assets.py", "%2e%2e/assets.py"]
)
def test_nothing_else_is_served(client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_an_unknown_asset_is_an_error_in_the_template(app) -> None:
    with pytest.raises(KeyError, match=r"no static file missing\.css"):
        url(app, "missing.css")


def test_the_first_load_stays_within_its_budget() -> None:
    """look.md: about 130 KB gzip, budget 350 with charts and map."""
    scripts = {"vendor/htmx.min.js", "js/theme.js", "js/page.js", "js/keys.js", "js/select.js"}
    first = scripts | {
        "kept.css",
        "vendor/tabler.min.css",
        "vendor/icons.svg",
        "vendor/figtree-latin-wght-normal.woff2",
    }
    with_chart = first | {"vendor/chart.umd.min.js", "vendor/us.svg", "js/charts.js", "js/maps.js"}
    by_name = Assets().by_name

    def weigh(names: set[str]) -> int:
        return sum(len(by_name[name].gzipped or by_name[name].content) for name in names)

    assert weigh(first) < 160_000
    assert weigh(with_chart) < 250_000


def test_the_manifest_matches_the_files() -> None:
    folder = FOLDER / "vendor"
    manifest = json.loads((folder / "manifest.json").read_text())
    recorded = {name: digest for package in manifest for name, digest in package["files"].items()}
    present = {path.name: path for path in folder.iterdir() if path.name != "manifest.json"}
    assert recorded.keys() == present.keys()
    for name, path in present.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == recorded[name], name
    for package in manifest:
        assert any(name.startswith("LICENSE.") for name in package["files"]), package["name"]
        assert package["license"]


def test_every_icon_named_in_a_template_is_in_the_sprite() -> None:
    sprite = (FOLDER / "vendor" / "icons.svg").read_text()
    known = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    templates = list(Path(pages.__file__).parents[1].rglob("templates/**/*.html"))
    named = set()
    for template in templates:
        text = template.read_text()
        named |= set(re.findall(r'(?:ui\.icon|ui\.empty)\("([\w-]+)"', text))
        named |= set(re.findall(r'icon(?:=|": )"([\w-]+)"', text))
    assert templates
    assert named
    assert named <= known, f"not in icons.svg, add to app/pages/vendor.py: {sorted(named - known)}"


def test_the_map_is_made_of_whole_pixels_without_specks() -> None:
    square = [[0, 0], [100, 0], [0, 100], [-100, 0], [0, -100]]
    speck = [[500, 500], [2, 0], [0, 2], [-2, 0], [0, -2]]
    topology = {
        "transform": {"scale": [1, 1], "translate": [0, 0]},
        "arcs": [square, speck],
        "objects": {
            "nation": {"geometries": [{"type": "MultiPolygon", "arcs": [[[0]], [[1]]]}]},
            "states": {
                "geometries": [{"type": "Polygon", "arcs": [[0]]}, {"type": "Polygon", "arcs": [[-1]]}]
            },
        },
    }
    drawn = us_symbol(topology)
    assert 'd="M0 0l100 0 0 100 -100 0z"' in drawn
    assert "500" not in drawn
    assert 'fill="none" stroke="var(--map-line)"' in drawn
