"""Ids are version 7, unique, and sort in the order they were made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from infra.ids import first_id_at, made_at, new_id


def test_ids_sort_in_the_order_they_were_made() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {"specified in RFC 4122"}


def test_ids_of_many_threads_are_unique() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [
            one for part in pool.map(lambda _: [new_id() for _ in range(2_000)], range(8)) for one in part
        ]
    assert len(set(made)) == len(made)


def test_an_id_tells_when_it_was_made() -> None:
    before = datetime.now(UTC)
    made = new_id()
    assert abs(made_at(made) - before) < timedelta(seconds=5)
    assert first_id_at(before - timedelta(seconds=1)) <= made < first_id_at(before + timedelta(seconds=60))
