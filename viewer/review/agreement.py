"""How far two readers agree. Pure functions.

Compared are positive findings (accepted, corrected or added; also those that a reader is not
certain of) on the images that both readers have signed. They are matched one to one by an
intersection over union of at least ``matching.SAME_FINDING_IOU``, whatever their category, yet so
that as many pairs as possible are of one category.

Category kappa is Cohen's kappa over one table of all matched pairs and all unmatched findings. Its
rows are the first reader's categories and "nothing", its columns the second reader's; a finding
that only one has marked is one whose other category is "nothing". The places where both saw
nothing cannot be counted, so that its chance agreement is that of marks alone: it is lower than a
kappa over images, and below 0 where readers seldom mark the same.

Image kappa is Cohen's kappa over the images: with at least one positive finding, or without.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from viewer.dicom.model import ImageKey
from viewer.review.finding import POSITIVE, Finding
from viewer.review.fold import ReviewState, fold
from viewer.review.matching import FloatArray, matched
from viewer.review.record import StudyRecord, of_log, readers


@dataclass(frozen=True, slots=True)
class ImageAgreement:
    """What two readers have marked on one image.

    Attributes
    ----------
    both : pairs of one finding of each reader.
    """

    image: ImageKey
    both: tuple[tuple[Finding, Finding], ...]
    only_first: tuple[Finding, ...]
    only_second: tuple[Finding, ...]

    @property
    def positive(self) -> tuple[bool, bool]:
        """Whether the first and the second reader have marked anything."""
        return bool(self.both or self.only_first), bool(self.both or self.only_second)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The figures over some images; None where a figure is undefined.

    Attributes
    ----------
    same_category : of the pairs in ``both``.
    category_kappa, image_kappa : as the module says; None without anything to agree on, or where
        both readers said one and the same of everything, so that chance alone would agree.
    images_both, images_first, images_second : images that both, or only one, called positive.
    mean_iou : of the pairs.
    """

    images: int
    both: int
    only_first: int
    only_second: int
    same_category: int
    category_kappa: float | None
    images_both: int
    images_first: int
    images_second: int
    image_kappa: float | None
    mean_iou: float | None

    @property
    def findings(self) -> int:
        """The places that at least one reader has marked."""
        return self.both + self.only_first + self.only_second


def signed_reads(study: StudyRecord) -> dict[str, ReviewState]:
    """What each reader says who has signed a study of one patient, by name in their order."""
    states = {name: fold(of_log(study, name)) for name in sorted(readers(study))}
    return {name: state for name, state in states.items() if state.signed}


def positive_findings(state: ReviewState, image: ImageKey) -> list[Finding]:
    """What a reader says is on an image."""
    return [
        finding
        for finding in state.findings
        if finding.image == image and finding.status in POSITIVE
    ]


def compared(first: ReviewState, second: ReviewState) -> tuple[ImageAgreement, ...]:
    """The images that both readers have signed, in the order of their keys."""
    both = first.signed_images & second.signed_images
    in_order = sorted(both, key=lambda key: (key.uid, key.frame_number))
    return tuple(_compared_on(image, first, second) for image in in_order)


def agreement_over(images: Iterable[ImageAgreement]) -> Agreement:
    """The figures over these images."""
    images = tuple(images)
    pairs = [pair for image in images for pair in image.both]
    calls = image_table(images)
    return Agreement(
        images=len(images),
        both=len(pairs),
        only_first=sum(len(image.only_first) for image in images),
        only_second=sum(len(image.only_second) for image in images),
        same_category=sum(one.category == other.category for one, other in pairs),
        category_kappa=_defined(cohens_kappa(category_table(images, categories_of(images)))),
        images_both=int(calls[0, 0]),
        images_first=int(calls[0, 1]),
        images_second=int(calls[1, 0]),
        image_kappa=_defined(cohens_kappa(calls)),
        mean_iou=(
            sum(one.box.iou(other.box) for one, other in pairs) / len(pairs) if pairs else None
        ),
    )


def categories_of(images: Iterable[ImageAgreement]) -> tuple[str, ...]:
    """Every category that was used, in order."""
    used: set[str] = set()
    for image in images:
        used |= {finding.category for pair in image.both for finding in pair}
        used |= {finding.category for finding in (*image.only_first, *image.only_second)}
    return tuple(sorted(used))


def category_table(images: Iterable[ImageAgreement], categories: Sequence[str]) -> FloatArray:
    """(C + 1, C + 1) the first reader's categories by the second's; the last is "nothing"."""
    place = {name: number for number, name in enumerate(categories)}
    nothing = len(categories)
    table = np.zeros((nothing + 1, nothing + 1))
    for image in images:
        for one, other in image.both:
            table[place[one.category], place[other.category]] += 1
        for finding in image.only_first:
            table[place[finding.category], nothing] += 1
        for finding in image.only_second:
            table[nothing, place[finding.category]] += 1
    return table


def image_table(images: Iterable[ImageAgreement]) -> FloatArray:
    """(2, 2) images by what the first and the second reader call them: positive, negative."""
    table = np.zeros((2, 2))
    for image in images:
        first, second = image.positive
        table[int(not first), int(not second)] += 1
    return table


def cohens_kappa(tables: FloatArray) -> FloatArray:
    """Cohen's kappa (Cohen 1960) of tables of counts, NaN where it is undefined.

    Parameters
    ----------
    tables : (..., N, N) one reader's answers by the other's.

    Returns
    -------
    (...) values, at most 1. It is undefined over nothing, and where the agreement expected by
    chance is complete, as where both always give one and the same answer.
    """
    total = tables.sum(axis=(-2, -1))
    agreed = np.trace(tables, axis1=-2, axis2=-1)
    by_chance = (tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1)
    # In counts and not in shares: whole numbers compare without rounding.
    room = total * total - by_chance
    defined = room > 0
    kappa: FloatArray = np.where(
        defined, (agreed * total - by_chance) / np.where(defined, room, 1.0), np.nan
    )
    return kappa


def _compared_on(image: ImageKey, first: ReviewState, second: ReviewState) -> ImageAgreement:
    one, other = positive_findings(first, image), positive_findings(second, image)
    pairs = matched(one, other, any_category=True)
    taken = {i for i, _ in pairs}, {j for _, j in pairs}
    return ImageAgreement(
        image,
        tuple((one[i], other[j]) for i, j in pairs),
        tuple(finding for i, finding in enumerate(one) if i not in taken[0]),
        tuple(finding for j, finding in enumerate(other) if j not in taken[1]),
    )


def _defined(value: FloatArray) -> float | None:
    return float(value) if np.isfinite(value) else None
