"""A person at the door: a browser without script, and the inbox their mail arrives in."""

from __future__ import annotations

import itertools
import re
from html import unescape
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.outside import Inbox

_numbers = itertools.count(1)
PASSWORD = "a long walk by the sea"


class Person:
    """Fills in the forms of the portal as a browser without script does."""

    def __init__(self, app: Flask, email: str = "", name: str = "Priya Raman") -> None:
        number = next(_numbers)
        self.email, self.name = email or f"person{number}@shop.example", name
        self.client = app.test_client()
        # Attempts are counted by network address: each person comes from their own.
        self.client.environ_base["REMOTE_ADDR"] = f"10.{number // 60000}.{number // 250 % 250}.{number % 250}"

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=headers)

    def read(self, path: str) -> str:
        """A page's words; fails unless it is shown."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (answer.status_code, answer.location, answer.text)
        return answer.text

    def send(self, path: str, page: str = "", **fields: Any) -> TestResponse:
        """Open a page (the form's own address unless given), and send its form with its token."""
        token = csrf(self.client.get(page or path).text)
        return self.post(path, csrf_token=token, **fields)

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, data=fields)

    def log_in(self, password: str = PASSWORD, **fields: str) -> TestResponse:
        return self.send("/log-in", email=self.email, password=password, **fields)

    def sign_up(self, inbox: Inbox, business: str = "Alder & Finch") -> TestResponse:
        """All of it: the form, the mail, the button behind the link. Ends at the first steps."""
        answer = self.send(
            "/sign-up",
            name=self.name,
            business=business,
            email=self.email,
            password=PASSWORD,
            zone="America/Chicago",
        )
        assert answer.status_code == 303, answer.text
        return self.send(link(inbox, self.email, "/verify/"))


def csrf(html: str) -> str:
    """The token of a page's form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, html
    return found[1]


def link(inbox: Inbox, to: str, start: str) -> str:
    """The path of the link in the newest mail to somebody; the same in text and HTML."""
    mails = inbox.to(to)
    assert mails, f"no mail to {to}"
    found = re.search(rf"https?://[^/\s]+({re.escape(start)}[^\s\"<]+)", mails[-1].text)
    assert found, mails[-1].text
    assert found[1] in unescape(mails[-1].html)
    return found[1]


@pytest.fixture
def person(app: Flask) -> Person:
    """Somebody nobody knows yet."""
    return Person(app)


@pytest.fixture
def owner(app: Flask, inbox: Inbox) -> Person:
    """Somebody who has just opened a business, in its sandbox."""
    found = Person(app)
    assert found.sign_up(inbox).location == "/onboarding"
    return found
