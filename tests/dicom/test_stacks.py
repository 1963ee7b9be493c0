from __future__ import annotations

import random
from collections.abc import Sequence
from math import cos, radians, sin
from pathlib import Path

import numpy as np
import pytest

from tests.dicom.made_images import AXIAL, CORONAL, SAGITTAL, placed, unplaced
from tests.dicom_factory import make_dataset, make_dicom, write_dataset
from viewer.dicom.model import Image, Series, Spacing, SpacingSource
from viewer.dicom.scan import scan
from viewer.dicom.stacks import split_stacks
from viewer.dicom.studies import build_studies


def stacks(images: Sequence[Image]) -> tuple[Series, ...]:
    shuffled = list(images)
    random.Random(7).shuffle(shuffled)
    return split_stacks(shuffled)


def names(series: Series) -> list[str]:
    return [image.path.name for image in series.images]


def axial(name: str, z: float, number: int | None = None, **fields: object) -> Image:
    return placed(name, (0, 0, z), AXIAL, number, **fields)


def test_three_planes_of_one_series_are_three_stacks() -> None:
    images = [axial(f"a{z}", z, z) for z in range(3)]
    images += [placed(f"c{y}", (0, y, 0), CORONAL, 10 + y) for y in range(3)]
    images += [placed(f"s{x}", (x, 0, 0), SAGITTAL, 20 + x) for x in range(3)]
    found = stacks(images)
    assert [(s.stack, names(s)) for s in found] == [
        ("axial", ["a0", "a1", "a2"]),
        ("coronal", ["c0", "c1", "c2"]),  # its normal points to the back
        ("sagittal", ["s2", "s1", "s0"]),  # to the right
    ]
    assert len({series.header.uid for series in found}) == 1


def test_directions_that_differ_by_rounding_are_one_stack() -> None:
    askew = ((1.0, 0.0009, 0.0), (-0.0009, 1.0, 0.0))
    (series,) = stacks([axial("a", 0), placed("b", (0, 0, 1), askew), axial("c", 2)])
    assert names(series) == ["a", "b", "c"]
    assert series.stack == ""


def test_a_view_that_turns_about_an_axis_stays_together_by_number() -> None:
    def turned(number: int) -> Image:
        angle = radians(10 * number)
        row = (cos(angle), sin(angle), 0.0)
        return placed(f"m{number}", (0, 0, 0), (row, (0.0, 0.0, -1.0)), number)

    (series,) = stacks([turned(number) for number in range(9)])
    assert names(series) == [f"m{number}" for number in range(9)]
    assert series.notes == ()


def test_echoes_at_the_same_positions_are_stacks_of_their_own() -> None:
    images = [
        axial(f"z{z}e{echo}", z, 2 * z + echo, echo_number=echo, echo_time=40.0 * echo)
        for z in range(4)
        for echo in (1, 2)
    ]
    found = stacks(images)
    assert [s.stack for s in found] == ["echo 1, TE 40 ms", "echo 2, TE 80 ms"]
    assert names(found[1]) == ["z0e2", "z1e2", "z2e2", "z3e2"]
    assert all(series.notes == () for series in found)


def test_phases_and_b_values() -> None:
    phases = [axial(f"z{z}p{p}", z, temporal_position=p * 5) for z in range(3) for p in (1, 2, 3)]
    assert [(s.stack, len(s.images)) for s in stacks(phases)] == [
        ("phase 1 of 3", 3),
        ("phase 2 of 3", 3),
        ("phase 3 of 3", 3),
    ]
    values = [axial(f"z{z}b{b}", z, b_value=b) for z in range(3) for b in (0.0, 1000.0)]
    assert sorted(s.stack for s in stacks(values)) == ["b 0", "b 1000"]


def test_a_trigger_time_that_explains_nothing_splits_nothing() -> None:
    (series,) = stacks([axial(f"z{z}", z, trigger_time=100.0 * z) for z in (3, 1, 2)])
    assert names(series) == ["z1", "z2", "z3"]


def test_phases_whose_trigger_times_differ_from_slice_to_slice() -> None:
    images = [
        axial(f"z{z}p{p}", z, number=3 * z + p, trigger_time=100.0 * p + z)
        for z in range(4)
        for p in range(3)
    ]
    found = {series.stack: names(series) for series in stacks(images)}
    assert set(found) == {"phase 1 of 3", "phase 2 of 3", "phase 3 of 3"}
    assert found["phase 2 of 3"] == ["z0p1", "z1p1", "z2p1", "z3p1"]


