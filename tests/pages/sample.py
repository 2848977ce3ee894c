"""A small app with sample pages made of every part, for tests and for a person to look at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from flask import Flask, abort, render_template, request
from markupsafe import Markup

from app import pages
from app.money import Money
from app.pages import Badge, PageContext, TenantChoice

NOW = datetime(2026, 11, 24, 15, 42, 18, tzinfo=UTC)
"""Tuesday, November 24, 2026, 10:42 AM in New York: the day of the design's own pages."""

PLACES = {
    "Reno": (-119.8138, 39.5296),
    "Columbus": (-82.9988, 39.9612),
    "Atlanta": (-84.388, 33.749),
    "Portland": (-122.6765, 45.5231),
    "Brooklyn": (-73.9442, 40.6782),
    "Asheville": (-82.5515, 35.5951),
    "Boise": (-116.2023, 43.615),
}

HOURS = ["12a", "1a", "2a", "3a", "4a", "5a", "6a", "7a", "8a", "9a", "10a"]
ORDERS_PER_HOUR = {
    "Web": [62, 41, 28, 22, 25, 40, 78, 136, 198, 252, 171],
    "Marketplace": [30, 22, 15, 12, 14, 22, 38, 61, 84, 97, 66],
    "Phone": [4, 2, 0, 0, 0, 6, 28, 74, 118, 142, 96],
    "Store": [0, 0, 0, 0, 0, 0, 0, 4, 22, 61, 58],
    "App": [18, 12, 8, 6, 7, 13, 24, 39, 51, 58, 40],
    "Mail and EDI": [0, 0, 0, 0, 0, 12, 34, 21, 17, 16, 14],
}
LAST_WEEK = [98, 66, 44, 35, 40, 78, 170, 290, 410, 530, 540]

NODES = [
    ("Reno", "warehouse", 412, 0.64),
    ("Columbus", "warehouse", 688, 0.81),
    ("Atlanta", "warehouse", 403, 0.98),
    ("Portland", "store", 22, 0.31),
    ("Brooklyn", "store", 37, 0.46),
    ("Asheville", "workshop", 64, 1.04),
]


def pin(name: str, **more: object) -> dict[str, object]:
    longitude, latitude = PLACES[name]
    return {"name": name, "longitude": longitude, "latitude": latitude, **more}


def node_pins() -> list[dict[str, object]]:
    """The open work per node, as on Home."""
    state = {"Atlanta": "risk", "Asheville": "late"}
    return [
        pin(name, kind=kind, work=work, note=f"{work} open", s=state.get(name, "due"), url=f"/nodes/{name}")
        for name, kind, work, _ in NODES
    ]


def order_map() -> dict[str, object]:
    """Where one order ships from: the chosen nodes, those looked at, and the buyer."""
    boise = PLACES["Boise"]
    return {
        "pins": [
            pin("Reno", note="aprons, kettle", s="kept", work=3),
            pin("Columbus", note="printed card", s="due", work=1),
            pin("Asheville", note="board", s="due", work=1),
            pin("Portland", kind="store", role="off", note="1 on hand, 2 needed"),
            pin("Atlanta", role="off", note="full today"),
            pin("Brooklyn", kind="store", role="off", note="stock held for pickup"),
            pin("Boise", role="dest") | {"name": "Boise, buyer"},
        ],
        "arcs": [
            {"start": PLACES["Reno"], "end": boise, "s": "kept"},
            {"start": PLACES["Reno"], "end": boise, "s": "risk", "waiting": True},
            {"start": PLACES["Columbus"], "end": boise, "s": "due"},
            {"start": PLACES["Asheville"], "end": boise, "s": "due"},
        ],
    }


def moments() -> list[dict[str, object]]:
    """A timeline."""
    return [
        {"at": datetime(2026, 11, 24, 14, 20, tzinfo=UTC), "title": "Promise at risk", "icon": "alert-triangle",
         "s": "risk", "text": "PO-3391 moved from Dec 2 to Dec 14 by the supplier; the kettle can ship Dec 15."},
        {"at": datetime(2026, 11, 24, 13, 52, tzinfo=UTC), "title": "Gift card packed", "icon": "package",
         "text": "Columbus, parcel 2, waits for the 5 PM pickup."},
        {"at": datetime(2026, 11, 23, 21, 41, tzinfo=UTC), "title": "$104.53 taken for the aprons", "s": "kept",
         "icon": "credit-card", "text": "Gift card ••7731 $75.00, then Visa ••4242 $29.53."},
        {"at": datetime(2026, 11, 21, 23, 12, 9, tzinfo=UTC), "title": "Placed by phone", "icon": "phone-call",
         "text": "Dana Whitlock read the ship dates aloud. Source HOL26-C14."},
    ]  # fmt: skip


