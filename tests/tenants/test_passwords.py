"""What a password must be, and what its hash gives away."""

from __future__ import annotations

import time

import pytest
from argon2 import PasswordHasher

from tenants import passwords


@pytest.mark.parametrize(
    ("password", "is_refused"),
    [
        ("short", True),
        ("x" * 201, True),
        ("Password123", True),
        ("aabbaabbaabb", True),
        ("Priya@Shop.example", True),
        ("correct horse battery", False),
        ("пароль из слов", False),
        ("x1" * 4 + "yz", False),
    ],
)
def test_length_and_guessability_count(password: str, is_refused: bool) -> None:
    assert (passwords.fault(password, "priya@shop.example", "Priya") is not None) == is_refused


def test_a_hash_is_argon2id_with_its_own_salt() -> None:
    one, two = (passwords.hash_password("a long walk by the sea") for _ in range(2))
    assert one.startswith("$argon2id$")
    assert one != two
    assert passwords.matches("a long walk by the sea", one)
    assert not passwords.matches("a long walk by the lake", one)
    assert not passwords.matches("anything", None)
    assert not passwords.matches("anything", "not a hash")


def test_nobodys_password_takes_as_long_as_somebodys() -> None:
    known = passwords.hash_password("a long walk by the sea")
    passwords.matches("warm up", None)

    def fastest(known_hash: str | None) -> float:
        took = []
        for _ in range(7):
            began = time.thread_time()
            passwords.matches("wrong", known_hash)
            took.append(time.thread_time() - began)
        return min(took)

    assert 0.5 < fastest(None) / fastest(known) < 2


def test_older_settings_are_recognized() -> None:
    assert passwords.outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))
    assert not passwords.outdated(passwords.hash_password("x"))
