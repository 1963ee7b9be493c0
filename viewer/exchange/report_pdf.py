"""The report as PDF: A4, the marks as lines over the pictures, the notice on every page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import matplotlib
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from viewer.exchange.report_model import (
    MEASURED,
    Fact,
    Mark,
    MarkKind,
    Report,
    ReportedFinding,
    ReportedImage,
    ReportPicture,
    Stroke,
)

_MARGIN, _FOOT = 18 * mm, 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_TALLEST = 112 * mm  # of a picture: its findings stand on the same page
_INK, _MUTED = colors.HexColor("#16191d"), colors.HexColor("#5d6671")
_LINE, _WARN = colors.HexColor("#d5dae0"), colors.HexColor("#8a4b00")
_SIGNED, _OPEN = colors.HexColor("#0b5a3c"), colors.HexColor("#8a4b00")
_PLAIN, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_TAG = 8.0  # points, the size of the numbers on pictures


def pdf_of(report: Report) -> bytes:
    """The report as the content of a PDF file."""
    _register_fonts()
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer,
        pagesize=A4,
        title=report.title,
        author=report.program,
        subject=report.notice,
        creator=report.program,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_FOOT,
    )
    body = Frame(_MARGIN, _FOOT, _WIDTH, A4[1] - _MARGIN - _FOOT, 0, 0, 0, 0)

    def foot(canvas: Canvas, _document: BaseDocTemplate) -> None:
        _draw_foot(canvas, report)

    document.addPageTemplates(PageTemplate(frames=[body], onPage=foot))
    document.build(list(_story(report)))
    return buffer.getvalue()


def _draw_foot(canvas: Canvas, report: Report) -> None:
    canvas.saveState()
    canvas.setStrokeColor(_LINE)
    canvas.setLineWidth(0.6)
    canvas.line(_MARGIN, _FOOT - 5 * mm, A4[0] - _MARGIN, _FOOT - 5 * mm)
    canvas.setFont(_PLAIN, 7.5)
    canvas.setFillColor(_MUTED)
    y = _FOOT - 9 * mm
    canvas.drawString(_MARGIN, y, f"{report.program} · made {report.made}")
    canvas.drawCentredString(A4[0] / 2, y, f"Page {canvas.getPageNumber()}")
    canvas.setFont(_BOLD, 7.5)
    canvas.setFillColor(_WARN)
    canvas.drawRightString(A4[0] - _MARGIN, y, report.notice)
    canvas.restoreState()


# --- what stands on the pages --------------------------------------------------------------------


def _story(report: Report) -> Sequence[Flowable]:
    state = "Signed" if report.signed else "Not signed"
    story: list[Flowable] = [
        _Head(report.title, state, _SIGNED if report.signed else _OPEN),
        Spacer(1, 4 * mm),
        Paragraph(_text(report.summary), _style(11.5, leading=15)),
        Spacer(1, 4 * mm),
        _two_columns(report.patient, report.reading),
        Spacer(1, 2 * mm),
        _facts(report.machine, _WIDTH),
        Spacer(1, 3 * mm),
    ]
    for image in report.images:
        story += _image(image)
    return story


def _image(image: ReportedImage) -> list[Flowable]:
    heading = f'{_text(image.title)} <font size="9" color="#5d6671">· {_text(image.review)}</font>'
    parts: list[Flowable] = [
        Spacer(1, 4 * mm),
        Paragraph(heading, _style(12, bold=True, leading=16)),
        Spacer(1, 2 * mm),
        _Picture(image.picture),
        Spacer(1, 2 * mm),
    ]
    if not image.findings:
        parts.append(Paragraph("No finding on this image.", _style(9.5, colour=_MUTED)))
    story: list[Flowable] = [KeepTogether(parts)]
    if image.findings:
        story.append(_table(image.findings, numbered=True))
    if image.measurements:
        words = [
            Paragraph(f"<b>{letter}</b>&nbsp;&nbsp;{_text(figures)}", _style(9))
            for letter, figures in image.measurements
        ]
        story.append(KeepTogether([_heading("Measurements"), *words]))
    if image.rejected:
        title = "Candidates of the detector that the reader rejected: no findings"
        story += [CondPageBreak(30 * mm), _heading(title), _table(image.rejected, numbered=False)]
    return story


def _heading(text: str) -> Paragraph:
    return Paragraph(
        _text(text), _style(8.5, bold=True, colour=_MUTED, before=4 * mm, after=1.5 * mm)
    )


def _two_columns(left: Sequence[Fact], right: Sequence[Fact]) -> Table:
    half = (_WIDTH - 8 * mm) / 2
    table = Table([[_facts(left, half), "", _facts(right, half)]], colWidths=[half, 8 * mm, half])
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *_NO_PADDING]))
    return table


_NO_PADDING = [
    (f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")
]


def _facts(facts: Sequence[Fact], width: float) -> Table:
    names = 22 * mm
    rows = [
        [
            Paragraph(_text(fact.name), _style(9, colour=_MUTED)),
            Paragraph(_text(fact.value), _style(9, breaks=True)),
        ]
        for fact in facts
    ]
    table = Table(rows, colWidths=[names, width - names])
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        *_NO_PADDING,
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    table.setStyle(TableStyle(style))
    return table


def _table(findings: Sequence[ReportedFinding], *, numbered: bool) -> Table:
    titles = ["Category", "Reader says", "Score", "Size of the box", "Decided"]
    widths = [32.0, 32.0, 13.0, 48.0, 41.0]
    if numbered:
        titles, widths = ["No.", *titles], [10.0, *widths]
    scale = _WIDTH / sum(widths)
    head = [Paragraph(title, _style(8, bold=True, colour=_MUTED)) for title in titles]
    rows = [head]
    for finding in findings:
        category = _text(finding.category)
        if finding.note:
            category += f'<br/><font color="#5d6671">{_text(finding.note)}</font>'
        cells = [category, _text(finding.status), finding.score or "–", finding.size]
        cells.append(_text(finding.decided))
        if numbered:
            cells.insert(0, f"<b>{finding.number}</b>")
        rows.append([Paragraph(cell, _style(9, breaks=True)) for cell in cells])
    table = Table(rows, colWidths=[width * scale for width in widths], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                *_NO_PADDING,
                ("RIGHTPADDING", (0, 0), (-1, -1), 6),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, _INK),
                ("LINEBELOW", (0, 1), (-1, -1), 0.4, _LINE),
            ]
        )
    )
    return table


class _Head(Flowable):  # type: ignore[misc]  # reportlab has no types
    """Title, whether it is signed, and a line below."""

    def __init__(self, title: str, state: str, colour: colors.Color) -> None:
        super().__init__()
        self._title, self._state, self._colour = title, state, colour

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self._width = width
        return width, 11 * mm

    def draw(self) -> None:
        canvas = self.canv
        canvas.setFillColor(_INK)
        canvas.setFont(_BOLD, 17)
        canvas.drawString(0, 4 * mm, self._title)
        canvas.setFont(_BOLD, 10)
        canvas.setFillColor(self._colour)
        canvas.drawRightString(self._width, 4 * mm, self._state)
        canvas.setStrokeColor(_INK)
        canvas.setLineWidth(1.2)
        canvas.line(0, 0, self._width, 0)


class _Picture(Flowable):  # type: ignore[misc]
    """The picture in the middle of its line, its marks as lines with a dark border."""

    def __init__(self, picture: ReportPicture) -> None:
        super().__init__()
        self._picture = picture
        scale = min(_WIDTH / picture.width, _TALLEST / picture.height)
        self._width, self._height = picture.width * scale, picture.height * scale

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return _WIDTH, self._height

    def draw(self) -> None:
        canvas = self.canv
        canvas.saveState()
        canvas.translate((_WIDTH - self._width) / 2, 0)
        content = ImageReader(io.BytesIO(self._picture.content))
        canvas.drawImage(content, 0, 0, self._width, self._height)
        for mark in self._picture.marks:
            self._draw_mark(canvas, mark)
        for stroke in self._picture.strokes:
            self._draw_stroke(canvas, stroke)
        canvas.restoreState()

    def _draw_mark(self, canvas: Canvas, mark: Mark) -> None:
        left, top, width, height = mark.box
        x, y = left * self._width, (1 - top - height) * self._height
        size = width * self._width, height * self._height
        for colour, line in ((colors.black, 3.2), (colors.HexColor(mark.colour), 1.5)):
            canvas.setStrokeColor(colour)
            canvas.setLineWidth(line)
            canvas.setDash(*((4, 2.5) if mark.kind is MarkKind.UNCERTAIN else ()))
            canvas.rect(x, y, *size, stroke=1, fill=0)
        canvas.setDash()
        self._draw_tag(canvas, str(mark.number), x, y + size[1], mark.colour)

    def _draw_stroke(self, canvas: Canvas, stroke: Stroke) -> None:
        points = [(x * self._width, (1 - y) * self._height) for x, y in stroke.points]
        path = canvas.beginPath()
        if stroke.oval:
            (x0, y0), (x1, y1) = points
            path.ellipse(x0, y0, x1 - x0, y1 - y0)
        elif len(points) == 1:
            path.circle(*points[0], 2)
        else:
            path.moveTo(*points[0])
            for point in points[1:]:
                path.lineTo(*point)
        for colour, line in ((colors.black, 2.4), (colors.HexColor(MEASURED), 1.0)):
            canvas.setStrokeColor(colour)
            canvas.setLineWidth(line)
            canvas.drawPath(path)
        x, y = max(points, key=lambda point: point[1]) if stroke.oval else points[-1]
        self._draw_tag(canvas, stroke.letter, x, y + 2, MEASURED)

    def _draw_tag(self, canvas: Canvas, text: str, x: float, y: float, colour: str) -> None:
        """Above a place, or below it at the upper edge of the picture."""
        tall = _TAG + 3
        wide = pdfmetrics.stringWidth(text, _BOLD, _TAG) + 5
        base = y if y + tall <= self._height else y - tall
        x = min(max(x, 0.0), self._width - wide)
        canvas.setFillColor(colors.HexColor(colour))
        canvas.rect(x, base, wide, tall, stroke=0, fill=1)
        canvas.setFillColor(colors.HexColor("#06110d"))
        canvas.setFont(_BOLD, _TAG)
        canvas.drawString(x + 2.5, base + 2.6, text)


# --- letters -------------------------------------------------------------------------------------


@cache
def _register_fonts() -> None:
    """The letters that matplotlib ships; for what they lack, those that PDF readers bring along."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in (_PLAIN, _BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(
        _PLAIN, normal=_PLAIN, bold=_BOLD, italic=_PLAIN, boldItalic=_BOLD
    )
    for name in (_KOREAN, _HAN):
        pdfmetrics.registerFont(UnicodeCIDFont(name))


