"""What a text typed into a search may mean."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Text for LIKE, its wildcards taken literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def order_number(text: str) -> int | None:
    """The order's number that `K-1001`, `k1001` or `1001` names; None for any other text."""
    digits = text.upper().removeprefix("K-").removeprefix("K")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else None
