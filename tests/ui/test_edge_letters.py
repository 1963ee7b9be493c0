from __future__ import annotations

from itertools import product

import pytest

from tests.dicom.made_images import AXIAL, CORONAL, SAGITTAL, Directions, placed, unplaced
from viewer.dicom.model import Image
from viewer.dicom.planes import EdgeLetters, edge_letters
from viewer.ui.view_transform import ViewTransform

LAYS = list(product((False, True), range(4)))

# Where the patient's sides are in the image: from its middle along (columns, rows).
SIDES = {
    "axial": (AXIAL, {"L": (1, 0), "R": (-1, 0), "P": (0, 1), "A": (0, -1)}),
    "coronal": (CORONAL, {"L": (1, 0), "R": (-1, 0), "F": (0, 1), "H": (0, -1)}),
    "sagittal": (SAGITTAL, {"P": (1, 0), "A": (-1, 0), "F": (0, 1), "H": (0, -1)}),
}


def on_screen(view: ViewTransform, sides: dict[str, tuple[int, int]]) -> EdgeLetters:
    """The letters by walking from the middle of the picture towards each side of the patient."""
    middle = view.to_screen(view.columns / 2, view.rows / 2)
    edges = {}
    for letter, (along, down) in sides.items():
        x, y = view.to_screen(view.columns / 2 + 10 * along, view.rows / 2 + 10 * down)
        dx, dy = x - middle[0], y - middle[1]
        side = (
            ("right" if dx > 0 else "left") if abs(dx) > abs(dy) else "bottom" if dy > 0 else "top"
        )
        edges[side] = letter
    return EdgeLetters(**edges)


def letters_of(image: Image, view: ViewTransform) -> EdgeLetters:
    return edge_letters(image, view.direction_to_image(1, 0), view.direction_to_image(0, 1))


@pytest.mark.parametrize(("mirrored", "turns"), LAYS)
@pytest.mark.parametrize("plane", list(SIDES))
def test_letters_follow_every_turn_and_flip(plane: str, mirrored: bool, turns: int) -> None:
    directions: Directions
    directions, sides = SIDES[plane]
    view = ViewTransform(100, 80, 400, 300, mirrored=mirrored, turns=turns).fit()
    assert letters_of(placed("a", (0, 0, 0), directions), view) == on_screen(view, sides)


@pytest.mark.parametrize(("mirrored", "turns"), LAYS)
def test_so_do_those_of_a_radiograph(mirrored: bool, turns: int) -> None:
    view = ViewTransform(100, 80, 400, 300, mirrored=mirrored, turns=turns).fit()
    sides = {"L": (1, 0), "R": (-1, 0), "F": (0, 1), "H": (0, -1)}
    radiograph = unplaced("pa", patient_orientation=("L", "F"))
    assert letters_of(radiograph, view) == on_screen(view, sides)


def test_turning_and_flipping_one_after_the_other() -> None:
    image = placed("a", (0, 0, 0), AXIAL)
    view = ViewTransform(100, 80, 400, 300).fit()
    assert letters_of(image, view.turned(1)) == EdgeLetters("P", "A", "R", "L")
    assert letters_of(image, view.turned(1).flipped()) == EdgeLetters("A", "P", "R", "L")
    assert letters_of(image, view.flipped().turned(1)) == EdgeLetters("P", "A", "L", "R")
