"""Everything the simulator remembers, in one SQLite file.

One connection behind one lock: the simulator is small, and a single writer makes "the effect and its idempotency
record in one transaction" true by construction. WAL with synchronous=NORMAL survives kill -9 of the process.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

# How long Stripe promises to remember an idempotency key, in real seconds.
KEY_LIFETIME_SECONDS = 24 * 3600

SCHEMA = """
create table if not exists accounts (id text primary key, clock_offset real not null default 0);
create table if not exists objects (
  seq integer primary key autoincrement, account text not null, id text not null, type text not null,
  created integer not null, customer text, payment_intent text, charge text, email text, body blob not null);
create unique index if not exists objects_id on objects (account, id);
create index if not exists objects_type on objects (account, type, seq);
create index if not exists objects_customer on objects (account, customer, type, seq) where customer is not null;
create index if not exists objects_intent on objects (account, payment_intent, type, seq)
  where payment_intent is not null;
create index if not exists objects_charge on objects (account, charge, type, seq) where charge is not null;
create index if not exists objects_email on objects (account, email, type, seq) where email is not null;
create table if not exists metadata (
  account text not null, key text not null, value text not null, type text not null, id text not null,
  primary key (account, key, value, type, id)) without rowid;
create table if not exists idempotency (
  account text not null, key text not null, method text not null, path text not null, fingerprint text not null,
  status integer not null, body blob not null, request_id text not null, stored real not null,
  primary key (account, key)) without rowid;
create table if not exists due (
  seq integer primary key autoincrement, account text not null, at integer not null, kind text not null,
  subject text not null);
create index if not exists due_at on due (account, at);
create index if not exists due_subject on due (account, subject);
create table if not exists deliveries (
  event integer primary key, account text not null, attempts integer not null default 0, next_at real not null,
  first_at real not null);
create index if not exists deliveries_next on deliveries (next_at, event);
create table if not exists settings (name text primary key, value blob not null);
create table if not exists journal (
  seq integer primary key autoincrement, time real not null, account text not null, account_time integer not null,
  method text not null, path text not null, idempotency_key text, request_id text not null, outcome text not null,
  status integer not null, object text, effects blob not null);
