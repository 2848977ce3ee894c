"""Real orders over real places at a real carrier's zones and prices. The data lies outside the project; see `DATA`."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from app.routing.replay.__main__ import main
from app.routing.replay.superstore import ORDERS
from app.routing.replay.superstore import main as build
from tests.routing.test_replay import check

DATA = Path(os.environ.get("KEPT_DATA", "/work/shared/data"))

pytestmark = pytest.mark.skipif(not (DATA / ORDERS).exists(), reason=f"no real data: {DATA / ORDERS}")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last week of the file, with all before it as history."""
    out = tmp_path_factory.mktemp("superstore") / "instance.json.gz"
    assert build([str(DATA), "--out", str(out), "--since", "2017-12-24"]) == 0
    return out


def test_it_is_the_real_network_and_the_real_prices(source: Path) -> None:
    document = json.loads(gzip.decompress(source.read_bytes()))
    assert len(document["nodes"]) == 200
    assert len(document["history"]) + len(document["orders"]) == 5009
    assert document["days"] == 7
    assert document["carrier"]["prices"][0] == {
        "up_to_lb": 1,
        "by_zone": [761, 768, 800, 815, 874, 963, 998, 1067, 1067],
    }
    assert sum(len(row) for row in document["carrier"]["zone_pairs"].values()) > 10_000


@pytest.mark.parametrize("policy", ["single_else_nearest", "myopic"])
def test_every_package_is_priced_by_zone_and_step(tmp_path: Path, source: Path, policy: str) -> None:
    out = tmp_path / "out.jsonl"
    assert main([str(source), "--policy", policy, "--out", str(out)]) == 0
    decisions = [json.loads(line) for line in out.read_text().splitlines()]
    assert check(json.loads(gzip.decompress(source.read_bytes())), decisions) > 0


def test_a_folder_without_the_data_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build([str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert str(ORDERS) in capsys.readouterr().err
