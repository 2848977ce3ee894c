"""What a buyer's own words in a reply say: agreed to wait, canceled, or something that a person must read. Pure.

Only what cannot be misread counts. A question is no consent, a condition is none, and "yes" alone answers neither of
two choices; all of that is left to a person.
"""

from __future__ import annotations

import re
import unicodedata

MOST_WORDS = 60
GREETING = re.compile(
    r"^(hi|hello|hey|dear|good (morning|afternoon|evening)|hola|buen[oa]s (dias|tardes|noches)|estimad[oa]s?)\b"
    r"[^.!,\n]{0,40}[,.!]?\s*"
)
GOODS = r"(it|this|that|them|(my|the|this|these|that) (whole )?(orders?|items?|purchase)|everything)"
BIENES = r"(lo|los|la|las|((mi|el|este|todo el) )(pedido|articulo|orden|compra)|estos articulos|todo)"
REFUND = r"((,|and|y)? ?(please )?(send me |give me )?(a |my )?(full )?(refund|money back)( me)?( please)?)"
REEMBOLSO = r"((,|y)? ?(por favor )?(reembols(enme|arme|eme)|devuelvanme)( (mi|el) dinero)?( por favor)?)"
CANCEL = (
    rf"(yes,? )?(please |kindly |pls )?(i )?((would like|want|wish|d like|need|choose|decided) to )?(please )?cancel"
    rf"( {GOODS})?( please)?( {REFUND}|{REFUND})?",
    rf"(yes,? )?(please )?(i am |im )?cancell?ing( {GOODS})?( please)?( {REFUND})?",
    rf"(si,? )?(por favor,? )?(quiero |deseo |quisiera )?cancel(ar|en|e|o|arlo|enlo|elo)( {BIENES})?"
    rf"( por favor)?( {REEMBOLSO}|{REEMBOLSO})?",
)
CONSENT = (
    r"(yes,? )?(please )?i (will|shall|can|agree to|am happy to|am willing to|m happy to|want to|would like to|ll) wait"
    r"( for (it|them|this|the new date|my order))?( please)?",
    r"(yes,? )?i (agree|consent)( to (the|this) (new date|delay|new ship date|further delay|wait))?",
    r"(yes,? )?i accept (the|this) (new date|delay|new ship date|further delay)",
    r"(si,? )?(yo )?(espero|esperare|voy a esperar|acepto esperar|quiero esperar)( (el|mi) pedido)?( gracias)?",
    r"(si,? )?acepto (la nueva fecha|el retraso|el nuevo retraso|este retraso)",
)
DOUBT = re.compile(
    r"\?|¿|\b(not|don ?t|do not|won ?t|can ?t|cannot|never|no longer|but|if|unless|until|only|except|instead|however"
    r"|maybe|perhaps|might|unsure|pero|si|no|sino|salvo|excepto|solo|quiza|quizas|tal vez|hasta|cuando|when|why|how)\b"
)
CANCEL_WORDS, CONSENT_WORDS = (
    re.compile(r"\bcancel|\breembols|\brefund"),
    re.compile(r"\b(wait|agree|accept|esper|acept)"),
)


def answer_of(text: str) -> str:
    """`cancel` or `consent` when the first sentence says so and nothing after it takes it back; else empty."""
    words = _plain(text)
    words = GREETING.sub("", words, count=1) if GREETING.match(words) else words
    if not words or len(words.split()) > MOST_WORDS or "?" in words or "¿" in words:
        return ""
    first, _, rest = _sentences(words)
    for answer, patterns, other in (("cancel", CANCEL, CONSENT_WORDS), ("consent", CONSENT, CANCEL_WORDS)):
        if any(re.fullmatch(pattern, first) for pattern in patterns):
            return "" if DOUBT.search(rest) or other.search(words) else answer
    return ""


def _sentences(words: str) -> tuple[str, str, str]:
    """The first sentence, what ends it, and the rest."""
    found = re.search(r"[.!;\n]+", words)
    if found is None:
        return words.strip(" ,"), "", ""
    return words[: found.start()].strip(" ,"), found[0], words[found.end() :].strip()


def _plain(text: str) -> str:
    """Small letters without accents and apostrophes; lines stay lines."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(sign for sign in bare if not unicodedata.combining(sign))
    bare = bare.replace("’", " ").replace("'", " ").replace("…", ".")
    return "\n".join(" ".join(line.split()) for line in bare.splitlines() if line.strip()).strip()
