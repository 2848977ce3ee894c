"""Ports on loopback."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
OURS = range(10_000, 32_000)
"""Below what Linux (from 32768) and macOS (from 49152) hand out to outgoing connections: a port chosen from there can
be gone before its server starts."""


def free_port() -> int:
    """A port nobody listens on now. Raises OSError when a hundred tried are all taken."""
    for port in random.sample(OURS, 100):
        if is_free(port):
            return port
    raise OSError(f"A hundred ports between {OURS.start} and {OURS.stop} are all taken.")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback."""
    with socket.socket() as probe:
        # As servers do: what lingers in TIME_WAIT of a stopped server must not look like a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def hold(port: int) -> socket.socket:
    """Have the port for a server that starts later, and again after a crash: nobody else finds it free until the
    socket is closed. Raises OSError when it is taken.

    A web server's processes share their port (SO_REUSEPORT). Two installations that both found it free before either
    listened would share it too, each answering a part of the other's requests.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((LOOPBACK, port))
    return held


def first_free(start: int, attempts: int = 100) -> int:
    """The first free port from `start` upwards. Raises OSError when all of them are taken."""
    for port in range(start, start + attempts):
        if is_free(port):
            return port
    raise OSError(f"Ports {start} to {start + attempts - 1} are all taken.")


def accepts(port: int, timeout: float = 0.5) -> bool:
    """Whether something accepts connections on this port of loopback."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout):
            return True
    except OSError:
        return False
