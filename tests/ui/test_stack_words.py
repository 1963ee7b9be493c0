from __future__ import annotations

from tests.dicom.made_images import CORONAL, placed
from viewer.dicom.model import GeometryNote, Patient, Series, Study, StudyHeader
from viewer.dicom.stacks import split_stacks
from viewer.ui import wording
from viewer.ui.position import Position


def series() -> Series:
    kept = [0, 1, 2, 3, 5, 6, 7, 8]
    images = [placed(f"{z}", (0, 0, 2.5 * z), number=z) for z in kept]
    images += [placed(f"c{y}", (0, y, 0), CORONAL, 20 + y) for y in range(3)]
    return split_stacks(images)[0]


def test_a_stack_says_in_the_list_which_one_it_is_and_what_is_wrong_with_it() -> None:
    stack = series()
    assert wording.series_line(stack) == "axial · CT · 8 images"
    assert wording.series_notes(stack) == "1 image missing"
    tip = wording.series_tip(stack)
    assert "1 image missing: 1 after image 4. The gaps are not filled." in tip


def test_so_does_the_corner_of_the_picture() -> None:
    stack = series()
    study = Study(StudyHeader("S", Patient(id="1")), (stack,))
    assert wording.image_lines(Position(study, stack, 4)) == (
        "axial",
        "1 image missing",
        "Image 5/8",
        "Position 12.5 mm",
    )


def test_two_stacks_of_one_series_are_not_the_same() -> None:
    axial, coronal = split_stacks(
        [placed(f"{z}", (0, 0, z)) for z in range(3)]
        + [placed(f"c{y}", (0, y, 0), CORONAL) for y in range(3)]
    )
    study = Study(StudyHeader("S", Patient(id="1")), (axial, coronal))
    here = Position(study, axial, 0)
    assert here.same_series(Position(study, axial, 2))
    assert not here.same_series(Position(study, coronal, 0))


def test_notes_stand_in_one_line() -> None:
    notes = (GeometryNote("a", "A."), GeometryNote("b", "B."))
    stack = Series(series().header, series().images, notes=notes)
    assert wording.series_notes(stack) == "a, b"
