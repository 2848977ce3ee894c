"""The test run: its servers, its databases, what is skipped where. Other fixtures: `tests/fixtures`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from infra.embedded import places
from infra.settings import Settings
from tests import services
from tests.browser import CHROMIUM, browser_page, serve  # noqa: F401
from tests.factories import app, in_force, merchant, other_merchant  # noqa: F401
from tests.outside import inbox, processor, system  # noqa: F401
from tests.services import Database, Services
from tests.shop import act, shop  # noqa: F401

FOLDER = pytest.StashKey[Path]()
LONG = (
    "races/test_faults.py",
    "journeys/test_superstore.py",
    "workers/cli/test_up.py",
    "journeys/test_year.py",
    "inventory/test_pages.py",
    "test_openapi.py",
    "test_examples.py",
    "journeys/test_portal.py",
    "demo/test_seed.py",
)
"""Files that take a minute: begun first, so that no core is idle at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also the long runs (mark `full`)")


def pytest_configure(config: pytest.Config) -> None:
    """A folder for the run's servers; they start when the first test asks for them."""
    if not hasattr(config, "workerinput"):
        config.stash[FOLDER] = places.temporary_folder()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Tell a parallel worker where the run's servers are."""
    node.workerinput["services"] = [str(node.config.stash[FOLDER]), os.getpid()]


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(FOLDER, None)
    if folder is not None:
        services.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def pytest_report_header() -> str:
    return f"browser tests: {CHROMIUM or 'skipped, no chromium on this machine'}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not str(item.path).endswith(LONG))
    for item in items:
        if item.get_closest_marker("full") and not config.getoption("--full"):
            item.add_marker(pytest.mark.skip(reason="a long run: ./kept test --full"))
        if item.get_closest_marker("browser") and CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="no chromium on this machine"))


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """Name of this process of the run: gw0, gw1... or main."""
    return getattr(request.config, "workerinput", {}).get("workerid", "main")


@pytest.fixture(scope="session")
def test_services(request: pytest.FixtureRequest) -> Services:
    """The run's PostgreSQL and Valkey."""
    given = getattr(request.config, "workerinput", {}).get("services")
    folder, run = given or (request.config.stash[FOLDER], os.getpid())
    return services.running(Path(folder), run)


@pytest.fixture(scope="session")
def database(test_services: Services, worker: str) -> Database:
    """This process's database, with the newest schema. Tests that commit clean up after themselves."""
    return test_services.copy_database(f"kept_{worker}")


@pytest.fixture
def own_database(test_services: Services, worker: str) -> Iterator[Database]:
    """A database for one test alone, with the newest schema; gone afterwards."""
    name = f"kept_{worker}_own"
    yield test_services.copy_database(name)
    test_services.drop_database(name)


@pytest.fixture
def empty_database(test_services: Services, worker: str) -> Iterator[Database]:
    """A database for one test alone, without any schema; gone afterwards."""
    name = f"kept_{worker}_empty"
    yield test_services.empty_database(name)
    test_services.drop_database(name)


@pytest.fixture(scope="session")
def redis_url(test_services: Services, worker: str) -> str:
    """This process's own database of Valkey, emptied at the start of the run."""
    number = 0 if worker == "main" else 1 + int(worker.removeprefix("gw")) % 15
    url = test_services.redis_url(number)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def settings(database: Database, redis_url: str) -> Settings:
    """Settings over the test servers; Stripe and mail are given by the tests that use them."""
    return Settings(
        database_url=database.app_url,
        owner_database_url=database.owner_url,
        operator_database_url=database.operator_url,
        redis_url=redis_url,
        stripe_webhook_secret="whsec_of_the_tests",
        secret_key="a key for tests, as long as a real one",
        pool_size=5,
    )
