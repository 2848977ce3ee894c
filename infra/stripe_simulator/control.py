"""The simulator's own doors under /_simulator/, for tests and for `clock`. Nothing here exists at Stripe."""

from typing import Any
from urllib.parse import parse_qs

import orjson

from infra.stripe_simulator import clock, events
from infra.stripe_simulator.api import Answer, Api, Call
from infra.stripe_simulator.scope import PLATFORM

JOURNAL_LIMIT = 1000
JOURNAL_COLUMNS = ("seq", "time", "account", "account_time", "method", "path", "idempotency_key", "request_id",
                   "outcome", "status", "object", "effects")  # fmt: skip


def answer(api: Api, call: Call) -> Answer:
    """Answers a control call in JSON; 400 for what it does not understand, 404 for what it does not know."""
    name = call.path.removeprefix("/_simulator/")
    try:
        if call.method == "GET":
            query = {key: values[-1] for key, values in parse_qs(call.text).items()}
            return _json(200, _read(api, name, query))
        given = orjson.loads(call.text or "{}")
        if not isinstance(given, dict):
            raise ValueError("a JSON object is expected")
        return _json(200, _write(api, call, name, given))
    except LookupError as unknown:
        return _json(404, {"error": str(unknown.args[0])})
    except (ValueError, TypeError) as mistake:
        return _json(400, {"error": str(mistake)})


def _json(status: int, document: Any) -> Answer:
    return Answer(status, orjson.dumps(document))


def _read(api: Api, name: str, query: dict[str, str]) -> dict[str, Any]:
    if name == "clock":
        account = _known(api, query.get("account"))
        return {"account": account, "now": api.store.now(account)}
    if name == "switches":
        return {"accounts": api.switches.accounts, "fail_next": api.switches.faults}
    if name == "journal":
        return _journal(api, query)
    if name == "webhooks":
        return _webhooks(api)
    if name == "health":
        return {"simulator": "stripe", "accounts": len(api.store.accounts())}
    raise LookupError(f"no such control: {name}")


def _write(api: Api, call: Call, name: str, given: dict[str, Any]) -> dict[str, Any]:
    with api.store.transaction():
        if name == "clock":
            result = _move_clock(api, call, given)
        elif name == "switches":
            api.switches.change(given)
            result = {"accounts": api.switches.accounts, "fail_next": api.switches.faults}
        elif name == "webhooks":
            _only(given, "url", "secret")
            api.store.set_webhook(given.get("url"), given.get("secret"))
            result = {"url": given.get("url")}
        elif name == "webhooks/resend":
            _only(given, "events", "account")
            result = {"queued": events.resend(api.store, given.get("events"), given.get("account"))}
        else:
            raise LookupError(f"no such control: {name}")
    api.after()
    return result


def _move_clock(api: Api, call: Call, given: dict[str, Any]) -> dict[str, Any]:
    _only(given, "account", "advance_seconds", "to")
    if ("to" in given) == ("advance_seconds" in given):
        raise ValueError("give either to or advance_seconds")
    account = _known(api, given.get("account"))
    now = api.store.now(account)
    to = int(given["to"]) if "to" in given else now + int(given["advance_seconds"])
    done = clock.advance(api.store, account, to, call.base_url)
    return {"account": account, "now": to, "done": done}


def _only(given: dict[str, Any], *names: str) -> None:
    unknown = set(given) - set(names)
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")


def _known(api: Api, account: str | None) -> str:
    chosen = account or PLATFORM
    if not api.store.knows(chosen):
        raise LookupError(f"no such account: {chosen}")
    return chosen


def _journal(api: Api, query: dict[str, str]) -> dict[str, Any]:
    """Oldest first, up to 1,000 lines; `after` (a seq) turns the page."""
    terms, values = ["seq > ?"], [query.get("after", "0")]
    for name in ("account", "idempotency_key", "outcome", "object"):
        if name in query:
            terms.append(f"{name} = ?")
            values.append(query[name])
    with api.store.lock:
        rows = api.store.db.execute(
            f"select {', '.join(JOURNAL_COLUMNS)} from journal where {' and '.join(terms)} order by seq limit ?",
            (*values, JOURNAL_LIMIT),
        ).fetchall()
    lines = [dict(zip(JOURNAL_COLUMNS, row, strict=True)) for row in rows]
    for line in lines:
        line["effects"] = orjson.loads(line["effects"])
    return {"data": lines, "has_more": len(lines) == JOURNAL_LIMIT}


def _webhooks(api: Api) -> dict[str, Any]:
    with api.store.lock:
        waiting = api.store.db.execute("select count(*) from deliveries").fetchone()[0]
        return {"url": api.store.webhook.get("url"), "waiting": waiting}
