"""What the page of the consensus says of readers and rows. Pure: values to words and colours."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from itertools import combinations

from PySide6.QtGui import QColor

from viewer.review.adjudication import Adjudication, Resolution
from viewer.review.agreement import Agreement, agreement_over, compared
from viewer.review.consensus_rows import Kind, Row
from viewer.review.finding import Finding, Source, Status
from viewer.ui import theme
from viewer.ui.review_words import signed_words
from viewer.ui.rows_page import Line

LETTERS = "ABCDEFGHI"  # of the readers, by the keys 1 to 9


def colour_of(reader: str, readers: tuple[str, ...]) -> QColor:
    """The colour of a reader's boxes."""
    return theme.READERS[readers.index(reader) % len(theme.READERS)]


def letter_of(reader: str, readers: tuple[str, ...]) -> str:
    """By which a reader is named where there is no room for more."""
    place = readers.index(reader)
    return LETTERS[place] if place < len(LETTERS) else f"R{place + 1}"


def head(log: Adjudication, found: tuple[Resolution, ...]) -> str:
    """Who has read, how far it is, and how far they agree."""
    names = tuple(log.reads)
    readers = " · ".join(
        f'<span style="color: {colour_of(name, names).name()}">'
        f"{letter_of(name, names)} {escape(name)}</span>"
        for name in names
    )
    rows = [each for each in found if each.row is not None]
    done = sum(each.finding is not None for each in rows)
    progress = f"{done} of {len(rows)} rows resolved" if rows else "no rows"
    signature = log.state.signature
    if log.signed and signature is not None:
        signed = signed_words(signature.reader, signature.at, datetime.now(UTC))
        progress = f"✓ Consensus. {escape(signed)}"
    figures = [_figures(log, pair, prefix=len(names) > 2) for pair in combinations(names[:3], 2)]
    ai = " · AI marks shown" if log.ai_visible else " · AI marks hidden"
    return f"<b>Adjudication</b> · {readers}<br>{progress}{ai}<br>{'<br>'.join(figures)}"


def _figures(log: Adjudication, pair: tuple[str, str], *, prefix: bool) -> str:
    first, second = (letter_of(name, tuple(log.reads)) for name in pair)
    found = agreement_over(compared(log.reads[pair[0]], log.reads[pair[1]]))
    words = _agreement_words(found, first, second)
    return f"{first} and {second}: {words}" if prefix else words


def _agreement_words(found: Agreement, first: str, second: str) -> str:
    return (
        f"both {found.both}, only {first} {found.only_first}, only {second} {found.only_second} · "
        f"kappa of categories {_number(found.category_kappa)}, of images "
        f"{_number(found.image_kappa)} · mean overlap {_number(found.mean_iou)}"
    )


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def warning(log: Adjudication) -> str:
    """That the adjudicator is no third one; empty where they are."""
    if not log.adjudicator_has_read:
        return ""
    return (
        f"You, {log.reader}, are one of the readers: this consensus is no independent third "
        "opinion."
    )


def line(each: Resolution, readers: tuple[str, ...]) -> Line:
    """A row as it is listed: what it is about, and what was made of it."""
    if each.row is None:
        finding = each.finding
        assert finding is not None
        detail = "added by the adjudicator" if not finding.sources else "its readers took it back"
        return Line(each.id, finding.category, finding.image, "", detail, theme.MARK_ACCEPTED)
    row = each.row
    detail, colour = _resolved_words(each, readers)
    title = " / ".join(dict.fromkeys(source.category for source in row.marks or row.sources))
    return Line(each.id, f"{title}: {_kind_words(row, readers)}", row.image, "", detail, colour)


def _kind_words(row: Row, readers: tuple[str, ...]) -> str:
    if not row.marks:
        return "rejected by all"
    if row.kind is Kind.CATEGORY and len(row.marks) == len(readers):
        return row.kind.value
    if row.kind in (Kind.AGREED, Kind.BOX):
        return row.kind.value
    who = " and ".join(letter_of(mark.reader, readers) for mark in row.marks)
    against = [letter_of(each.reader, readers) for each in row.rejections]
    only = f"only {who}" + (f", rejected by {' and '.join(against)}" if against else "")
    return only if row.kind is Kind.PARTIAL else f"{row.kind.value}, {only}"


def _resolved_words(each: Resolution, readers: tuple[str, ...]) -> tuple[str, QColor]:
    if each.finding is None:
        if each.changed:
            return "open again: a reader has changed it", theme.WARNING
        return "to resolve" + _doubts(each.row, readers), theme.MARK_OPEN
    finding = each.finding
    if finding.status is Status.REJECTED:
        return "nothing there", theme.MARK_REJECTED
    same = [source for source in finding.sources if _is(source, finding)]
    who = "" if len(same) == len(readers) or not same else f"{letter_of(same[0].reader, readers)}'s"
    taken = {
        True: f"as {who}" if who else "as all have it",
        False: f"{finding.category}, own box or category",
    }[bool(same)]
    return f"✓ {taken}", theme.MARK_ACCEPTED


def _is(source: Source, finding: Finding) -> bool:
    return source.status is not Status.REJECTED and (source.box, source.category) == (
        finding.box,
        finding.category,
    )


def _doubts(row: Row | None, readers: tuple[str, ...]) -> str:
    unsure = [
        letter_of(mark.reader, readers) for mark in (row.marks if row else ()) if mark.uncertain
    ]
    return f" · {' and '.join(unsure)} not certain" if unsure else ""
