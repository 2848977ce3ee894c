import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.tax.adapters import (
    BuiltInRates,
    HttpTaxAdapter,
    TaxRequest,
    TaxUnavailable,
    UnknownTaxAdapter,
    adapter_for,
)
from app.tax.rules import TaxableCharge, TaxableLine, estimate

REQUEST = TaxRequest(
    "WA",
    "US",
    "98101",
    "USD",
    (TaxableLine(10_000), TaxableLine(2_500, "digital")),
    (TaxableCharge("shipping", 500),),
    "order-1",
)


@pytest.fixture
def service():
    """A tax service on a free port; `service.answer` is (status, body) and `service.asked` what it was
    sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, body = server.answer
            if status is None:
                self.connection.close()
                return
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.url = [], f"http://127.0.0.1:{server.server_address[1]}/tax"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_built_in_rates_answer_like_the_rule():
    assert BuiltInRates().quote(REQUEST) == estimate("WA", "US", REQUEST.lines, REQUEST.charges)


def test_a_service_is_asked_and_its_answer_taken(service):
    service.answer = (
        200,
        json.dumps({"total": 1331, "lines": [1024, 256], "charges": [51], "rate": "0.1024"}).encode(),
    )
    quote = HttpTaxAdapter(service.url, allow_private=True).quote(REQUEST)
    assert (quote.total, quote.lines, quote.charges, quote.source) == (1331, (1024, 256), (51,), "127.0.0.1")
    assert service.asked == [
        {
            "reference": "order-1",
            "currency": "USD",
            "ship_to": {"region": "WA", "country": "US", "postal_code": "98101"},
            "lines": [{"amount": 10_000, "tax_code": ""}, {"amount": 2_500, "tax_code": "digital"}],
            "charges": [{"code": "shipping", "amount": 500}],
        }
    ]


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (302, b""),
        (None, b""),
        (200, b"not json"),
        (200, b"[]"),
        (200, b"[" * 100_000),
        (200, b'{"total": 1}'),
        (200, b'{"total": 3, "lines": [1], "charges": [2]}'),
        (200, b'{"total": 9, "lines": [1, 1], "charges": [1]}'),
        (200, b'{"total": 3.0, "lines": [1, 1], "charges": [1]}'),
        (200, b'{"total": -3, "lines": [-1, -1], "charges": [-1]}'),
        (200, b'{"total": 3, "lines": [1, 1], "charges": [1], "rate": "much"}'),
        (200, b" " * 1_000_001),
    ],
)
def test_a_failing_or_senseless_service_is_unavailable(service, answer):
    service.answer = answer
    with pytest.raises(TaxUnavailable):
        HttpTaxAdapter(service.url, timeout=1, allow_private=True).quote(REQUEST)


def test_a_service_inside_our_own_network_is_not_called(service):
    with pytest.raises(TaxUnavailable, match="public"):
        HttpTaxAdapter(service.url).quote(REQUEST)
    assert service.asked == []


def test_nobody_listening_is_unavailable(service):
    service.server_close()
    with pytest.raises(TaxUnavailable):
        HttpTaxAdapter(service.url, timeout=1, allow_private=True).quote(REQUEST)


def test_the_setting_names_the_adapter():
    assert isinstance(adapter_for({}), BuiltInRates)
    assert isinstance(adapter_for({"adapter": "builtin"}), BuiltInRates)
    assert adapter_for({"adapter": "http", "url": "https://tax.example/v1"}).url == "https://tax.example/v1"


@pytest.mark.parametrize(
    "settings",
    [
        {"adapter": "abacus"},
        {"adapter": "http"},
        {"adapter": "http", "url": "file:///etc/passwd"},
        {"adapter": "http", "url": "https://user:secret@tax.example"},
    ],
)
def test_a_senseless_setting_is_refused(settings):
    with pytest.raises(UnknownTaxAdapter):
        adapter_for(settings)
