"""Webhooks: every event to one address, signed as Stripe signs, until the receiver says 2xx."""

import hashlib
import hmac
import http.client
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from infra.stripe_simulator.decoding import Params
from infra.stripe_simulator.lists import LIST_PARAMS, list_of
from infra.stripe_simulator.scope import Scope
from infra.stripe_simulator.store import Store
from infra.stripe_simulator.switches import Switches, happens

BATCH = 64
SENDERS = 4
ANSWER_WITHIN_SECONDS = 10.0
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 60.0
SHUFFLE_WITHIN_SECONDS = 0.3
GIVE_UP_AFTER_SECONDS = 3 * 86400


def sign(payload: bytes, secret: str, moment: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `t.payload`, scheme v1. Real time, never business time."""
    signed = str(moment).encode() + b"." + payload
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


@dataclass
class Delivery:
    """One event on its way."""

    event: int
    account: str
    attempts: int
    first_at: float
    payload: bytes
    copies: int = 1
    delivered: bool = False
    answers: list[int] = field(default_factory=list)


class Deliverer:
    """Sends what the deliveries table holds. Its rows leave the table only after a 2xx, so a restart repeats them."""

    def __init__(self, store: Store, switches: Switches) -> None:
        self.store = store
        self.switches = switches
        self.wake = threading.Event()
        self.stopping = False
        self.connections = threading.local()
        self.pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook")
        self.thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Stops after the batch in hand."""
        self.stopping = True
        self.wake.set()
        self.thread.join()
        self.pool.shutdown(wait=True)

    def _run(self) -> None:
        while not self.stopping:
            self.wake.clear()
            with self.store.transaction():
                target = self.store.webhook
                batch = self._claim() if target else []
            if not batch:
                self.wake.wait(0.2)
                continue
            list(self.pool.map(partial(self._send, target), batch))
            with self.store.transaction():
                for delivery in batch:
                    self._settle(delivery)

    def _claim(self) -> list[Delivery]:
        rows = self.store.db.execute(
            "select d.event, d.account, d.attempts, d.first_at, o.body from deliveries d join objects o "
            "on o.seq = d.event where d.next_at <= ? order by d.next_at, d.event limit ?",
            (time.time(), BATCH),
        ).fetchall()
        batch = [Delivery(*row) for row in rows]
        ready = [delivery for delivery in batch if self._prepare(delivery)]
        if any(self.switches.webhooks(delivery.account).get("reorder") for delivery in ready):
            random.shuffle(ready)
        return ready

    def _prepare(self, delivery: Delivery) -> bool:
        """Applies the switches at the first try. False: it is lost or not to be sent yet."""
        switches = self.switches.webhooks(delivery.account)
        if delivery.attempts == 0 and happens(switches.get("lose")):
            self._remove(delivery)
            return False
        send_at = delivery.first_at + float(switches.get("delay_ms") or 0) / 1000
        if happens(switches.get("reorder")):
            send_at += random.random() * SHUFFLE_WITHIN_SECONDS
        if delivery.attempts == 0 and send_at > time.time():
            self.store.db.execute(
                "update deliveries set next_at = ? where event = ?", (send_at, delivery.event)
            )
            return False
        delivery.copies = 2 if happens(switches.get("duplicate")) else 1
        return True

    def _send(self, target: dict[str, Any], delivery: Delivery) -> None:
        for _ in range(delivery.copies):
            try:
                status = self._post(target["url"], delivery.payload, target.get("secret") or "")
            except (OSError, http.client.HTTPException):
                status = 0
            delivery.answers.append(status)
        delivery.delivered = all(200 <= status < 300 for status in delivery.answers)

    def _post(self, url: str, payload: bytes, secret: str) -> int:
        parts = urlsplit(url)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": sign(payload, secret, int(time.time())),
        }
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        for fresh in (False, True):
            connection = self._connection(parts.scheme, parts.netloc, fresh=fresh)
            try:
                connection.request("POST", path or "/", payload, headers)
                answer = connection.getresponse()
                answer.read()
                return answer.status
            except (TimeoutError, ConnectionRefusedError):
                connection.close()
                raise
            except (OSError, http.client.HTTPException):
                # A kept connection may have been closed at the other end: once more on a new one.
                connection.close()
                if fresh:
                    raise
        raise AssertionError("unreachable")

    def _connection(self, scheme: str, netloc: str, *, fresh: bool) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self.connections, netloc, None)
        if kept is not None and not fresh:
            return kept
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        made = kind(netloc, timeout=ANSWER_WITHIN_SECONDS)
        made.connect()
        made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        setattr(self.connections, netloc, made)
        return made

    def _settle(self, delivery: Delivery) -> None:
        if delivery.delivered or time.time() - delivery.first_at > GIVE_UP_AFTER_SECONDS:
            self._remove(delivery)
            return
        wait = min(FIRST_RETRY_SECONDS * 2**delivery.attempts, LONGEST_RETRY_SECONDS)
        self.store.db.execute(
            "update deliveries set attempts = attempts + 1, next_at = ? where event = ?",
            (time.time() + wait, delivery.event),
        )

    def _remove(self, delivery: Delivery) -> None:
        self.store.db.execute("delete from deliveries where event = ?", (delivery.event,))


def resend(store: Store, event_ids: list[str] | None, account: str | None) -> int:
    """Queues stored events once more: the named ones, or all of an account (all accounts). Returns how many."""
    terms, values = ["type = 'event'"], []
    if event_ids is not None:
        terms.append(f"id in ({', '.join('?' * len(event_ids))})")
        values.extend(event_ids)
    if account is not None:
        terms.append("account = ?")
        values.append(account)
    moment = time.time()
    cursor = store.db.execute(
        "insert or replace into deliveries (event, account, attempts, next_at, first_at) "
        f"select seq, account, 1, ?, ? from objects where {' and '.join(terms)}",
        (moment, moment, *values),
    )
    return cursor.rowcount


def retrieve(scope: Scope, event_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/events/{id}."""
    Params(values, ())
    return _with_pending(scope, scope.get("event", event_id))


def list_all(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    """GET /v1/events, by `type` (a trailing * matches any ending) or `types` when given."""
    params = Params(values, (*LIST_PARAMS, "type", "types", "delivery_success"))
    wanted = params.words("types") or ([params.text("type") or ""] if "type" in params else None)
    if wanted is None:
        return list_of(scope, "event", params, "/v1/events")
    matches = " or ".join("json_extract(cast(body as text), '$.type') glob ?" for _ in wanted)
    return list_of(scope, "event", params, "/v1/events", extra=(f"({matches})", wanted))


def _with_pending(scope: Scope, event: dict[str, Any]) -> dict[str, Any]:
    seq = scope.store.sequence(scope.account, event["id"])
    waiting = scope.store.db.execute("select 1 from deliveries where event = ?", (seq,)).fetchone()
    return {**event, "pending_webhooks": 1 if waiting else 0}
