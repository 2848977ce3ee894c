"""What a test can ask of the simulator: how webhooks misbehave, which calls fail, who has multicapture.

Kept in the store's settings, so a restarted simulator misbehaves as before.
"""

import random
import re
from typing import Any

from infra.stripe_simulator.store import Store

MODES = (
    "error500",
    "timeout_before",
    "timeout_after",
    "connection_reset_before",
    "connection_reset_after",
    "rate_limit",
    "slow_ms",
)
WEBHOOK_SWITCHES = ("duplicate", "reorder", "delay_ms", "lose")
EVERYONE = "*"


class Switches:
    """The switches in force. Those of an account add to those of everyone and win over them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        with store.transaction():
            self.accounts: dict[str, dict[str, Any]] = store.setting("switches") or {}
            self.faults: list[dict[str, Any]] = store.setting("fail_next") or []

    def change(self, given: dict[str, Any]) -> None:
        """Takes over what is given; raises ValueError for words it does not know. Inside a transaction."""
        unknown = set(given) - {"account", "multicapture", "webhooks", "fail_next", "reset"}
        if unknown:
            raise ValueError(f"unknown switches: {', '.join(sorted(unknown))}")
        account = given.get("account") or EVERYONE
        webhooks = given.get("webhooks") or {}
        if set(webhooks) - set(WEBHOOK_SWITCHES):
            raise ValueError(f"webhooks knows {', '.join(WEBHOOK_SWITCHES)}")
        faults = [_fault(fault, given.get("account")) for fault in given.get("fail_next") or []]
        if given.get("reset"):
            self.accounts, self.faults = {}, []
        mine = self.accounts.setdefault(account, {})
        if "multicapture" in given:
            mine["multicapture"] = bool(given["multicapture"])
        if "webhooks" in given:
            mine["webhooks"] = {**mine.get("webhooks", {}), **webhooks}
        if "fail_next" in given:
            self.faults = faults
        self.store.put_setting("switches", self.accounts)
        self.store.put_setting("fail_next", self.faults)

    def multicapture(self, account: str) -> bool:
        """Whether holds of the account may be captured several times."""
        general = self.accounts.get(EVERYONE, {}).get("multicapture", False)
        return bool(self.accounts.get(account, {}).get("multicapture", general))

    def webhooks(self, account: str) -> dict[str, Any]:
        """How deliveries for the account misbehave."""
        return {
            **self.accounts.get(EVERYONE, {}).get("webhooks", {}),
            **self.accounts.get(account, {}).get("webhooks", {}),
        }

    def take_fault(self, account: str, method: str, path: str) -> str | None:
        """The mode of the next call to fail, if this is one; counts it down. Inside a transaction."""
        for fault in self.faults:
            if _matches(fault, account, method, path):
                fault["times"] -= 1
                if fault["times"] <= 0:
                    self.faults.remove(fault)
                self.store.put_setting("fail_next", self.faults)
                return str(fault["mode"])
        return None


def _fault(given: dict[str, Any], account: str | None) -> dict[str, Any]:
    if set(given) - {"path_prefix", "path_pattern", "mode", "times", "account", "method"}:
        raise ValueError("fail_next knows path_prefix, path_pattern, mode, times, account and method")
    mode = str(given.get("mode"))
    if mode.split(":")[0] not in MODES or not re.fullmatch(r"[a-z_0-9]+(:\d+)?", mode):
        raise ValueError(f"mode is one of {', '.join(MODES)}")
    re.compile(given.get("path_pattern", ""))
    return {
        "path_prefix": given.get("path_prefix", "/v1/"),
        "path_pattern": given.get("path_pattern", ""),
        "mode": mode,
        "times": int(given.get("times", 1)),
        "account": given.get("account", account),
        "method": given.get("method"),
    }


def _matches(fault: dict[str, Any], account: str, method: str, path: str) -> bool:
    return (
        path.startswith(fault["path_prefix"])
        and re.search(fault["path_pattern"], path) is not None
        and fault["account"] in (None, account)
        and fault["method"] in (None, method)
    )


def happens(switch: Any) -> bool:
    """Whether a switch acts this time: true and false, or a share between 0 and 1."""
    if isinstance(switch, bool) or switch is None:
        return bool(switch)
    return random.random() < float(switch)
