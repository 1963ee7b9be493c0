from __future__ import annotations

from math import cos, radians, sin

import numpy as np
import pytest

from tests.dicom.made_images import AXIAL, CORONAL, SAGITTAL, placed, unplaced
from viewer.dicom.model import Image, Series
from viewer.dicom.planes import EdgeLetters, centre_of, edge_letters, nearest_image

TURNED_CLOCKWISE = ((0, -1), (1, 0))
FLIPPED = ((-1, 0), (0, 1))


def stack(*images: Image) -> Series:
    return Series(images[0].series, images)


def test_the_centre_is_half_of_the_picture_away() -> None:
    image = placed("a", (-100.0, 5.0, 30.0), CORONAL)  # 20 columns of 1 mm, 10 rows of 2 mm
    np.testing.assert_allclose(centre_of(image), (-90.5, 5.0, 21.0))


def test_the_nearest_image_of_another_spacing() -> None:
    here = placed("a", (0, 0, 11.2))
    other = stack(*(placed(f"{n}", (50.0, -20.0, 5.0 * n)) for n in range(10)))
    assert nearest_image(here, other) == 2
    assert nearest_image(placed("a", (0, 0, 1000.0)), other) == 9


def test_an_oblique_stack_is_met_in_the_middle_of_the_picture() -> None:
    lean = radians(20)
    oblique = ((1.0, 0.0, 0.0), (0.0, cos(lean), sin(lean)))
    normal = np.array((0.0, -sin(lean), cos(lean)))
    other = stack(
        *(placed(f"{n}", tuple(normal * 3.0 * n), oblique, rows=200) for n in range(-20, 20))
    )
    here = placed("a", (0.0, 0.0, 24.0), rows=200)
    index = nearest_image(here, other)
    assert index is not None
    plane = other.images[index].geometry
    assert plane is not None
    distances = [
        abs(normal @ (centre_of(here) - np.array(each.geometry.position)))
        for each in other.images
        if each.geometry
    ]
    assert distances[index] == min(distances) <= 1.5
    assert index != 28  # where the first pixels would meet: 24 mm / 3 mm + 20


def test_nothing_is_said_where_nothing_can_be() -> None:
    here = placed("a", (0, 0, 0))
    assert nearest_image(here, stack(placed("b", (0, 0, 0), SAGITTAL))) is None
    assert nearest_image(here, stack(placed("b", (0, 0, 0), frame_of_reference="G"))) is None
    assert nearest_image(here, stack(unplaced("b"))) is None
    assert nearest_image(unplaced("a"), stack(here)) is None
    nowhere = placed("b", (0, 0, 0), frame_of_reference="")
    assert nearest_image(nowhere, stack(nowhere)) == 0  # its own series needs no name for it


@pytest.mark.parametrize(
    ("directions", "letters"),
    [
        (AXIAL, EdgeLetters("R", "L", "A", "P")),
        (CORONAL, EdgeLetters("R", "L", "H", "F")),
        (SAGITTAL, EdgeLetters("A", "P", "H", "F")),
    ],
)
def test_letters_of_the_three_planes(directions: object, letters: EdgeLetters) -> None:
    assert edge_letters(placed("a", (0, 0, 0), directions)) == letters  # type: ignore[arg-type]


def test_letters_under_rotation_and_flip() -> None:
    image = placed("a", (0, 0, 0), AXIAL)
    # Turned clockwise, what was at the top is on the right.
    assert edge_letters(image, *TURNED_CLOCKWISE) == EdgeLetters("P", "A", "R", "L")
    assert edge_letters(image, *FLIPPED) == EdgeLetters("L", "R", "A", "P")
    assert edge_letters(image, (-1, 0), (0, -1)) == EdgeLetters("L", "R", "P", "A")


def test_oblique_images_have_two_letters_main_axis_first() -> None:
    lean = radians(20)
    image = placed("a", (0, 0, 0), ((cos(lean), -sin(lean), 0.0), (sin(lean), cos(lean), 0.0)))
    assert edge_letters(image) == EdgeLetters("RP", "LA", "AR", "PL")
    slight = radians(2)
    straight = ((cos(slight), -sin(slight), 0.0), (sin(slight), cos(slight), 0.0))
    assert edge_letters(placed("a", (0, 0, 0), straight)) == EdgeLetters("R", "L", "A", "P")


def test_letters_of_radiographs_come_from_patient_orientation() -> None:
    frontal = unplaced("pa", patient_orientation=("L", "F"))
    assert edge_letters(frontal) == EdgeLetters("R", "L", "H", "F")
    assert edge_letters(frontal, *TURNED_CLOCKWISE) == EdgeLetters("F", "H", "R", "L")
    assert edge_letters(frontal, *FLIPPED) == EdgeLetters("L", "R", "H", "F")
    breast = unplaced("mlo", patient_orientation=("P", "FL"))
    assert edge_letters(breast) == EdgeLetters("A", "P", "HR", "FL")
    animal = unplaced("dog", patient_orientation=("LE", "CD"))
    assert edge_letters(animal) == EdgeLetters("", "LE", "", "CD")
    assert edge_letters(unplaced("none")) == EdgeLetters()