create index if not exists journal_account on journal (account, seq);
create index if not exists journal_key on journal (idempotency_key) where idempotency_key is not null;
"""

LISTABLE = ("customer", "payment_intent", "charge", "email")


class Store:
    """The tables and the few statements on them. Call every method inside `transaction()`."""

    def __init__(self, path: str | Path) -> None:
        self.lock = threading.RLock()
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        self.db.execute("pragma journal_mode = wal")
        self.db.execute("pragma synchronous = normal")
        self.db.executescript(SCHEMA)
        self._offsets = dict(self.db.execute("select id, clock_offset from accounts"))
        self.webhook: dict[str, Any] = self.setting("webhook") or {}

    def close(self) -> None:
        """Waits for the running transaction, then closes the file."""
        with self.lock:
            self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The one writer. Commits on the way out, rolls back when an exception passes through."""
        with self.lock:
            self.db.execute("begin immediate")
            try:
                yield self.db
            except BaseException:
                self.db.execute("rollback")
                self._offsets = dict(self.db.execute("select id, clock_offset from accounts"))
                raise
            self.db.execute("commit")

    # accounts and their clocks

    def add_account(self, account: str) -> None:
        """Makes the account known; no effect when it is already."""
        self.db.execute("insert into accounts (id) values (?) on conflict do nothing", (account,))
        self._offsets.setdefault(account, 0.0)

    def accounts(self) -> list[str]:
        """All account ids, oldest first."""
        return list(self._offsets)

    def knows(self, account: str) -> bool:
        """Whether the account exists."""
        return account in self._offsets

    def now(self, account: str) -> int:
        """The account's own time, in Unix seconds."""
        return int(time.time() + self._offsets.get(account, 0.0))

    def set_now(self, account: str, moment: float) -> None:
        """Moves the account's clock; from there it runs on at the usual pace."""
        offset = moment - time.time()
        self.db.execute("update accounts set clock_offset = ? where id = ?", (offset, account))
        self._offsets[account] = offset

    # objects

    def load(self, account: str, object_id: str) -> dict[str, Any] | None:
        """The object, with its private `_sim` part, or None."""
        row = self.db.execute(
            "select body from objects where account = ? and id = ?", (account, object_id)
        ).fetchone()
        return orjson.loads(row[0]) if row else None

    def insert(self, account: str, obj: dict[str, Any]) -> int:
        """Stores a new object and the search entries of its metadata; returns its sequence number."""
        columns = [_column(obj, name) for name in LISTABLE]
        cursor = self.db.execute(
            "insert into objects (account, id, type, created, customer, payment_intent, charge, email, body) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (account, obj["id"], obj["object"], obj["created"], *columns, orjson.dumps(obj)),
        )
        if obj.get("metadata"):
            self.index_metadata(account, obj)
        return cursor.lastrowid or 0

    def update(self, account: str, obj: dict[str, Any]) -> None:
        """Replaces a stored object."""
        columns = [_column(obj, name) for name in LISTABLE]
        self.db.execute(
            "update objects set customer = ?, payment_intent = ?, charge = ?, email = ?, body = ? "
            "where account = ? and id = ?",
            (*columns, orjson.dumps(obj), account, obj["id"]),
        )

    def bury(self, account: str, tombstone: dict[str, Any]) -> None:
        """Replaces an object by what is left after deletion; lists no longer show it."""
        self.db.execute(
            "update objects set type = 'deleted', customer = null, email = null, body = ? where account = ? and id = ?",
            (orjson.dumps(tombstone), account, tombstone["id"]),
        )

    def index_metadata(
        self, account: str, obj: dict[str, Any], previous: dict[str, str] | None = None
    ) -> None:
        """Keeps the search table in step with an object's metadata."""
        self.db.executemany(
            "delete from metadata where account = ? and key = ? and value = ? and type = ? and id = ?",
            [(account, key, value, obj["object"], obj["id"]) for key, value in (previous or {}).items()],
        )
        self.db.executemany(
            "insert into metadata (account, key, value, type, id) values (?, ?, ?, ?, ?) on conflict do nothing",
            [(account, key, value, obj["object"], obj["id"]) for key, value in obj["metadata"].items()],
        )

    def find_by_metadata(self, account: str, kind: str, key: str, value: str) -> list[str]:
        """Ids of objects that carry the pair."""
        rows = self.db.execute(
            "select id from metadata where account = ? and key = ? and value = ? and type = ?",
            (account, key, value, kind),
        )
        return [row[0] for row in rows]

    def select(
        self,
        account: str,
        kind: str,
        where: dict[str, Any],
        bounds: list[tuple[str, int]],
        extra: tuple[str, list[str]] | None = None,
        *,
        ascending: bool,
        limit: int,
    ) -> list[dict[str, Any]]:
        """Objects of a kind, newest first unless `ascending`. `bounds` are (column and operator, number); `extra` is
        a condition with its values."""
        terms = ["account = ?", "type = ?"] + [f"{column} = ?" for column in where]
        terms += [f"{bound} ?" for bound, _ in bounds]
        condition, values = extra or ("", [])
        terms += [condition] if condition else []
        rows = self.db.execute(
            f"select body from objects where {' and '.join(terms)} order by seq {'asc' if ascending else 'desc'} "
            "limit ?",
            (account, kind, *where.values(), *(number for _, number in bounds), *values, limit),
        )
        return [orjson.loads(row[0]) for row in rows]

    def sequence(self, account: str, object_id: str) -> int | None:
        """The place of an object in its account's history: what list cursors compare."""
        row = self.db.execute(
            "select seq from objects where account = ? and id = ?", (account, object_id)
        ).fetchone()
        return int(row[0]) if row else None

    # idempotency

    def remembered(self, account: str, key: str) -> tuple[Any, ...] | None:
        """(method, path, fingerprint, status, body, request_id) of the first use of a key."""
        row: tuple[Any, ...] | None = self.db.execute(
            "select method, path, fingerprint, status, body, request_id from idempotency "
            "where account = ? and key = ? and stored > ?",
            (account, key, time.time() - KEY_LIFETIME_SECONDS),
        ).fetchone()
        return row

    def remember(
        self,
        account: str,
        key: str,
        method: str,
        path: str,
        fingerprint: str,
        status: int,
        body: bytes,
        request_id: str,
    ) -> None:
        """Binds an answer to its key."""
        self.db.execute(
            "insert or replace into idempotency values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (account, key, method, path, fingerprint, status, body, request_id, time.time()),
        )

    # what the account's clock will bring

    def add_due(self, account: str, at: int, kind: str, subject: str) -> None:
        """Something that happens by itself at `at`, on the account's clock."""
        self.db.execute(
            "insert into due (account, at, kind, subject) values (?, ?, ?, ?)", (account, at, kind, subject)
        )

    def drop_due(self, account: str, subject: str) -> None:
        """Forgets what was due for a subject."""
        self.db.execute("delete from due where account = ? and subject = ?", (account, subject))

    def has_due(self, account: str, until: int) -> bool:
        """Whether anything is due by `until`."""
        row = self.db.execute(
            "select 1 from due where account = ? and at <= ? limit 1", (account, until)
        ).fetchone()
        return row is not None

    def take_due(self, account: str, until: int) -> tuple[int, str, str] | None:
        """Removes and returns the earliest (at, kind, subject) that is due, or None."""
        row = self.db.execute(
            "select seq, at, kind, subject from due where account = ? and at <= ? order by at, seq limit 1",
            (account, until),
        ).fetchone()
        if row is None:
            return None
        self.db.execute("delete from due where seq = ?", (row[0],))
        return row[1], row[2], row[3]

    # settings

    def set_webhook(self, url: str | None, secret: str | None) -> None:
        """Where events go from now on; no url: nowhere, and what waits is dropped."""
        self.webhook = {"url": url, "secret": secret} if url else {}
        self.put_setting("webhook", self.webhook)
        if not url:
            self.db.execute("delete from deliveries")

    def setting(self, name: str) -> Any:
        """A stored JSON value, or None."""
        row = self.db.execute("select value from settings where name = ?", (name,)).fetchone()
        return orjson.loads(row[0]) if row else None

    def put_setting(self, name: str, value: Any) -> None:
        """Stores a JSON value."""
        self.db.execute("insert or replace into settings values (?, ?)", (name, orjson.dumps(value)))


def _column(obj: dict[str, Any], name: str) -> str | None:
    value = obj.get(name)
    return value if isinstance(value, str) else None
