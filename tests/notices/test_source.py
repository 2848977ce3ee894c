"""A merchant's wording: what it may say, what it may not do, and that no message can lose what is owed."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import pytest

from app.notices.compose import own_wording, render
from app.notices.facts import Shop
from app.notices.placeholders import KINDS, placeholders
from app.notices.replies import answer_of
from app.notices.rules import lint
from app.notices.samples import samples
from app.notices.source import LONGEST, Unfit, check
from app.notices.templates import faults

SHOP = Shop("Alder & Finch", "hello@alder.example", "America/New_York", "1-800-555-0136", "weekdays 9 to 5")
TODAY = date(2026, 11, 30)
ATTACKS = (
    "{{ ''.__class__ }}",
    "{{ buyer.__class__.__mro__ }}",
    "{{ buyer['__class__'] }}",
    "{{ buyer|attr('__class__') }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self }}",
    "{{ cycler.__init__.__globals__.os.popen('id') }}",
    "{{ lipsum }}",
    "{{ range(999999999) }}",
    "{% for a in range(10**9) %}x{% endfor %}",
    "{% for a in buyer %}{% for b in buyer %}x{% endfor %}{% endfor %}",
    "{{ 'a' * 10**9 }}",
    "{{ buyer ~ buyer }}",
    "{{ 10**10**10 }}",
    "{% set a = buyer %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% extends 'layout.html' %}",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{% block a %}{{ self.a() }}{% endblock %}",
    "{% filter upper %}a{% endfilter %}",
    "{% call buyer() %}{% endcall %}",
    "{% with a = 1 %}{% endwith %}",
    "{{ buyer if buyer else shop }}",
    "{% if buyer.name %}{% endif %}",
    "{% if buyer == 'x' %}{% endif %}",
    "{{ unknown }}",
    "{{ buyer",
    "{% if buyer %}",
    "{% nonsense %}",
    "{% if buyer %}" * 2000 + "{% endif %}" * 2000,
    "{{ buyer }}" * 201,
    "x" * (LONGEST["body"] + 1),
    "\ue000buyer\ue001",
)


def unfit(kind: str, part: str, source: str) -> str:
    shapes = {
        shape: [one.name for one in placeholders(kind) if one.shape == shape]
        for shape in ("text", "block", "flag")
    }
    try:
        check(part, source, shapes["text"], shapes["block"], shapes["flag"])
    except Unfit as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("source", ATTACKS, ids=lambda source: source[:40])
def test_nothing_can_be_computed_in_a_wording(source: str) -> None:
    began = time.thread_time()
    assert unfit("received", "body", source)
    assert time.thread_time() - began < 2


def test_a_fault_says_where_and_what_is_meant() -> None:
    assert (
        unfit("received", "body", "Hi\n\n{{ buyr }}")
        == "Line 3: there is no placeholder buyr. Is buyer meant?"
    )
    assert unfit("received", "body", "a {{ items }} b").startswith(
        "{{ items }} must stand in a paragraph of its own"
    )
    assert unfit("received", "subject", "{{ items }}").startswith("{{ items }} must stand")
    assert unfit("cancelled", "body", "{{ part }}").endswith("it has no words of its own.")
    assert unfit("cancelled", "body", "{% if part and not buyer %}A part{% else %}All{% endif %}") == ""


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", KINDS)
def test_kepts_own_wordings_say_all_that_is_owed_in_every_case(kind: str, language: str) -> None:
    assert faults(SHOP, TODAY, kind, language, own_wording(kind, language)) == {}
    for facts in samples(kind, SHOP, TODAY, language).values():
        made = render(facts)
        assert lint(facts, made) == []
        for part in (made.subject, made.text, made.html, made.sms):
            assert "{{" not in part
            assert "\ue000" not in part
            assert "None" not in part
            assert "!" not in part.replace("<!doctype", "")


OWED = ("silence", "reply", "ways", "indefinite", "continuing", "rider", "reason")


@pytest.mark.parametrize("name", [*OWED, "dates", "choices"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_wording_that_drops_what_is_owed_is_refused_by_name(name: str, language: str) -> None:
    own = own_wording("delay", language)
    without = replace(own, body=own.body.replace(f"{{{{ {name} }}}}", ""))
    lacks = {
        "silence": "meaning of silence", "reply": "reply deadline", "ways": "free reply means", "reason": "reason",
        "indefinite": "unknown length of delay", "continuing": "continuing right to cancel", "rider": "further delay",
        "dates": "new date", "choices": "cancel right and refund",
    }[name]  # fmt: skip
    assert lacks in faults(SHOP, TODAY, "delay", language, without)["body"]


def test_the_text_message_must_say_what_silence_means_and_lead_on() -> None:
    short = replace(own_wording("delay", "en"), sms="{{ shop }} {{ order_number }} {{ new_date }} {{ page }}")
    assert faults(SHOP, TODAY, "delay", "en", short) == {
        "sms": "The text message lacks: meaning of silence. Put the placeholders for it back."
    }


def test_hiding_the_law_behind_a_condition_is_found() -> None:
    own = own_wording("delay", "en")
    hidden = own.body.replace("{{ silence }}", "{% if indefinite %}{{ silence }}{% endif %}")
    assert "meaning of silence" in faults(SHOP, TODAY, "delay", "en", replace(own, body=hidden))["body"]


def test_values_are_neither_code_nor_shape() -> None:
    facts = replace(
        samples("received", SHOP, TODAY, "en")["placed"], buyer_name="# {{ shop }} **x** \ue000page\ue001 <b>"
    )
    made = render(facts)
    assert "Thank you, # {{ shop }} **x** \ue000page\ue001 <b>." in made.text
    assert "&lt;b&gt;" in made.html
    assert "<b>x</b>" not in made.html


def test_spanish_says_dates_and_hours_as_readers_in_the_united_states_do() -> None:
    made = render(samples("delay", SHOP, TODAY, "es")["no date"])
    assert "viernes 4 de diciembre" in made.text
    assert "No podemos decir cuánto durará el retraso." in made.text
    assert "domingo 3 de enero de 2027 (antes de la medianoche EST)" in made.text
    assert (
        "conserva el derecho a cancelar en cualquier momento después del viernes 4 de diciembre" in made.text
    )
    assert 'lang="es"' in made.html


ANSWERS = {
    "cancel": ("Cancel", "Please cancel my order.", "I'd like to cancel this order", "cancel it and refund me",
               "Hi,\n\nplease cancel my order.\n\nThanks\nMaya", "Cancelar", "Por favor cancelen mi pedido"),
    "consent": ("Yes, I will wait.", "I'll wait", "I agree to the new date", "Hello, I will wait. Thank you",
                "Sí, espero", "Acepto la nueva fecha. Gracias"),
    "": ("", "Yes", "ok", "When exactly will it come?", "Can I cancel later?", "Do not cancel", "Please don't cancel",
         "I will wait until Friday", "I would cancel if it takes longer", "Cancel? no", "Cancel the apron",
         "Cancel my order unless it ships tomorrow", "I will wait. Please cancel the apron", "I agree, but when?",
         "No cancelen mi pedido", "Cancel my order\nActually I will wait", "wait"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "text"), [(answer, text) for answer, texts in ANSWERS.items() for text in texts]
)
def test_only_an_unmistakable_reply_is_an_answer(answer: str, text: str) -> None:
    assert answer_of(text) == answer
