"""Passwords: argon2id hashes, the same effort for known and unknown accounts, and what a password must be."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 10, 200
# OWASP's argon2id setting with the least memory: many log-ins at once must not push the process out of memory.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

COMMON = frozenset(
    [
        "1234567890",
        "0123456789",
        "12345678910",
        "123456789a",
        "1q2w3e4r5t",
        "qwertyuiop",
        "qwerty1234",
        "qwerty12345",
        "password12",
        "password123",
        "password1234",
        "passw0rd123",
        "administrator",
        "iloveyou123",
        "letmein123",
        "welcome123",
        "changeme123",
        "abcdefghij",
        "abc1234567",
        "1111111111",
        "0000000000",
        "football123",
        "baseball123",
        "sunshine123",
        "princess123",
    ]
)


def hash_password(password: str) -> str:
    """The argon2id hash, with its own salt and settings in it."""
    return _hasher.hash(password)


def matches(password: str, known_hash: str | None) -> bool:
    """Whether this is the password. Without a hash the same work is done and the answer is no."""
    try:
        _hasher.verify(known_hash or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return known_hash is not None


def outdated(known_hash: str) -> bool:
    """Whether the hash was made with weaker settings than today's."""
    return _hasher.check_needs_rehash(known_hash)


def fault(password: str, *own_words: str) -> str | None:
    """What is wrong with a new password, as a sentence for its field; None when it will do.

    Length and guessability count, not kinds of characters (NIST SP 800-63B, section 5.1.1.2).
    """
    if len(password) < LEAST:
        return f"Use at least {LEAST} characters. A few words in a row are fine."
    if len(password) > MOST:
        return f"Use at most {MOST} characters."
    known = password.casefold()
    if known in COMMON or len(set(known)) < 4:
        return "This password is among the first that are tried. Choose another."
    if any(known == word.casefold() for word in own_words):
        return "Use something other than your name or email address."
    return None


@cache
def _nobody() -> str:
    return _hasher.hash("the hash that is checked when there is no account")
