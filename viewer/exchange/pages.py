"""What goes out of the label database: images with what was decided on them.

Of a study, the consensus goes out where there is one, else what its one reader decided. Where
several readers have decided and nobody has adjudicated, nothing can say which of them is right:
the study is left out, and named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viewer.dicom.model import Frame, Image, Skipped
from viewer.errors import InputError
from viewer.review.finding import POSITIVE, Event, Finding, Role, Run, Status
from viewer.review.fold import ReviewState, fold
from viewer.review.measurement import Measurement
from viewer.review.record import ImageRecord, StudyRecord, by_patient, of_log, readers

if TYPE_CHECKING:
    from viewer.review.store import Store

__all__ = ["POSITIVE", "Page", "decoded", "name_of", "pages"]


@dataclass(frozen=True, slots=True)
class Page:
    """One image that is to go out, with what was decided on it.

    Attributes
    ----------
    decided : each decided finding, and each candidate that the reader neither took nor rejected
        but doubts, with the decision that gave it its present state.
    complete : these very pixels were signed.
    signature : the signature of the study in force, which may cover other images than this.
    run : the latest run of a model over these pixels; None where there was none.
    """

    record: ImageRecord
    decided: tuple[tuple[Finding, Event], ...]
    complete: bool
    measurements: tuple[Measurement, ...] = ()
    signature: Event | None = None
    run: Run | None = None

    @property
    def positive(self) -> tuple[tuple[Finding, Event], ...]:
        """What is there, be it uncertain, without what was rejected."""
        return tuple(pair for pair in self.decided if pair[0].status in POSITIVE)

    @property
    def shown(self) -> tuple[tuple[Finding, Event], ...]:
        """What a report draws: what is there, and what the reader doubts and has not rejected."""
        return tuple(pair for pair in self.decided if pair[0].status is not Status.REJECTED)

    @property
    def certain(self) -> tuple[tuple[Finding, Event], ...]:
        """What is there for sure: what a data set may show as an object."""
        return tuple(pair for pair in self.positive if not pair[0].uncertain)

    @property
    def rejected(self) -> tuple[tuple[Finding, Event], ...]:
        """What is not there for sure."""
        return tuple(
            (finding, decision)
            for finding, decision in self.decided
            if finding.status is Status.REJECTED and not finding.uncertain
        )

    @property
    def uncertain(self) -> tuple[tuple[Finding, Event], ...]:
        return tuple(pair for pair in self.decided if pair[0].uncertain)

    @property
    def exhaustive(self) -> bool:
        """Nothing else is there than ``certain``: signed, and no finding is uncertain."""
        return self.complete and not self.uncertain

    @property
    def reviewed_negative(self) -> bool:
        return self.exhaustive and not self.certain


def pages(
    store: Store,
    *,
    studies: Collection[tuple[str, str]] | None = None,
    images: Collection[tuple[str, int]] | None = None,
    reader: str | None = None,
) -> tuple[list[Page], list[Skipped]]:
    """The images with a decided finding, and those that were signed without one.

    In an order that says nothing of patients and is the same in every export.

    Parameters
    ----------
    studies, images : only these studies (uid, patient key), only these images (uid, frame number);
        None: all.
    reader : what this reader decided, whatever others did.

    Returns
    -------
    pages, skipped : and the studies that several readers have read and nobody has adjudicated.
    """
    found: list[Page] = []
    skipped: list[Skipped] = []
    for study in _studies(store, studies):
        several = readers(study)
        log = _log(study, several, reader)
        if log is None:
            skipped.append(
                Skipped(
                    _study_words(study),
                    f"It was read by {len(several)} readers ({', '.join(several)}) and not "
                    "adjudicated; adjudicate it, or export one reader's decisions.",
                )
            )
        else:
            found += _pages_of(log, fold(log), images)
    found.sort(key=lambda page: (page.record.pixel_sha256, page.record.key.uid))
    return found, skipped


def _log(study: StudyRecord, several: tuple[str, ...], reader: str | None) -> StudyRecord | None:
    if reader is not None:
        return of_log(study, reader)
    consensus = of_log(study, "", Role.ADJUDICATOR)
    if fold(consensus).signed:
        return consensus
    return of_log(study, several[0] if several else "") if len(several) < 2 else None


def _pages_of(
    study: StudyRecord, state: ReviewState, images: Collection[tuple[str, int]] | None
) -> Iterator[Page]:
    for record in study.images:
        key = record.key
        if images is not None and (key.uid, key.frame_number) not in images:
            continue
        decided = tuple(
            (finding, state.decisions[finding.id])
            for finding in state.findings
            if finding.image == key and (finding.status is not Status.OPEN or finding.uncertain)
        )
        complete = key in state.signed_images
        if decided or complete:
            measured = tuple(each for each in state.measurements if each.image == key)
            run = next((each for each in reversed(study.runs) if each.image == key), None)
            yield Page(record, decided, complete, measured, state.signature, run)


def _studies(store: Store, wanted: Collection[tuple[str, str]] | None) -> Iterator[StudyRecord]:
    """Each study of each patient: one patient's signature says nothing about another's images."""
    uids = store.study_uids() if wanted is None else dict.fromkeys(uid for uid, _ in wanted)
    for study_uid in uids:
        for patient, study in by_patient(store.load(study_uid)):
            if wanted is None or (study_uid, patient) in wanted:
                yield study


def _study_words(study: StudyRecord) -> str:
    return name_of(study.images[0].image) if study.images else study.study_uid


def decoded(page: Page, decode: Callable[[Image], Frame]) -> Frame:
    """The picture that was judged.

    Raises
    ------
    InputError
        The file holds other pixels now, or not all of them; or as ``decode`` raises.
    """
    frame = decode(page.record.image)
    if frame.pixel_sha256 != page.record.pixel_sha256:
        raise InputError("The file holds other pixels than those that were read.")
    if frame.incomplete:
        raise InputError("The picture is incomplete: nothing can be learnt from it.")
    return frame


def name_of(image: Image) -> str:
    """Where an image lies, for a sentence to the reader; never for an export."""
    return f"{image.path} > {image.member}" if image.member else str(image.path)
