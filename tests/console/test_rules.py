"""How a tenant stands, and what counts as a whole fence."""

from __future__ import annotations

import pytest

from app.console.rules import POLICIES, Fence, fence_faults, health


@pytest.mark.parametrize(
    ("facts", "state", "word"),
    [
        ({}, "kept", "Healthy"),
        ({"oldest_seconds": 60.0}, "kept", "Healthy"),
        ({"oldest_seconds": 60.5}, "risk", "Slow"),
        ({"oldest_seconds": 900.0, "unsettled": 1}, "risk", "Money unsettled"),
        ({"dead": 1, "unsettled": 1}, "late", "Failed jobs"),
        ({"status": "suspended", "dead": 3}, "idle", "Suspended"),
    ],
)
def test_the_worst_comes_first(facts: dict, state: str, word: str) -> None:
    given = {"status": "active", "dead": 0, "oldest_seconds": 0.0, "unsettled": 0} | facts
    found = health(**given)
    assert (found.s, found.word) == (state, word)


def test_a_whole_fence_has_no_fault() -> None:
    assert fence_faults([Fence("orders", True, True, POLICIES)]) == []


@pytest.mark.parametrize(
    ("fence", "fault"),
    [
        (None, "no table is there"),
        (Fence("orders", True, False, POLICIES), "orders has no forced row-level security"),
        (Fence("orders", False, True, POLICIES), "orders has no forced row-level security"),
        (Fence("orders", True, True, {}), "orders has other policies than it must"),
        (
            Fence("orders", True, True, {**POLICIES, "extra": ("true", "true")}),
            "orders has other policies than it must",
        ),
        (
            Fence("orders", True, True, {**POLICIES, "tenant": ("true", "true")}),
            "orders has other policies than it must",
        ),
    ],
)
def test_every_gap_is_named(fence: Fence | None, fault: str) -> None:
    assert fence_faults([fence] if fence else []) == [fault]
