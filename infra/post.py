"""Letters on paper: US letter size, the address where a #10 window envelope shows it, fonts inside the file, and on the
last page a slip to send back. The same letter always makes the same file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

PLAIN, BOLD = "Vera", "VeraBd"
INCH = 72.0
WIDTH, HEIGHT = 8.5 * INCH, 11 * INCH
SIDE = 0.9 * INCH
WINDOW_TOP = HEIGHT - 2.25 * INCH
BODY_TOP = 3.75 * INCH
FOLDS = (HEIGHT - 3.67 * INCH, HEIGHT - 7.33 * INCH)


@dataclass(frozen=True, slots=True)
class Slip:
    """What the reader ticks and sends back."""

    title: str
    words: str
    choices: tuple[str, ...]
    sign: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter. The first paragraph is its title; `online` is a line above the square code that leads to `url`."""

    sender: tuple[str, ...]
    recipient: tuple[str, ...]
    date: str
    reference: str
    paragraphs: tuple[str, ...]
    online: str = ""
    url: str = ""
    slip: Slip | None = field(default=None)


def unprintable(text: str) -> str:
    """The first characters that the fonts do not have; empty when all can be printed."""
    glyphs = _glyphs()
    return "".join(sorted({sign for sign in text if sign.isprintable() and ord(sign) not in glyphs}))[:20]


def print_ready(letters: Sequence[Letter]) -> bytes:
    """The letters as one PDF, each from a page of its own."""
    from reportlab.platypus import BaseDocTemplate, Frame, NextPageTemplate, PageBreak, PageTemplate

    _glyphs()
    made, story = BytesIO(), []
    wide = WIDTH - 2 * SIDE
    document = BaseDocTemplate(made, pagesize=(WIDTH, HEIGHT), invariant=1, title="Letters", author="")
    first = [
        PageTemplate(
            f"first-{at}",
            [Frame(SIDE, 0.8 * INCH, wide, HEIGHT - BODY_TOP - 0.8 * INCH, 0, 0, 0, 0)],
            onPage=lambda canvas, _, letter=letter: _head(canvas, letter),
        )
        for at, letter in enumerate(letters)
    ]
    more = PageTemplate("more", [Frame(SIDE, 0.8 * INCH, wide, HEIGHT - 1.6 * INCH, 0, 0, 0, 0)])
    document.addPageTemplates([*first, more])
    for at, letter in enumerate(letters):
        if at:
            story += [NextPageTemplate(f"first-{at}"), PageBreak()]
        story += [NextPageTemplate("more"), *_body(letter)]
    document.build(story)
    return made.getvalue()


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    """The characters both fonts have; registers them. Loaded only by those who print: it takes a while."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    faces = []
    for name in (PLAIN, BOLD):
        font = TTFont(name, f"{name}.ttf")
        pdfmetrics.registerFont(font)
        faces.append(frozenset(font.face.charToGlyph))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    return faces[0] & faces[1]


def _head(canvas: Any, letter: Letter) -> None:
    """Sender, window, date, and marks where to fold."""
    _lines(canvas, letter.sender, SIDE, HEIGHT - 0.75 * INCH, 9)
    _lines(canvas, letter.recipient, 1.0 * INCH, WINDOW_TOP, 11)
    canvas.setFont(PLAIN, 9)
    canvas.drawRightString(WIDTH - SIDE, HEIGHT - 0.75 * INCH, letter.date)
    canvas.drawRightString(WIDTH - SIDE, HEIGHT - 0.75 * INCH - 13, letter.reference)
    canvas.setLineWidth(0.4)
    for y in FOLDS:
        canvas.line(0.15 * INCH, y, 0.3 * INCH, y)


def _lines(canvas: Any, lines: Sequence[str], x: float, y: float, size: float) -> None:
    canvas.setFont(PLAIN, size)
    for line in lines:
        canvas.drawString(x, y, line[:70])
        y -= size * 1.3


def _body(letter: Letter) -> list[Any]:
    from reportlab.platypus import KeepTogether, Paragraph, Spacer

    title, text = _style("title", BOLD, 14, 18, 10), _style("text", PLAIN, 9.5, 14, 8)
    flow: list[Any] = [Paragraph(_marked(letter.paragraphs[0]), title)]
    flow += [Paragraph(_marked(words), text) for words in letter.paragraphs[1:]]
    if letter.url:
        flow.append(
            KeepTogether([Paragraph(_marked(letter.online), text), _square_code(letter.url), Spacer(1, 8)])
        )
    if letter.slip is not None:
        flow.append(KeepTogether(_slip(letter, letter.slip, text)))
    return flow


def _style(name: str, font: str, size: float, leading: float, after: float) -> Any:
    from reportlab.lib.styles import ParagraphStyle

    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=leading, spaceAfter=after, splitLongWords=1
    )


def _marked(words: str) -> str:
    return escape(words).replace("\n", "<br/>")


def _square_code(url: str) -> Any:
    from reportlab.graphics.barcode.qr import QrCodeWidget
    from reportlab.graphics.shapes import Drawing

    size = 1.2 * INCH
    code = QrCodeWidget(url, barLevel="M", barBorder=2)
    left, bottom, right, top = code.getBounds()
    return Drawing(size, size, code, transform=[size / (right - left), 0, 0, size / (top - bottom), 0, 0])


def _slip(letter: Letter, slip: Slip, text: Any) -> list[Any]:
    from reportlab.platypus import HRFlowable, Paragraph, Spacer

    boxes = [Paragraph(f"[&nbsp;&nbsp;&nbsp;]&nbsp;&nbsp;{_marked(choice)}", text) for choice in slip.choices]
    line = "_" * 46
    return [
        Spacer(1, 10),
        HRFlowable(width="100%", thickness=0.6, dash=(3, 3), color="black", spaceAfter=8),
        Paragraph(f"<b>{_marked(slip.title)}</b>, {_marked(letter.reference)}", text),
        Paragraph(_marked(slip.words), text),
        *boxes,
        Spacer(1, 10),
        Paragraph(f"{_marked(slip.sign)}: {line}", text),
    ]
