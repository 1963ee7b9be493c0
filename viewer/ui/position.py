"""Where the reader is: an image by its place in a series of a study."""

from __future__ import annotations

from dataclasses import dataclass, replace

from viewer.dicom.model import Image, Kind, Series, Study, StudyHeader
from viewer.ui.frames import place_of

StudyKey = tuple[str, str, str]


def study_key(study: Study) -> StudyKey:
    """What tells studies apart: one UID on two patients, a sender's fault, is two studies."""
    return header_key(study.header)


def header_key(header: StudyHeader) -> StudyKey:
    """The same, of a study that is known by its header alone."""
    return header.uid, header.patient.id, header.patient.issuer


@dataclass(frozen=True, slots=True)
class Position:
    """An image by its place in a series of a study."""

    study: Study
    series: Series
    index: int

    @property
    def image(self) -> Image:
        return self.series.images[self.index]

    def moved(self, by: int) -> Position:
        """The same series ``by`` images on, as far as it goes."""
        last = len(self.series.images) - 1
        return replace(self, index=min(max(self.index + by, 0), last))

    def same_series(self, other: Position | None) -> bool:
        return (
            other is not None
            and self.series.header.uid == other.series.header.uid
            and self.series.stack == other.series.stack
            and study_key(self.study) == study_key(other.study)
        )

    def found_again(self, study: Study) -> Position:
        """The same image where the study has grown; itself where it is another study's."""
        if study_key(self.study) != study_key(study):
            return self
        place = place_of(self.image)
        for series in study.series:
            for index, image in enumerate(series.images):
                if place_of(image) == place:
                    return Position(study, series, index)
        return self


def first_of(study: Study) -> Position:
    """The first series of images; reports and the like come first only where there is no image."""
    series = next((s for s in study.series if s.images[0].kind is Kind.IMAGE), study.series[0])
    return Position(study, series, 0)


def find_image(study: Study, uid: str, frame_number: int) -> Position | None:
    """An image of a study by what its decisions are kept under."""
    for series in study.series:
        for index, image in enumerate(series.images):
            if (image.uid, image.frame_number) == (uid, frame_number):
                return Position(study, series, index)
    return None
