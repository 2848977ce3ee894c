"""What every door of the API does before and after its verb."""

from __future__ import annotations

import pytest

from tests.factories import Merchant


def problem(answer) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return answer.status_code, body["type"].rsplit("/", 1)[1]


def raw(merchant: Merchant, path: str, data: str, **headers: str):
    sent = {"Authorization": f"Bearer {merchant.key}"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return merchant.client.post(f"/v1{path}", data=data, headers=sent)


def test_what_cannot_be_read_says_why(merchant: Merchant) -> None:
    assert problem(raw(merchant, "/orders", "{", Content_Type="application/json")) == (400, "unreadable")
    assert problem(raw(merchant, "/orders", "a=1", Content_Type="text/plain")) == (
        415,
        "unsupported-media-type",
    )
    assert problem(raw(merchant, "/orders", "x" * 1_000_001, Content_Type="application/json")) == (
        413,
        "too-large",
    )
    assert problem(merchant.get("/orders", Accept="image/png")) == (406, "not-acceptable")
    assert merchant.get("/orders", Accept="application/*").status_code == 200
    assert problem(merchant.call("DELETE", "/orders")) == (405, "method-not-allowed")
    assert problem(merchant.get("/nowhere")) == (404, "not-found")


def test_a_misspelled_filter_is_named(merchant: Merchant) -> None:
    answer = merchant.get("/orders?chanel=web")
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [{"pointer": "/chanel", "message": "Unknown field."}]


def test_the_same_key_and_body_get_the_first_answer(merchant: Merchant) -> None:
    merchant.sku("A")
    body = merchant.order_body(("A", 1))
    first = merchant.post("/orders", body, Idempotency_Key="one")
    again = merchant.post("/orders", body, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_data() == first.get_data()
    assert again.headers["Idempotent-Replayed"] == "true"
    other = merchant.post("/orders", merchant.order_body(("A", 2)), Idempotency_Key="one")
    assert problem(other) == (409, "idempotency-key-reused")


def test_a_refused_request_may_be_mended_and_sent_again(merchant: Merchant) -> None:
    body = merchant.order_body(("LATER", 1))
    assert merchant.post("/orders", body, Idempotency_Key="two").status_code == 422
    merchant.sku("LATER")
    assert merchant.post("/orders", body, Idempotency_Key="two").status_code == 201


@pytest.mark.parametrize("length", [0, 256])
def test_an_idempotency_key_has_a_length(merchant: Merchant, length: int) -> None:
    merchant.sku("A")
    answer = merchant.post("/orders", merchant.order_body(("A", 1)), Idempotency_Key="x" * length)
    assert problem(answer) == (422, "idempotency-key-length")


def test_limits_are_told_and_kept(merchant: Merchant) -> None:
    limited = merchant.another_key("orders:read", rate_limit=3)
    answers = [limited.get("/orders") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 61
    assert problem(answers[3]) == (429, "too-many-requests")
    assert merchant.get("/orders").status_code == 200
