"""What refers to images: their headers made anew, and a DICOM image for each plain one."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import pydicom
from pydicom.dataset import Dataset

from viewer.dicom.model import Frame, Skipped
from viewer.dicom.secondary_capture import secondary_capture
from viewer.dicom.written import file_of
from viewer.errors import EngineError, InputError
from viewer.exchange.export import Export
from viewer.exchange.pages import Page, name_of
from viewer.exchange.pictures import write_durably
from viewer.review.finding import Source

_T = TypeVar("_T")
_LONGEST_NAME = 62


@dataclass(frozen=True, slots=True)
class Referred(Generic[_T]):
    """A page as another object refers to it.

    Attributes
    ----------
    dataset : the header of the image, with pixels where it was made for a plain one.
    content : what was made of its frame.
    """

    page: Page
    dataset: Dataset
    content: _T

    @property
    def frames(self) -> list[int] | None:
        """The numbers to refer to; None for an image of one frame."""
        several = int(self.dataset.get("NumberOfFrames", 1)) > 1
        return [self.page.record.image.frame_number] if several else None


def studies(work: Export, make: Callable[[Page, Frame], _T]) -> Iterator[list[Referred[_T]]]:
    """The pages of an export, study by study; what cannot be read is passed over and named.

    Parameters
    ----------
    make : what is needed of a frame; no more than that is kept of it.
    """
    found: dict[tuple[str, str], list[Referred[_T]]] = {}
    for page, frame in work.frames():
        record = page.record
        try:
            dataset = header_of(work, page, frame)
        except (InputError, EngineError) as error:
            work.skipped.append(Skipped(name_of(record.image), str(error)))
            continue
        study = record.image.study.uid, record.patient_key
        found.setdefault(study, []).append(Referred(page, dataset, make(page, frame)))
    for pages in found.values():
        pages.sort(key=lambda each: _order(each.page))
        yield pages


def _order(page: Page) -> tuple[int, int, str, int]:
    image = page.record.image
    number = image.instance_number or 0
    return image.series.number or 0, number, image.uid, image.frame_number


def header_of(work: Export, page: Page, frame: Frame) -> Dataset:
    """What refers to an image needs of it: with identity only where that was asked for.

    Raises
    ------
    InputError, EngineError
    """
    image = page.record.image
    pseudonym = work.pseudonym(page.record.patient_key)
    if image.is_plain:
        return secondary_capture(image, frame, pseudonym)
    content = work.copy(image, None if work.options.identity else pseudonym, False)
    return pydicom.dcmread(io.BytesIO(content))


def write_captures(work: Export, pages: list[Referred[_T]], name: str) -> None:
    """Write the DICOM images that were made for plain ones beside what refers to them."""
    for number, each in enumerate(pages, start=1):
        if each.page.record.image.is_plain:
            suffix = f"-{number}" if len(pages) > 1 else ""
            write_durably(work.folder / f"{name}-image{suffix}.dcm", file_of(each.dataset))


def source_words(source: Source) -> str:
    """What a reader had said of a finding of the consensus."""
    uncertain = ", uncertain" if source.uncertain else ""
    return f"{source.reader}: {source.category}, {source.status.value}{uncertain}"


def person_name(name: str) -> str:
    """A name as it was typed as a DICOM person name; one without parts ends in a caret."""
    kept = " ".join(re.sub(r"[\\=]", " ", "".join(c for c in name if c.isprintable())).split())
    kept = kept[:_LONGEST_NAME] or "unknown"
    return kept if "^" in kept else f"{kept}^"
