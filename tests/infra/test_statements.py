"""Statements by the short way: values by name in, rows by name out, heard and refused like any other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import DataError, MultipleResultsFound, ResourceClosedError

from infra import statements
from infra.ids import new_id
from tenants.scope import Scope, inside
from tests import counting
from tests.factories import Merchant


@pytest.fixture
def scope(merchant: Merchant) -> Iterator[Scope]:
    with inside(merchant.tenant_id) as opened:
        yield opened


def test_a_row_is_read_by_attribute_by_position_and_as_a_mapping(scope: Scope) -> None:
    row = scope.row("SELECT 1 AS one, CAST(:word AS text) AS word", word="two")
    assert row is not None
    assert (row.one, row[1], tuple(row)) == (1, "two", (1, "two"))
    assert row._mapping == {"one": 1, "word": "two"}


def test_a_name_that_two_columns_have_is_no_attribute(scope: Scope) -> None:
    [row] = scope.rows("SELECT 1 AS id, 2 AS id, 3 AS number")
    assert (tuple(row), row.number) == ((1, 2, 3), 3)
    with pytest.raises(AttributeError):
        _ = row.id


def test_one_name_is_one_value_wherever_it_stands_and_text_is_left_alone(scope: Scope) -> None:
    row = scope.row("SELECT :a + :b AS sum, :a * 2 AS double, '100%'::text || ' \\:a' AS said", a=3, b=4)
    assert row is not None
    assert (row.sum, row.double, row.said) == (7, 6, "100% :a")


def test_more_than_one_row_is_not_the_one_row(scope: Scope) -> None:
    assert scope.row("SELECT 1 WHERE false") is None
    with pytest.raises(MultipleResultsFound):
        scope.row("SELECT generate_series(1, 2)")


def test_many_run_at_once_and_what_was_touched_is_counted(scope: Scope) -> None:
    scope.many(
        "INSERT INTO timers (tenant_id, id, topic, subject_id, key, due_at)"
        " VALUES (:tenant, :id, 'test', :id, :key, now())",
        [{"id": new_id(), "key": key} for key in "abc"],
    )
    scope.many("UPDATE timers SET key = :key WHERE tenant_id = :tenant", [])
    mine = "tenant_id = :tenant AND topic = 'test'"
    assert scope.execute(f"UPDATE timers SET key = key || :end WHERE {mine} AND key <> 'c'", end="!") == 2
    assert {row.key for row in scope.rows(f"SELECT key FROM timers WHERE {mine}")} == {"a!", "b!", "c"}


def test_who_listens_to_statements_hears_of_it(scope: Scope) -> None:
    with counting.statements() as sent:
        scope.row("SELECT :number AS heard", number=1)
    assert sent == ["SELECT $1 AS heard"]


def test_what_the_database_refuses_is_told_as_ever_and_a_savepoint_holds(scope: Scope) -> None:
    with pytest.raises(DataError, match="division by zero"), scope.session.begin_nested():
        scope.row("SELECT 1 / :zero", zero=0)
    assert scope.row("SELECT 1 AS one") == (1,)


def test_a_statement_after_the_transaction_is_refused(merchant: Merchant) -> None:
    with inside(merchant.tenant_id) as scope:
        session = scope.session
    with pytest.raises(ResourceClosedError):
        statements.rows(session, "SELECT 1", {})
