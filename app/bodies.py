"""JSON as it was sent, or why it cannot be read: what could mean two things is not guessed at."""

from __future__ import annotations

import json
from typing import Any

from infra.errors import Problem


def readable(body: bytes) -> Any:
    """The document in a request's body, a byte order mark passed over.

    Raises Problem 400 for what is no JSON, or no document of one meaning. A name given twice is refused: readers differ
    in which of the two they take (RFC 8259, 4).
    """
    try:
        return DECODER.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _unreadable(f"it is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise _unreadable(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise _unreadable("it is nested too deep") from error
    except ValueError as error:  # json's own refusal of what int() will not convert
        raise _unreadable("it has a number of thousands of digits") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _unreadable(
            f"it has `{next(name for name in names if names.count(name) > 1)}` twice in one object"
        )
    return found


def _constant(name: str) -> Any:
    raise _unreadable(f"{name} is not a number in JSON")


def _unreadable(why: str) -> Problem:
    return Problem(400, "unreadable", f"The body is not readable JSON: {why}.")


DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_constant)
