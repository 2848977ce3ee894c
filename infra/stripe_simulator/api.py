"""Stripe's API: which path is which verb, once per idempotency key, everything in one transaction."""

import hashlib
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from infra.stripe_simulator import (
    charges,
    checkout,
    clock,
    customers,
    errors,
    events,
    payment_flow,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
)
from infra.stripe_simulator.decoding import decode_form
from infra.stripe_simulator.errors import ApiError
from infra.stripe_simulator.scope import API_VERSION, PLATFORM, Scope, new_id
from infra.stripe_simulator.store import Store
from infra.stripe_simulator.switches import Switches

# Subscriptions, invoices, prices and disputes are not here: their paths answer as unknown ones do.
ROUTES: tuple[tuple[str, str, Callable[..., dict[str, Any]]], ...] = (
    ("POST", "/v1/payment_intents", payment_intents.create),
    ("GET", "/v1/payment_intents", payment_intents.list_all),
    ("GET", "/v1/payment_intents/search", payment_intents.search_all),
    ("GET", "/v1/payment_intents/{id}", payment_intents.retrieve),
    ("POST", "/v1/payment_intents/{id}", payment_intents.update),
    ("POST", "/v1/payment_intents/{id}/confirm", payment_intents.confirm),
    ("POST", "/v1/payment_intents/{id}/capture", payment_flow.capture),
    ("POST", "/v1/payment_intents/{id}/cancel", payment_flow.cancel),
    ("GET", "/v1/charges", charges.list_charges),
    ("GET", "/v1/charges/search", charges.search_charges),
    ("GET", "/v1/charges/{id}", charges.retrieve_charge),
    ("GET", "/v1/balance_transactions", charges.list_balance_transactions),
    ("GET", "/v1/balance_transactions/{id}", charges.retrieve_balance_transaction),
    ("POST", "/v1/refunds", refunds.create),
    ("GET", "/v1/refunds", refunds.list_all),
    ("GET", "/v1/refunds/{id}", refunds.retrieve),
    ("POST", "/v1/refunds/{id}", refunds.update),
    ("POST", "/v1/customers", customers.create_customer),
    ("GET", "/v1/customers", customers.list_customers),
    ("GET", "/v1/customers/search", customers.search_customers),
    ("GET", "/v1/customers/{id}", customers.retrieve_customer),
    ("POST", "/v1/customers/{id}", customers.update_customer),
    ("DELETE", "/v1/customers/{id}", customers.delete_customer),
    ("GET", "/v1/customers/{id}/payment_methods", payment_methods.list_of_customer),
    ("GET", "/v1/customers/{id}/payment_methods/{id}", payment_methods.retrieve_of_customer),
    ("POST", "/v1/payment_methods", payment_methods.create_payment_method),
    ("GET", "/v1/payment_methods", payment_methods.list_payment_methods),
    ("GET", "/v1/payment_methods/{id}", payment_methods.retrieve_payment_method),
    ("POST", "/v1/payment_methods/{id}", payment_methods.update_payment_method),
    ("POST", "/v1/payment_methods/{id}/attach", payment_methods.attach_payment_method),
    ("POST", "/v1/payment_methods/{id}/detach", payment_methods.detach_payment_method),
    ("POST", "/v1/setup_intents", setup_intents.create),
    ("GET", "/v1/setup_intents", setup_intents.list_all),
    ("GET", "/v1/setup_intents/{id}", setup_intents.retrieve),
    ("POST", "/v1/setup_intents/{id}", setup_intents.update),
    ("POST", "/v1/setup_intents/{id}/confirm", setup_intents.confirm),
    ("POST", "/v1/setup_intents/{id}/cancel", setup_intents.cancel),
    ("POST", "/v1/checkout/sessions", checkout.create),
    ("GET", "/v1/checkout/sessions", checkout.list_all),
    ("GET", "/v1/checkout/sessions/{id}", checkout.retrieve),
    ("POST", "/v1/checkout/sessions/{id}/expire", checkout.expire),
    ("GET", "/v1/checkout/sessions/{id}/line_items", checkout.line_items),
    ("POST", "/v1/accounts", customers.create_account),
    ("GET", "/v1/accounts", customers.list_accounts),
    ("GET", "/v1/account", customers.retrieve_own_account),
    ("GET", "/v1/accounts/{id}", customers.retrieve_account),
    ("POST", "/v1/accounts/{id}", customers.update_account),
    ("GET", "/v1/events", events.list_all),
    ("GET", "/v1/events/{id}", events.retrieve),
)


