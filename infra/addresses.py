"""Addresses that others name and we call: none of them may lie inside our own network."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit


class NotPublic(Exception):
    """The address may not be called: it is private, or names nothing that can be reached by HTTP."""


def check_public(url: str, *, allow_private: bool) -> None:
    """Refuse an address inside our own network, each time its name is resolved. Raises NotPublic, OSError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise NotPublic("an http or https address without a user name is needed")
    if allow_private:
        return
    for *_, address in socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM):
        if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
            raise NotPublic("the address is not a public one")