def test_a_cine_loop_at_one_position_is_one_stack_by_time_not_by_number() -> None:
    images = [axial(f"t{t}", 5, number=100 - t, trigger_time=float(t)) for t in range(6)]
    (series,) = stacks(images)
    assert names(series) == [f"t{t}" for t in range(6)]
    assert series.notes == ()


def test_kinds_of_image_and_two_traits_at_once() -> None:
    images = [
        axial(f"{kind}{echo}{z}", z, echo_number=echo, image_type=("ORIGINAL", "PRIMARY", kind))
        for z in range(3)
        for echo in (1, 2)
        for kind in ("M", "P")
    ]
    found = {series.stack: names(series) for series in stacks(images)}
    assert set(found) == {"M, echo 1", "M, echo 2", "P, echo 1", "P, echo 2"}
    assert found["P, echo 2"] == ["P20", "P21", "P22"]


def test_a_localizer_is_not_part_of_the_stack() -> None:
    scout = axial("scout", 1.0, 1, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))
    found = {s.stack: names(s) for s in stacks([scout, axial("a", 0, 2), axial("b", 1, 3)])}
    assert found == {"localizer": ["scout"], "": ["a", "b"]}


def test_sizes_divide_a_stack_but_not_radiographs() -> None:
    assert [s.stack for s in stacks([axial("a", 0), axial("b", 1, rows=5)])] == [
        "20 × 10",
        "20 × 5",
    ]
    (series,) = stacks([unplaced("pa", 1), unplaced("lateral", 2, rows=5)])
    assert names(series) == ["pa", "lateral"]


def test_stacks_without_words_are_numbered() -> None:
    images = [axial("a", 0, frame_of_reference="F"), axial("b", 0, frame_of_reference="G")]
    assert {s.stack for s in stacks(images)} == {"stack 1", "stack 2"}


def test_a_repeated_position_is_told() -> None:
    (series,) = stacks([axial("a", 0, 1), axial("b", 1, 2), axial("c", 1.0004, 3)])
    (note,) = series.notes
    assert note.short == "1 position repeated"
    assert "image 3" in note.sentence


def test_missing_images_are_counted_and_placed() -> None:
    kept = [z for z in range(20) if z not in (5, 12, 13)]
    (series,) = stacks([axial(f"{z}", 1.25 * z) for z in kept])
    (note,) = series.notes
    assert note.short == "3 images missing"
    assert "1 after image 5, 2 after image 11" in note.sentence


def test_two_spacings_are_irregular_not_missing() -> None:
    heights = [2.5 * n for n in range(8)] + [20 + 5.0 * n for n in range(8)]
    (series,) = stacks([axial(f"{z}", z) for z in heights])
    (note,) = series.notes
    assert note.short == "Irregular spacing 2.5 to 5 mm"


def test_rounded_positions_are_regular() -> None:
    (series,) = stacks([axial(f"{n}", round(n * 0.6249, 2)) for n in range(200)])
    assert series.notes == ()


def test_a_sheared_stack_tells_its_angle() -> None:
    # The gantry leans by 15 degrees, the table moves along z: the normal is not the way it goes.
    lean = radians(15)
    directions = ((1.0, 0.0, 0.0), (0.0, cos(lean), sin(lean)))
    (series,) = stacks([placed(f"{n}", (0, 0, 3.0 * n), directions) for n in range(6)])
    assert [note.short for note in series.notes] == ["Gantry tilt 15.0°"]


def test_other_notes() -> None:
    header = [axial(f"{z}", z, gantry_tilt=-12.0) for z in range(3)]
    assert [note.short for note in stacks(header)[0].notes] == ["Gantry tilt 12.0°"]
    aside = [placed(f"{z}", (4.0 if z == 2 else 0.0, 0, z)) for z in range(5)]
    assert [note.short for note in stacks(aside)[0].notes] == ["Images shifted sideways"]
    finer = Spacing(0.5, 0.5, SpacingSource.PIXEL_SPACING)
    sizes = [axial("a", 0), axial("b", 1, spacing=finer)]
    assert [note.short for note in stacks(sizes)[0].notes] == ["Pixel spacing differs"]


