"""Streams that dcmtk made in every mode it has, decoded by dcmtk and by us."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest

from tests.dicom_factory import make_dicom
from viewer.dicom.model import Frame
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan

ROWS, COLUMNS = 61, 83  # no multiple of a block


@pytest.fixture(autouse=True)
def _needs_dcmtk() -> None:
    if shutil.which("dcmcjpeg") is None:
        pytest.skip("no second decoder: dcmtk is not installed")


def grey(bits: int, signed: bool = False) -> npt.NDArray[np.generic]:
    """A ramp under noise that reaches both ends."""
    ramp = np.linspace(0, 1, ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    noise = np.random.default_rng(bits).normal(0, 0.02, ramp.shape)
    values = np.clip(ramp + noise, 0, 1) * (2**bits - 1)
    kind = "u1" if bits <= 8 else "u2"
    unsigned = values.round().astype(kind)
    return unsigned.view("i2") if signed else unsigned


def colours() -> npt.NDArray[np.generic]:
    return np.stack([grey(8), grey(8)[::-1], grey(8)[:, ::-1]], axis=2)


def through(
    tmp_path: Path, pixels: npt.NDArray[np.generic], bits: int, tool: str, *options: str
) -> tuple[Frame, npt.NDArray[np.generic]]:
    """Our frame and dcmtk's values of one stream."""
    made = make_dicom(tmp_path / "made.dcm", pixels, BitsStored=bits, HighBit=bits - 1)
    packed, theirs = tmp_path / "packed.dcm", tmp_path / "theirs.dcm"
    subprocess.run([tool, *options, made, packed], check=True, capture_output=True)
    undo = {"dcmcjpeg": "dcmdjpeg", "dcmcjpls": "dcmdjpls", "dcmcrle": "dcmdrle"}[tool]
    subprocess.run([undo, packed, theirs], check=True, capture_output=True)
    images = [image for update in scan([packed]) for image in update.images]
    return decode(images[0]), pydicom.dcmread(theirs).pixel_array


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("point_transform", [0, 1, 3])
@pytest.mark.parametrize("predictor", range(1, 8))
def test_lossless_jpeg(tmp_path: Path, predictor: int, point_transform: int, bits: int) -> None:
    options = ("+el", "+sv", str(predictor), "+pt", str(point_transform))
    frame, theirs = through(tmp_path, grey(bits), bits, "dcmcjpeg", *options)
    np.testing.assert_array_equal(frame.values, theirs)
    if point_transform == 0:
        np.testing.assert_array_equal(frame.values, grey(bits))


@pytest.mark.parametrize("options", [("+e1",), ("+el", "+sv", "4"), ("+el", "+sv", "7")])
def test_lossless_jpeg_of_signed_values_and_of_colours(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    frame, _ = through(tmp_path, grey(16, signed=True), 16, "dcmcjpeg", *options)
    np.testing.assert_array_equal(frame.values, grey(16, signed=True))
    frame, _ = through(tmp_path, colours(), 8, "dcmcjpeg", *options)
    np.testing.assert_array_equal(frame.values, colours())


@pytest.mark.parametrize(
    ("mode", "bits"),
    [("+eb", 8), ("+ee", 8), ("+ee", 12), ("+es", 8), ("+es", 12), ("+ep", 8), ("+ep", 12)],
)
def test_lossy_jpeg(tmp_path: Path, mode: str, bits: int) -> None:
    frame, theirs = through(tmp_path, grey(bits), bits, "dcmcjpeg", mode, "+q", "95")
    assert np.abs(frame.values.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize(("space", "sampling"), [("+cy", "+s4"), ("+cy", "+s2"), ("+cr", "+s4")])
def test_lossy_jpeg_in_colour(tmp_path: Path, space: str, sampling: str) -> None:
    frame, theirs = through(tmp_path, colours(), 8, "dcmcjpeg", "+eb", "+q", "95", space, sampling)
    # Two ways to enlarge the subsampled chroma differ at the edges of its noise.
    worst = 1 if sampling == "+s4" else 40
    difference = np.abs(frame.values.astype(int) - theirs)
    assert difference.max() <= worst
    assert difference.mean() < 1.5


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("mode", ["+el", "+en"])
def test_jpeg_ls(tmp_path: Path, mode: str, bits: int) -> None:
    frame, theirs = through(tmp_path, grey(bits), bits, "dcmcjpls", mode)
    np.testing.assert_array_equal(frame.values, theirs)
    if mode == "+el":
        np.testing.assert_array_equal(frame.values, grey(bits))


@pytest.mark.parametrize("interleave", ["+il", "+is", "+in"])
def test_jpeg_ls_in_colour(tmp_path: Path, interleave: str) -> None:
    frame, _ = through(tmp_path, colours(), 8, "dcmcjpls", interleave)
    np.testing.assert_array_equal(frame.values, colours())


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_rle(tmp_path: Path, bits: int) -> None:
    frame, _ = through(tmp_path, grey(bits), bits, "dcmcrle")
    np.testing.assert_array_equal(frame.values, grey(bits))


def test_rle_in_colour(tmp_path: Path) -> None:
    frame, _ = through(tmp_path, colours(), 8, "dcmcrle")
    np.testing.assert_array_equal(frame.values, colours())
