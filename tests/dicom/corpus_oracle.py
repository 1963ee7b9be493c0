"""The corpus of real files beside an independent rendering: pydicom's, with dcmtk to decode more.

Used by the corpus test and by the table that ``python -m benchmarks.corpus_table`` prints.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import pixel_array
from pydicom.pixels.processing import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi_lut,
    apply_windowing,
)
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from viewer.dicom import voi
from viewer.dicom.model import Frame, Image, Kind
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan
from viewer.errors import InputError

FRAMES_COMPARED = 12  # files with more are compared at both ends and in the middle
# What pydicom raises where none of its installed plug-ins decodes a file.
_UNDECODED = (RuntimeError, NotImplementedError, AttributeError, ValueError)
_RESULTS = ("equal", "within 1", "incomplete", "no oracle", "differs", "refused")  # worst last
FLOAT_NOISE = 0.001  # grey levels: pydicom computes some steps in float32
_GREY_KEYWORDS = (
    "PhotometricInterpretation SamplesPerPixel BitsAllocated BitsStored PixelRepresentation "
    "RescaleSlope RescaleIntercept ModalityLUTSequence VOILUTSequence WindowCenter WindowWidth "
    "VOILUTFunction"
).split()

# Files that neither pydicom nor dcmtk decodes, and the file that holds the same frames in a form
# which they do decode.
SIBLINGS = {
    "seg/liver_deflate.dcm": "seg/liver.dcm",
    "seg/liver_rle.dcm": "seg/liver.dcm",
    "malformed/emri_small_jpeg_2k_lossless_too_short.dcm": "multiframe/emri_small.dcm",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one file.

    Attributes
    ----------
    result : "equal", "within 1", "differs", "incomplete", "refused", "no oracle", or the kind of an
        object that is no image.
    detail : the reason of a refusal, or what differs.
    """

    name: str
    result: str
    detail: str = ""

    @property
    def group(self) -> str:
        return self.name.partition("/")[0]


