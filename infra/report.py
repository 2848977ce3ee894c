"""A report on paper: headings, paragraphs and tables as a PDF of US letter pages, with the fonts inside the file and a
foot on every page. The same report always makes the same file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

PLAIN, BOLD = "Vera", "VeraBd"
INCH = 72.0
WIDTH, HEIGHT = 8.5 * INCH, 11 * INCH
SIDE, EDGE = 0.8 * INCH, 0.8 * INCH
INK, FAINT, LINE = "#1e1d1a", "#55514a", "#c9c4b8"


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section; of the report at level 1."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph; line breaks are kept. `small` for what is quoted at length."""

    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under their column names. `shares`: how the width is divided; by default evenly."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    shares: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names and values, one under the other."""

    rows: Sequence[tuple[str, str]]


Part = Heading | Words | Table | Pairs


def pdf(title: str, foot: str, parts: Sequence[Part]) -> bytes:
    """The report as a PDF. `foot` stands at the bottom of every page, with the page's number."""
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    _fonts()
    made = BytesIO()
    document = BaseDocTemplate(made, pagesize=(WIDTH, HEIGHT), invariant=1, title=title, author="")
    frame = Frame(SIDE, EDGE, WIDTH - 2 * SIDE, HEIGHT - 2 * EDGE, 0, 0, 0, 0)
    document.addPageTemplates(
        PageTemplate("page", [frame], onPage=lambda canvas, page: _foot(canvas, foot, page.page))
    )
    document.build([flowable for part in parts for flowable in _DRAWN[type(part)](part)])
    return made.getvalue()


@lru_cache(maxsize=1)
def _fonts() -> None:
    """Register the fonts. Loaded only by those who print: it takes a while."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)


def _foot(canvas: Any, foot: str, page: int) -> None:
    canvas.setFont(PLAIN, 7.5)
    canvas.setFillColor(FAINT)
    canvas.drawString(SIDE, 0.5 * INCH, foot)
    canvas.drawRightString(WIDTH - SIDE, 0.5 * INCH, f"Page {page}")


def _heading(part: Heading) -> list[Any]:
    """A heading that does not stand alone at the foot of a page."""
    from reportlab.platypus import CondPageBreak

    size = {1: 19.0, 2: 12.5, 3: 10.0}[part.level]
    before = 0 if part.level == 1 else size
    return [CondPageBreak(1.2 * INCH), _paragraph(part.text, BOLD, size, before=before, after=size / 2.5)]


def _words(part: Words) -> list[Any]:
    size = 8.0 if part.small else 9.0
    return [_paragraph(part.text, PLAIN, size, after=6, indent=10 if part.small else 0)]


def _table(part: Table) -> list[Any]:
    shares = part.shares or (1.0,) * len(part.columns)
    widths = [(WIDTH - 2 * SIDE) * share / sum(shares) for share in shares]
    cells = [[_paragraph(name, BOLD, 8) for name in part.columns]]
    cells += [[_paragraph(value, PLAIN, 8) for value in row] for row in part.rows]
    return [_grid(cells, widths, head=True)]


def _pairs(part: Pairs) -> list[Any]:
    wide = WIDTH - 2 * SIDE
    cells = [
        [_paragraph(name, PLAIN, 8.5, color=FAINT), _paragraph(value, PLAIN, 8.5)]
        for name, value in part.rows
    ]
    return [_grid(cells, [wide * 0.28, wide * 0.72], head=False)]


def _grid(cells: list[list[Any]], widths: list[float], *, head: bool) -> Any:
    from reportlab.platypus import LongTable

    rules: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
    ]
    return LongTable(
        cells, colWidths=widths, repeatRows=1 if head else 0, style=rules, splitInRow=1, spaceAfter=8
    )


def _paragraph(
    text: str,
    font: str,
    size: float,
    *,
    before: float = 0,
    after: float = 0,
    indent: float = 0,
    color: str = INK,
) -> Any:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle(
        font,
        fontName=font,
        fontSize=size,
        leading=size * 1.35,
        spaceBefore=before,
        spaceAfter=after,
        leftIndent=indent,
        textColor=color,
        splitLongWords=1,
    )
    return Paragraph(escape(text).replace("\n", "<br/>"), style)


_DRAWN: dict[type, Any] = {Heading: _heading, Words: _words, Table: _table, Pairs: _pairs}
