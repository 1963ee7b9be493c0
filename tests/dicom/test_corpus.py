"""The whole corpus of real files: opened and shown exactly, or refused for a named reason."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.dicom.corpus_oracle import (
    SIBLINGS,
    Judgement,
    chosen,
    corpus_files,
    judge,
    read_index,
    scan_one,
)
from viewer.dicom import voi
from viewer.dicom.model import Kind, VoiTable
from viewer.dicom.pixels import decode, read_stored_values
from viewer.dicom.scan import scan
from viewer.errors import InputError

# Damaged files: what the reader is told. Everything else must decode.
DAMAGED = {
    "malformed/2026-05-06-Deeply-Nested-Sequence.dcm": "nested above the limit",
    "malformed/2026-05-26-oob-monochrome-46341.dcm": "2,147 megapixels, above the limit",
    "malformed/3gb-bulk-data-truncated": "above the limit",
    # A sequence delimiter written over the codestream's SIZ segment.
    "malformed/JPEG2000-embedded-sequence-delimiter.dcm": "the header says 256 x 1024",
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

# Lossy ones whose values depend on the decoder's rounding.
LOSSY = {"colour/1.2.840.10008.1.2.4.50.dcm"}


@cache
def judged(folder: Path) -> tuple[Judgement, ...]:
    """Slices of a series are alike: every fourth here, all of them in benchmarks.corpus_table."""
    names = corpus_files(folder)
    slices = {name for name in names if name.startswith("series_")}
    kept = [n for index, n in enumerate(names) if n not in slices or index % 4 == 0]
    return tuple(judge(folder, name) for name in kept)


def of_result(folder: Path, *results: str) -> set[str]:
    return {each.name for each in judged(folder) if each.result in results}


def test_every_picture_equals_the_oracles(data_folder: Path) -> None:
    folder = data_folder / "dicom"
    assert [each for each in judged(folder) if each.result == "differs"] == []
    assert of_result(folder, "within 1") <= LOSSY
    if shutil.which("dcmdjpeg") is not None:
        assert of_result(folder, "no oracle") == set()
    assert len(of_result(folder, "equal", "within 1")) > 230


def test_what_is_refused_is_refused_for_its_true_reason(data_folder: Path) -> None:
    folder = data_folder / "dicom"
    index = read_index(folder)
    refused = {each.name: each.detail for each in judged(folder) if each.result == "refused"}
    assert set(DAMAGED) <= set(refused)
    for name, reason in refused.items():
        without = index[name]["decodes"].startswith("no pixel data")
        assert re.search(DAMAGED.get(name, NO_PIXELS if without else "$nothing"), reason), name


def test_the_one_file_that_ends_early_is_incomplete(data_folder: Path) -> None:
    assert of_result(data_folder / "dicom", "incomplete") == {"malformed/MR_truncated.dcm"}


def test_exceptions_are_few_and_their_siblings_are_what_they_should_be(data_folder: Path) -> None:
    """Neither pydicom nor dcmtk decodes them; ours equal another file of the same frames."""
    assert len(SIBLINGS) <= 10
    folder = data_folder / "dicom"
    assert set(SIBLINGS) <= of_result(folder, "equal")
    for name, sibling in SIBLINGS.items():
        ours, theirs = scan_one(folder / name)[0], scan_one(folder / sibling)[0]
        assert len(ours) == len(theirs) > 1
        assert {image.uid for image in theirs} != set()
        for image, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(decode(image).values, decode(other).values)


def sha1(frames: list[npt.NDArray[Any]], dtype: str) -> str:
    values = np.stack(frames) if len(frames) > 1 else frames[0]
    return hashlib.sha1(np.ascontiguousarray(values.astype(dtype)).tobytes()).hexdigest()[:12]


def test_stored_values_are_those_that_the_index_knows(data_folder: Path) -> None:
    """The index was made with other decoders than ours and the oracle's: gdcm and libjpeg."""
    folder = data_folder / "dicom"
    other: list[str] = []
    compared = 0
    for name, row in read_index(folder).items():
        images, _ = scan_one(folder / name)
        if not row["decodes"].startswith("yes") or len(chosen(images)) != len(images):
            continue
        if row["pixel_sha1_12"] and images:
            compared += 1
            # Of colour the index holds the stored samples or RGB, as its decoder gave them.
            ways = (read_stored_values, lambda image: decode(image).values)
            if not any(
                sha1([way(image) for image in images], row["decoded_dtype"]) == row["pixel_sha1_12"]
                for way in ways
            ):
                other.append(name)
    # Lossy JPEG of 12 bits, which every decoder rounds its own way, and the one above.
    assert set(other) == {
        *LOSSY,
        "ts_ctimage/CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm",
        "wg04_nm1/JPGExtended.dcm",
        "wg04_rg2/RG2_JPLY_fixed.dcm",
    }
    assert compared > 370


