"""The side that takes mail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiosmtpd.smtp import SMTP, Envelope, Session

from infra.mailbox import returns
from infra.mailbox.store import Store

LARGEST = 10 * 1024 * 1024
TEXTS = {421: "Service not available, try again later", 450: "Mailbox busy", 550: "No such mailbox here"}


class Inbox:
    """aiosmtpd's handler: everything is accepted unless the store says to refuse."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a recipient, or refuse it: by the fault switch, or for `reject` before the @."""
        if "reject" in address.lower().rpartition("@")[0]:
            return f"550 {TEXTS[550]}"
        refusal = await asyncio.to_thread(self._store.refusal, address)
        if refusal is not None:
            await asyncio.sleep(refusal.delay)
            if refusal.code:
                return f"{refusal.code} {TEXTS.get(refusal.code, 'Refused')}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the mail, and send back a report for each recipient it cannot reach."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        sender, recipients = envelope.mail_from or "", [str(to) for to in envelope.rcpt_tos]
        await asyncio.to_thread(self._store.add, content, sender, recipients)
        for recipient in recipients:
            if sender and returns.bounces(recipient):
                back = returns.report(content, sender, recipient)
                await asyncio.to_thread(self._store.add, back, "", [sender])
        return "250 OK"


def protocol(store: Store) -> Callable[[], SMTP]:
    """A factory of SMTP sessions for `loop.create_server`."""
    handler = Inbox(store)
    return lambda: SMTP(
        handler, data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="kept-demo", ident="Kept demo inbox"
    )
