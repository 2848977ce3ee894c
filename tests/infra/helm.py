"""As much of Helm as our own chart uses, so that its manifests can be read without Helm on the machine.

An unknown function, value or name is an error here, as it would be with `helm template --strict`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ACTION = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)
WORD = re.compile(r'"[^"]*"|\([^()]*\)|\S+')


@dataclass
class Block:
    """if, with, range or define: what it asks and what it holds."""

    verb: str
    words: str
    body: list[Any] = field(default_factory=list)


def render(chart: Path, **changed: Any) -> list[dict[str, Any]]:
    """Every manifest of the chart; `changed` replaces top-level values."""
    values = yaml.safe_load((chart / "values.yaml").read_text()) | changed
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    templates = {file.name: _parse(file.read_text()) for file in sorted((chart / "templates").iterdir())}
    top = {
        "Values": values,
        "Chart": {"AppVersion": about["appVersion"], "Name": about["name"]},
        "Release": {"Name": "kept", "Service": "Helm"},
        "Template": {"BasePath": "templates"},
    }
    renderer = _Renderer(top, templates)
    written = [renderer.text(nodes, top) for name, nodes in templates.items() if name.endswith(".yaml")]
    return [one for text in written for one in yaml.safe_load_all(text) if one]


def _parse(source: str) -> list[Any]:
    """Texts, expressions and blocks, nested."""
    stack: list[list[Any]] = [[]]
    at, trim = 0, False
    for found in ACTION.finditer(source):
        text = source[at : found.start()]
        text = text.lstrip() if trim else text
        stack[-1].append(text.rstrip() if found[1] else text)
        at, trim = found.end(), bool(found[3])
        _take(stack, found[2])
    stack[-1].append(source[at:].lstrip() if trim else source[at:])
    assert len(stack) == 1, "a block is not closed"
    return stack[0]


def _take(stack: list[list[Any]], words: str) -> None:
    verb, _, rest = words.partition(" ")
    if words.startswith("/*"):
        return
    if verb == "end":
        stack.pop()
    elif verb in ("if", "with", "range", "define"):
        block = Block(verb, rest)
        stack[-1].append(block)
        stack.append(block.body)
    else:
        stack[-1].append(Block("put", words))


class _Renderer:
    def __init__(self, top: dict[str, Any], templates: dict[str, list[Any]]) -> None:
        self.top, self.templates = top, templates
        self.defined = {
            node.words.strip('"'): node.body
            for nodes in templates.values()
            for node in nodes
            if isinstance(node, Block) and node.verb == "define"
        }

    def text(self, nodes: list[Any], dot: Any) -> str:
        return "".join(node if isinstance(node, str) else self._block(node, dot) for node in nodes)

    def _block(self, block: Block, dot: Any) -> str:
        if block.verb == "define":
            return ""
        value = self._value(block.words, dot)
        if block.verb == "put":
            return str(value)
        if block.verb == "range":
            return "".join(self.text(block.body, one) for one in value)
        return self.text(block.body, value if block.verb == "with" else dot) if value else ""

    def _value(self, words: str, dot: Any) -> Any:
        first, *rest = [part.strip() for part in words.split(" | ")]
        value = self._call(WORD.findall(first), dot)
        for part in rest:
            name, *arguments = part.split()
            value = PIPES[name](value, *map(int, arguments))
        return value

    def _call(self, words: list[str], dot: Any) -> Any:
        name, arguments = words[0], [self._word(word, dot) for word in words[1:]]
        if name == "include":
            nodes = self.defined.get(arguments[0]) or self.templates[Path(arguments[0]).name]
            return self.text(nodes, arguments[1]).strip()
        if name in FUNCTIONS:
            return FUNCTIONS[name](*arguments)
        return self._word(name, dot)

    def _word(self, word: str, dot: Any) -> Any:
        if word.startswith('"'):
            return word[1:-1]
        if word.startswith("("):
            return self._value(word[1:-1], dot)
        value = self.top if word.startswith("$") else dot
        for name in filter(None, word.removeprefix("$").split(".")):
            value = value[name]
        return value


def _nindent(text: str, spaces: int) -> str:
    return "\n" + "\n".join(" " * spaces + line if line else line for line in text.splitlines())


FUNCTIONS = {
    "toYaml": lambda value: yaml.safe_dump(value).strip(),
    "list": lambda *values: list(values),
    "not": lambda value: not value,
    "print": lambda *values: "".join(values),
}
PIPES = {
    "nindent": _nindent,
    "quote": lambda value: f'"{value}"',
    "sha256sum": lambda value: "0" * 64,
}
