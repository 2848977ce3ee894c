"""The pages a person sees: an overview, the bank's question and the hosted checkout. Plain HTML, no script."""

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from infra.stripe_simulator import checkout, payment_flow, setup_intents
from infra.stripe_simulator.api import Answer, Api, Call
from infra.stripe_simulator.cards import BRAND_NAMES, CARDS
from infra.stripe_simulator.errors import ApiError, money
from infra.stripe_simulator.layout import badge, moment, page, table
from infra.stripe_simulator.scope import PLATFORM, Scope, public

SHOWN = 25


def answer(api: Api, call: Call) -> Answer:
    """Answers a page call; 404 for anything unknown."""
    parts = call.path.strip("/").split("/")
    try:
        if call.path == "/":
            return _html(200, _overview(api))
        if len(parts) >= 4 and parts[1] == "authenticate":
            return _page(api, call, parts[2], lambda scope: _authenticate(scope, call, parts[3]))
        if len(parts) >= 4 and parts[1] == "checkout":
            done = len(parts) == 5 and parts[4] == "done"
            return _page(api, call, parts[2], lambda scope: _checkout(scope, call, parts[3], done=done))
    except ApiError:
        pass
    return _html(
        404, page("Not found", "<h1>Nothing is here</h1><p>The link may have been used or expired.</p>")
    )


def _html(status: int, document: str) -> Answer:
    return Answer(status, document.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _redirect(url: str) -> Answer:
    return Answer(303, b"", {"Location": url})


def _page(api: Api, call: Call, account: str, show: Callable[[Scope], Answer]) -> Answer:
    with api.store.transaction():
        scope = Scope(
            api.store, account, base_url=call.base_url, multicapture=api.switches.multicapture(account)
        )
        result = show(scope)
        if call.method == "POST":
            scope.write_journal("PAGE", call.path, "executed", result.status, call.path.split("/")[4])
    api.after()
    return result


# the bank's question


def _authenticate(scope: Scope, call: Call, intent_id: str) -> Answer:
    kind = "setup_intent" if intent_id.startswith("seti_") else "payment_intent"
    intent = scope.get(kind, intent_id)
    if intent["status"] != "requires_action":
        return _html(200, page("Already answered", "<h1>This question was answered already</h1>"))
    if call.method == "GET":
        return _html(200, _bank_page(kind, intent))
    passed = parse_qs(call.text).get("result") == ["complete"]
    _decide(scope, kind, intent, passed=passed)
    session_id = intent["_sim"].get("checkout")
    good = intent["status"] in ("succeeded", "requires_capture")
    if session_id and good:
        checkout.complete(scope, scope.get("checkout.session", session_id), intent)
    if intent["_sim"]["return_url"] is None:
        return _html(
            200, page("Done", "<h1>Done</h1><p>You can close this page and go back to the shop.</p>")
        )
    return _redirect(_with_query(intent["_sim"]["return_url"], {
        kind: intent["id"],
        f"{kind}_client_secret": intent["client_secret"],
        "redirect_status": "succeeded" if good else "failed",
    }))  # fmt: skip


def _decide(scope: Scope, kind: str, intent: dict[str, Any], *, passed: bool) -> None:
    paying = kind == "payment_intent"
    if not passed:
        (payment_flow if paying else setup_intents).authentication_failed(scope, intent)
        return
    method = scope.get("payment_method", intent["payment_method"])
    try:
        if paying:
            payment_flow.pay(scope, intent, method, authenticated=True)
        else:
            setup_intents.keep(scope, intent, method)
    except ApiError as decline:
        # The refusal is on the intent; the buyer is sent back with redirect_status=failed.
        if not decline.keeps_effects:
            raise


def _with_query(url: str, extra: dict[str, str]) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *extra.items()])))


def _bank_page(kind: str, intent: dict[str, Any]) -> str:
    what = (
        "save this card"
        if kind == "setup_intent"
        else f"pay {escape(money(intent['amount'], intent['currency']))}"
    )
    return page("3-D Secure", f"""
      <h1>Your bank asks: is this you?</h1>
      <p>Someone wants to {what}. This page stands for the bank's own; choose how the check ends.</p>
      <form method="post" class="choice">
        <button class="primary" name="result" value="complete">Complete authentication</button>
        <button name="result" value="fail">Fail authentication</button>
      </form>
      <p class="faint">{escape(intent["id"])}</p>""")  # fmt: skip


# the hosted checkout


def _checkout(scope: Scope, call: Call, session_id: str, *, done: bool) -> Answer:
    session = scope.get("checkout.session", session_id)
    if session["status"] == "complete":
        return _redirect(_success(session))
    if session["status"] == "expired":
        return _html(
            200, page("Expired", "<h1>This page has expired</h1><p>Ask the shop for a new link.</p>")
        )
    if call.method == "GET":
        failed = "We could not confirm it is you. Please choose another card." if done else None
        return _html(200, _checkout_page(session, failed))
    card = (parse_qs(call.text).get("card") or [""])[0]
    try:
        intent = checkout.submit(scope, session, card)
    except ApiError as refusal:
        if not refusal.keeps_effects:
            raise
        return _html(200, _checkout_page(session, refusal.error["message"]))
    if intent["status"] == "requires_action":
        return _redirect(intent["next_action"]["redirect_to_url"]["url"])
    return _redirect(_success(session))


