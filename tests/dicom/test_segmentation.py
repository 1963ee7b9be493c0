"""Segmentations against pydicom's own frames, and where they lie on the images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.dicom_factory import make_ct_series
from tests.object_factory import LABEL_MAP, make_segmentation, segment
from viewer.dicom import limits
from viewer.dicom.model import Image, Kind
from viewer.dicom.objects import Segmentation, rgb_of_cielab
from viewer.dicom.scan import scan
from viewer.dicom.segment_places import PlacedMasks
from viewer.dicom.segmentation import read_segmentation
from viewer.errors import InputError

LIVER = (41661, 41167, 40792)


def images_of(*paths: Path) -> list[Image]:
    return [image for update in scan(paths) for image in update.images]


def segmentation_at(path: Path) -> Segmentation:
    first = images_of(path)[0]
    assert first.kind is Kind.SEGMENTATION
    return read_segmentation(first)


def squares(count: int, rows: int, columns: int) -> np.ndarray:
    masks = np.zeros((count, rows, columns), np.bool_)
    for index in range(count):
        masks[index, 1 + index : 4 + index, 2 : 6 + index] = True
    return masks


@pytest.fixture
def slices(tmp_path: Path) -> list[Path]:
    return make_ct_series(tmp_path / "ct", slices=3, rows=31, columns=29)


def test_binary_masks_whose_frames_begin_inside_a_byte(tmp_path: Path, slices: list[Path]) -> None:
    masks = squares(3, 31, 29)  # 899 bits a frame
    path = make_segmentation(
        tmp_path / "seg.dcm",
        slices,
        masks,
        segment_of=[1, 2, 1],
        segments=[segment(1, "Liver", LIVER), segment(2, "Spleen")],
    )
    found = segmentation_at(path)
    assert [(one.number, one.label) for one in found.segments] == [(1, "Liver"), (2, "Spleen")]
    assert found.segments[1].colour is None
    images = images_of(*slices)
    for index, image in enumerate(images):
        (placed,) = PlacedMasks(found).on(image)
        assert placed.mask.segment == [1, 2, 1][index]
        assert np.allclose(placed.origin, (2, 1 + index))
        assert (placed.mask.values == 255).all()
        assert placed.mask.values.shape == (3, 4 + index)


def test_fractions_keep_their_share(tmp_path: Path, slices: list[Path]) -> None:
    masks = np.zeros((1, 31, 29), np.uint8)
    masks[0, 5, 6:9] = (25, 50, 100)
    path = make_segmentation(
        tmp_path / "seg.dcm",
        slices,
        masks,
        segment_of=[1],
        segments=[segment(1, "Lesion")],
        MaximumFractionalValue=100,
    )
    (mask,) = segmentation_at(path).masks
    assert (mask.row, mask.column) == (5, 6)
    assert mask.values.tolist() == [[64, 128, 255]]


def test_a_label_map_is_taken_apart(tmp_path: Path, slices: list[Path]) -> None:
    masks = np.zeros((1, 31, 29), np.uint8)
    masks[0, 2:4, 2:4] = 7
    masks[0, 10, 10] = 3
    path = make_segmentation(
        tmp_path / "seg.dcm",
        slices,
        masks,
        segment_of=[1],
        segments=[segment(3, "Three"), segment(7, "Seven")],
        SOPClassUID=LABEL_MAP,
        SegmentationType="LABELMAP",
        MaximumFractionalValue=None,
    )
    found = segmentation_at(path)
    assert [(m.segment, m.row, m.column, m.values.shape) for m in found.masks] == [
        (3, 10, 10, (1, 1)),
        (7, 2, 2, (2, 2)),
    ]


def test_a_mask_belongs_to_the_images_that_it_names(tmp_path: Path, slices: list[Path]) -> None:
    path = make_segmentation(
        tmp_path / "seg.dcm", slices, squares(1, 31, 29), [1], [segment(1, "A")], image_of=[2]
    )
    found = segmentation_at(path)
    assert [len(PlacedMasks(found).on(image)) for image in images_of(*slices)] == [0, 0, 1]


def test_without_names_the_plane_and_the_frame_of_reference_decide(
    tmp_path: Path,
) -> None:
    paths = make_ct_series(
        tmp_path / "ct", slices=3, rows=31, columns=29, FrameOfReferenceUID="1.2.3"
    )
    path = make_segmentation(
        tmp_path / "seg.dcm", paths, squares(1, 31, 29), [1], [segment(1, "A")], image_of=[1]
    )
    found = segmentation_at(path)
    unnamed = replace(found, masks=tuple(replace(mask, sources=()) for mask in found.masks))
    images = images_of(*paths)
    assert [len(PlacedMasks(unnamed).on(image)) for image in images] == [0, 1, 0]
    elsewhere = replace(unnamed, frame_of_reference="1.2.4")
    assert [len(PlacedMasks(elsewhere).on(image)) for image in images] == [0, 0, 0]


def test_a_mask_of_another_grid_is_placed_through_the_patient(
    tmp_path: Path, slices: list[Path]
) -> None:
    """Half the pixel size, and a corner that lies 7 mm to the right and 3.5 mm down."""
    path = make_segmentation(
        tmp_path / "seg.dcm", slices[:1], squares(1, 20, 20), [1], [segment(1, "A")]
    )
    found = segmentation_at(path)
    (mask,) = found.masks
    assert mask.geometry is not None
    moved = replace(
        mask,
        geometry=replace(mask.geometry, position=(7.0, 3.5, 0.0)),
        spacing=replace(mask.spacing, row=0.35, column=0.35),
    )
    image = images_of(slices[0])[0]
    (placed,) = PlacedMasks(replace(found, masks=(moved,))).on(image)
    assert np.allclose((placed.across, placed.down), ((0.5, 0), (0, 0.5)))
    # The centre of the first pixel lies at 10 and 5 pixels, its outer corner a quarter before;
    # the mask begins at its own column 2 and row 1.
    assert np.allclose(placed.origin, (10.5 - 0.25 + 1.0, 5.5 - 0.25 + 0.5))


def test_a_whole_file_of_frames_is_not_covered_by_one_mask(
    tmp_path: Path, slices: list[Path]
) -> None:
    path = make_segmentation(
        tmp_path / "seg.dcm", slices, squares(1, 31, 29), [1], [segment(1, "A")]
    )
    found = segmentation_at(path)
    flat = replace(found, masks=tuple(replace(mask, geometry=None) for mask in found.masks))
    image = replace(images_of(slices[0])[0], geometry=None)
    assert len(PlacedMasks(flat).on(image)) == 1
    assert PlacedMasks(flat).on(replace(image, number_of_frames=9)) == ()


def test_limits_and_types(
    tmp_path: Path, slices: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_segmentation(
        tmp_path / "seg.dcm", slices, squares(3, 31, 29), [1, 1, 1], [segment(1, "A")]
    )
    monkeypatch.setattr(limits, "SEGMENTATION_BYTES", limits.Limit("The segmentation", 20))
    with pytest.raises(InputError, match="above the limit"):
        segmentation_at(path)
    odd = make_segmentation(
        tmp_path / "odd.dcm",
        slices,
        squares(1, 31, 29),
        [1],
        [segment(1, "A")],
        SegmentationType="SURFACE",
    )
    with pytest.raises(InputError, match="type SURFACE is not supported"):
        segmentation_at(odd)


BINARY = (
    "label.seg",
    "liver.dcm",
    "liver_deflate.dcm",
    "liver_nonbyte_aligned.dcm",
    "liver_nonbyte_aligned_j2k.dcm",
    "liver_rle.dcm",
    "partial_overlaps.dcm",
    "seg_image_ct_binary.dcm",
    "seg_image_ct_true_fractional.dcm",
)


@pytest.mark.parametrize("name", BINARY)
def test_real_masks_have_the_pixels_of_pydicom(data_folder: Path, name: str) -> None:
    path = data_folder / "dicom" / "seg" / name
    found = segmentation_at(path)
    dataset = pydicom.dcmread(path)
    same_pixels = "liver_nonbyte_aligned.dcm" if "j2k" in name else "liver.dcm"
    if name in ("liver_deflate.dcm", "liver_rle.dcm", "liver_nonbyte_aligned_j2k.dcm"):
        # pydicom has no decoder for these; they hold the pixels of another file.
        dataset = pydicom.dcmread(path.with_name(same_pixels))
    frames = dataset.pixel_array
    most = float(dataset.get("MaximumFractionalValue", 1))
    groups = dataset.PerFrameFunctionalGroupsSequence
    masks = list(found.masks)
    for index, frame in enumerate(frames):
        if not frame.any():
            continue
        mask = masks.pop(0)
        whole = np.zeros(frame.shape, np.uint8)
        rows, columns = mask.values.shape
        whole[mask.row : mask.row + rows, mask.column : mask.column + columns] = mask.values
        assert np.array_equal(whole, np.rint(frame / most * 255).astype(np.uint8))
        number = groups[index].SegmentIdentificationSequence[0].ReferencedSegmentNumber
        assert mask.segment == number
    assert masks == []


def test_real_segments_over_their_own_series(data_folder: Path) -> None:
    """A file of 510 x 510 pixels covers the same anatomy of images of 512 x 512."""
    folder = data_folder / "dicom" / "seg"
    images = images_of(folder / "01.dcm", folder / "02.dcm", folder / "03.dcm")
    whole, cut = (
        segmentation_at(folder / name) for name in ("liver.dcm", "liver_nonbyte_aligned.dcm")
    )
    for image in images:
        (one,), (other,) = PlacedMasks(whole).on(image), PlacedMasks(cut).on(image)
        assert np.allclose(one.origin, other.origin, atol=1e-4)
        assert np.array_equal(one.mask.values, other.mask.values)


def test_colours() -> None:
    assert rgb_of_cielab((65535, 32896, 32896)) == (255, 255, 255)
    assert rgb_of_cielab((0, 32896, 32896)) == (0, 0, 0)
    red, green, blue = rgb_of_cielab(LIVER) or (0, 0, 0)
    assert (abs(red - 221), abs(green - 130), abs(blue - 101)) <= (5, 5, 5)
    assert rgb_of_cielab(()) is None
