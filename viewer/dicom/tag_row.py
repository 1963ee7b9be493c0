"""One line of a DICOM file as the tag browser shows it. No pydicom: the window knows it, too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TagRow:
    """One element, or one item of a sequence (then without a tag).

    Attributes
    ----------
    depth : 0 for the data set, one more for an item of a sequence, and one more for what is in it.
    tag : as in PS3.6, ``(0010,0010)``.
    keyword : of a private element, its name in brackets where it is known, else "Private".
    """

    depth: int
    tag: str
    vr: str
    keyword: str
    value: str
