"""Webhooks that arrive late, twice or never; calls that fail half-way; a simulator that is killed."""

import json
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

from infra.stripe_simulator import serve

SECRET = "whsec_simulated"
ROOT = Path(__file__).parents[2]
PARAMS = {
    "amount": 2000,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
    "capture_method": "manual",
    "payment_method_types": ["card"],
}


class Receiver:
    """A webhook end point: verifies every signature and answers with the next status it was told."""

    def __init__(self) -> None:
        self.got: queue.Queue[stripe.Event] = queue.Queue()
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event = stripe.Webhook.construct_event(body, self.headers["Stripe-Signature"], SECRET)
                receiver.got.put(event)
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks/stripe"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, count: int, within: float = 10.0) -> list[stripe.Event]:
        end = time.monotonic() + within
        return [self.got.get(timeout=max(0.01, end - time.monotonic())) for _ in range(count)]

    def quiet(self, seconds: float = 0.6) -> bool:
        try:
            self.got.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def simulator(receiver: Receiver) -> Iterator[str]:
    with serve(webhook_url=receiver.url, webhook_secret=SECRET) as handle:
        yield handle.url


def connect(url: str, retries: int = 0, timeout: float = 10) -> stripe.StripeClient:
    return stripe.StripeClient(
        "sk_test_simulated",
        base_addresses={"api": url},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


def control(url: str, name: str, given: dict[str, Any] | None = None) -> Any:
    data = None if given is None else json.dumps(given).encode()
    with urllib.request.urlopen(f"{url}/_simulator/{name}", data, timeout=10) as answer:
        return json.load(answer)


def held(url: str, **query: str) -> list[int]:
    """The amounts held on cards, as the journal knows them."""
    lines = control(url, f"journal?{urllib.parse.urlencode(query)}")["data"]
    return [e["amount"] for line in lines for e in line["effects"] if e["effect"] == "authorize"]


def fail_next(url: str, mode: str, times: int = 1) -> None:
    control(
        url, "switches", {"fail_next": [{"path_prefix": "/v1/payment_intents", "mode": mode, "times": times}]}
    )


# webhooks


def test_events_arrive_signed_and_name_the_account(simulator, receiver):
    client = connect(simulator)
    account = client.v1.accounts.create({"type": "standard"}).id
    intent = client.v1.payment_intents.create(PARAMS, {"stripe_account": account, "idempotency_key": "k1"})
    events = receiver.take(3)
    assert {event.type for event in events} == {
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
    }
    assert {event.account for event in events} == {account}
    assert {event.request.idempotency_key for event in events} == {"k1"}
    last = next(event for event in events if event.type == "payment_intent.amount_capturable_updated")
    assert (last.data.object.id, last.data.object.status) == (intent.id, "requires_capture")
    assert client.v1.events.retrieve(last.id, {}, {"stripe_account": account}).type == last.type


def test_platform_events_name_no_account(simulator, receiver):
    connect(simulator).v1.customers.create()
    assert "account" not in receiver.take(1)[0].to_dict()


def test_delivery_is_repeated_until_it_is_taken(simulator, receiver):
    receiver.statuses[:] = [500, 503]
    connect(simulator).v1.customers.create()
    assert len({event.id for event in receiver.take(3)}) == 1
    assert receiver.quiet()
    assert control(simulator, "webhooks")["waiting"] == 0


def test_switches_for_duplicates_loss_and_resending(simulator, receiver):
    client = connect(simulator)
    control(simulator, "switches", {"webhooks": {"duplicate": True}})
    client.v1.customers.create()
    first, second = receiver.take(2)
    assert first.id == second.id
    control(simulator, "switches", {"webhooks": {"duplicate": False, "lose": True}})
    customer = client.v1.customers.create()
    assert receiver.quiet()
    lost = client.v1.events.list({"type": "customer.created", "limit": 1}).data[0]
    assert lost.data.object.id == customer.id
    control(simulator, "switches", {"reset": True})
    assert control(simulator, "webhooks/resend", {"events": [lost.id]})["queued"] == 1
    assert receiver.take(1)[0].id == lost.id


def test_switches_for_delay_and_disorder(simulator, receiver):
    client = connect(simulator)
    control(simulator, "switches", {"webhooks": {"delay_ms": 700}})
    asked = time.monotonic()
    client.v1.customers.create()
    receiver.take(1)
    assert time.monotonic() - asked >= 0.7
    control(simulator, "switches", {"webhooks": {"delay_ms": 0, "reorder": True}})
    made = [client.v1.customers.create().id for _ in range(20)]
    arrived = [event.data.object.id for event in receiver.take(20)]
    assert sorted(arrived) == sorted(made)
    assert arrived != made


# calls that fail


def test_an_answer_that_is_lost_after_the_effect(simulator):
    fail_next(simulator, "timeout_after:100", 1)
    client = connect(simulator)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.payment_intents.create({**PARAMS, "metadata": {"attempt": "a1"}}, {"idempotency_key": "a1"})
    found = client.v1.payment_intents.search({"query": "metadata['attempt']:'a1'"}).data
    assert [one.status for one in found] == ["requires_capture"]
    again = client.v1.payment_intents.create(
        {**PARAMS, "metadata": {"attempt": "a1"}}, {"idempotency_key": "a1"}
    )
    assert again.id == found[0].id
    assert held(simulator) == [2000]
    outcomes = [line["outcome"] for line in control(simulator, "journal?idempotency_key=a1")["data"]]
    assert outcomes == ["executed", "replayed"]


@pytest.mark.parametrize("mode", ["timeout_before:100", "connection_reset_before"])
def test_a_call_that_never_reached_anything(simulator, mode):
    fail_next(simulator, mode)
    client = connect(simulator)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.payment_intents.create(PARAMS, {"idempotency_key": "b1"})
    assert held(simulator) == []
    assert client.v1.payment_intents.create(PARAMS, {"idempotency_key": "b1"}).status == "requires_capture"
    assert held(simulator) == [2000]


def test_the_sdk_heals_a_reset_by_itself(simulator):
    fail_next(simulator, "connection_reset_after", 2)
    assert connect(simulator, retries=3).v1.payment_intents.create(PARAMS).status == "requires_capture"
    assert held(simulator) == [2000]


def test_rate_limit_and_server_error(simulator):
    client = connect(simulator)
    fail_next(simulator, "rate_limit")
    with pytest.raises(stripe.RateLimitError):
        client.v1.payment_intents.create(PARAMS, {"idempotency_key": "c1"})
    assert client.v1.payment_intents.create(PARAMS, {"idempotency_key": "c1"}).status == "requires_capture"
    fail_next(simulator, "error500")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            client.v1.payment_intents.create(PARAMS, {"idempotency_key": "c2"})
        assert failed.value.http_status == 500
    assert held(simulator) == [2000]


def test_the_same_key_at_the_same_time_runs_once(simulator):
    fail_next(simulator, "slow_ms:500")

    def attempt(_: int) -> str:
        try:
            return connect(simulator).v1.payment_intents.create(PARAMS, {"idempotency_key": "d1"}).status
        except stripe.APIError as refused:
            return f"{refused.http_status} {refused.error.code}"

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(attempt, range(5)))
    assert answers.count("requires_capture") == 1
    assert answers.count("409 idempotency_key_in_use") == 4
    assert held(simulator) == [2000]


