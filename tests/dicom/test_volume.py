from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace
from math import cos, radians, sin
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.dicom.made_images import placed
from tests.dicom.phantom import linear, make_stack, make_volume
from viewer.dicom.cutting import CutPlane, Plane, Projection, Slab, cut, step_across
from viewer.dicom.model import Frame, Series, Spacing
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan
from viewer.dicom.studies import build_studies
from viewer.dicom.volume import Volume, build_volume
from viewer.errors import InputError

THIN = Slab()
MIDDLE = np.array((-13.0, 16.0, 113.0))


def points_of(plane: CutPlane) -> npt.NDArray[np.float64]:
    """The place of each pixel in the patient, by PS3.3 C.7.6.2.1.1 alone."""
    rows, columns = plane.values.shape
    right, down = np.array(plane.geometry.row_direction), np.array(plane.geometry.column_direction)
    return (
        np.array(plane.geometry.position)
        + np.arange(rows)[:, None, None] * plane.spacing.row * down
        + np.arange(columns)[None, :, None] * plane.spacing.column * right
    )


def turned(degrees: float) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Row, column and normal of a stack that is turned about two axes."""
    a, b = radians(degrees), radians(degrees / 2)
    about_x = np.array(((1, 0, 0), (0, cos(a), -sin(a)), (0, sin(a), cos(a))))
    about_z = np.array(((cos(b), -sin(b), 0), (sin(b), cos(b), 0), (0, 0, 1)))
    row, column, normal = (about_z @ about_x).T.tolist()
    return tuple(row), tuple(column), tuple(normal)


# --- an aligned volume ---------------------------------------------------------------------------


@pytest.mark.parametrize("plane", list(Plane))
def test_a_plane_of_an_aligned_volume_shows_each_place_as_it_is(plane: Plane) -> None:
    volume = make_volume()
    shown = cut(volume, plane, MIDDLE, THIN)
    np.testing.assert_allclose(shown.values, linear(points_of(shown)), rtol=1e-5)
    np.testing.assert_allclose(shown.geometry.row_direction, plane.right, atol=1e-9)
    np.testing.assert_allclose(shown.geometry.column_direction, plane.down, atol=1e-9)
    distance = abs(plane.normal @ (np.array(shown.geometry.position) - MIDDLE))
    assert distance <= step_across(volume, plane) / 2 + 1e-9


def test_a_coronal_plane_is_upright_with_its_own_spacing() -> None:
    shown = cut(make_volume(), Plane.CORONAL, MIDDLE, THIN)
    assert shown.values.shape == (12, 20)
    assert (shown.spacing.row, shown.spacing.column) == pytest.approx((2.5, 0.7))
    # The first row is the highest image: 11 steps above the first one.
    assert shown.geometry.position == pytest.approx((-20.0, 16.4, 127.5))


def test_stacks_of_every_direction_give_the_same_planes() -> None:
    """A volume read from above, from the side or mirrored is the same patient."""
    ways = [
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
        ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0)),
        ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
    ]
    for row, column, across in ways:
        corner = -10.0 * (np.array(row) + np.array(column) + np.array(across))
        volume = make_volume(
            corner=tuple(corner.tolist()),
            directions=(row, column),
            step=across,
            shape=(21, 21, 21),
            spacing=(1.0, 1.0),
        )
        for plane in Plane:
            shown = cut(volume, plane, np.array((2.0, -3.0, 4.0)), THIN)
            assert shown.values.shape == (21, 21)
            np.testing.assert_allclose(shown.geometry.row_direction, plane.right, atol=1e-9)
            np.testing.assert_allclose(shown.values, linear(points_of(shown)), rtol=1e-5)


@pytest.mark.parametrize(
    ("projection", "fold"),
    [(Projection.MAXIMUM, np.max), (Projection.MEAN, np.mean), (Projection.MINIMUM, np.min)],
)
def test_a_slab_takes_the_layers_whose_middle_lies_in_it(
    projection: Projection, fold: object
) -> None:
    generator = np.random.default_rng(5)
    noise = generator.integers(-1000, 3000, (12, 16, 20)).astype(np.int16)
    volume = Volume(noise, make_volume().affine, -1000.0)
    # Axial layers lie 2.5 mm apart, at 100, 102.5, ...: a slab of 10 mm around 110 holds five.
    shown = cut(volume, Plane.AXIAL, np.array((-13.0, 16.0, 110.0)), Slab(10.0, projection))
    assert shown.layers == 5
    np.testing.assert_allclose(shown.values, fold(noise[2:7], axis=0), rtol=1e-6)  # type: ignore[operator]
    edge = cut(volume, Plane.AXIAL, np.array((-13.0, 16.0, 100.0)), Slab(10.0, projection))
    np.testing.assert_allclose(edge.values, fold(noise[:3], axis=0), rtol=1e-6)  # type: ignore[operator]


def test_a_thin_plane_keeps_the_type_of_the_values() -> None:
    volume = make_volume(dtype=np.int16)
    for projection in Projection:
        shown = cut(volume, Plane.SAGITTAL, MIDDLE, Slab(0.0, projection))
        assert shown.values.dtype == np.int16
        assert shown.values.flags.c_contiguous


# --- oblique and tilted volumes ------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [3.0, 16.5, 44.0])
@pytest.mark.parametrize("plane", list(Plane))
def test_an_oblique_volume_is_cut_along_the_patient(plane: Plane, degrees: float) -> None:
    row, column, normal = turned(degrees)
    step = tuple(2.5 * part for part in normal)
    volume = make_volume(directions=(row, column), step=step, shape=(20, 40, 40))
    shown = cut(volume, plane, volume.centre, THIN)
    assert shown.geometry.row_direction == pytest.approx(tuple(plane.right))
    points = points_of(shown)
    assert np.abs((points - volume.centre) @ plane.normal).max() < 1e-6
    voxels = (points - volume.affine[:3, 3]) @ np.linalg.inv(volume.affine[:3, :3]).T
    well_inside = ((voxels > 0) & (voxels < np.array(volume.values.shape) - 1)).all(axis=-1)
    assert well_inside.mean() > 0.2
    np.testing.assert_allclose(
        shown.values[well_inside], linear(points)[well_inside], rtol=1e-4, atol=0.02
    )
    outside = ((voxels < -0.6) | (voxels > np.array(volume.values.shape) - 0.4)).any(axis=-1)
    np.testing.assert_array_equal(shown.values[outside], np.float32(volume.lowest))


def test_what_is_straight_stays_straight_in_a_tilted_stack() -> None:
    lean = radians(16.5)

    def rod(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """A rod of 6 mm along the table, its axis at x = 20, y = 30."""
        return np.where(np.hypot(points[..., 0] - 20, points[..., 1] - 30) <= 3, 1000.0, 0.0)

    volume = make_volume(
        field=rod,
        corner=(0.0, 0.0, 0.0),
        directions=((1.0, 0.0, 0.0), (0.0, cos(lean), sin(lean))),
        step=(0.0, 0.0, 2.5),
        shape=(20, 120, 80),
        spacing=(0.5, 0.5),
    )
    shown = cut(volume, Plane.SAGITTAL, np.array((20.0, 30.0, 30.0)), THIN)
    points = points_of(shown)
    bright = shown.values > 500
    assert np.abs(points[bright][:, 1] - 30).max() < 3.5  # no step in y along the whole rod
    heights = points[bright][:, 2]
    assert np.ptp(heights) > 35


@pytest.mark.parametrize("projection", list(Projection))
def test_a_slab_of_an_oblique_volume(projection: Projection) -> None:
    row, column, normal = turned(20)
    step = tuple(1.0 * part for part in normal)
    volume = make_volume(
        directions=(row, column), step=step, shape=(40, 40, 40), spacing=(1.0, 1.0)
    )
    thick = cut(volume, Plane.AXIAL, volume.centre, Slab(6.0, projection))
    layers = [
        cut(volume, Plane.AXIAL, volume.centre + np.array((0, 0, shift)), THIN).values
        for shift in (np.arange(thick.layers) - thick.layers // 2)
        * step_across(volume, Plane.AXIAL)
    ]
    assert thick.layers >= 5
    fold = {"maximum": np.max, "mean": np.mean, "minimum": np.min}[projection.value]
    np.testing.assert_allclose(thick.values, fold(layers, axis=0), rtol=1e-4, atol=1e-3)


def test_voxels_and_places_are_each_others_inverse() -> None:
    volume = make_volume(directions=turned(30)[:2], step=turned(30)[2])
    np.testing.assert_allclose(volume.to_voxel(volume.to_patient((3, 4, 5))), (3, 4, 5))
    far = volume.nearest_inside(volume.to_patient((-5, 4, 100)))
    np.testing.assert_allclose(volume.to_voxel(far), (0, 4, 19), atol=1e-9)


# --- what is no volume ---------------------------------------------------------------------------


def refused(series: Series, frames: list[Frame]) -> str:
    with pytest.raises(InputError) as caught:
        build_volume(series, frames.__getitem__, lambda *_: None)
    return str(caught.value)


def test_what_is_no_volume_is_refused_with_a_reason() -> None:
    series, frames = make_stack()
    images = series.images

    def of(*chosen: int) -> Series:
        return replace(series, images=tuple(images[index] for index in chosen))

    assert "at least 3" in refused(of(0, 1), frames)
    assert "2 images are missing" in refused(of(0, 1, 2, 3, 4, 7, 8, 9, 10, 11), frames)
    shifted = placed("x", (-20.0, 10.0, 131.0))
    assert "evenly spaced" in refused(replace(series, images=(*images, shifted)), frames)
    assert "share a position" in refused(of(0, 1, 1, 2), frames)
    blind = tuple(replace(image, spacing=Spacing()) for image in images)
    assert "pixel spacing" in refused(replace(series, images=blind), frames)
    small = [*frames[:-1], replace(frames[-1], values=frames[-1].values[:-1])]
    assert "one size" in refused(series, small)


def test_values_of_several_types_are_kept_as_they_are() -> None:
    series, frames = make_stack(dtype=np.int16)
    mixed = [*frames[:-1], replace(frames[-1], values=frames[-1].values + np.float32(0.25))]
    told: list[Frame] = []
    volume = build_volume(series, mixed.__getitem__, lambda _, frame: told.append(frame))
    assert volume.values.dtype == np.float32
    np.testing.assert_array_equal(volume.values[-1], mixed[-1].values)
    np.testing.assert_array_equal(volume.values[0], frames[0].values)


def test_incomplete_images_are_counted() -> None:
    series, frames = make_stack()
    frames[3] = replace(frames[3], incomplete=True)
    assert build_volume(series, frames.__getitem__, lambda *_: None).incomplete == 1


def test_frames_lie_in_the_volume_and_take_no_memory_of_their_own() -> None:
    series, _ = make_stack(shape=(30, 200, 200), dtype=np.int16)
    told: list[Frame] = []

    def bring(index: int) -> Frame:
        return Frame(np.full((200, 200), index, np.int16), f"{index}", "HU", (), False)

    tracemalloc.start()
    volume = build_volume(series, bring, lambda _, frame: told.append(frame))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 1.3 * volume.values.nbytes
    assert all(np.shares_memory(frame.values, volume.values) for frame in told)
    assert [int(frame.values[0, 0]) for frame in told] == list(range(30))
    assert not told[0].values.flags.writeable


# --- real series ---------------------------------------------------------------------------------


def real(folder: Path) -> Volume:
    images = [image for update in scan([folder]) for image in update.images]
    ((series,),) = (study.series for study in build_studies(images))
    return build_volume(series, lambda index: decode(series.images[index]), lambda *_: None)


def test_real_chest_against_slices_by_hand(data_folder: Path) -> None:
    folder = data_folder / "dicom" / "series_ct_chest_ricord_axial"
    volume = real(folder)
    assert volume.values.shape == (170, 512, 512)
    # By hand: 0.703125 mm pixels from (-172, -156.5), images from below.
    point = np.array((-172 + 0.703125 * 300, -156.5 + 0.703125 * 200, volume.affine[2, 3] + 50))
    coronal = cut(volume, Plane.CORONAL, point, THIN)
    np.testing.assert_array_equal(coronal.values, volume.values[::-1, 200, :])
    sagittal = cut(volume, Plane.SAGITTAL, point, THIN)
    np.testing.assert_array_equal(sagittal.values, volume.values[::-1, :, 300])
    slab = cut(volume, Plane.CORONAL, point, Slab(10.0, Projection.MAXIMUM))
    # 10 mm of 0.703 mm layers: 7 on each side.
    np.testing.assert_array_equal(slab.values, volume.values[::-1, 193:208, :].max(axis=1))
    began = time.perf_counter()
    for plane in Plane:
        cut(volume, plane, point, THIN)
    assert (time.perf_counter() - began) / 3 < 0.05


def test_real_oblique_series_against_another_calculation(data_folder: Path) -> None:
    volume = real(data_folder / "dicom" / "series_mr_adc_oblique")
    shown = cut(volume, Plane.CORONAL, volume.centre, THIN)
    generator = np.random.default_rng(1)
    inverse = np.linalg.inv(volume.affine)
    compared = 0
    for row, column in generator.integers(0, shown.values.shape, (4000, 2)).tolist():
        place = _point(shown, row, column)
        k, j, i = (inverse @ (*place, 1.0))[:3]
        if not all(
            0 <= at < size - 1 for at, size in zip((k, j, i), volume.values.shape, strict=True)
        ):
            continue
        compared += 1
        expected = 0.0
        for dk in (0, 1):
            for dj in (0, 1):
                for di in (0, 1):
                    at = int(k) + dk, int(j) + dj, int(i) + di
                    near = 1 - abs(np.array((k, j, i)) - at)
                    expected += float(volume.values[at]) * float(near.prod())
        assert shown.values[row, column] == pytest.approx(expected, abs=0.51)
    assert compared > 500


def _point(plane: CutPlane, row: int, column: int) -> npt.NDArray[np.float64]:
    right, down = np.array(plane.geometry.row_direction), np.array(plane.geometry.column_direction)
    start = np.array(plane.geometry.position)
    return start + row * plane.spacing.row * down + column * plane.spacing.column * right


def test_real_tilted_series_is_cut_straight(data_folder: Path) -> None:
    volume = real(data_folder / "dicom" / "series_ct_philips_tilt_plus16")
    shown = cut(volume, Plane.SAGITTAL, volume.centre, THIN)
    # 208 mm of tilted rows: the outline is a parallelogram, its height 47.5 mm and the lean's.
    assert shown.values.shape[0] * shown.spacing.row == pytest.approx(47.5 + 207.6 * 0.284, abs=2)
    began = time.perf_counter()
    cut(volume, Plane.AXIAL, volume.centre, THIN)
    assert time.perf_counter() - began < 0.5  # beside the window's thread
