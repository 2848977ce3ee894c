"""Problem documents (RFC 9457): what is wrong, where, and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

TYPE_BASE = "https://kept.example/problems/"
MEDIA_TYPE = "application/problem+json"

TITLES = {
    400: "The request cannot be read",
    401: "No valid key",
    403: "Not permitted",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Refused by a rule",
    413: "Too large",
    415: "Unsupported media type",
    422: "The request has errors",
    429: "Too many requests",
    500: "Something failed here",
    503: "Not ready",
}


@dataclass(frozen=True)
class FieldError:
    """One field: a JSON pointer (RFC 6901) into the body, and what to do about it."""

    pointer: str
    message: str


class Problem(Exception):
    """A refusal with a stable code. Raised anywhere, answered by the edge; nothing is changed."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        headers: dict[str, str] | None = None,
        title: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors = tuple(errors)
        self.headers = headers or {}
        self.title = title or TITLES.get(status, "Error")

    def document(self, request_id: str) -> dict[str, Any]:
        """The problem as JSON-ready data."""
        body: dict[str, Any] = {
            "type": TYPE_BASE + self.code,
            "title": self.title,
            "status": self.status,
            "detail": _sendable(self.detail),
            "request_id": request_id,
        }
        if self.errors:
            body["errors"] = [
                {"pointer": _sendable(e.pointer), "message": _sendable(e.message)} for e in self.errors
            ]
        return body


def _sendable(text: str) -> str:
    """Text that may quote what was sent: half a surrogate pair, which JSON allows and UTF-8 does not, as a ?."""
    return text.encode("utf-8", "replace").decode("utf-8")


def refused(code: str, detail: str) -> Problem:
    """409: a rule refuses, by name."""
    return Problem(409, code, detail)


def not_found(what: str) -> Problem:
    """404, also for another tenant's rows."""
    return Problem(404, "not-found", f"There is no {what} with this id here.")


def invalid(pointer: str, message: str, *more: tuple[str, str]) -> Problem:
    """422 naming the field and the remedy."""
    fields = [FieldError(pointer, message), *(FieldError(p, m) for p, m in more)]
    return Problem(422, "invalid", f"{message}", errors=fields)
