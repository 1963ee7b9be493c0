from __future__ import annotations

import numpy as np
import pytest

from viewer.dicom.model import Frame
from viewer.engine.decode_worker import thumbnail


@pytest.mark.parametrize(
    ("aspect", "shape"),
    [(1.0, (40, 100)), (2.0, (80, 100)), (0.5, (20, 100)), (5.0, (100, 50))],
)
def test_the_pixels_of_a_thumbnail_are_square(aspect: float, shape: tuple[int, int]) -> None:
    frame = Frame(np.zeros((80, 200), np.uint8), "", "", (), False)
    assert thumbnail(frame, 100, aspect).shape == shape


def test_a_small_picture_stays_as_it_is() -> None:
    values = np.arange(200, dtype=np.uint8).reshape(10, 20)
    frame = Frame(values, "", "", (), False)
    assert thumbnail(frame, 100).shape == (10, 20)
