"""The whole corpus of real files: opened and decoded exactly, or refused for a named reason."""

from __future__ import annotations

import csv
import hashlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from viewer.dicom import voi
from viewer.dicom.model import Frame, Image
from viewer.dicom.pixels import decode, read_stored_values
from viewer.dicom.scan import scan
from viewer.errors import InputError

_FRAMES_COMPARED = 60  # files with more are decoded at both ends and in the middle

# Damaged files: what the reader is told. Everything else must decode.
DAMAGED = {
    "malformed/2026-05-06-Deeply-Nested-Sequence.dcm": "nested above the limit",
    "malformed/2026-05-26-oob-monochrome-46341.dcm": "2,147 megapixels, above the limit",
    "malformed/3gb-bulk-data-truncated": "above the limit",
    # JPEG data under the transfer syntax Explicit VR Little Endian.
    "malformed/GH1376.dcm": "compressed, against the transfer syntax",
    # A sequence delimiter written over the codestream's SIZ segment.
    "malformed/JPEG2000-embedded-sequence-delimiter.dcm": "the header says 256 x 1024",
    "malformed/MR_truncated.dcm": "cut short",
    "malformed/badVR.dcm": "number of frames .* not a positive whole number",
    "malformed/dwv-test_no-number-rows.dcm": "no valid Rows",
    "malformed/meta_missing_tsyntax.dcm": "no valid Rows",
    "malformed/nested_priv_SQ.dcm": "no valid Rows",
    # Raw samples under the transfer syntax JPEG Baseline.
    "malformed/genFile.dcm": "not the JPEG that its header declares",
    # A space before the first element.
    "malformed/no_meta.dcm": "Not a DICOM or image file",
}
# Files in which there is no picture, by what the index says of them.
NO_PIXELS = r"No pixel data|neither a SOP Class nor an image"

# Lossy or converted ones whose values depend on the decoder's rounding: the largest difference
# accepted from the range in the index (12 bit) or from pydicom's picture (colour).
ROUNDED_RANGE = {
    "ts_ctimage/CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm",
    "wg04_nm1/JPGExtended.dcm",
    "wg04_rg2/RG2_JPLY_fixed.dcm",
}
ROUNDED_COLOUR = {"colour/1.2.840.10008.1.2.4.50.dcm"}


