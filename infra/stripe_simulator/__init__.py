"""A stateful stand-in for Stripe's API on the loopback, for tests, demonstrations and development.

It is a simulator: no money moves and nothing leaves the machine. See README.md in this folder.
"""

from infra.stripe_simulator.server import Handle, serve

__all__ = ["Handle", "serve"]
