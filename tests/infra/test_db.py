"""The database's door: what a transaction leaves behind on its connection."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from tenants.scope import Scope, inside, opened
from tests.factories import Merchant

ASK = "SELECT name FROM tenants WHERE tenant_id = :tenant AND 7 = :seven"


def remembered(scope: Scope) -> int:
    """How often the connection of this scope has planned our statement ahead."""
    row = scope.row("SELECT count(*) AS times FROM pg_prepared_statements WHERE statement LIKE '%AND 7 =%'")
    assert row is not None
    return int(row.times)


def test_what_is_given_up_is_gone_and_what_was_prepared_stays(merchant: Merchant) -> None:
    for _ in range(7):
        with opened(merchant.tenant_id) as scope:
            scope.row(ASK, seven=7)
            scope.execute("UPDATE tenants SET name = 'Given up' WHERE tenant_id = :tenant")
    with inside(merchant.tenant_id) as scope:
        assert scope.tenant.name != "Given up"
        assert remembered(scope) == 1


def test_a_failed_statement_leaves_the_connection_fit_for_the_next(merchant: Merchant) -> None:
    for _ in range(2):
        with pytest.raises(DBAPIError, match="division by zero"), opened(merchant.tenant_id) as scope:
            scope.execute("UPDATE tenants SET name = 'Given up' WHERE tenant_id = :tenant")
            scope.execute("SELECT 1 / 0")
        with inside(merchant.tenant_id) as scope:
            assert scope.tenant.name != "Given up"
