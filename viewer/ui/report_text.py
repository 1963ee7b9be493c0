"""A report as rich text: an indented tree of names and values, references as links."""

from __future__ import annotations

from html import escape

from viewer.dicom.model import Image, Kind, Study
from viewer.dicom.objects import Reference, Report, ReportItem
from viewer.ui import theme, wording

_INDENT = 22  # pixels a level
_DEEPEST = 12  # levels that are still moved in: the words need room, too


def report_html(report: Report, image: Image, study: Study) -> str:
    """The text of a report for a text view; all that a file said is escaped.

    Links are ``UID frame``, of images that are open.
    """
    muted = theme.MUTED.name()
    parts = [f'<p style="color:{muted}; margin:0">{escape(line)}</p>' for line in _heading(image)]
    parts.append(f'<p style="font-size:20px; margin:14px 0 8px 0">{escape(report.title)}</p>')
    parts.append('<table cellspacing="0" cellpadding="1">')
    for name, value in report.facts:
        parts.append(
            f'<tr><td style="color:{muted}; padding-right:18px">{escape(name)}</td>'
            f"<td>{escape(value)}</td></tr>"
        )
    parts.append("</table>")
    for note in report.notes:
        parts.append(f'<p style="color:{theme.WARNING.name()}">{escape(note)}</p>')
    parts.append('<hr style="margin:8px 0">')
    places = _places(study)
    for item in report.items:
        _add(parts, item, 0, places)
    return "".join(parts)


def _heading(image: Image) -> tuple[str, ...]:
    """Whose report it is: the corner text of a picture, in two lines."""
    lines = wording.patient_lines(image), wording.series_lines(image)
    return tuple(" · ".join(line) for line in lines if line)


def _add(
    parts: list[str], item: ReportItem, depth: int, places: dict[str, tuple[str, int]]
) -> None:
    muted = theme.MUTED.name()
    words = []
    if item.relation:
        words.append(f'<span style="color:{muted}"><i>{escape(item.relation)}</i></span>')
    if item.name:
        colon = ":" if item.value or item.references else ""
        name = f"{escape(item.name)}{colon}"
        heading = not item.value and not item.references
        words.append(f"<b>{name}</b>" if heading else f'<span style="color:{muted}">{name}</span>')
    if item.value:
        words.append(escape(item.value).replace("\n", "<br>"))
    words.append(", ".join(_link(reference, places) for reference in item.references))
    if not item.name and not item.value and not item.references and not item.relation:
        depth -= 1  # a container without a name: its children stand in its place
    else:
        margin = min(max(depth, 0), _DEEPEST) * _INDENT
        text = " ".join(word for word in words if word)
        parts.append(f'<p style="margin:3px 0 3px {margin}px">{text}</p>')
    for child in item.children:
        _add(parts, child, depth + 1, places)


def _link(reference: Reference, places: dict[str, tuple[str, int]]) -> str:
    """``image 3 of series 2`` where it is open, else what kind of object it is."""
    frames = ""
    if reference.frames:
        noun = "frame" if len(reference.frames) == 1 else "frames"
        frames = f", {noun} {', '.join(map(str, reference.frames))}"
    if reference.uid not in places:
        kind = reference.sop_class.removesuffix(" Storage") or "an object"
        return f"{escape(kind)}{frames} (not open)"
    words, frame = places[reference.uid]
    frame = reference.frames[0] if reference.frames else frame
    return (
        f'<a href="{escape(reference.uid, quote=True)} {frame}" '
        f'style="color:{theme.ACCENT.name()}">{escape(words)}{frames}</a>'
    )


def _places(study: Study) -> dict[str, tuple[str, int]]:
    """How each instance of a study is called, and its first frame."""
    found: dict[str, tuple[str, int]] = {}
    for place, series in enumerate(study.series, start=1):
        number = series.header.number if series.header.number is not None else place
        for index, image in enumerate(series.images, start=1):
            if image.uid not in found:
                noun = "image" if image.kind is Kind.IMAGE else image.kind.value
                words = f"{noun} {index} of series {number}"
                found[image.uid] = words, image.frame_number
    return found