def read_index(folder: Path) -> dict[str, dict[str, str]]:
    """What is known of each file, by its path in the corpus."""
    with (folder / "index.csv").open(newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def corpus_files(folder: Path) -> list[str]:
    """Every file with a picture or without; a DICOMDIR is none."""
    return [name for name in read_index(folder) if not Path(name).name.startswith("DICOMDIR")]


def scan_one(path: Path) -> tuple[list[Image], list[str]]:
    updates = list(scan([path]))
    images = [image for update in updates for image in update.images]
    return images, [skipped.reason for update in updates for skipped in update.skipped]


def chosen(images: list[Image]) -> list[Image]:
    if len(images) <= FRAMES_COMPARED:
        return images
    return [images[0], images[len(images) // 2], images[-1]]


def judge(folder: Path, name: str) -> Judgement:
    """Open one file as the program does, and compare its frames with the oracle's."""
    images, reasons = scan_one(folder / name)
    if not images:
        return Judgement(name, "refused", detail=" ".join(reasons))
    if images[0].kind not in (Kind.IMAGE, Kind.SEGMENTATION):
        return Judgement(name, images[0].kind.value)
    judgements = [_judge_frame(folder, name, image) for image in chosen(images)]
    return max(judgements, key=lambda judgement: _RESULTS.index(judgement.result))


def _judge_frame(folder: Path, name: str, image: Image) -> Judgement:
    try:
        frame = decode(image)
    except InputError as error:
        return Judgement(name, "refused", detail=str(error))
    if frame.incomplete:
        return Judgement(name, "incomplete", detail=frame.notes[0])
    try:
        expected, problem = oracle_picture(folder, name, image, frame)
    except _UNDECODED as error:
        return Judgement(name, "no oracle", detail=str(error))
    shown = voi.picture(frame, voi.default_voi(frame))
    if problem or shown.shape != expected.shape:
        return Judgement(name, "differs", detail=problem or f"{shown.shape}")
    worst = float(np.abs(shown - expected).max())
    if worst <= 0.5 + FLOAT_NOISE:
        return Judgement(name, "equal")
    detail = f"{worst:.1f} from the exact brightness"
    return Judgement(name, "within 1" if worst <= 1.5 else "differs", detail)


# --- the oracle ----------------------------------------------------------------------------------


def oracle_picture(
    folder: Path, name: str, image: Image, frame: Frame
) -> tuple[npt.NDArray[Any], str]:
    """Brightness from 0 to 255, not rounded, and a sentence where a step before it differs.

    Of ``frame`` only the automatic window is taken, where the file has none of its own.
    """
    number = image.frame_number
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset, stored = _read(folder / SIBLINGS.get(name, name), number)
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            colours = apply_color_lut(stored, dataset)
            return (colours >> 8 if colours.max() > 255 else colours).astype(float), ""
        if stored.ndim == 3:
            return (stored >> (dataset.BitsStored - 8)).astype(float), ""
        grey = _grey_attributes(dataset, number)
        values = apply_modality_lut(stored, grey)
        if not np.allclose(values, frame.values, rtol=1e-6, atol=1e-6, equal_nan=True):
            return values, "other modality values"
        problem = ""
        if not _has_voi(grey):
            problem = _set_automatic_window(grey, frame, values)
        picture = _brightness(values, grey)
        if dataset.PhotometricInterpretation == "MONOCHROME1":
            picture = 255 - picture
        if dataset.get("PixelPresentation") == "COLOR":
            picture = _coloured(picture, stored, dataset)
        return picture, problem


@cache
def _dataset(path: Path) -> Dataset:
    dataset = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = (
            ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        )
    return dataset


def _read(path: Path, number: int) -> tuple[Dataset, npt.NDArray[Any]]:
    """The data set and the stored values of a frame, colour as RGB."""
    dataset = _dataset(path)
    try:
        return dataset, pixel_array(dataset, index=number - 1)
    except _UNDECODED:
        # JPEG lossless, 12 bits and progressive: pydicom's free plug-ins decode none of them.
        if shutil.which("dcmdjpeg") is None:
            raise
    with tempfile.TemporaryDirectory() as made:
        decoded = Path(made) / "decoded.dcm"
        subprocess.run(["dcmdjpeg", path, decoded], check=True, capture_output=True)
        dataset = pydicom.dcmread(decoded)
        return dataset, pixel_array(dataset, index=number - 1)


def _grey_attributes(dataset: Dataset, number: int) -> Dataset:
    """What maps the values of one frame: its own functional groups go before the shared ones."""
    flat = Dataset()
    flat.file_meta = FileMetaDataset()
    flat.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    flat.BitsStored, flat.PixelRepresentation = 16, 0  # float pixel data has none
    for keyword in _GREY_KEYWORDS:
        if keyword in dataset:
            setattr(flat, keyword, dataset[keyword].value)
    groups = list(dataset.get("SharedFunctionalGroupsSequence", []))[:1]
    groups += list(dataset.get("PerFrameFunctionalGroupsSequence", []))[number - 1 : number]
    for group in groups:
        for macro in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for item in list(group.get(macro, []))[:1]:
                flat.update(item)
    return flat


def _coloured(
    grey: npt.NDArray[Any], stored: npt.NDArray[Any], dataset: Dataset
) -> npt.NDArray[Any]:
    """The supplemental palette over the values from its first one on (PS3.3 C.7.6.19)."""
    first = dataset.RedPaletteColorLookupTableDescriptor[1]
    palette = Dataset()
    palette.file_meta = dataset.file_meta
    palette.update({each.tag: each for each in dataset if "PaletteColor" in each.keyword})
    colours = apply_color_lut(stored, palette) >> 8
    return np.where((stored >= first)[..., None], colours, grey[..., None])


def _has_voi(grey: Dataset) -> bool:
    """A window must be 1 wide or more (PS3.3 C.11.2.1.2.1)."""
    widths = np.atleast_1d(grey.get("WindowWidth", 0) or 0)
    return bool(grey.get("VOILUTSequence")) or float(widths[0]) >= 1


def _set_automatic_window(grey: Dataset, frame: Frame, values: npt.NDArray[Any]) -> str:
    window = voi.auto_window(frame)
    grey.WindowCenter, grey.WindowWidth = window.center, window.width
    grey.VOILUTFunction = window.function.value
    finite = values[np.isfinite(values)].astype(float)
    if frame.padding is not None:
        kept = finite[(finite < frame.padding[0]) | (finite > frame.padding[1])]
        finite = kept if kept.size else finite
    low, high = np.percentile(finite, (0.5, 99.5))
    if low == high:
        low, high = finite.min(), finite.max()
    # The program takes a sample of large pictures.
    slack = 1 + 0.03 * (high - low)
    off = max(abs(window.center - (low + high) / 2), abs(window.width - (high - low)) / 2)
    return f"the automatic window is off by {off:.0f}" if off > slack else ""


def _brightness(values: npt.NDArray[Any], grey: Dataset) -> npt.NDArray[Any]:
    """pydicom's output, scaled from the range that it is in to 0..255."""
    if grey.get("VOILUTSequence"):
        picture = apply_voi_lut(values, grey)
        low, high = 0, 2 ** grey.VOILUTSequence[0].LUTDescriptor[2] - 1
    else:
        picture = apply_windowing(values, grey, index=0)
        low, high = apply_windowing(np.array([-1e9, 1e9]), grey, index=0)
    return np.nan_to_num((np.asarray(picture, float) - low) / (high - low) * 255)
