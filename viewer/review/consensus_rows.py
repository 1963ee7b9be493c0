"""What an adjudicator has to resolve: the readers' findings, those of one place in one row. Pure.

Positive findings of all readers who have signed are matched as in ``agreement``, reader after
reader in the order of their names: a further reader's findings against the mean box of each row so
far. What a reader has rejected is named in the row of those who have it marked. What all of them
have rejected is a row of its own, since nothing there is a decision, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from detector.types import Box
from viewer.dicom.model import ImageKey
from viewer.review.finding import POSITIVE, Finding, Source, Status
from viewer.review.fold import ReviewState
from viewer.review.matching import matched

SAME_BOX_IOU = 0.75
"""Two readers' boxes of one finding that overlap by less than this differ."""


class Kind(StrEnum):
    CATEGORY = "category differs"
    PARTIAL = "not marked by all"
    BOX = "box differs"
    AGREED = "agreed"


@dataclass(frozen=True, slots=True)
class Row:
    """What the readers say of one place.

    Attributes
    ----------
    marks : the findings of those who say that something is there, by the names of their readers.
    rejections : the rejected candidates of others, or of all of them where nobody has a mark.
    """

    image: ImageKey
    kind: Kind
    marks: tuple[Source, ...]
    rejections: tuple[Source, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        return (*self.marks, *self.rejections)

    @property
    def id(self) -> str:
        first = self.sources[0]
        return f"{first.reader}\0{first.finding_id}"

    @property
    def box(self) -> Box:
        """The mean of the boxes."""
        return _mean([source.box for source in self.marks or self.rejections])

    @property
    def category(self) -> str:
        """The one that most have given; of several, the first by name."""
        names = Counter(source.category for source in self.marks or self.rejections)
        return min(names, key=lambda name: (-names[name], name))

    def by(self, reader: str) -> Source | None:
        """What a reader has marked here."""
        return next((source for source in self.marks if source.reader == reader), None)


def signed_by_all(reads: Mapping[str, ReviewState]) -> frozenset[ImageKey]:
    """The images that every one of these readers has signed."""
    signed = [state.signed_images for state in reads.values()]
    return frozenset.intersection(*signed) if signed else frozenset()


def rows_of(reads: Mapping[str, ReviewState], images: Iterable[ImageKey]) -> tuple[Row, ...]:
    """The rows of these images, of each image the disagreements first.

    Parameters
    ----------
    reads : reader -> what that reader has signed.
    images : those that count, in the order in which they are read.
    """
    all_signed = signed_by_all(reads)
    order = list(Kind)
    found: list[Row] = []
    for image in images:
        if image in all_signed:
            rows = _rows_on(image, reads)
            found += sorted(rows, key=lambda row: (order.index(row.kind), not row.marks))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Place:
    """The findings of one place, as a box to match others with."""

    sources: tuple[Source, ...]

    @property
    def box(self) -> Box:
        return _mean([source.box for source in self.sources])

    @property
    def category(self) -> str:
        return self.sources[0].category


def _rows_on(image: ImageKey, reads: Mapping[str, ReviewState]) -> list[Row]:
    marked = {name: _sources(name, state, image, POSITIVE) for name, state in sorted(reads.items())}
    rejected = {
        name: _sources(name, state, image, frozenset((Status.REJECTED,)))
        for name, state in sorted(reads.items())
    }
    rows: list[Row] = []
    for place in _places(marked):
        rejections = _taken(place, rejected)
        kind = _kind(place.sources, len(reads))
        rows.append(Row(image, kind, place.sources, rejections))
    rows += [
        Row(image, Kind.AGREED, (), place.sources)
        for place in _places(rejected)
        if len(place.sources) == len(reads)
    ]
    return rows


def _sources(
    reader: str, state: ReviewState, image: ImageKey, statuses: frozenset[Status]
) -> list[Source]:
    return [
        source_of(reader, finding)
        for finding in state.findings
        if finding.image == image and finding.status in statuses
    ]


def source_of(reader: str, finding: Finding) -> Source:
    """A reader's finding as it is now."""
    return Source(
        reader, finding.id, finding.box, finding.category, finding.status, finding.uncertain
    )


def _places(by_reader: Mapping[str, Sequence[Source]]) -> list[_Place]:
    """The findings of all readers, those of one place together."""
    places: list[_Place] = []
    for sources in by_reader.values():
        partner = {j: i for i, j in matched(places, sources, any_category=True)}
        for number, source in enumerate(sources):
            if number in partner:
                place = partner[number]
                places[place] = _Place((*places[place].sources, source))
            else:
                places.append(_Place((source,)))
    return places


def _taken(place: _Place, rejected: dict[str, list[Source]]) -> tuple[Source, ...]:
    """What others have rejected at a place; it is taken out of ``rejected``."""
    found: list[Source] = []
    have_marked = {source.reader for source in place.sources}
    for reader, sources in rejected.items():
        if reader not in have_marked:
            for _, number in matched([place], sources, any_category=True):
                found.append(sources.pop(number))
    return tuple(found)


def _kind(sources: Sequence[Source], readers: int) -> Kind:
    if len({source.category for source in sources}) > 1:
        return Kind.CATEGORY
    if len(sources) < readers:
        return Kind.PARTIAL
    apart = any(one.box.iou(other.box) < SAME_BOX_IOU for one, other in combinations(sources, 2))
    return Kind.BOX if apart else Kind.AGREED


def _mean(boxes: Sequence[Box]) -> Box:
    count = len(boxes)
    return Box(
        sum(box.x_min for box in boxes) / count,
        sum(box.y_min for box in boxes) / count,
        sum(box.x_max for box in boxes) / count,
        sum(box.y_max for box in boxes) / count,
    )
