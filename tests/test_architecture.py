"""The house rules that a machine can check: who imports whom, who commits, who talks to the outside, who reacts."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app import events
from app.models import metadata
from workers.subscriptions import SUBSCRIPTIONS

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("infra", "tenants", "app", "workers")
NETWORK = {
    "requests",
    "smtplib",
    "stripe",
    "urllib.request",
    "http.client",
    "socket",
    "redis",
    "rq",
    "aiosmtpd",
    "httpx",
}
TALKS_OUTSIDE = {
    "app/accounts/sso.py": "an identity provider, asked before any scope is open",
    "app/tax/adapters.py": "a merchant's tax service, called by a worker between two transactions",
}
"""Modules of app that may hold a network call; everything else outside is spoken to by infra."""
EDGES = {
    "app/edge.py": "the API",
    "app/web.py": "the pages",
    "app/oauth/api.py": "the token endpoint, which no key opens",
    "app/selfservice/views.py": "the buyer's pages, which a signed link opens",
    "workers/runner.py": "jobs",
}
"""Where `scope.keep()` may stand."""
STANDS = {"promise.at_risk", "stock.available", "order.units_waiting"}
"""Event names that say how something stands now instead of what happened."""


@cache
def sources(*folders: str) -> dict[str, str]:
    """Every source file of these folders by its path."""
    return {
        str(file.relative_to(ROOT)): file.read_text()
        for folder in folders
        for file in sorted((ROOT / folder).rglob("*.py"))
    }


@cache
def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def imported(path: str) -> set[str]:
    """The modules a file imports anywhere in it."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def test_imports_point_downwards() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_session_commits_in_one_place_and_scopes_are_kept_at_the_edges() -> None:
    found = sources(*LAYERS)
    assert {path for path, text in found.items() if re.search(r"\.commit\(", text)} == {"tenants/scope.py"}
    keeping = {path for path, text in found.items() if ".keep()" in text}
    assert keeping - {"tenants/scope.py"} == EDGES.keys()


def test_app_reaches_the_network_only_where_it_says_so() -> None:
    def is_network(module: str) -> bool:
        return any(module == name or module.startswith(f"{name}.") for name in NETWORK)

    found = {path for path in sources("app", "tenants") if any(map(is_network, imported(path)))}
    assert found - TALKS_OUTSIDE.keys() == set()


def test_rules_are_pure() -> None:
    impure = {"sqlalchemy", "psycopg", "flask", "infra.db", "infra.clock", "tenants.scope", "time", "random"}
    found = {
        path: imported(path) & impure
        for path in sources("app", "tenants")
        if path.endswith("/rules.py") and imported(path) & impure
    }
    assert found == {}


def test_files_stay_short_and_none_is_a_drawer_for_everything() -> None:
    lengths = {path: len(text.splitlines()) for path, text in sources(*LAYERS).items()}
    too_long = {path: count for path, count in lengths.items() if count > 400}
    assert too_long == {}
    drawers = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
    assert [path for path in lengths if Path(path).name in drawers] == []


def test_tables_are_described_for_migrations_and_tests_alone() -> None:
    """Statements are SQL: no process that serves or works spends a fifth of its start on mapping the tables."""
    described = {
        path
        for path in sources(*LAYERS)
        if any(re.fullmatch(r"(app\.(\w+\.)?|tenants\.|infra\.)models", module) for module in imported(path))
    }
    assert described == {"workers/cli/bench/million.py"}


def test_every_tenant_table_is_fenced_by_a_migration() -> None:
    text = "\n".join(sources("migrations").values())
    names = set(
        re.findall(r'^    "([a-z_]+)",$', text.split("TENANT_TABLES = (")[1].split(")")[0], re.MULTILINE)
    )
    names |= set(re.findall(r'fence\("([a-z_]+)"', text))
    assert {table.name for table in metadata.sorted_tables if table.info["scope"] == "TENANT"} <= names
    assert names <= {table.name for table in metadata.sorted_tables}
    assert "fence(table" in text


# ---- who reacts


ENQUEUES = {
    "scope.later": 0,
    "scope.all_later": 0,
    "scope.at": 1,
    "events.record": 2,
    "record": 2,
    "record_all": 1,
}
"""The argument that names the topic."""
PASS_ON = {"infra/outbox.py", "tenants/scope.py", "app/events.py"}
"""They pass on the topic they were given."""


def topics_used() -> dict[str, list[str]]:
    """Every topic that any statement writes into the outbox, with the files that do."""
    found: dict[str, list[str]] = {}
    for path in sources("app", "tenants", "workers"):
        if path not in PASS_ON:
            for topic in _topics_of(path):
                found.setdefault(topic, []).append(path)
    return found


def _topics_of(path: str) -> Iterator[str]:
    names = dict(
        vars(importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")))
    )
    for node in ast.walk(tree(path)):
        for given in _named_by(path, node):
            yield eval(compile(ast.Expression(given), path, "eval"), names)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "INTO outbox" in node.value:
            yield from re.findall(r"'([a-z]+\.[a-z_]+)'", node.value)


def _named_by(path: str, node: ast.AST) -> list[ast.expr]:
    """The expressions by which one piece of code names a topic: a call's argument, or a row made for a statement."""
    if isinstance(node, ast.Call):
        at = ENQUEUES.get(ast.unparse(node.func))
        if at is not None:
            return _possible(path, node.args[at])
        return [
            word.value
            for word in node.keywords
            if word.arg == "event" and isinstance(word.value, ast.Attribute)
        ]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "topic"]
    return []


def _possible(path: str, argument: ast.expr) -> list[ast.expr]:
    """What an argument may be: either branch of a choice, what a local name was set to, what callers give."""
    if isinstance(argument, ast.IfExp):
        return [argument.body, argument.orelse]
    if not isinstance(argument, ast.Name):
        return [argument]
    for function in ast.walk(tree(path)):
        if not isinstance(function, ast.FunctionDef) or argument not in ast.walk(function):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == argument.id:
                return _possible(path, node.value)
        parameters = [parameter.arg for parameter in function.args.args]
        if argument.id in parameters:
            at = parameters.index(argument.id)
            return [call.args[at] for call in ast.walk(tree(path)) if _calls(call, function.name)]
    return [argument]


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def test_whoever_is_subscribed_is_told() -> None:
    assert set(SUBSCRIPTIONS) - topics_used().keys() == set()


def test_whatever_is_told_is_heard() -> None:
    assert topics_used().keys() - set(SUBSCRIPTIONS) == set()


def constants() -> dict[str, str]:
    return {name: value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}


def test_event_names_are_constants_once_and_past_tense() -> None:
    names = list(constants().values())
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", name), name
        assert name in STANDS or name.endswith(("ed", "sent")), f"{name} does not say what happened"


def test_events_are_named_by_their_constants() -> None:
    names = set(constants().values())
    spelled = {
        (path, name)
        for path, text in sources("app", "workers").items()
        if path != "app/events.py"
        for name in re.findall(r'"([a-z]+\.[a-z_]+)"', re.sub(r"metadata=\{.*?\}", "", text))
        if name in names
    }
    assert spelled == set()
