"""The formats as Jinja filters: they take zone and today from the page, so templates only name the value."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import request
from markupsafe import Markup, escape

from app.pages import drawing, formats
from app.pages.context import current_page

Day = date | datetime | None


def _date(value: Day, weekday: bool = True) -> Markup:
    page = current_page()
    text = formats.short_date(value, page.zone, page.today, weekday=weekday)
    return formats.time_tag(value, text, page.zone)


def _date_text(value: Day, weekday: bool = True) -> str:
    page = current_page()
    return formats.short_date(value, page.zone, page.today, weekday=weekday)


def _long_date(value: Day) -> Markup:
    page = current_page()
    # The day's number stays with its month when a narrow column breaks the line.
    text = "\N{NO-BREAK SPACE}".join(formats.long_date(value, page.zone, page.today).rsplit(" ", 1))
    return formats.time_tag(value, text, page.zone)


def _time(value: datetime | None) -> Markup:
    page = current_page()
    return formats.time_tag(value, formats.clock_time(value, page.zone), page.zone)


def _moment(value: datetime | None) -> Markup:
    page = current_page()
    return formats.time_tag(value, formats.moment(value, page.zone, page.today), page.zone)


def _brief(value: datetime | None) -> Markup:
    page = current_page()
    return formats.time_tag(value, formats.brief(value, page.zone, page.today), page.zone)


def _exact(value: Day) -> str:
    return formats.exact(value, current_page().zone)


def _last_instant(deadline: datetime) -> datetime:
    """The last second in time: a deadline is the first instant too late, and often a midnight."""
    return deadline - timedelta(seconds=1)


def _relative_day(value: Day) -> Markup:
    page = current_page()
    return formats.time_tag(value, formats.relative_day(value, page.zone, page.today), page.zone)


def _days_left(value: date | datetime) -> str:
    page = current_page()
    return formats.days_left(formats.local_day(value, page.zone), page.today)


def _local_day(value: Day) -> date | None:
    return None if value is None else formats.local_day(value, current_page().zone)


def _stands_at(value: datetime) -> str:
    return formats.stands_at(value, current_page().zone)


def attributes(given: Mapping[str, Any]) -> Markup:
    """More attributes of an element: hx_get="/x" -> ` hx-get="/x"`; True stands alone, False and None are left out."""
    parts = []
    for name, value in given.items():
        if value is None or value is False:
            continue
        written = escape(name.replace("_", "-"))
        parts.append(
            Markup(" {}").format(written) if value is True else Markup(' {}="{}"').format(written, value)
        )
    return Markup("").join(parts)


KEY_SIGNS = {"up": "↑", "down": "↓", "left": "←", "right": "→"}


def key_words(keys: str) -> str:
    """ "ctrl+enter" -> "Ctrl Enter"."""
    return " ".join(KEY_SIGNS.get(key, key[:1].upper() + key[1:]) for key in keys.split("+"))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def url_with(**changes: Any) -> str:
    """This address with other query parameters; None removes one, a list repeats it."""
    query = request.args.to_dict(flat=False)
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)]
    return request.path + (f"?{urlencode(query, doseq=True)}" if query else "")


FILTERS: dict[str, Callable[..., Any]] = {
    "money": formats.money,
    "signed_money": formats.signed_money,
    "number": formats.number,
    "signed_number": formats.signed_number,
    "signed_percent": formats.signed_percent,
    "percent": formats.percent,
    "miles": formats.miles,
    "plural": formats.plural,
    "duration": formats.duration,
    "date": _date,
    "date_text": _date_text,
    "long_date": _long_date,
    "time": _time,
    "moment": _moment,
    "brief": _brief,
    "exact": _exact,
    "relative_day": _relative_day,
    "last_instant": _last_instant,
    "time_of_day": formats.time_of_day,
    "days_left": _days_left,
    "local_day": _local_day,
    "stands_at": _stands_at,
    "in_unit": formats.in_unit,
    "money_input": formats.money_input,
    "attributes": attributes,
    "key_words": key_words,
    "json": _json,
    "labeled_first": drawing.labeled_first,
    "busiest_first": drawing.busiest_first,
}
