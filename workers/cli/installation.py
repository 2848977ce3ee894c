"""What one installation is made of: which parts run here, in what order, and with which settings."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from infra.embedded import ports
from infra.embedded.home import Home
from infra.embedded.ports import LOOPBACK, accepts
from infra.embedded.postgres import APP, OPERATOR, OWNER, STOP_SIGNAL, EmbeddedPostgres
from infra.embedded.processes import AFTER_FILE, READY_FILE
from infra.embedded.valkey import EmbeddedValkey
from infra.settings import ENVIRONMENT
from infra.supervisor import Child, Step
from workers.cli.homes import ROOT

FIRST_PORT = 8000
RQ_WORKERS = 2
WEB_THREADS = 4


class Unusable(Exception):
    """The settings given do not make an installation; the message says what to set."""


class Installation:
    """One home's parts. A part whose address the environment gives is somebody else's to run."""

    def __init__(self, home: Home, *, port: int | None, demo: bool, tenants: int) -> None:
        """`port` of the web part, None for a free one. Raises Unusable."""
        self.home = home
        self.demo = demo
        self.tenants = tenants
        self.port = port or home.port("web", start=FIRST_PORT)
        self._held = ports.hold(self.port)
        self.url = os.environ.get("PUBLIC_URL") or self.local_url
        self._state = home.state
        self._postgres = None if os.environ.get("DATABASE_URL") else self._embedded_postgres()
        self._valkey = None if os.environ.get("REDIS_URL") else self._embedded_valkey()
        self._simulates_stripe = not os.environ.get("STRIPE_API_KEY")
        self._has_mailbox = not os.environ.get("SMTP_URL")
        self.environment = self._environment()

    @property
    def local_url(self) -> str:
        """Where the web part listens."""
        return f"http://{LOOPBACK}:{self.port}"

    def parts(self) -> list[Step | Sequence[Child]]:
        """Everything to start, in order; what stands in one list starts together.

        Web and workers load while the data is made and begin when it is there.
        """
        parts: list[Step | Sequence[Child]] = [self._servers()]
        if self._postgres is not None:
            parts.append(Step("roles", self._postgres.create_roles))
        return [
            *parts,
            [self._preparation(), self._web_part(), *self._background()],
            *([[self._demo_part()]] if self.demo else []),
        ]

    def document(self) -> dict[str, Any]:
        """The ready file's content: addresses and log-ins. After the preparation has run."""
        return {
            "url": self.url,
            "api": f"{self.url}/v1",
            "mail": self._mail_url if self._has_mailbox else None,
            "stripe": self.environment.get("STRIPE_API_BASE"),
            **json.loads(self.home.prepared.read_text()),
        }

    def borrowed(self) -> list[str]:
        """One line for each part that the environment gives."""
        names = ("DATABASE_URL", "REDIS_URL", "STRIPE_API_KEY", "SMTP_URL")
        return [
            f"{name} is set: that one is used and none started here" for name in names if os.environ.get(name)
        ]

    def _servers(self) -> list[Child]:
        children = []
        if self._postgres is not None:
            children.append(self._postgres_part(self._postgres))
        if self._valkey is not None:
            children.append(
                Child(
                    "valkey",
                    self._valkey.command(),
                    before=self._valkey.prepare,
                    ready=self._valkey.is_ready,
                    retry_for=5.0,
                )
            )
        if self._simulates_stripe:
            children.append(self._stripe_part())
        if self._has_mailbox:
            children.append(self._mailbox_part())
        return children

    def _postgres_part(self, postgres: EmbeddedPostgres) -> Child:
        return Child(
            "postgres",
            postgres.command(),
            env=postgres.environment(),
            before=postgres.prepare,
            ready=postgres.is_ready,
            run_as=postgres.run_as(),
            stop_signal=STOP_SIGNAL,
            grace=30.0,
            retry_for=10.0,
        )

    def _stripe_part(self) -> Child:
        port = self.home.port("stripe")
        return self._python(
            "stripe",
            *(
                "-m",
                "infra.stripe_simulator",
                "--port",
                str(port),
                "--state",
                str(self.home.path / "stripe.db"),
            ),
            *("--webhook-url", f"{self.local_url}/webhooks/stripe"),
            *("--webhook-secret", self.environment["STRIPE_WEBHOOK_SECRET"]),
            port=port,
        )

    def _mailbox_part(self) -> Child:
        port = self.home.port("mail")
        return self._python(
            "mailbox",
            *("-m", "infra.mailbox", "--smtp-port", str(self.home.port("smtp")), "--http-port", str(port)),
            *("--pop-port", str(self.home.port("pop"))),
            *("--state", str(self.home.path / "mail.db")),
            port=port,
        )

    def _preparation(self) -> Child:
        command = [
            "-m",
            "workers.cli.prepare",
            "--out",
            str(self.home.prepared),
            "--tenants",
            str(self.tenants),
        ]
        argv = [sys.executable, *command, *(["--demo"] if self.demo else [])]
        return Child("data", argv, self._full_environment(), ROOT, once=True)

    def _web_part(self) -> Child:
        options = ["--interface", "wsgi", "--host", LOOPBACK, "--port", str(self.port), "--no-ws"]
        size = ["--workers", "2", "--blocking-threads", str(WEB_THREADS), "--respawn-failed-workers"]
        argv = [sys.executable, "-m", "granian", *options, *size, "wsgi:app"]
        return Child("web", argv, self._after_the_data(), ROOT, ready=lambda: is_healthy(self.local_url))

    def _background(self) -> list[Child]:
        programs = {f"worker-{n}": "workers.jobs" for n in range(1, RQ_WORKERS + 1)}
        programs |= {"relay": "workers.relay", "schedule": "workers.schedule"}
        return [self._background_part(name, module) for name, module in programs.items()]

    def _background_part(self, name: str, module: str) -> Child:
        file = self.home.run / f"ready-{name}"
        return Child(
            name,
            [sys.executable, "-m", module],
            self._after_the_data() | {READY_FILE: str(file)},
            ROOT,
            ready=file.exists,
            before=lambda: file.unlink(missing_ok=True),
        )

    def _demo_part(self) -> Child:
        return self._python("demo", "-m", "workers.demo")

    def _python(self, name: str, *arguments: str, port: int | None = None) -> Child:
        ready = None if port is None else lambda: accepts(port)
        return Child(name, [sys.executable, *arguments], self._full_environment(), ROOT, ready=ready)

    def _embedded_postgres(self) -> EmbeddedPostgres:
        passwords = self._state["postgres_passwords"]
        data = self.home.server_data("postgres")
        return EmbeddedPostgres(data, port=self.home.port("postgres"), passwords=passwords)

    def _embedded_valkey(self) -> EmbeddedValkey:
        data = self.home.path / "valkey"
        return EmbeddedValkey(data, port=self.home.port("valkey"), password=self._state["valkey_password"])

    def _environment(self) -> dict[str, str]:
        """Every setting the parts need, the environment's own first. Raises Unusable."""
        given = {
            "SECRET_KEY": self._state["secret_key"],
            "PUBLIC_URL": self.url,
            "STRIPE_WEBHOOK_SECRET": self._state["webhook_secret"],
            "KEPT_HOME": str(self.home.path),
            "KEPT_OPERATOR_PASSWORD": self._state["operator_password"],
        }
        if self._postgres is not None:
            given["DATABASE_URL"] = self._postgres.url(APP)
            given["DATABASE_OWNER_URL"] = self._postgres.url(OWNER)
            given["DATABASE_OPERATOR_URL"] = self._postgres.url(OPERATOR)
        if self._valkey is not None:
            given["REDIS_URL"] = self._valkey.url()
        if self._simulates_stripe:
            given["STRIPE_API_BASE"] = f"http://{LOOPBACK}:{self.home.port('stripe')}"
        if self._has_mailbox:
            given["SMTP_URL"] = f"smtp://{LOOPBACK}:{self.home.port('smtp')}"
            password = self._state["webhook_secret"].removeprefix("whsec_")
            given["MAILBOX_PASSWORD"] = password
            given["INBOUND_URL"] = f"pop3://mail:{password}@{LOOPBACK}:{self.home.port('pop')}"
            given["INBOUND_ADDRESS"] = "mail@kept.example"
            given["SMS_URL"] = f"{self._mail_url}/sms"
            given["KEPT_MAILBOX_URL"] = self._mail_url
        found = given | {name: value for name in ENVIRONMENT.values() if (value := os.environ.get(name))}
        for needed in ("DATABASE_OWNER_URL", "DATABASE_OPERATOR_URL"):
            if needed not in found:
                raise Unusable(
                    f"DATABASE_URL is set, so {needed} must be too: migrations and the console use it."
                )
        return found

    def _after_the_data(self) -> dict[str, str]:
        return self._full_environment() | {AFTER_FILE: str(self.home.prepared)}

    def _full_environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment, "PYTHONUNBUFFERED": "1"}

    @property
    def _mail_url(self) -> str:
        return f"http://{LOOPBACK}:{self.home.port('mail')}"


def is_healthy(url: str, timeout: float = 3.0) -> bool:
    """Whether the web part at this address says that it and what it needs are ready."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=timeout) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
