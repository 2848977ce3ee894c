"""Alembic's entry: migrations run as the owner role, which may not see rows without saying so."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import create_engine, make_url, pool

from app.models import metadata


def owner_url() -> str:
    """The owner's address, from the command's own options or the environment."""
    return context.config.attributes.get("url") or os.environ["DATABASE_OWNER_URL"]


def run() -> None:
    """Run each migration in its own transaction."""
    engine = create_engine(
        make_url(owner_url()).set(drivername="postgresql+psycopg"), poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
