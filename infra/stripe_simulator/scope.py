"""What one call works with: its account, its moment, the objects it reads and writes, the events it causes."""

import secrets
import string
import time
from typing import Any

import orjson

from infra.stripe_simulator.errors import malformed, missing_object
from infra.stripe_simulator.store import Store

API_VERSION = "2026-10-28.endive"
PLATFORM = "acct_1SimulatedPlatform"
ALPHABET = string.ascii_letters + string.digits

# How Stripe names each kind of object in "No such ...", and the parameter its path error points at.
LABELS = {
    "payment_intent": ("payment_intent", "intent"),
    "setup_intent": ("setupintent", "intent"),
    "payment_method": ("PaymentMethod", "payment_method"),
    "checkout.session": ("checkout.session", "session"),
}

# What `expand` may follow: field -> kind of object. `refunds` of a charge is a list and is built when asked for.
EXPANDABLE = {
    "customer": "customer",
    "payment_method": "payment_method",
    "latest_charge": "charge",
    "charge": "charge",
    "payment_intent": "payment_intent",
    "setup_intent": "setup_intent",
    "default_payment_method": "payment_method",
    "balance_transaction": "balance_transaction",
    "failure_balance_transaction": "balance_transaction",
    "source": "charge",
}


def new_id(prefix: str) -> str:
    """A fresh opaque id such as `pi_` and 24 letters and digits."""
    return prefix + "_" + "".join(secrets.choice(ALPHABET) for _ in range(24))


def public(obj: dict[str, Any]) -> dict[str, Any]:
    """The object as the outside sees it."""
    return {key: value for key, value in obj.items() if key != "_sim"}


class Scope:
    """One call (or one tick of the clock) inside one account and one transaction."""

    def __init__(
        self,
        store: Store,
        account: str,
        *,
        base_url: str,
        request_id: str | None = None,
        idempotency_key: str | None = None,
        now: int | None = None,
        multicapture: bool = False,
    ) -> None:
        self.store = store
        self.account = account
        self.base_url = base_url
        self.request_id = request_id
        self.idempotency_key = idempotency_key
        self.now = store.now(account) if now is None else now
        self.multicapture = multicapture
        self.effects: list[dict[str, Any]] = []

    # objects

    def find(self, kind: str, object_id: str) -> dict[str, Any] | None:
        """The object of that kind, or None."""
        obj = self.store.load(self.account, object_id)
        return obj if obj is not None and obj["object"] == kind and not obj.get("deleted") else None

    def get(self, kind: str, object_id: str, param: str | None = None) -> dict[str, Any]:
        """The object. Raises ApiError `resource_missing`: 404 for an id in the path, 400 for one in `param`."""
        obj = self.find(kind, object_id)
        if obj is None:
            label, path_param = LABELS.get(kind, (kind, "id"))
            raise missing_object(label, object_id, param or path_param, in_path=param is None)
        return obj

    def add(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Stores a new object."""
        self.store.insert(self.account, obj)
        return obj

    def save(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Stores a changed object."""
        self.store.update(self.account, obj)
        return obj

    def set_metadata(self, obj: dict[str, Any], metadata: dict[str, str]) -> None:
        """Changes an object's metadata and its search entries; the caller saves the object."""
        previous = obj["metadata"]
        obj["metadata"] = metadata
        if metadata != previous:
            self.store.index_metadata(self.account, obj, previous)

    # consequences

    def event(self, event_type: str, obj: dict[str, Any], previous: dict[str, Any] | None = None) -> None:
        """Records an event with the object as it is at this moment, and queues its delivery if there is an address."""
        data: dict[str, Any] = {"object": public(obj)}
        if previous is not None:
            data["previous_attributes"] = previous
        event: dict[str, Any] = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 1 if self.store.webhook else 0,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": event_type,
        }
        if self.account != PLATFORM:
            event["account"] = self.account
        seq = self.store.insert(self.account, event)
        if not self.store.webhook:
            return
        moment = time.time()
        self.store.db.execute(
            "insert into deliveries (event, account, next_at, first_at) values (?, ?, ?, ?)",
            (seq, self.account, moment, moment),
        )

    def effect(self, kind: str, amount: int, currency: str, **objects: str | None) -> None:
        """Notes in the journal that money was held, taken, released or given back (minor units)."""
        self.effects.append({"effect": kind, "amount": amount, "currency": currency, **objects})

    def write_journal(
        self, method: str, path: str, outcome: str, status: int, object_id: str | None = None
    ) -> None:
        """One line: who asked for what under which key, and what became of it."""
        self.store.db.execute(
            "insert into journal (time, account, account_time, method, path, idempotency_key, request_id, outcome, "
            "status, object, effects) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                time.time(), self.account, self.now, method, path, self.idempotency_key, self.request_id or "",
                outcome, status, object_id, orjson.dumps(self.effects),
            ),
        )  # fmt: skip

    # answers

    def shown(self, obj: dict[str, Any], expand: list[str] | None = None) -> dict[str, Any]:
        """The answer to a call: the public object with the asked-for references replaced by objects."""
        answer = public(obj)
        for path in expand or []:
            self._expand(answer, path.split("."), path)
        return answer

    def _expand(self, node: Any, parts: list[str], path: str) -> None:
        if isinstance(node, list):
            for child in node:
                self._expand(child, parts, path)
            return
        name, rest = parts[0], parts[1:]
        if not isinstance(node, dict):
            return
        if name == "refunds" and node.get("object") == "charge":
            node["refunds"] = self._refunds_of(node["id"])
        elif name not in node or not (name in EXPANDABLE or isinstance(node[name], dict | list)):
            raise malformed(
                f"This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' instead.",
                param="expand",
            )
        elif isinstance(node[name], str):
            found = self.find(EXPANDABLE[name], node[name])
            node[name] = public(found) if found else node[name]
        if rest and node[name] is not None:
            self._expand(node[name], rest, path)

    def _refunds_of(self, charge: str) -> dict[str, Any]:
        refunds = self.store.select(self.account, "refund", {"charge": charge}, [], ascending=False, limit=10)
        return {
            "object": "list",
            "data": [public(refund) for refund in refunds],
            "has_more": False,
            "url": f"/v1/charges/{charge}/refunds",
        }
