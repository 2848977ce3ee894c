"""`python -m infra.mailbox --smtp-port N --http-port N --state FILE`: both sides, on loopback, in one process."""

from __future__ import annotations

import argparse
import asyncio
import signal
import threading
from pathlib import Path

from infra.embedded.ports import LOOPBACK
from infra.mailbox import smtp, web
from infra.mailbox.store import Store


async def serve(store: Store, smtp_port: int, http_port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    pages = web.server(store, http_port)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    taking = await loop.create_server(smtp.protocol(store), LOOPBACK, smtp_port)
    await stopped.wait()
    taking.close()
    pages.shutdown()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m infra.mailbox")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(Store(arguments.state), arguments.smtp_port, arguments.http_port))


if __name__ == "__main__":
    main()