def read_index(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "index.csv").open(newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def scan_one(path: Path) -> tuple[list[Image], list[str]]:
    updates = list(scan([path]))
    images = [image for update in updates for image in update.images]
    return images, [s.reason for update in updates for s in update.skipped]


def chosen(images: list[Image]) -> list[Image]:
    if len(images) <= _FRAMES_COMPARED:
        return images
    return [images[0], images[len(images) // 2], images[-1]]


def sha1(values: npt.NDArray[Any], dtype: str) -> str:
    return hashlib.sha1(np.ascontiguousarray(values.astype(dtype)).tobytes()).hexdigest()[:12]


def test_every_file_is_decoded_exactly_or_refused_for_a_known_reason(data_folder: Path) -> None:
    folder = data_folder / "dicom"
    problems: list[str] = []
    compared = 0
    for name, row in read_index(folder).items():
        if Path(name).name.startswith("DICOMDIR"):
            continue
        images, reasons = scan_one(folder / name)
        try:
            frames = [decode(image) for image in chosen(images)]
        except InputError as error:
            frames, reasons = [], [str(error)]
        if frames:
            problem = "" if name not in DAMAGED else "decoded, though listed as damaged"
            if not problem and row["decodes"].startswith("yes") and len(frames) == len(images):
                compared += 1
                problem = compare(folder / name, name, row, images, frames)
        else:
            accepted = DAMAGED.get(name) or (
                NO_PIXELS if row["decodes"].startswith("no pixel data") else "$nothing"
            )
            problem = "" if re.search(accepted, " ".join(reasons)) else f"refused: {reasons}"
        if problem:
            problems.append(f"{name}: {problem}")
    assert problems == []
    assert compared > 380


def compare(
    path: Path, name: str, row: dict[str, str], images: list[Image], frames: list[Frame]
) -> str:
    """Against the decoded array that the index knows, by hash."""
    stored = [read_stored_values(image) for image in images]
    as_index = np.stack(stored) if len(stored) > 1 else stored[0]
    colours = [frame.values for frame in frames]
    for values in (as_index, np.stack(colours) if len(colours) > 1 else colours[0]):
        if sha1(values, row["decoded_dtype"]) == row["pixel_sha1_12"]:
            return ""
    if name in ROUNDED_RANGE:
        low, high = int(as_index.min()), int(as_index.max())
        near = abs(low - float(row["min"])) <= 2 and abs(high - float(row["max"])) <= 2
        return "" if near else f"values {low} to {high}"
    if name in ROUNDED_COLOUR:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = pydicom.dcmread(path).pixel_array
        worst = int(np.abs(peer.astype(int) - colours[0]).max())
        return "" if worst <= 4 else f"differs from pydicom by {worst}"
    return "other values than the index knows"


def grey_files(folder: Path) -> Iterator[tuple[str, Image]]:
    for number, (name, row) in enumerate(read_index(folder).items()):
        # The slices of a series are alike: every eighth is enough.
        if name.startswith("series_") and number % 8:
            continue
        if row["photometric"].startswith("MONOCHROME") and row["decodes"].startswith("yes"):
            images, _ = scan_one(folder / name)
            yield name, images[0]


def test_pictures_equal_pydicom_within_one_grey_level(data_folder: Path) -> None:
    """Modality LUT, VOI and window of each grey file that has a VOI at its top level."""
    folder = data_folder / "dicom"
    problems: list[str] = []
    compared = 0
    for name, image in grey_files(folder):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(image.path, stop_before_pixels=True, force=True)
            if not ("WindowCenter" in dataset or "VOILUTSequence" in dataset):
                continue
            values = apply_modality_lut(read_stored_values(image), dataset)
            try:
                peer = apply_voi_lut(values, dataset)
                ends = apply_voi_lut(np.array([-1e9, 1e9]), dataset)
            except (ValueError, NotImplementedError, IndexError):
                continue  # pydicom has no picture of it
        if "VOILUTSequence" in dataset:
            bits = dataset.VOILUTSequence[0].LUTDescriptor[2]
            ends = np.array([0, 2**bits - 1])
        expected = (peer - ends[0]) / (ends[1] - ends[0]) * 255
        frame = decode(image)
        compared += 1
        worst = np.abs(voi.picture(frame, frame.vois[0], frame.inverted) - expected).max()
        if worst > 1:
            problems.append(f"{name}: {worst:.1f}")
    assert problems == []
    assert compared > 80


@pytest.mark.parametrize(
    "name",
    ["", "-bigEnd", "-implicit", "-nooffset", "-nopatient", "-reordered"],
)
def test_real_dicomdirs(data_folder: Path, name: str) -> None:
    images, reasons = scan_one(data_folder / "dicom" / "dicomdir_pydicom" / f"DICOMDIR{name}")
    assert len(images) == 31
    assert reasons == []


def test_an_empty_dicomdir(data_folder: Path) -> None:
    path = data_folder / "dicom" / "dicomdir_pydicom" / "DICOMDIR-empty.dcm"
    assert scan_one(path) == ([], ["The DICOMDIR names no files."])


def test_the_folder_as_a_whole(data_folder: Path) -> None:
    updates = list(scan([data_folder / "dicom"]))
    images = {image.path for update in updates for image in update.images}
    skipped = {s.path for update in updates for s in update.skipped}
    files = {path for path in (data_folder / "dicom").rglob("*") if path.is_file()}
    dicomdirs = {path for path in files if path.name.startswith("DICOMDIR")}
    assert images | {Path(path) for path in skipped} | dicomdirs == files
    assert updates[-1].files_done == updates[-1].files_total == len(files)
