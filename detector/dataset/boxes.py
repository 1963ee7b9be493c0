"""The boxes of one image as they are read: usable ones kept, every other one said."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from detector.dataset.sample import LabelledBox
from detector.types import Box

_NOTEWORTHY_CUT = 0.99
"""Less than this share of a box left inside the image is more than rounding."""


class ImageBoxes:
    """Collects the boxes of one image.

    Parameters
    ----------
    size : (columns, rows) of the image in the pixels of the boxes; None where it is not known
        without decoding, and only the left and upper border can be checked.
    problems : gets a sentence for each box that is cut or left out.

    Attributes
    ----------
    objects : the usable boxes, each once.
    doubtful : categories of which a box was left out: the image is not complete for them, since
        something is there whose place is not known.
    """

    def __init__(self, size: tuple[int, int] | None, problems: list[str]) -> None:
        self.objects: list[LabelledBox] = []
        self.doubtful: set[str] = set()
        self.size = size or (sys.maxsize, sys.maxsize)
        self._problems = problems

    def add(self, category: str, corners: Sequence[float], which: str) -> None:
        """Take a box of x_min, y_min, x_max, y_max in outer corners, cut to the image.

        `which` begins the sentence that says what is wrong with it.
        """
        try:
            if not all(map(math.isfinite, corners)):
                raise ValueError
            box = Box(*corners)
            clipped = box.clipped(*self.size)
        except ValueError:
            self.leave_out(category, f"{which} was left out: it is empty or outside the image.")
            return
        if clipped.area < _NOTEWORTHY_CUT * box.area:
            self._problems.append(f"{which} was cut to the image: it reaches outside.")
        item = LabelledBox(clipped, category)
        if item in self.objects:
            self._problems.append(f"{which} was left out: the same box is there twice.")
        else:
            self.objects.append(item)

    def leave_out(self, category: str, sentence: str) -> None:
        """Note a box that cannot be used."""
        self._problems.append(sentence)
        self.doubtful.add(category)