_KOREAN, _HAN = "HYGothic-Medium", "HeiseiKakuGo-W5"


def _text(words: str) -> str:
    """For a paragraph: escaped, each run of letters in a font that has them."""
    known = pdfmetrics.getFont(_PLAIN).face.charToGlyph
    parts: list[tuple[str, str]] = []
    for letter in words:
        font = ""
        if ord(letter) not in known and letter > "\u1100":
            font = (
                _KOREAN
                if "\u1100" <= letter <= "\u11ff" or "\uac00" <= letter <= "\ud7ff"
                else _HAN
            )
        if parts and parts[-1][0] == font:
            parts[-1] = font, parts[-1][1] + letter
        else:
            parts.append((font, letter))
    return "".join(
        f'<font name="{font}">{escape(run)}</font>' if font else escape(run) for font, run in parts
    )


def _style(  # noqa: PLR0917
    size: float,
    bold: bool = False,
    colour: colors.Color = _INK,
    leading: float | None = None,
    breaks: bool = False,
    before: float = 0,
    after: float = 0,
) -> ParagraphStyle:
    """``breaks``: inside a word where it is too long, as a hash is."""
    return ParagraphStyle(
        "plain",
        fontName=_BOLD if bold else _PLAIN,
        fontSize=size,
        leading=leading or size * 1.35,
        textColor=colour,
        splitLongWords=1 if breaks else 0,
        spaceBefore=before,
        spaceAfter=after,
    )
