"""Reads the mailbox that bounces and answers come to, again and again, beside the clock. A mailbox that does not answer
holds up nothing else."""

from __future__ import annotations

import poplib
import threading
import time

import structlog
from sqlalchemy.exc import DBAPIError

from app.notices import inbound, references
from infra import settings
from infra.inbound import Mailbox, Unreachable, Waiting, mailbox, reason, understood
from tenants.scope import inside

log = structlog.get_logger()
PAUSE_SECONDS = 5.0
MOST_AT_ONCE = 200


class Postman:
    """One reader of one mailbox. What is not ours stays there and is not looked at again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._strange: set[str] = set()

    def walk(self) -> None:
        """Read for as long as the process lives; what it was at when that ended is read again."""
        while True:
            time.sleep(PAUSE_SECONDS)
            try:
                self.fetch()
            except (Unreachable, DBAPIError) as error:
                log.warning("postman.interrupted", error=str(error)[:200])
            except Exception as error:
                log.error("postman.failed", exc_info=error)

    def fetch(self) -> int:
        """Deal with everything that lies in the mailbox. Returns how many mails were ours. Raises Unreachable."""
        taken = 0
        with mailbox(self._url) as box:
            waiting = box.waiting()
            self._strange &= {one.name for one in waiting}
            for one in [one for one in waiting if one.name not in self._strange][:MOST_AT_ONCE]:
                taken += self._one(box, one)
        return taken

    def _one(self, box: Mailbox, one: Waiting) -> bool:
        try:
            taken = take(box.read(one))
        except (Unreachable, DBAPIError, poplib.error_proto, OSError):
            raise
        except Exception as error:  # one mail must not hold up the others
            log.error("postman.unreadable", mail=one.name, exc_info=error)
            taken = False
        if taken:
            box.delete(one)
        else:
            self._strange.add(one.name)
        return taken


def take(content: bytes) -> bool:
    """Deal with one mail in a transaction of its tenant. False when it is about no message of ours."""
    mail = understood(content)
    reference = next((found for place in mail.about if (found := references.found(place))), None)
    if reference is None:
        return False
    with inside(reference.tenant_id) as scope:
        return inbound.take(scope, reference, mail, reason(content))


def start() -> None:
    """Have the mailbox read beside this process's own work, where one is configured."""
    url = settings.current().inbound_url
    if url:
        threading.Thread(target=Postman(url).walk, name="postman", daemon=True).start()
