"""`python -m infra.stripe_simulator --port P --state FILE [--webhook-url URL --webhook-secret whsec_...]`"""

import argparse
import signal
import threading

from infra.stripe_simulator.server import serve


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="infra.stripe_simulator", description="A simulator of Stripe's API."
    )
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--state", required=True, help="the SQLite file that holds everything")
    parser.add_argument("--webhook-url", help="where events are sent")
    parser.add_argument("--webhook-secret", help="whsec_... to sign them with")
    given = parser.parse_args()
    if bool(given.webhook_url) != bool(given.webhook_secret):
        parser.error("--webhook-url and --webhook-secret go together")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with serve(given.port, given.state, given.webhook_url, given.webhook_secret) as simulator:
        print(f"stripe simulator: {simulator.url}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