def test_very_many_orientations_do_not_stop_the_clock() -> None:
    generator = np.random.default_rng(3)
    images = []
    for number in range(3000):
        row, other = generator.normal(size=(2, 3))
        row /= np.linalg.norm(row)
        column = np.cross(row, other)
        column /= np.linalg.norm(column)
        images.append(placed(f"{number}", (0, 0, 0), (tuple(row), tuple(column)), number))
    (series,) = stacks(images)
    assert [int(name) for name in names(series)] == list(range(3000))


@pytest.mark.parametrize(
    ("group", "creator", "element", "value"),
    [
        (0x0019, "SIEMENS MR HEADER", 0x0C, "1000"),
        (0x0043, "GEMS_PARM_01", 0x39, ["1000001000", "8", "0", "0"]),
    ],
)
def test_b_values_where_scanners_hid_them(
    tmp_path: Path, group: int, creator: str, element: int, value: str | list[str]
) -> None:
    dataset = make_dataset(np.zeros((4, 6), np.uint16), Modality="MR")
    dataset.private_block(group, creator, create=True).add_new(element, "IS", value)
    (image,) = (i for u in scan([write_dataset(tmp_path / "a", dataset)]) for i in u.images)
    assert image.acquisition.b_value == 1000


def test_what_cannot_be_a_place_is_none(tmp_path: Path) -> None:
    lost = make_dicom(
        tmp_path / "a",
        np.zeros((4, 6), np.uint16),
        ImagePositionPatient=[0, 0, 1e300],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        ImagerPixelSpacing=[1e300, 1e-300],
    )
    (image,) = (image for update in scan([lost]) for image in update.images)
    assert image.geometry is None
    assert image.spacing == Spacing()


# --- real series ---------------------------------------------------------------------------------


def found_in(folder: Path) -> list[Series]:
    images = [image for update in scan([folder]) for image in update.images]
    return [series for study in build_studies(images) for series in study.series]


def test_the_real_scout_is_three_stacks(data_folder: Path) -> None:
    found = found_in(data_folder / "dicom" / "series_mr_scout_3plane")
    assert {(s.stack, len(s.images)) for s in found} == {
        ("coronal", 5),
        ("axial", 3),
        ("sagittal", 3),
    }
    assert all(s.notes == () for s in found)


def test_the_real_tilted_series_tells_its_angle(data_folder: Path) -> None:
    (series,) = found_in(data_folder / "dicom" / "series_ct_philips_tilt_plus16")
    assert [note.short for note in series.notes] == ["Gantry tilt 16.5°"]
    heights = [image.geometry.position[2] for image in series.images if image.geometry]
    assert heights == sorted(heights)
    assert len(heights) == 20


@pytest.mark.parametrize(
    ("folder", "count"), [("series_ct_chest_ricord_axial", 170), ("series_mr_adc_oblique", 20)]
)
def test_real_regular_series_have_no_notes(data_folder: Path, folder: str, count: int) -> None:
    (series,) = found_in(data_folder / "dicom" / folder)
    assert (len(series.images), series.stack, series.notes) == (count, "", ())


def test_a_real_gap_is_seen(data_folder: Path) -> None:
    folder = data_folder / "dicom" / "series_ct_chest_ricord_axial"
    files = [file for file in sorted(folder.iterdir()) if file.name not in ("1-040.dcm",)]
    images = [image for update in scan(files[:80]) for image in update.images]
    ((series,),) = [study.series for study in build_studies(images)]
    assert [note.short for note in series.notes] == ["1 image missing"]


def test_enhanced_frames_have_their_own_places(data_folder: Path) -> None:
    (series,) = found_in(data_folder / "dicom" / "multiframe" / "mr_brucker.dcm")
    heights = [image.geometry.position[2] for image in series.images if image.geometry]
    assert heights == sorted(heights)
    assert len(set(heights)) == len(heights) == 4
    (turned,) = found_in(data_folder / "dicom" / "multiframe" / "eCT_Supplemental.dcm")
    # Its normal points down, and In-Stack Position Number runs against the frame number.
    assert [image.frame_number for image in turned.images] == [2, 1]


def test_dose_frames_lie_on_their_grid(data_folder: Path) -> None:
    (series,) = found_in(data_folder / "dicom" / "bits" / "rtdose.dcm")
    places = [image.geometry.position for image in series.images if image.geometry]
    assert len(set(places)) == len(series.images) == 15
    assert series.notes == ()