# These hold one plane after the other, and no pixel is there before the last one begins.
_ALL_PLANES = {
    "colour/JLSL_RGB_ILV0.dcm": 0.66,
    "colour/YBR_FULL-RLE.dcm": 0.96,
}
COMPRESSED = (
    "colour/1.2.840.10008.1.2.4.50.dcm",
    "colour/GH538-jpeg14sv1.dcm",
    "colour/JLSL_RGB_ILV0.dcm",
    "colour/JLSL_RGB_ILV2.dcm",
    "colour/SC_rgb_jls_lossy_line.dcm",
    "colour/YBR_FULL-RLE.dcm",
    "projection/GH133.dcm",
    "ts_ctimage/CTImage.dcm_JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50.dcm",
    "ts_ctimage/CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm",
    "ts_ctimage/CTImage.dcm_RLELosslessTransferSyntax_1.2.840.10008.1.2.5.dcm",
    "ts_misc/1.2.840.10008.1.2.4.57.dcm",
    "wg04_ct1/CT1_JLSL",
    "wg04_ct1/CT1_JLSN.dcm",
    "wg04_mr3/MR3_RLE",
    "wg04_rg2/RG2_JPLL.dcm",
)


@pytest.mark.parametrize("name", COMPRESSED)
def test_real_files_that_are_cut_show_the_rows_that_are_there(
    data_folder: Path, tmp_path: Path, name: str
) -> None:
    path = data_folder / "dicom" / name
    whole = decode(scan_one(path)[0][0]).values
    data = path.read_bytes()
    start = data.rindex(b"\xe0\x7f\x10\x00OB")
    for share in (0.95, 0.7, 0.4):
        cut = tmp_path / f"{share}"
        cut.write_bytes(data[: start + int((len(data) - start) * share)])
        images, reasons = scan_one(cut)
        assert reasons == []
        if share < _ALL_PLANES.get(name, 0):
            with pytest.raises(InputError, match="not one row"):
                decode(images[0])
            continue
        frame = decode(images[0])
        assert frame.incomplete
        said = re.search(r"in row (\d+) of", frame.notes[0])
        assert said is not None
        known = int(said[1]) - 1
        assert known > 0.1 * len(whole)
        # The chroma of a block row is smoothed with that of the next.
        sure = max(0, known - 16) if name in LOSSY else known
        np.testing.assert_array_equal(frame.values[:sure], whole[:sure])
        # Nothing of what a decoder made up is left; the row of the cut may be real in part.
        rest = frame.values[known + 1 :]
        assert rest.size == 0 or (rest == rest.flat[0]).all()


def test_reports_and_documents_are_no_pictures(data_folder: Path) -> None:
    kinds = {each.result for each in judged(data_folder / "dicom")}
    assert {Kind.REPORT.value, Kind.PRESENTATION_STATE.value, Kind.PAGE.value} <= kinds


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


# dcmtk computes YCbCr with whole numbers.
_DCMTK_TOLERANCE = {"colour/SC_ybr_full_uncompressed.dcm": 2, "colour/YBR_FULL-RLE.dcm": 2}
# Its header says RGB, its JFIF marker YCbCr: told to trust the header, dcmtk shows a blue mouth.
_WRONG_COLOUR_SPACE = "colour/GH195.dcm"
_DCMTK_GROUPS = (
    "bits colour lut_overlay_gsps multiframe pet_ct_variety projection ts_ctimage ts_misc wg04_ct1 "
    "wg04_mr3 wg04_nm1 wg04_rg2 wg04_us1_vl2"
).split()


def dcmtk_picture(path: Path, options: list[str]) -> npt.NDArray[Any] | None:
    """The 8-bit picture without overlay planes; None where dcmtk makes none (JPEG 2000, float)."""
    command = ["dcmj2pnm", "--no-overlays", *options, "--write-png", path]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        return None
    picture = cv2.imdecode(np.frombuffer(done.stdout, np.uint8), cv2.IMREAD_UNCHANGED)
    return picture[..., ::-1] if picture.ndim == 3 else picture


def test_pictures_equal_those_of_dcmtk(data_folder: Path) -> None:
    """Decoded, mapped and windowed by a program that has no line in common with ours."""
    if shutil.which("dcmj2pnm") is None:
        pytest.skip("no second program: dcmtk is not installed")
    folder = data_folder / "dicom"
    other: dict[str, int] = {}
    compared = 0
    for name in (n for n in corpus_files(folder) if n.partition("/")[0] in _DCMTK_GROUPS):
        images, _ = scan_one(folder / name)
        if not images or images[0].kind is not Kind.IMAGE:
            continue
        frame = decode(images[0])
        options = ["--conv-lossy"] if name == _WRONG_COLOUR_SPACE else []
        if frame.vois:
            options = ["+Wl" if isinstance(frame.vois[0], VoiTable) else "+Wi", "1"]
        elif not frame.is_colour:
            window = voi.auto_window(frame)
            options = ["+Ww", str(window.center), str(window.width)]
        theirs = dcmtk_picture(folder / name, options)
        if theirs is not None:
            compared += 1
            ours = voi.picture(frame, voi.default_voi(frame)).astype(int)
            worst = int(np.abs(ours - theirs).max()) if ours.shape == theirs.shape else 255
            if worst > _DCMTK_TOLERANCE.get(name, 1):
                other[name] = worst
    assert other == {}
    assert compared > 60
