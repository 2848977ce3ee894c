"""The demo merchant."""
NAME = "Alder & Finch"
PROVIDERS: dict[str, list[str]] = {}
def open_demo(owner): raise SystemExit("not seeded yet")
