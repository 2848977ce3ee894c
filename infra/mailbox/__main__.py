"""`python -m infra.mailbox --smtp-port N --http-port N --pop-port N --state FILE`: all sides in one
process, on loopback.

The password of its mailboxes is MAILBOX_PASSWORD of the environment; without one nobody reads them by POP3.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import threading
from pathlib import Path

from infra.embedded.ports import LOOPBACK
from infra.mailbox import pop, smtp, web
from infra.mailbox.store import Store


async def serve(store: Store, smtp_port: int, http_port: int, pop_port: int, password: str) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    pages = web.server(store, http_port)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    taking = await loop.create_server(smtp.protocol(store), LOOPBACK, smtp_port)
    servers = [taking]
    if password:
        servers.append(await asyncio.start_server(pop.serving(store, password), LOOPBACK, pop_port))
    await stopped.wait()
    for server in servers:
        server.close()
    pages.shutdown()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m infra.mailbox")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--pop-port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    arguments = parser.parse_args()
    password = os.environ.get("MAILBOX_PASSWORD", "")
    asyncio.run(
        serve(Store(arguments.state), arguments.smtp_port, arguments.http_port, arguments.pop_port, password)
    )


if __name__ == "__main__":
    main()
