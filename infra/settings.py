"""Every setting of the installation, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    """Where the parts are and how to log in to them. An empty string means 'not configured'."""

    database_url: str
    """PostgreSQL as the app role: neither owner nor superuser."""
    owner_database_url: str = ""
    """PostgreSQL as the owner: migrations and bulk loads only."""
    operator_database_url: str = ""
    """PostgreSQL as the operator role: SELECT over all tenants."""
    redis_url: str = "redis://127.0.0.1:6379/0"
    stripe_api_key: str = "sk_test_kept"
    stripe_api_base: str = ""
    """Empty for Stripe itself; the simulator's address otherwise."""
    stripe_webhook_secret: str = ""
    smtp_url: str = ""
    mail_from: str = "Kept <no-reply@kept.example>"
    inbound_url: str = field(default="", repr=False)
    """The mailbox that bounces and answers come to: pop3s://user:password@host[:port], pop3:// inside one machine."""
    inbound_address: str = ""
    """Its address; answers and bounces go to name+reference@domain. A name longer than five letters leaves no room for
    the reference: then only their headers tell what they are about."""
    sms_url: str = ""
    """The gateway for text messages."""
    sms_token: str = field(default="", repr=False)
    sms_from: str = ""
    public_url: str = "http://127.0.0.1:8000"
    """The address buyers and staff use; links in mails start with it."""
    secret_key: str = field(default="", repr=False)
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    operator_oidc_issuer: str = ""
    operator_oidc_client_id: str = ""
    operator_oidc_client_secret: str = field(default="", repr=False)
    mailbox_url: str = ""
    """The demo's page of sent mail; empty with a real mail server."""
    pool_size: int = 12
    """Connections each process keeps to PostgreSQL."""
    private_services: str = ""
    """`allow` lets services that merchants name (tax) lie on private addresses: development and tests only."""
    log_level: str = "INFO"


ENVIRONMENT = {
    "database_url": "DATABASE_URL",
    "owner_database_url": "DATABASE_OWNER_URL",
    "operator_database_url": "DATABASE_OPERATOR_URL",
    "redis_url": "REDIS_URL",
    "stripe_api_key": "STRIPE_API_KEY",
    "stripe_api_base": "STRIPE_API_BASE",
    "stripe_webhook_secret": "STRIPE_WEBHOOK_SECRET",
    "smtp_url": "SMTP_URL",
    "mail_from": "MAIL_FROM",
    "inbound_url": "INBOUND_URL",
    "inbound_address": "INBOUND_ADDRESS",
    "sms_url": "SMS_URL",
    "sms_token": "SMS_TOKEN",
    "sms_from": "SMS_FROM",
    "public_url": "PUBLIC_URL",
    "secret_key": "SECRET_KEY",
    "oidc_issuer": "OIDC_ISSUER",
    "oidc_client_id": "OIDC_CLIENT_ID",
    "oidc_client_secret": "OIDC_CLIENT_SECRET",
    "operator_oidc_issuer": "OPERATOR_OIDC_ISSUER",
    "operator_oidc_client_id": "OPERATOR_OIDC_CLIENT_ID",
    "operator_oidc_client_secret": "OPERATOR_OIDC_CLIENT_SECRET",
    "mailbox_url": "KEPT_MAILBOX_URL",
    "pool_size": "KEPT_POOL_SIZE",
    "private_services": "KEPT_PRIVATE_SERVICES",
    "log_level": "LOG_LEVEL",
}


class MissingSetting(Exception):
    """A setting without which nothing can start is absent."""


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings. Raises MissingSetting naming the variable."""
    given = {name: environ[variable] for name, variable in ENVIRONMENT.items() if environ.get(variable)}
    for required in ("database_url", "secret_key"):
        if required not in given:
            raise MissingSetting(f"Set {ENVIRONMENT[required]}; `./kept up` does so for its embedded parts.")
    pool_size = int(given.pop("pool_size", "12"))
    return Settings(**given, pool_size=pool_size)


_current: Settings | None = None


def current() -> Settings:
    """This process's settings: read once from the environment, or as given to `use`."""
    global _current
    if _current is None:
        _current = load()
    return _current


def use(given: Settings) -> None:
    """Make these the process's settings from now on (commands and tests)."""
    global _current
    _current = given
