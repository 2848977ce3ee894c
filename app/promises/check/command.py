"""Scenarios of the delay rule, evaluated without a database: `python -m app.promises.check SCENARIOS.json [--json]`.

The form of the file is in docs/promises.md. Exit status: 0 when every expectation holds (or none is given), 1 when
one fails, 2 when the file cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import orjson

from app.promises.check.expectations import Mismatch, mismatches
from app.promises.check.report import Findings, evaluate, report
from app.promises.check.scenarios import Scenario, read
from app.promises.check.words import ScenarioFault

UNREADABLE, FAILED = 2, 1


def check(document: Any) -> list[tuple[Scenario, Findings, list[Mismatch]]]:
    """Every scenario of the document with what was found and what was expected otherwise. Raises ScenarioFault."""
    results = []
    for at, scenario in enumerate(read(document)):
        try:
            found = evaluate(scenario)
            results.append((scenario, found, mismatches(scenario, found)))
        except ScenarioFault as wrong:
            raise ScenarioFault(f"scenarios[{at}].{wrong.path}", wrong.detail) from wrong
    return results


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m app.promises.check", description=__doc__)
    parser.add_argument("file", help="a JSON file of scenarios; - reads the standard input")
    parser.add_argument("--json", action="store_true", help="print everything found as JSON")
    given = parser.parse_args(arguments)
    try:
        text = sys.stdin.buffer.read() if given.file == "-" else Path(given.file).read_bytes()
        results = check(orjson.loads(text))
    except (OSError, orjson.JSONDecodeError, ScenarioFault) as wrong:
        print(f"{given.file}: {wrong}", file=sys.stderr)
        return UNREADABLE
    if given.json:
        print(orjson.dumps([_as_json(*one) for one in results], option=orjson.OPT_INDENT_2).decode())
    else:
        for one in results:
            _print(*one)
    failed = sum(bool(wrong) for _, _, wrong in results)
    if not given.json:
        told = sum(scenario.expected is not None for scenario, _, _ in results)
        print(f"{len(results)} scenarios, {told} with expectations, {failed} not as expected")
    return FAILED if failed else 0


def _as_json(scenario: Scenario, found: Findings, wrong: list[Mismatch]) -> dict[str, Any]:
    verdict = None if scenario.expected is None else not wrong
    differences = [{"path": one.path, "expected": one.expected, "found": one.found} for one in wrong]
    return {
        "id": scenario.id,
        "title": scenario.title,
        "as_expected": verdict,
        "differences": differences,
        "found": report(scenario, found),
    }


def _print(scenario: Scenario, found: Findings, wrong: list[Mismatch]) -> None:
    head = f"{scenario.id} {scenario.title}".strip()
    if scenario.expected is None:
        print(f"---- {head}")
        print(orjson.dumps(report(scenario, found), option=orjson.OPT_INDENT_2).decode())
        return
    print(f"{'FAIL' if wrong else 'ok  '} {head}")
    for one in wrong:
        print(f"       {one.path}: expected {_text(one.expected)}, found {_text(one.found)}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
