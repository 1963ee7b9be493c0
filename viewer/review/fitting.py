"""A box that a reader has drawn, as it may be kept."""

from __future__ import annotations

from detector.types import Box
from viewer.dicom.model import Image
from viewer.errors import ViewerError

SMALLEST_BOX = 2.0
"""Pixels: a smaller box is a slip of the hand."""


def fitted(image: Image, box: Box) -> Box:
    """The part of a box inside its frame.

    Raises
    ------
    ViewerError
        It lies outside, or is too small.
    """
    try:
        inside = box.clipped(image.columns, image.rows)
    except ValueError as error:
        raise ViewerError("The box lies outside the image.") from error
    if inside.width < SMALLEST_BOX or inside.height < SMALLEST_BOX:
        raise ViewerError(
            f"A box needs at least {SMALLEST_BOX:g} x {SMALLEST_BOX:g} pixels in the image."
        )
    return inside
