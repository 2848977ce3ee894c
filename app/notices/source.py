"""The little language of a message's wording: text with {{ placeholders }} and {% if placeholder %}, nothing else.

A wording is written by a merchant and run on our machines, so it is a language in which nothing can be computed: no
attribute, call, filter, loop, arithmetic or literal. What is allowed is short to say and bounded in time and size by
itself. Values never pass through it: a placeholder becomes a mark, and `compose` puts the value in its place when the
shape of the text is known, so a buyer's name can be no heading and no code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

OPEN, CLOSE = "\ue000", "\ue001"
"""Private characters around a placeholder's name; a wording that holds one is refused."""
MARK = re.compile(f"{OPEN}([a-z_]+){CLOSE}")
LONGEST = {"subject": 200, "body": 20_000, "sms": 600}
MOST_PLACEHOLDERS = 200
DEEPEST = 5
ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.Name,
    nodes.Not,
    nodes.And,
    nodes.Or,
)
NAMES = {
    nodes.Getattr: "what lies inside a value",
    nodes.Getitem: "what lies inside a value",
    nodes.Call: "calls",
    nodes.For: "loops",
    nodes.Filter: "filters",
    nodes.Assign: "assignments",
    nodes.Const: "literals",
}


class Unfit(ValueError):
    """The wording cannot be used; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One kind of message in one language, as it is written. `version` 0 is Kept's own."""

    subject: str
    body: str
    sms: str
    version: int = 0


def check(
    part: str, source: str, inline: Collection[str], blocks: Collection[str], flags: Collection[str]
) -> None:
    """Whether this part (`subject`, `body`, `sms`) can be used with these placeholders. Raises Unfit."""
    if len(source) > LONGEST[part]:
        raise Unfit(f"It is too long: use at most {LONGEST[part]:,} characters.")
    if OPEN in source or CLOSE in source:
        raise Unfit("It holds a character that is kept for placeholders. Delete it.")
    _check_names(source, {*inline, *blocks, *flags}, flags)
    for paragraph in paragraphs(filled(source, dict.fromkeys((*inline, *blocks, *flags), True))):
        found = set(MARK.findall(paragraph)) & set(blocks)
        if found and (part != "body" or not MARK.fullmatch(paragraph)):
            raise Unfit(
                f"{{{{ {sorted(found)[0]} }}}} must stand in a paragraph of its own, in the message only."
            )


def _check_names(source: str, known: Collection[str], flags: Collection[str]) -> None:
    count = 0
    for node, depth, shown in _walk(_parsed(source)):
        if not isinstance(node, ALLOWED):
            what = NAMES.get(type(node), "this")
            raise Unfit(
                f"Line {node.lineno}: {what} cannot be used here. Only placeholders and {{% if %}} can."
            )
        if depth > DEEPEST:
            raise Unfit(f"Line {node.lineno}: conditions may stand in each other {DEEPEST} deep at most.")
        if isinstance(node, nodes.Name):
            count += 1
            _check_name(node, known, flags, shown)
    if count > MOST_PLACEHOLDERS:
        raise Unfit(f"It has {count} placeholders: use at most {MOST_PLACEHOLDERS}.")


def _check_name(node: nodes.Name, known: Collection[str], flags: Collection[str], shown: bool) -> None:
    if node.name not in known:
        near = get_close_matches(node.name, known, 1)
        hint = f" Is {near[0]} meant?" if near else ""
        raise Unfit(f"Line {node.lineno}: there is no placeholder {node.name}.{hint}")
    if shown and node.name in flags:
        raise Unfit(f"Line {node.lineno}: {node.name} is for {{% if %}} only; it has no words of its own.")


def _parsed(source: str) -> nodes.Template:
    try:
        return _ENVIRONMENT.parse(source)
    except TemplateError as wrong:
        line = getattr(wrong, "lineno", None) or 1
        raise Unfit(f"Line {line}: {str(wrong.message or 'it cannot be read').rstrip('.')}.") from wrong
    except RecursionError as deep:
        raise Unfit("Conditions stand in each other too deep.") from deep


def _walk(node: nodes.Node, depth: int = 0, shown: bool = False) -> Iterator[tuple[nodes.Node, int, bool]]:
    """Every node with how many conditions it stands in, and whether it is printed."""
    yield node, depth, shown
    if not isinstance(node, ALLOWED) or depth > DEEPEST:
        return
    for child in node.iter_child_nodes():
        yield from _walk(child, depth + isinstance(node, nodes.If), isinstance(node, nodes.Output))


def filled(source: str, has: Mapping[str, bool]) -> str:
    """The text with its conditions decided and a mark for each placeholder; those without a value leave nothing.
    Raises Unfit."""
    marks = {name: f"{OPEN}{name}{CLOSE}" if value else "" for name, value in has.items()}
    try:
        return _compiled(source).render(marks)
    except (TemplateError, RecursionError, SyntaxError) as wrong:
        raise Unfit(f"It cannot be used: {wrong}") from wrong


@lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def paragraphs(text: str) -> list[str]:
    """Its paragraphs, which blank lines part; empty ones are dropped."""
    found = re.split(r"\n\s*\n", text.replace("\r\n", "\n"))
    return [stripped for paragraph in found if (stripped := paragraph.strip())]


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
_ENVIRONMENT.globals.clear()
_ENVIRONMENT.filters.clear()
