"""The headers of every page: what it may load, who may frame it, how long it may be kept."""

from __future__ import annotations

from flask import Flask, Response

# Drawings are sized by style attributes (`style="--n:3"`); style elements and scripts in pages are forbidden.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def secure(app: Flask) -> None:
    """Add the headers to each answer; a view that set one keeps its own."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    if response.mimetype == "text/html":
        headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cache-Control", "private, no-cache")
        # One address answers a whole page or a fragment; neither may be taken for the other.
        response.vary.add("HX-Request")
    return response
