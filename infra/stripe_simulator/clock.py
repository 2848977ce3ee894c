"""What happens by itself: holds that run out, refunds that settle or fail, pages that close."""

from infra.stripe_simulator import checkout, payment_flow, refunds
from infra.stripe_simulator.scope import PLATFORM, Scope
from infra.stripe_simulator.store import Store


def run_due(store: Store, account: str, until: int, base_url: str) -> int:
    """Does everything due up to `until` on the account's clock, in order, each at its own moment. Returns how many.

    Call inside a transaction.
    """
    done = 0
    while (item := store.take_due(account, until)) is not None:
        at, kind, subject = item
        scope = Scope(store, account, base_url=base_url, now=at)
        _do(scope, kind, subject)
        scope.write_journal("CLOCK", kind, "executed", 200, subject)
        done += 1
    return done


def _do(scope: Scope, kind: str, subject: str) -> None:
    if kind == "expire_hold":
        intent = scope.get("payment_intent", subject)
        if intent["status"] == "requires_capture":
            payment_flow.let_go(scope, intent, "automatic", "charge.expired")
    elif kind == "refund_settles":
        refunds.settle(scope, subject)
    elif kind == "refund_fails":
        refunds.fail(scope, subject)
    elif kind == "expire_checkout":
        session = scope.get("checkout.session", subject)
        if session["status"] == "open":
            checkout.lapse(scope, session)
    else:
        raise ValueError(f"nothing is known of {kind}")


def advance(store: Store, account: str, to: int, base_url: str) -> int:
    """Moves an account's clock forward to `to` (Unix seconds) and does what fell due on the way.

    Raises ValueError when it would run backwards.
    """
    if to < store.now(account):
        raise ValueError("a clock only moves forward")
    done = run_due(store, account, to, base_url)
    store.set_now(account, to)
    return done


def tick(store: Store, base_url: str) -> None:
    """The passing of time: every account, each up to its own now."""
    with store.lock:
        accounts = [PLATFORM, *(account for account in store.accounts() if account != PLATFORM)]
        late = [account for account in accounts if store.has_due(account, store.now(account))]
    for account in late:
        with store.transaction():
            run_due(store, account, store.now(account), base_url)
