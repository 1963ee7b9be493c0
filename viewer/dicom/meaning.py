"""What the stored values of a grey frame stand for. No pydicom here: it crosses to the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.dicom.layout import Layout
from viewer.dicom.model import SupplementalPalette, Voi, VoiWindow


@dataclass(frozen=True, slots=True)
class LookupTable:
    """``entries[i]`` is for the input ``first + i``; inputs outside take the nearest entry."""

    first: int
    entries: npt.NDArray[Any]  # (n,) uint8 or uint16
    bits: int
    explanation: str = ""

    def apply(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        index = np.clip(values.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return self.entries[index]


@dataclass(frozen=True, slots=True)
class Modality:
    """Stored values to modality values (PS3.3 C.11.1): a table, or slope and intercept."""

    slope: float
    intercept: float
    unit: str
    table: LookupTable | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a header says of the grey values of a frame.

    Attributes
    ----------
    vois : the VOI LUTs and windows; ``signed_vois`` where modality values are negative.
    padding : lowest and highest Pixel Padding Value in modality values.
    """

    transform: Modality
    vois: tuple[Voi, ...]
    signed_vois: tuple[Voi, ...]
    padding: tuple[float, float] | None
    palette: SupplementalPalette | None

    def vois_for(self, values: npt.NDArray[Any]) -> tuple[Voi, ...]:
        is_signed = self.signed_vois != self.vois and values.min() < 0
        return self.signed_vois if is_signed else self.vois

    @property
    def is_simple(self) -> bool:
        """Numbers alone, no tables: little to send along with each image."""
        return (
            self.transform.table is None
            and self.palette is None
            and all(isinstance(voi, VoiWindow) for voi in self.vois + self.signed_vois)
        )


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What a header says of a frame's pixels; ``meaning`` is None where they are colours."""

    layout: Layout
    meaning: Meaning | None


@dataclass(frozen=True, slots=True)
class Native:
    """Where the uncompressed values of a grey frame lie: what a scan found, so that decoding
    need not read the header again.

    Attributes
    ----------
    offset, length, vr : of the value of Pixel Data (7FE0,0010).
    transfer_syntax : its UID.
    file : size and time of change (ns) of the file that this holds for.
    """

    offset: int
    length: int
    vr: str
    transfer_syntax: str
    header: FrameHeader
    file: tuple[int, int]
