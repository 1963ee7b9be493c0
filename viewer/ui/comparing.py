"""What stands above pictures beside each other, so that nobody takes one for the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from viewer.dicom.model import StudyHeader
from viewer.dicom.priors import is_earlier, same_patient
from viewer.ui import wording
from viewer.ui.position import header_key


class Tone(Enum):
    """How a caption looks."""

    PLAIN = 0
    PRIOR = 1
    ALARM = 2  # two patients are side by side


@dataclass(frozen=True, slots=True)
class Caption:
    """The line above a picture."""

    text: str = ""
    tone: Tone = Tone.PLAIN


def captions(studies: Sequence[StudyHeader | None], active: int) -> tuple[Caption, ...]:
    """One line for each viewport, empty where there is nothing to mix up.

    Parameters
    ----------
    studies : what each viewport in sight shows; None for an empty one.
    active : the place of the active viewport.
    """
    here = studies[active]
    shown = [study for study in studies if study is not None]
    return tuple(Caption() if study is None else _caption(study, here, shown) for study in studies)


def _caption(study: StudyHeader, here: StudyHeader | None, shown: list[StudyHeader]) -> Caption:
    if here is not None and same_patient(study.patient, here.patient) is False:
        return Caption("another patient", Tone.ALARM)
    others = [
        other
        for other in shown
        if header_key(other) != header_key(study) and same_patient(other.patient, study.patient)
    ]
    if not others:
        return Caption()
    if any(is_earlier(study, other) for other in others):
        return Caption(f"prior, {wording.date(study.date)}", Tone.PRIOR)
    if any(is_earlier(other, study) for other in others):
        return Caption(f"current, {wording.date(study.date)}")
    # Nothing tells which one is earlier; that they are two studies must be said all the same.
    return Caption(f"another study, {wording.date(study.date) or 'without a date'}")
