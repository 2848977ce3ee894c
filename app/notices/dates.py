"""Days and hours in a letter, in the buyer's language, for readers in the United States. Pure."""

from __future__ import annotations

from datetime import date, datetime

from app.calendar import day_in_words, local_date, time_in_words, zone

SPANISH_DAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
SPANISH_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre"),
    *("octubre", "noviembre", "diciembre"),
)


def day(given: date, *, today: date, language: str) -> str:
    """ "Friday, December 4" or "viernes 4 de diciembre"; the year is added unless it is this one."""
    if language != "es":
        return day_in_words(given, today=today, long=True)
    words = f"{SPANISH_DAYS[given.weekday()]} {given.day} de {SPANISH_MONTHS[given.month - 1]}"
    return words if given.year == today.year else f"{words} de {given.year}"


def hour(instant: datetime, zone_name: str, *, language: str) -> str:
    """ "4:40 PM EST" or "las 4:40 p. m. EST"; midnight by its name."""
    local = instant.astimezone(zone(zone_name))
    midnight = (local.hour, local.minute) == (0, 0)
    if language != "es":
        words = time_in_words(instant, zone_name)
        return words.replace("12:00 AM", "midnight") if midnight else words
    if midnight:
        return f"la medianoche {local.tzname()}"
    figure = local.hour % 12 or 12
    half = "a. m." if local.hour < 12 else "p. m."
    return f"{'la' if figure == 1 else 'las'} {figure}:{local:%M} {half} {local.tzname()}"


def moment(instant: datetime, zone_name: str, *, today: date, language: str) -> str:
    """A day with its hour."""
    on = day(local_date(instant, zone_name), today=today, language=language)
    if language == "es":
        return f"{on}, a {hour(instant, zone_name, language=language)}"
    return f"{on}, {time_in_words(instant, zone_name)}"