def test_twenty_at_once_with_one_key_hold_once(simulator):
    client = connect(simulator, retries=8)
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(
            lambda _: client.v1.payment_intents.create(PARAMS, {"idempotency_key": "e1"}).id, range(20)
        ))  # fmt: skip
    assert len(set(made)) == 1
    assert held(simulator) == [2000]


# killed and started again


def start(state: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.stripe_simulator", "--port", "0", "--state", str(state), *more],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


def test_kill_9_loses_nothing_that_was_answered(tmp_path, receiver):
    state = tmp_path / "stripe.sqlite"
    webhook = ("--webhook-url", receiver.url, "--webhook-secret", SECRET)
    receiver.statuses[:] = [503] * 100_000
    process, url = start(state, *webhook)
    try:
        client = connect(url)
        account = client.v1.accounts.create({"type": "standard"}).id
        options = {"stripe_account": account}
        control(url, "clock", {"account": account, "advance_seconds": 3 * 86400})
        answered: dict[str, str] = {}

        def load(worker: int) -> None:
            own = connect(url)
            for number in range(10_000):
                key = f"{worker}-{number}"
                try:
                    answered[key] = own.v1.payment_intents.create(
                        PARAMS, {**options, "idempotency_key": key}
                    ).id
                except stripe.APIConnectionError:
                    return

        with ThreadPoolExecutor(3) as pool:
            running = [pool.submit(load, worker) for worker in range(3)]
            time.sleep(0.7)
            process.send_signal(signal.SIGKILL)
            [one.result() for one in running]
        assert len(answered) > 10
    finally:
        process.kill()
        process.wait()
    receiver.statuses.clear()
    while not receiver.got.empty():
        receiver.got.get()
    process, url = start(state, *webhook)
    try:
        client = connect(url)
        for key in list(answered)[-5:]:
            again = client.v1.payment_intents.create(PARAMS, {**options, "idempotency_key": key})
            assert (again.id, again.last_response.headers["idempotent-replayed"]) == (answered[key], "true")
        held_now = client.v1.payment_intents.list({"limit": 100}, options).auto_paging_iter()
        assert set(answered.values()) <= {intent.id for intent in held_now}
        assert control(url, f"clock?account={account}")["now"] > time.time() + 2 * 86400
        assert {event.account for event in receiver.take(30)} == {account}
    finally:
        process.terminate()
        assert process.wait(10) == 0