def _success(session: dict[str, Any]) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _checkout_page(session: dict[str, Any], error: str | None) -> str:
    choices = "".join(
        f'<label class="card"><input type="radio" name="card" value="{card.name}"'
        f"{' checked' if card.name == 'visa' else ''} required>"
        f"<span><b>{BRAND_NAMES[card.brand]}</b> <code>{_spaced(card.number)}</code></span>"
        f'<span class="faint">{escape(card.about)}</span></label>'
        for card in CARDS
        if not card.name.startswith("visa_charge")
    )
    lines = "".join(
        f"<tr><td>{escape(item['description'])} &times; {item['quantity']}</td>"
        f'<td class="num">{escape(money(item["amount_total"], item["currency"]))}</td></tr>'
        for item in session["_sim"]["items"]
    )
    paying = session["mode"] == "payment"
    total = money(session["amount_total"], session["currency"]) if paying else ""
    title = f"Pay {total}" if paying else "Save a card"
    cancel = f'<a href="{escape(session["cancel_url"])}">Cancel</a>' if session["cancel_url"] else ""
    return page(title, f"""
      <h1>{escape(title)}</h1>
      {f'<p class="alert" role="alert">{escape(error)}</p>' if error else ""}
      {f"<table>{lines}</table>" if lines else ""}
      <form method="post"><fieldset><legend>Choose a test card</legend>{choices}</fieldset>
        <div class="choice"><button class="primary">{escape(title)}</button>{cancel}</div></form>""")  # fmt: skip


def _spaced(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


# the overview


def _overview(api: Api) -> str:
    with api.store.lock:
        accounts = "".join(_account_row(api, account) for account in reversed(api.store.accounts()[-SHOWN:]))
        payments = "".join(_payment_row(*row) for row in _latest(api, "payment_intent"))
        refunded = "".join(_refund_row(*row) for row in _latest(api, "refund"))
        count = len(api.store.accounts())
        waiting = api.store.db.execute("select count(*) from deliveries").fetchone()[0]
    return page("Stripe simulator", f"""
      <h1>Stripe simulator</h1>
      <p>Nothing here is Stripe and no money moves. It answers Stripe's API on this machine so that everything can be
      tried without an account. {waiting:,} webhook {"delivery is" if waiting == 1 else "deliveries are"} waiting.</p>
      <h2>Latest payments</h2>
      {table(("Payment", "Account", "Amount", "Status", "Captured", "Created"), payments, "No payment yet.")}
      <h2>Latest refunds</h2>
      {table(("Refund", "Payment", "Account", "Amount", "Status", "Created"), refunded, "No refund yet.")}
      <h2>Accounts ({count:,})</h2>
      {table(("Account", "Name", "Its own time"), accounts, "No account yet.")}""", wide=True)  # fmt: skip


def _latest(api: Api, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """The newest objects over all accounts."""
    rows = api.store.db.execute(
        "select account, id from objects where type = ? order by seq desc limit ?", (kind, SHOWN)
    ).fetchall()
    loaded = ((account, api.store.load(account, object_id)) for account, object_id in rows)
    return [(account, public(obj)) for account, obj in loaded if obj]


def _account_row(api: Api, account: str) -> str:
    known = api.store.load(PLATFORM, account) or {}
    name = (known.get("business_profile") or {}).get("name") or (
        "The platform" if account == PLATFORM else ""
    )
    return (
        f"<tr><td><code>{escape(account)}</code></td><td>{escape(name)}</td>"
        f"<td>{moment(api.store.now(account))}</td></tr>"
    )


def _payment_row(account: str, intent: dict[str, Any]) -> str:
    action = (intent["next_action"] or {}).get("redirect_to_url")
    link = f' <a href="{escape(action["url"])}">answer the bank</a>' if action else ""
    return (
        f"<tr><td><code>{escape(intent['id'])}</code></td><td><code>{escape(account)}</code></td>"
        f'<td class="num">{escape(money(intent["amount"], intent["currency"]))}</td>'
        f"<td>{badge(intent['status'])}{link}</td>"
        f'<td class="num">{escape(money(intent["amount_received"], intent["currency"]))}</td>'
        f"<td>{moment(intent['created'])}</td></tr>"
    )


def _refund_row(account: str, refund: dict[str, Any]) -> str:
    return (
        f"<tr><td><code>{escape(refund['id'])}</code></td><td><code>{escape(refund['payment_intent'])}</code></td>"
        f"<td><code>{escape(account)}</code></td>"
        f'<td class="num">{escape(money(refund["amount"], refund["currency"]))}</td>'
        f"<td>{badge(refund['status'])}</td><td>{moment(refund['created'])}</td></tr>"
    )
