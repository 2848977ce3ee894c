"""The macros of `templates/parts/` under one name: `{{ ui.icon("plus") }}`, `{% call ui.card("Lines") %}`.

Every part file lists its macros and their arguments on top. Names are unique over all files, so a template needs
no import lines and macros may use each other whatever file they stand in.
"""

from __future__ import annotations

from functools import cached_property

from jinja2 import Environment
from jinja2.runtime import Macro

FILES = (
    "basics",
    "layout",
    "shell",
    "state",
    "promise",
    "story",
    "feedback",
    "table",
    "form",
    "chart",
    "map",
    "dialog",
)


class Parts:
    """Looks a macro up by name. Raises AttributeError for a name no part file defines."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def __getattr__(self, name: str) -> Macro:
        file = self._files.get(name)
        if file is None:
            raise AttributeError(f"no part named {name}")
        macro: Macro = getattr(self._environment.get_template(file).module, name)
        return macro

    @cached_property
    def _files(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for file in (f"parts/{name}.html" for name in FILES):
            for name, value in vars(self._environment.get_template(file).module).items():
                if isinstance(value, Macro) and found.setdefault(name, file) != file:
                    raise RuntimeError(f"{name} is defined in {found[name]} and in {file}")
        return found
