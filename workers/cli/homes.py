"""Which home a command is about."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from infra import settings
from infra.embedded.home import Home

ROOT = Path(__file__).resolve().parents[2]


def default_home() -> Path:
    """`.kept` in the checkout, or the user's data folder when the checkout cannot be written."""
    if os.access(ROOT, os.W_OK):
        return ROOT / ".kept"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "kept" / "home"


def add_home_argument(parser: argparse.ArgumentParser) -> None:
    """`--home DIR`, as every command takes it."""
    parser.add_argument(
        "--home",
        type=Path,
        default=default_home(),
        metavar="DIR",
        help="the installation's folder (%(default)s)",
    )


def use_home(path: Path) -> None:
    """Take the settings of the installation that runs in this home. Raises NotRunning."""
    environment = {**os.environ, **Home(path).environment()}
    os.environ.setdefault("KEPT_HOME", str(path))
    settings.use(settings.load(environment))
