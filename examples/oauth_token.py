"""Use OAuth 2.0 client credentials in place of a key: ask for a token, and ask again when it has run out.

Make a client on Settings, Keys, then:

    KEPT_CLIENT_ID=... KEPT_CLIENT_SECRET=... python examples/oauth_token.py --ready-file ready.json
"""

from __future__ import annotations

import os
import time

import requests
from kept_client import Client, Refused, arguments, ready

EARLY = 60
"""Seconds before its end at which a token is replaced."""


class Token:
    """A token that replaces itself."""

    def __init__(self, url: str, client_id: str, secret: str, scope: str = "") -> None:
        self.url, self.client, self.scope = f"{url}/oauth/token", (client_id, secret), scope
        self.token, self.ends = "", 0.0

    def __str__(self) -> str:
        if time.monotonic() > self.ends - EARLY:
            fields = {"grant_type": "client_credentials", **({"scope": self.scope} if self.scope else {})}
            answer = requests.post(self.url, data=fields, auth=self.client, timeout=30)
            answer.raise_for_status()
            body = answer.json()
            self.token, self.ends = body["access_token"], time.monotonic() + body["expires_in"]
        return self.token


def main() -> None:
    """A token for reading orders only."""
    given = ready(arguments(__doc__ or "").parse_args().ready_file)
    client, secret = os.environ["KEPT_CLIENT_ID"], os.environ["KEPT_CLIENT_SECRET"]
    token = Token(given["url"], client, secret, scope="orders:read")
    kept = Client(given["api"], str(token))
    print(f"{len(kept.get('/orders', limit=5)['data'])} orders read with a token")
    assert str(token) == str(token), "it is kept until a minute before its end"
    try:
        kept.get("/skus")
    except Refused as refusal:
        print(f"What was not asked for is refused: {refusal.problem['detail']}")
        return
    raise AssertionError("the token may do more than it was asked for")


if __name__ == "__main__":
    main()