def _compiled(routes: Iterable[tuple[str, str, Callable[..., dict[str, Any]]]]) -> list[tuple[Any, ...]]:
    return [
        (method, re.compile(re.sub(r"\{id\}", "([^/]+)", path) + "$"), verb) for method, path, verb in routes
    ]


PLAIN = {(method, path): verb for method, path, verb in ROUTES if "{" not in path}
WITH_IDS = _compiled(route for route in ROUTES if "{" in route[1])


def route(method: str, path: str) -> tuple[Callable[..., dict[str, Any]], tuple[str, ...]]:
    """The verb for a path and the ids in it. Raises ApiError 404 for any other."""
    plain = PLAIN.get((method, path))
    if plain is not None:
        return plain, ()
    for route_method, pattern, verb in WITH_IDS:
        match = pattern.match(path) if route_method == method else None
        if match:
            return verb, match.groups()
    raise errors.unknown_url(method, path)


@dataclass
class Call:
    """One request as it came in. `text` is the form: the body, or the query of a GET."""

    method: str
    path: str
    text: str
    headers: dict[str, str]
    base_url: str
    request_id: str = field(default_factory=lambda: new_id("req")[:18])


@dataclass
class Answer:
    """What goes back. `hang_seconds` and `drop` are the unfriendly ways of not answering."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    drop: str | None = None
    hang_seconds: float = 0.0


class Api:
    """Answers calls. Threads may call it at once; the store lets one in at a time."""

    def __init__(self, store: Store, switches: Switches, after: Callable[[], None]) -> None:
        self.store = store
        self.switches = switches
        self.after = after
        self.in_flight: set[tuple[str, str]] = set()
        self.in_flight_lock = threading.Lock()

    def answer(self, call: Call) -> Answer:
        """The whole way of a request. Never raises for what a caller sent."""
        try:
            account = self._account(call)
            key = call.headers.get("idempotency-key") if call.method == "POST" else None
            with self._alone(account, key):
                return self._faulty(call, account, key)
        except ApiError as error:
            return self._refusal(call, error)

    def _account(self, call: Call) -> str:
        scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
        key = credentials.strip() if scheme.lower() == "bearer" else ""
        if not key.startswith("sk_test_"):
            raise errors.unauthorized(key)
        account = call.headers.get("stripe-account") or PLATFORM
        if not self.store.knows(account):
            raise errors.account_invalid(account, key)
        return account

    def _alone(self, account: str, key: str | None) -> "_Alone":
        return _Alone(self, (account, key) if key else None)

    def _faulty(self, call: Call, account: str, key: str | None) -> Answer:
        """Does the call, and spoils it where a switch says so."""
        mode = None
        if self.switches.faults:
            with self.store.transaction():
                mode = self.switches.take_fault(account, call.method, call.path)
        if mode is None:
            return self._execute(call, account, key)
        name, _, number = mode.partition(":")
        if name == "rate_limit":
            raise errors.rate_limited()
        if name == "error500":
            return self._execute(call, account, key, fail=True)
        if name == "slow_ms":
            time.sleep(int(number or 1000) / 1000)
            return self._execute(call, account, key)
        hang = int(number or 5000) / 1000 if name.startswith("timeout") else 0.0
        if name.endswith("_after"):
            self._execute(call, account, key)
        return Answer(0, b"", drop=name, hang_seconds=hang)

    def _execute(self, call: Call, account: str, key: str | None, *, fail: bool = False) -> Answer:
        with self.store.transaction() as db:
            clock.run_due(self.store, account, self.store.now(account), call.base_url)
            scope = Scope(
                self.store,
                account,
                base_url=call.base_url,
                request_id=call.request_id,
                idempotency_key=key,
                multicapture=self.switches.multicapture(account),
            )
            fingerprint = _fingerprint(call.text) if key else ""
            if key:
                replay = self._replay(call, scope, key, fingerprint)
                if replay is not None:
                    return replay
            status, document, remembered = self._perform(db, call, scope, fail=fail)
            body = orjson.dumps(document)
            if call.method != "GET":
                if key and remembered:
                    self.store.remember(
                        account, key, call.method, call.path, fingerprint, status, body, call.request_id
                    )
                scope.write_journal(
                    call.method,
                    call.path,
                    "executed" if status < 400 else "refused",
                    status,
                    document.get("id"),
                )
        self.after()
        return self._framed(call, status, body, account)

    def _perform(
        self, db: sqlite3.Connection, call: Call, scope: Scope, *, fail: bool
    ) -> tuple[int, dict[str, Any], bool]:
        db.execute("savepoint verb")
        try:
            if fail:
                raise errors.server_error("The simulator was told to fail.")
            verb, ids = route(call.method, call.path)
            values = decode_form(call.text)
            expand = values.get("expand")
            result = verb(scope, *ids, values)
            return 200, scope.shown(result, expand if isinstance(expand, list) else None), True
        except ApiError as error:
            if not error.keeps_effects:
                db.execute("rollback to verb")
                scope.effects.clear()
            error.error["request_log_url"] = (
                f"https://dashboard.stripe.com/test/logs/{call.request_id}?t={scope.now}"
            )
            return error.status, error.body(), error.remembered
        finally:
            db.execute("release verb")

    def _replay(self, call: Call, scope: Scope, key: str, fingerprint: str) -> Answer | None:
        """The first answer again. Raises ApiError `idempotency_error` when the key stood for something else."""
        first = self.store.remembered(scope.account, key)
        if first is None:
            return None
        method, path, first_fingerprint, status, body, original = first
        if (method, path) != (call.method, call.path) or first_fingerprint != fingerprint:
            raise errors.key_reused(key, path, call.path)
        scope.write_journal(call.method, call.path, "replayed", status)
        answer = self._framed(call, status, body, scope.account)
        answer.headers |= {"Idempotent-Replayed": "true", "Original-Request": original}
        return answer

    def _framed(self, call: Call, status: int, body: bytes, account: str) -> Answer:
        headers = {
            "Request-Id": call.request_id,
            "Stripe-Version": call.headers.get("stripe-version", API_VERSION),
        }
        if account != PLATFORM:
            headers["Stripe-Account"] = account
        if call.headers.get("idempotency-key"):
            headers["Idempotency-Key"] = call.headers["idempotency-key"]
            headers["Original-Request"] = call.request_id
        if status >= 500:
            # A remembered failure would only be replayed; Stripe says so to its libraries.
            headers["Stripe-Should-Retry"] = "false"
        return Answer(status, body, headers)

    def _refusal(self, call: Call, error: ApiError) -> Answer:
        return self._framed(call, error.status, orjson.dumps(error.body()), PLATFORM)


class _Alone:
    """Holds an idempotency key while its request runs; a second one meanwhile gets 409."""

    def __init__(self, api: Api, key: tuple[str, str] | None) -> None:
        self.api = api
        self.key = key

    def __enter__(self) -> None:
        if self.key is None:
            return
        with self.api.in_flight_lock:
            if self.key in self.api.in_flight:
                raise errors.key_in_use(self.key[1])
            self.api.in_flight.add(self.key)

    def __exit__(self, *_: object) -> None:
        if self.key is not None:
            with self.api.in_flight_lock:
                self.api.in_flight.discard(self.key)


def _fingerprint(text: str) -> str:
    """The parameters without regard to their order."""
    pairs = sorted(parse_qsl(text, keep_blank_values=True))
    return hashlib.sha256(repr(pairs).encode()).hexdigest()
