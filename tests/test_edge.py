"""What every door of the API does before and after its verb."""

from __future__ import annotations

import gzip
import io

import pytest

from tests.factories import Merchant


def problem(answer) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return answer.status_code, body["type"].rsplit("/", 1)[1]


def raw(merchant: Merchant, path: str, data: str | bytes, **headers: str):
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


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"channel": "web",', "line 1"),
        ("[" * 100_000 + "]" * 100_000, "nested"),
        ('{"channel": NaN}', "NaN"),
        ('{"channel": "web", "channel": "phone"}', "`channel` twice"),
        (b"\xff{}", "UTF-8"),
        ('{"channel": ' + "1" * 5000 + "}", "digits"),
        ('{"\\ud800": 1, "\\ud800": 2}', "`?` twice"),
    ],
)
def test_json_that_does_not_mean_one_thing_is_not_read(merchant: Merchant, body: str, says: str) -> None:
    answer = raw(merchant, "/orders", body, Content_Type="application/json")
    assert problem(answer) == (400, "unreadable")
    assert says in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/orders", '{"\\ud800": 1}', "/?"),
        (
            "/routing/rules",
            '{"document": {"name": "Odd", "strategies": [{"id": "one", "objective": "\\ud800"}]}}',
            "/document/strategies/0/objective",
        ),
    ],
)
def test_half_a_surrogate_pair_is_quoted_back_as_a_question_mark(
    merchant: Merchant, path: str, body: str, pointer: str
) -> None:
    answer = raw(merchant, path, body, Content_Type="application/json")
    assert problem(answer) == (422, "invalid")
    assert pointer in {error["pointer"] for error in answer.get_json()["errors"]}


def test_a_byte_order_mark_is_passed_over_and_no_body_is_an_empty_one(merchant: Merchant) -> None:
    for body in ("\ufeff{}", "{}", ""):
        answer = raw(merchant, "/orders", body, Content_Type="application/json")
        assert problem(answer) == (422, "invalid")
        assert {"pointer": "/channel", "message": "Missing data for required field."} in answer.get_json()[
            "errors"
        ]


def test_a_body_of_no_told_length_is_measured_and_its_kind_checked(merchant: Merchant) -> None:
    def chunked(data: bytes, kind: str):
        headers = {
            "Authorization": f"Bearer {merchant.key}",
            "Transfer-Encoding": "chunked",
            "Content-Type": kind,
        }
        whole = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        return merchant.client.post(
            "/v1/orders", input_stream=io.BytesIO(data), headers=headers, environ_overrides=whole
        )

    assert problem(chunked(b"x" * 1_000_001, "application/json")) == (413, "too-large")
    assert problem(chunked(b"a=1", "text/plain")) == (415, "unsupported-media-type")
    assert problem(chunked(b"{}", "application/json")) == (422, "invalid")


def test_a_compressed_body_is_refused_as_such(merchant: Merchant) -> None:
    packed = gzip.compress(b"{}")
    answer = raw(merchant, "/orders", packed, Content_Type="application/json", Content_Encoding="gzip")
    assert problem(answer) == (415, "unsupported-media-type")
    assert "Content-Encoding" in answer.get_json()["detail"]


def test_a_misspelled_filter_is_named(merchant: Merchant) -> None:
    answer = merchant.get("/orders?chanel=web")
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [{"pointer": "/chanel", "message": "Unknown field."}]


def test_a_parameter_said_twice_is_named(merchant: Merchant) -> None:
    answer = merchant.get("/orders?limit=1&limit=2")
    assert problem(answer) == (422, "invalid")
    assert answer.get_json()["errors"] == [{"pointer": "/limit", "message": "Send it once."}]


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


def test_a_new_key_of_the_merchant_sends_no_request_anew(merchant: Merchant) -> None:
    merchant.node("HERE")
    merchant.sku("A")
    more = {"node": "HERE", "sku": "A", "delta": 5}
    first = merchant.post("/stock/adjustments", more, Idempotency_Key="came")
    rotated = merchant.another_key("stock:write")
    again = rotated.post("/stock/adjustments", more, Idempotency_Key="came")
    assert (again.status_code, again.get_json()) == (first.status_code, first.get_json())
    assert again.headers["Idempotent-Replayed"] == "true"


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
    assert answer.get_json()["errors"][0]["pointer"] == "/Idempotency-Key"


def test_limits_are_told_and_kept(merchant: Merchant) -> None:
    limited = merchant.another_key("orders:read", rate_limit=3)
    answers = [limited.get("/orders") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 61
    assert problem(answers[3]) == (429, "too-many-requests")
    assert merchant.get("/orders").status_code == 200
