"""What can be chosen of an export, whatever its format."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from viewer.errors import ExchangeError


class Pictures(StrEnum):
    """How the frames go out."""

    PNG8 = "png8"  # as the reader sees them
    PNG16 = "png16"  # the modality values, with the mapping that leads back to them
    DICOM = "dicom"  # de-identified


class BurnedIn(StrEnum):
    """What becomes of pictures that may show the patient's identity."""

    INCLUDE = "include"
    SKIP = "skip"


PARTS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Split:
    """Into which part a patient falls: by a hash, so that later exports divide the same way.

    Attributes
    ----------
    shares : of train, val and test; two or three, together 1.
    """

    shares: tuple[float, ...]

    @staticmethod
    def of(text: str) -> Split:
        """From ``0.8/0.1/0.1`` or ``0.8/0.2``; in hundreds as well: ``80/20``.

        Raises
        ------
        ExchangeError
            It is no such thing.
        """
        words = text.split("/")
        if len(words) not in (2, 3) or not all(re.fullmatch(r"\d{1,3}(\.\d+)?", w) for w in words):
            raise ExchangeError(
                f"A split is train/val or train/val/test, for example 0.8/0.1/0.1, not '{text}'."
            )
        shares = [float(word) for word in words]
        whole = next((w for w in (1.0, 100.0) if abs(sum(shares) - w) < 1e-6 * w), None)
        if whole is None:
            raise ExchangeError(f"The parts of the split '{text}' do not make a whole (1 or 100).")
        return Split(tuple(share / whole for share in shares))

    def part_of(self, patient_key: str) -> str:
        """The part of a patient with all images: train, val or test."""
        digest = hashlib.sha256(f"split\0{patient_key}".encode()).digest()
        place, reached = int.from_bytes(digest[:8], "big") / 2**64, 0.0
        for part, share in zip(PARTS, self.shares, strict=False):
            reached += share
            if place < reached:
                return part
        # What rounding leaves above the last sum belongs to the last part that has a share.
        return next(p for p, s in reversed(list(zip(PARTS, self.shares, strict=False))) if s > 0)


@dataclass(frozen=True, slots=True)
class Options:
    """The choices.

    Attributes
    ----------
    reader : only this reader's decisions; None: the consensus, else the one reader's.
    pictures : None: what the format has first.
    identity : reports carry the names, ids and dates of the files; else a key and new UIDs.
    burned_in : what becomes of pictures that may show identity; None: nobody has said.
    """

    reader: str | None = None
    pictures: Pictures | None = None
    split: Split | None = None
    identity: bool = False
    burned_in: BurnedIn | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that the export has, in their order; all is for training where none is said."""
        return PARTS[: 1 if self.split is None else len(self.split.shares)]
