"""What the documents say about the code is true: settings, the map, commands, addresses, links."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from flask import Flask

from infra.settings import ENVIRONMENT, Settings
from workers.cli.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(file.relative_to(ROOT)) for file in DOCUMENTS]


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def marked(name: str, begin: str, end: str) -> str:
    return text_of(name).split(f"<!-- {begin}")[1].split(f"<!-- {end} -->")[0]


def rows(table: str) -> list[list[str]]:
    """The cells of a table's body."""
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_settings_is_what_the_code_reads() -> None:
    table = {
        row[0].strip("`"): row[1].strip("`")
        for row in rows(marked("docs/deployment.md", "settings:", "end of settings"))
    }
    defaults = Settings(database_url="")
    expected = {
        variable: "needed" if name in ("database_url", "secret_key") else str(getattr(defaults, name))
        for name, variable in ENVIRONMENT.items()
    }
    assert table == expected


def test_settings_named_in_any_document_exist() -> None:
    known = set(ENVIRONMENT.values())
    families = (
        "DATABASE_",
        "OIDC_",
        "OPERATOR_OIDC_",
        "STRIPE_",
        "SMTP_",
        "REDIS_",
        "KEPT_POOL",
        "KEPT_PRIV",
        "KEPT_MAIL",
    )
    elsewhere = {"STRIPE_TEST_KEY"}  # read by the tests
    for name in NAMES:
        for variable in re.findall(r"`([A-Z]+_[A-Z_]*[A-Z])`", text_of(name)):
            if variable.startswith(families):
                assert variable in known | elsewhere, (name, variable)


def test_the_map_is_the_contract() -> None:
    contracts = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one.get("containers") == ["app"])
    mapped = [re.findall(r"`(\w+)`", row[0]) for row in rows(marked("README.md", "map:", "end of map"))]
    assert mapped == [layer.split(" | ") for layer in layers]
    for module in (name for names in mapped for name in names):
        assert (ROOT / "app" / module).is_dir() or (ROOT / "app" / f"{module}.py").is_file(), module


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    file = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (file.parent / path).resolve() if path else file
        assert found.exists(), f"{name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}, (
                target
            )


@pytest.mark.parametrize("name", NAMES)
def test_commands_and_files_named_exist(name: str) -> None:
    text = text_of(name)
    for command in re.findall(r"\./kept ([a-z]+)", text):
        assert command in COMMANDS, f"{name}: ./kept {command}"
    for path in re.findall(r"`((?:app|tenants|infra|workers|migrations|tests|examples)/[\w./-]+)`", text):
        if "/yours" not in path:
            assert (ROOT / path).exists() or any(ROOT.glob(f"{path}*")), f"{name} names {path}"


@pytest.mark.parametrize("name", NAMES)
def test_the_words_are_ours(name: str) -> None:
    text = text_of(name)
    assert "\N{EM DASH}" not in text
    assert not re.search(r"\b(colour|behaviour|centre|organis|fulfil(?!l)|cancelled\b(?!`))", _prose(text)), (
        name
    )
    promised = r"(guarantee|ensure|assure)s? (legal |full )?complian|is (fully )?compliant"
    assert not re.search(promised, text, re.IGNORECASE), name


def _prose(text: str) -> str:
    """The text without code and addresses."""
    return re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", ["docs/api.md", "docs/providers.md"])
def test_the_calls_shown_exist(name: str, app: Flask) -> None:
    served = {(method, _plain(rule.rule)) for rule in app.url_map.iter_rules() for method in rule.methods}
    text = text_of(name)
    shown = [("POST", path) for path in re.findall(r"-X POST \$KEPT_API(/[\w/$-]+)", text)]
    shown += [("PUT", path) for path in re.findall(r"-X PUT \$KEPT_API(/[\w/-]+)", text)]
    shown += [("GET", path) for path in re.findall(r'api "\$KEPT_API(/[\w/$-]+)', text)]
    shown += re.findall(r"`(GET|POST|PUT) (/[\w/{}-]+)", text)
    assert shown
    for method, path in shown:
        assert (method, _plain(f"/v1{path}")) in served or (method, path) in served, (method, path)


def _plain(path: str) -> str:
    """An address with its ids left out: /v1/skus/APRON, /v1/orders/$ID and /v1/orders/<id> are told by their words."""
    return re.sub(
        r"<[^>]*>|\{[^}]*\}|\$ID|/[A-Z]+(?=/|$)", lambda found: "/*" if found[0][0] == "/" else "*", path
    )


def test_pictures_are_there_and_light() -> None:
    pictures = list((ROOT / "docs" / "pictures").glob("*.png"))
    assert len(pictures) >= 3
    for picture in pictures:
        assert picture.stat().st_size < 300_000, picture.name
        assert picture.name in text_of("README.md")


def test_every_decision_is_listed() -> None:
    listed = set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", text_of("docs/decisions/README.md")))
    assert listed == {file.name for file in (ROOT / "docs" / "decisions").glob("0*.md")}


def test_the_license_is_whole() -> None:
    text = text_of("LICENSE")
    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert all(f"   {number}. " in text for number in range(1, 10))
    assert "END OF TERMS AND CONDITIONS" in text
    assert tomllib.loads(text_of("pyproject.toml"))["project"]["license"] == "Apache-2.0"
