"""The examples as a reader runs them, against a whole installation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.home import Home
from tests.installation import CLEAN, Kept, installed

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
HELPERS = {"kept_client.py", "shop.py"}
DAEMON = "demo_provider.py"
JOURNEYS = {
    "place_order.py": ["is placed: ", "Another order under EX-", "Why there: "],
    "hold_a_quote.py": ["held until ", "is ours: 2 of 2 allocated", "is refused: ", "given back"],
    "place_batch.py": ["200, was there already as", "422, refused: "],
    "ship_as_provider.py": ["Not before it is accepted", "Shipped in 2 parcels", "Taken from the card"],
    "cancel_order.py": ["Canceled: 1 of 3 units", "The order is canceled", "is let go"],
    "import_file.py": ["2 orders made, 1 refused"],
    "oauth_token.py": ["read with a token", "What was not asked for is refused"],
    "move_clock.py": ["It was "],
}
"""Each example and what it says, in the order in which they are run: the clock comes last."""
pytestmark = pytest.mark.timeout(240)
MAKE_CLIENT = """
import sys
from uuid import UUID
from tenants import clients
from tenants.scope import inside
with inside(UUID(sys.argv[1])) as scope:
    print(*clients.create_client(scope, name="Example", scopes=["orders:read", "skus:read"]))
"""


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    with installed() as made:
        yield made


@pytest.fixture(scope="module")
def client(kept: Kept) -> dict[str, str]:
    """An OAuth client of the first tenant, as Settings would make it."""
    done = subprocess.run(
        [sys.executable, "-c", MAKE_CLIENT, kept.ready()["tenants"][0]["id"]],
        cwd=ROOT,
        env={**os.environ, **Home(kept.home).environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    client_id, secret = done.stdout.split()
    return {"KEPT_CLIENT_ID": client_id, "KEPT_CLIENT_SECRET": secret}


def test_every_example_is_run_here() -> None:
    assert {file.name for file in EXAMPLES.glob("*.py")} == JOURNEYS.keys() | HELPERS | {DAEMON}


@pytest.mark.parametrize("name", JOURNEYS)
def test_the_example_does_what_it_says(kept: Kept, client: dict[str, str], name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), "--ready-file", str(kept.ready_file)],
        cwd=kept.home,
        env=CLEAN | client,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in JOURNEYS[name]:
        assert words in done.stdout


def test_examples_need_nothing_but_requests() -> None:
    own = {file.stem for file in EXAMPLES.glob("*.py")}
    for file in EXAMPLES.glob("*.py"):
        imported = re.findall(r"^(?:from|import) (\w+)", file.read_text(), re.MULTILINE)
        assert set(imported) <= set(sys.stdlib_module_names) | own | {"requests"}, file.name


def test_the_books_balance_afterwards(kept: Kept) -> None:
    done = kept.run("integrity")
    assert done.returncode == 0, done.stdout
