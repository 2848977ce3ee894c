"""The few lines every example shares: where Kept is, with which key, and how to ask politely.

`--ready-file FILE` names the file that `./kept up --ready-file FILE` writes. Without it, KEPT_API and KEPT_API_KEY
(and KEPT_PROVIDER_KEY, for a provider's calls) say the same.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

TRIES = 5


class Refused(Exception):
    """The API said no: `problem` is its problem document (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(
            f"{status} {problem.get('title')}: {problem.get('detail')} {problem.get('errors', '')}"
        )
        self.status, self.problem = status, problem


class Client:
    """One key at the API's door."""

    def __init__(self, api: str, key: str) -> None:
        self.api = api.rstrip("/")
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"

    def get(self, path: str, **query: Any) -> Any:
        """Read something."""
        return self.call("GET", path, params=query)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """Make something what the body says; safe to repeat."""
        return self.call("PUT", path, json=body)

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> Any:
        """Do something. The Idempotency-Key makes a repeat after a lost answer harmless."""
        return self.call("POST", path, json=body or {}, headers={"Idempotency-Key": key or str(uuid.uuid4())})

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One request; again later when Kept asks for patience or cannot be reached. Raises Refused."""
        for attempt in range(TRIES):
            try:
                answer = self.session.request(method, self.api + path, timeout=30, **options)
            except requests.ConnectionError:
                if attempt == TRIES - 1:
                    raise
                time.sleep(2**attempt)
                continue
            if answer.status_code not in (429, 503):
                break
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        if not answer.ok:
            raise Refused(answer.status_code, answer.json())
        return answer.json()


def arguments(about: str) -> argparse.ArgumentParser:
    """The options every example takes."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="as written by ./kept up --ready-file FILE"
    )
    return parser


def ready(file: Path | None) -> dict[str, Any]:
    """The first tenant of an installation: {api, url, api_key, provider_key}."""
    if file is None:
        api = os.environ["KEPT_API"]
        return {
            "api": api,
            "url": api.removesuffix("/v1"),
            "api_key": os.environ.get("KEPT_API_KEY", ""),
            "provider_key": os.environ.get("KEPT_PROVIDER_KEY", ""),
        }
    found = json.loads(file.read_text())
    tenant = found["tenants"][0]
    return {
        "api": found["api"],
        "url": found["url"],
        "api_key": tenant["api_key"],
        "provider_key": tenant["providers"][0]["api_key"],
    }


def wait_for(what: str, look: Callable[[], Any], seconds: float = 30) -> Any:
    """Ask again until there is an answer: what Kept does after an order happens a moment later."""
    until = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > until:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)
    return found


def usd(cents: int) -> dict[str, Any]:
    """Money as the API takes it: minor units and a currency."""
    return {"amount": cents, "currency": "USD"}
