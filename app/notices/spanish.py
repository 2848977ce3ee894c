"""The sentences of a delay option notice (16 CFR 435.2(b)) in Spanish, for buyers in the United States. Written on
their own, not word for word: each says what its English counterpart in words.py says, no less. The buyer is "usted"."""

from __future__ import annotations

from datetime import date

from app.notices import dates
from app.notices.facts import DelayFacts, DelayKind
from app.notices.words import DelayWords


def spanish(facts: DelayFacts) -> DelayWords:
    """The words of a delay notice for these facts, in Spanish."""
    these = _Goods(facts)
    return DelayWords(
        headline=f"{these.title} se {these.will_ship} más tarde de lo que prometimos",
        goods=these.noun,
        old_date=_long(facts, facts.promised),
        new_date=_long(facts, facts.revised) if facts.revised else "No podemos dar una fecha",
        reason=facts.reason,
        wait=_wait(facts, these),
        cancel=_cancel(facts, these),
        silence=_silence(facts, these),
        reply=_reply(facts, these),
        indefinite="" if facts.revised else "No podemos decir cuánto durará el retraso.",
        continuing=_continuing(facts, these),
        rider=_rider(facts, these),
        ways=_ways(facts),
    )


class _Goods:
    """The items in a sentence: "este artículo", or "estos artículos"."""

    def __init__(self, facts: DelayFacts) -> None:
        many = len(facts.items) > 1 or facts.items[0].quantity > 1
        self.noun, self.it, self.object = (
            ("estos artículos", "ellos", "los") if many else ("este artículo", "él", "lo")
        )
        self.ship = "se envíen" if many else "se envíe"
        self.shipped = "se hayan enviado" if many else "se haya enviado"
        self.title = facts.items[0].title if len(facts.items) == 1 else "Parte de su pedido"
        self.will_ship = "enviarán" if many and len(facts.items) == 1 else "enviará"


def _wait(facts: DelayFacts, these: _Goods) -> str:
    if facts.revised is None:
        return f"Enviamos {these.noun} en cuanto podamos. Hasta entonces puede cancelar en cualquier momento."
    day = _long(facts, facts.revised)
    return (
        f"Enviamos {these.noun} a más tardar el {day}. Mientras no {these.shipped}, todavía puede cancelar."
    )


def _cancel(facts: DelayFacts, these: _Goods) -> str:
    """The right to cancel and the refund, with what was or was not taken."""
    right = f"Usted tiene derecho a cancelar {these.noun} y a recibir sin demora el reembolso"
    if facts.paid:
        return f"{right} de los {facts.paid} que pagó por {these.it}. Se lo confirmamos por escrito."
    if facts.authorized:
        return (
            f"{right} de todo lo que haya pagado por {these.it}. No se le han cobrado los {facts.authorized} por "
            f"{these.it}, así que no se le cobrarán. Se lo confirmamos por escrito."
        )
    return f"{right} de todo lo que haya pagado por {these.it}. Se lo confirmamos por escrito."


def _silence(facts: DelayFacts, these: _Goods) -> str:
    """What doing nothing means."""
    until = _long(facts, facts.reply_day)
    if facts.delay is DelayKind.SILENT_CONSENT:
        return (
            f"A menos que recibamos su cancelación antes de que {these.noun} {these.ship} y antes de que termine el "
            f"{until}, se entenderá que usted acepta la nueva fecha."
        )
    if facts.delay is DelayKind.RENEWED:
        return (
            f"A menos que recibamos su aceptación de este nuevo retraso antes de que termine el {until}, o que "
            f"{these.noun} {these.shipped} para entonces, entenderemos que usted no lo acepta: {these.object} "
            "cancelamos y le reembolsamos sin demora."
        )
    return (
        f"Cancelamos {these.noun} automáticamente cuando termine el {until} y le reembolsamos sin demora, a menos que "
        f"para entonces {these.shipped} sin que antes hayamos recibido su cancelación, o hayamos recibido su "
        "aceptación de esperar."
    )


def _reply(facts: DelayFacts, these: _Goods) -> str:
    hour = dates.hour(facts.reply_by, facts.shop.timezone, language="es")
    until = f"antes de que termine el {_long(facts, facts.reply_day)} (antes de {hour})"
    if facts.delay is DelayKind.SILENT_CONSENT:
        return f"Una cancelación vale si la recibimos antes de que {these.noun} {these.ship} y {until}."
    return f"Debemos recibir su respuesta {until}."


def _continuing(facts: DelayFacts, these: _Goods) -> str:
    if facts.revised is not None:
        return ""
    return (
        f"Si acepta esperar sin una fecha, conserva el derecho a cancelar en cualquier momento después del "
        f"{_long(facts, facts.promised)} y hasta que {these.noun} {these.ship} realmente, con un reembolso sin demora."
    )


def _rider(facts: DelayFacts, these: _Goods) -> str:
    if facts.rider is None or facts.revised is None:
        return ""
    if facts.rider.until is not None:
        return (
            "Si lo desea, también puede aceptar ahora otro retraso que no prevemos, a más tardar hasta el "
            f"{_long(facts, facts.rider.until)}. No está obligado a hacerlo."
        )
    return (
        "Si lo desea, también puede aceptar ahora otro retraso que no prevemos y cuya duración no podemos decir. No "
        "está obligado a hacerlo. Si lo acepta, conserva el derecho a cancelar en cualquier momento después del "
        f"{_long(facts, facts.revised)} y hasta que {these.noun} {these.ship} realmente, con un reembolso sin demora."
    )


def _ways(facts: DelayFacts) -> str:
    """How to answer at the seller's expense (435.2(b)(3))."""
    if not facts.shop.toll_free:
        return "Puede responder gratis en nuestra página (sin iniciar sesión) o respondiendo a este mensaje."
    hours = f", {facts.shop.hours}" if facts.shop.hours else ""
    return (
        "Puede responder gratis en nuestra página (sin iniciar sesión), respondiendo a este mensaje o por teléfono al "
        f"{facts.shop.toll_free}{hours}."
    )


def _long(facts: DelayFacts, day: date) -> str:
    return dates.day(day, today=facts.today, language="es")