def context() -> PageContext:
    """Who looks: `?sandbox` shows the sandbox's band, `?anonymous` a page before log-in."""
    if "anonymous" in request.args:
        return PageContext(now=NOW)
    sandbox = "sandbox" in request.args
    return PageContext(
        tenant_name="Alder & Finch",
        environment="sandbox" if sandbox else "live",
        clock=datetime(2026, 11, 26, 14, 5, tzinfo=UTC) if sandbox else None,
        member_name="Priya Raman",
        tenants=(
            TenantChoice("Alder & Finch", "live", "/switch/1", current=not sandbox),
            TenantChoice("Alder & Finch", "sandbox", "/switch/2", current=sandbox),
            TenantChoice("Northlight Paper", "live", "/switch/3"),
        ),
        csrf_token="token-of-the-session",
        now=NOW,
        may=lambda permission: permission != "never",
        home_url="/home",
        account_url="/account",
        logout_url="/logout",
        search_url="/orders",
        new_url="/orders/new",
    )


def register_sample_nav() -> None:
    for section, label, endpoint, icon, order in (
        ("", "Home", "home", "home", 10),
        ("", "Orders", "orders", "receipt-2", 20),
        ("", "New order", "new_order", "phone-call", 30),
        ("Supply", "Inventory", "inventory", "packages", 20),
        ("Supply", "Network", "network", "map-pin", 30),
        ("Supply", "Routing", "routing", "route", 40),
        ("Sell", "Catalog", "catalog", "tag", 10),
        ("foot", "Settings", "settings", "settings", 10),
    ):
        pages.register_nav(section, label, f"sample.{endpoint}", icon, order=order)
    pages.register_nav(
        "", "Promises", "sample.promises", "heart-handshake", order=40, badge=lambda: Badge(47, hot=True)
    )
    pages.register_nav("", "Secret", "sample.secret", "lock", permission="never", order=50)
    pages.register_nav("", "Absent", "sample.absent", "lock", order=60)
    pages.register_nav("", "Overview", "sample.console", "activity", area="console")
    pages.register_nav("", "Tenants", "sample.tenants", "building-community", order=110, area="console")


def make_app() -> Flask:
    """The sample app: one view draws every template of this folder."""
    app = Flask("sample", static_folder=None, template_folder=str(Path(__file__).parent / "templates"))
    app.config.update(SECRET_KEY="of the tests", TESTING=True)
    pages.register(app)
    register_sample_nav()
    with app.app_context():
        pages.set_context_provider(context)
    data = {
        "date": date, "datetime": datetime, "Money": Money, "Markup": Markup, "NOW": NOW, "HOURS": HOURS,
        "ORDERS_PER_HOUR": ORDERS_PER_HOUR, "LAST_WEEK": LAST_WEEK, "NODES": NODES, "node_pins": node_pins,
        "order_map": order_map, "moments": moments,
    }  # fmt: skip

    def show(template: str) -> object:
        return lambda: render_template(f"sample_{template}.html", **data)

    for endpoint, rule, template in (
        ("home", "/home", "home"),
        ("orders", "/orders", "orders"),
        ("order", "/orders/K-10482", "order"),
        ("new_order", "/orders/new", "new_order"),
        ("states", "/states", "states"),
        ("console", "/console", "console"),
        ("delay", "/delay", "delay"),
        ("login", "/login", "login"),
        *(
            (name, f"/{name}", "states")
            for name in ("inventory", "network", "routing", "catalog", "settings")
        ),
        *((name, f"/{name}", "states") for name in ("promises", "secret")),
        ("tenants", "/console/tenants", "console"),
    ):
        app.add_url_rule(rule, f"sample.{endpoint}", show(template))
    app.add_url_rule("/fails", "sample.fails", lambda: pages.page_error(500, reference="7f3a-19c2"))
    app.add_url_rule("/done", "sample.done", done, methods=["POST"])
    app.add_url_rule(
        "/echo", "sample.echo", lambda: request.headers.get("X-CSRF-Token", "none"), methods=["POST"]
    )
    app.register_error_handler(404, lambda error: pages.page_error(404))
    app.add_url_rule("/gone", "sample.gone", lambda: abort(404))
    return app


def done() -> str:
    pages.toast("2 orders put on hold.", undo_url="/done")
    return render_template("sample_orders.html", Money=Money, Markup=Markup, date=date)
