"""schemathesis over the whole specification: no input gets a 5xx, no answer is undocumented."""

from __future__ import annotations

import os

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks

from tests.factories import new_merchant

pytestmark = pytest.mark.timeout(900)
EXAMPLES = int(os.environ.get("KEPT_EXAMPLES", "8"))


@pytest.fixture(scope="module")
def api(app: Flask):
    """The specification as the application serves it, loaded over WSGI."""
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


@pytest.fixture(scope="module")
def key(app: Flask) -> str:
    """An all-scopes key of a merchant who has something of everything."""
    merchant = new_merchant(app)
    node = merchant.node("N")
    merchant.sku("A")
    merchant.stock(node, "A", 100)
    merchant.order(("A", 2), tenders=[{"kind": "external", "reference": "paid"}])
    merchant.drain()
    return merchant.key


def test_no_input_breaks_the_contract(api, key: str) -> None:
    faults = {}
    for found in api.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            try:
                _try(operation.as_strategy(generation_mode=mode), key)
            except Exception as fault:
                faults[f"{operation.label}, {mode.value}"] = str(fault)[:1500]
    assert faults == {}


def _try(cases, key: str) -> None:
    @given(case=cases)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
        phases=[Phase.generate],
    )
    def holds(case: schemathesis.Case) -> None:
        case.call_and_validate(
            headers={"Authorization": f"Bearer {key}"},
            checks=[
                checks.not_a_server_error,
                checks.status_code_conformance,
                checks.content_type_conformance,
                checks.response_schema_conformance,
            ],
        )

    holds()
