"""Errors as pages and as fragments: what happened, why, and what to do; never a stack trace.

htmx swaps error answers too, so a request by htmx gets the banner of the error, not a page inside a page.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, make_response, render_template, request


@dataclass(frozen=True)
class ErrorWords:
    """What an error page says."""

    title: str
    text: str
    icon: str
    retry: bool = False
    partial: str = ""
    """The title in place of `title` when only a part of a page was asked for."""


ASK_AN_OWNER = "An owner of your team can change that under Settings, Team."
WORDS = {
    400: ErrorWords(
        "This request could not be read",
        "The page may have been open for a long time. Go back, reload it, and send your entries again.",
        "alert-circle",
        retry=True,
    ),
    401: ErrorWords("You are logged out", "Log in again to go on. Nothing was changed.", "lock"),
    403: ErrorWords(
        "You may not open this",
        f"Your role does not include it. {ASK_AN_OWNER}",
        "lock",
    ),
    404: ErrorWords(
        "There is nothing at this address",
        "It may have been moved or deleted, or it belongs to another account. Check the address, "
        "or search for it.",
        "search",
    ),
    405: ErrorWords(
        "This address cannot be opened that way", "Go back and use the button on the page.", "ban"
    ),
    409: ErrorWords(
        "This cannot be done now",
        "Something changed meanwhile. Reload the page to see how it stands.",
        "refresh",
    ),
    413: ErrorWords(
        "This file is too large", "Split it into smaller files and send them one by one.", "upload"
    ),
    422: ErrorWords("Some entries need a correction", "Go back and check the marked fields.", "alert-circle"),
    429: ErrorWords(
        "Too many requests",
        "Wait a minute, then try again. Nothing was lost or done twice.",
        "hourglass",
        retry=True,
    ),
    500: ErrorWords(
        "This page could not be shown",
        "Something failed on our side, and it has been recorded. What you had saved before is safe.",
        "ban",
        retry=True,
        partial="This did not work",
    ),
    503: ErrorWords(
        "Kept is not ready yet",
        "It is starting or being repaired. Try again in a minute.",
        "clock",
        retry=True,
    ),
}


def page_error(
    status: int,
    *,
    detail: str = "",
    title: str = "",
    reference: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    """An error for a person: a banner when htmx asked, a whole page else.

    `detail` replaces the general words (a refusal's own sentence); `reference` is the request's id.
    """
    words = WORDS.get(status) or WORDS[500 if status >= 500 else 400]
    partial = request.headers.get("HX-Request") == "true"
    template = "error_fragment.html" if partial else "error.html"
    body = render_template(
        template,
        status=status,
        title=title or (words.partial if partial else "") or words.title,
        text=detail or words.text,
        icon_name=words.icon,
        retry=words.retry and request.method == "GET",
        reference=reference,
    )
    response = make_response(body, status)
    if partial:
        # What stood in the request's own target stays on the page; the error goes to the shell's region.
        response.headers.update({"HX-Retarget": "#problems", "HX-Reswap": "innerHTML"})
    response.headers.update(headers or {})
    return response
