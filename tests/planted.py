"""Files with planted identifiers, and the search for them in all that was written.

Every identifier is a token that no program writes by chance. Of each the forms are looked for that
it could have been written in: other encodings, escapes, dates with dashes.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEGLSLossless

from tests.dicom_factory import make_compressed, make_dicom
from tests.object_factory import item

_TEXT_VRS: dict[str, list[str]] = {
    "PN": (
        "PatientName OtherPatientNames PatientBirthName PatientMotherBirthName "
        "ReferringPhysicianName PerformingPhysicianName OperatorsName "
        "NameOfPhysiciansReadingStudy RequestingPhysician ResponsiblePerson"
    ).split(),
    "LO": (
        "PatientID IssuerOfPatientID OtherPatientIDs PatientAddress MilitaryRank "
        "CountryOfResidence RegionOfResidence PatientReligiousPreference InstitutionName "
        "InstitutionalDepartmentName StudyDescription SeriesDescription ManufacturerModelName "
        "DeviceSerialNumber ProtocolName AdmissionID RequestedProcedureDescription "
        "MedicalRecordLocator InsurancePlanIdentification"
    ).split(),
    "SH": (
        "AccessionNumber StudyID StationName PatientTelephoneNumbers EthnicGroup Occupation "
        "FillerOrderNumberImagingServiceRequest"
    ).split(),
    "ST": ["InstitutionAddress", "DerivationDescription"],
    "LT": ("ImageComments PatientComments AdditionalPatientHistory VisitComments").split(),
    "UT": ["TextValue"],
    "UC": ["LongCodeValue"],
    "UR": ["RetrieveURL"],
    "AE": ("StationAETitle RetrieveAETitle").split(),
    "CS": ("TypeOfPatientID ContentLabel").split(),
    "AS": ["PatientAge"],
    "DA": (
        "PatientBirthDate StudyDate SeriesDate AcquisitionDate ContentDate AdmittingDate "
        "LastMenstrualDate"
    ).split(),
    "TM": ("StudyTime SeriesTime AcquisitionTime ContentTime PatientBirthTime").split(),
    "DT": ["AcquisitionDateTime", "ScheduledProcedureStepStartDateTime"],
    "IS": ["SeriesNumber"],
    "DS": ["PatientWeight", "PatientSize"],
    "UI": (
        "StudyInstanceUID SeriesInstanceUID SOPInstanceUID FrameOfReferenceUID "
        "DeviceUID InstanceCreatorUID"
    ).split(),
    "OB": ["ICCProfile"],
}
_LEAST_BASE64 = 9  # below it chance would write it
_LETTERS = "äöüßéñøşž"


class Planting:
    """Makes tokens and remembers them by where they were planted."""

    def __init__(self) -> None:
        self.tokens: dict[str, list[str]] = {}

    def word(self, where: str) -> str:
        """A word; every third has a letter beyond ASCII that Latin-1 or another alphabet has."""
        number = len(self.tokens)
        letter = _LETTERS[number // 3 % len(_LETTERS)] if number % 3 == 0 else ""
        token = f"Zq{letter}xk{number:02d}wv"
        self.tokens[where] = (token,)
        return token

    def value(self, keyword: str, vr: str) -> Any:
        """A value with a token in it, as its VR wants it."""
        n = len(self.tokens)
        if vr == "PN":
            return f"{self.word(f'{keyword} family')}^{self.word(f'{keyword} given')}"
        if vr == "OB":
            return self.word(keyword).encode()
        made = {
            "DA": f"19{11 + n % 80:02d}0{1 + n % 9}{10 + n % 18}",
            "TM": f"03{10 + n % 49}{10 + n % 48}.7{n:02d}9",
            "DT": f"1903040{1 + n % 9}0{n % 9}1{n % 9}27.4{n:02d}",
            "IS": f"73{n:02d}415",
            "DS": f"73{n:02d}41.917",
            "AS": "097Y",
            "UI": f"1.2.826.0.1.99817.{n}.77123",
            "CS": f"ZQXK{n:02d}WV",
            "AE": f"ZQXK{n:02d}WV",
        }
        return self.keep(keyword, made[vr]) if vr in made else self.word(keyword)

    def keep(self, where: str, token: str) -> str:
        dashed = f"{token[:4]}-{token[4:6]}-{token[6:8]}"
        forms = (token, dashed) if token[:8].isdigit() and token[:2] == "19" else (token,)
        self.tokens[where] = forms
        return token

    @property
    def count(self) -> int:
        return len(self.tokens)


def plant_radiograph(folder: Path, planting: Planting, first: int) -> Path:
    """A chest DX that a detector takes, with tokens in every VR that can hold text."""
    folder = folder / planting.word("folder name")
    folder.mkdir(parents=True)
    values = {
        keyword: planting.value(keyword, vr)
        for vr, keywords in _TEXT_VRS.items()
        for keyword in keywords
    }
    pixels = np.tile(np.linspace(200, 3800, 200).astype(np.uint16), (160, 1))
    pixels[0, 0] = first
    path = folder / f"{planting.word('file name')}.dcm"
    make_compressed(path, pixels, JPEGLSLossless, SpecificCharacterSet="ISO_IR 192", **values)
    dataset = pydicom.dcmread(path)
    _plant_deeper(dataset, planting)
    dataset.save_as(path)
    return path


def _plant_deeper(dataset: Dataset, planting: Planting) -> None:
    """Nested sequences, private elements, curves, an overlay, the codestream, the preamble."""
    dataset.RequestAttributesSequence = [
        item(
            RequestedProcedureID=planting.word("nested SH"),
            ScheduledProtocolCodeSequence=[
                item(CodeMeaning=planting.word("nested twice"), CodeValue=planting.word("code"))
            ],
        )
    ]
    dataset.OtherPatientIDsSequence = [item(PatientID=planting.word("other id"))]
    block = dataset.private_block(0x0029, planting.word("private creator"), create=True)
    for place, vr in enumerate(("LO", "UN", "OB", "LT", "PN"), start=0x10):
        token = planting.word(f"private {vr}")
        block.add_new(place, vr, token.encode() if vr in ("UN", "OB") else token)
    dataset.add_new(0x50000022, "LO", planting.word("curve description"))
    dataset.add_new(0x50003000, "OB", planting.word("curve data").encode().ljust(20, b"\0"))
    overlay = {0x10: 160, 0x11: 200, 0x50: [1, 1], 0x100: 1, 0x102: 0}
    for element, value in overlay.items():
        dataset.add_new((0x6000, element), "SS" if element == 0x50 else "US", value)
    dataset.add_new((0x6000, 0x40), "CS", "G")
    dataset.add_new((0x6000, 0x22), "LO", planting.word("overlay description"))
    dataset.add_new((0x6000, 0x1500), "LO", planting.word("overlay label"))
    dataset.add_new((0x6000, 0x4000), "LT", planting.word("overlay comments"))
    data = planting.word("overlay data").encode().ljust(4000, b"\0")
    dataset.add_new((0x6000, 0x3000), "OW", data)
    comment = planting.word("codestream comment").encode()
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    marker = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    dataset.PixelData = encapsulate([frame[:2] + marker + frame[2:]])
    dataset["PixelData"].is_undefined_length = True
    dataset.preamble = planting.word("preamble").encode().ljust(128, b"\0")
    dataset.file_meta.SourceApplicationEntityTitle = planting.keep("meta", "ZQXKMETAWV")


def plant_terms(folder: Path, planting: Planting) -> Path:
    """A radiograph whose terms, such as the body part, hold what they never should."""
    pixels = np.tile(np.linspace(200, 3800, 200).astype(np.uint16), (160, 1))
    values = {
        keyword: planting.keep(f"term {keyword}", f"ZQXK{len(planting.tokens)}TV")
        for keyword in ("BodyPartExamined", "ViewPosition", "Laterality", "RescaleType")
    }
    return make_dicom(
        folder / f"{planting.word('second file name')}.dcm",
        pixels,
        ImageType=["ORIGINAL", "PRIMARY", planting.keep("term ImageType", "ZQXKTYPEWV")],
        WindowCenter=2000,
        WindowWidth=3000,
        WindowCenterWidthExplanation=planting.word("window explanation"),
        RescaleSlope=1,
        RescaleIntercept=0,
        **values,
    )


def plant_png(folder: Path, planting: Planting) -> Path:
    """A plain image with tokens in its text chunks, its EXIF data and its name."""
    pixels = np.tile(np.linspace(0, 255, 200).astype(np.uint8), (160, 1))
    chunks = PIL.PngImagePlugin.PngInfo()
    chunks.add_text("Author", planting.word("PNG text"))
    chunks.add_itxt("Comment", planting.word("PNG international text"), zip=True)
    exif = PIL.Image.Exif()
    exif[0x010E] = planting.keep("EXIF", "ZqExifxkwv")
    path = folder / f"{planting.word('PNG file name')}.png"
    PIL.Image.fromarray(pixels).save(path, pnginfo=chunks, exif=exif)
    return path


# --- the search ----------------------------------------------------------------------------------


def found_in(planting: Planting, files: list[Path]) -> list[str]:
    """Where a token came up: its place of planting, and the file."""
    forms = {where: _forms(tokens) for where, tokens in planting.tokens.items()}
    hits = []
    for file in files:
        for content in _contents(file.read_bytes()):
            low = content.lower()
            hits += [
                f"{where} in {file}"
                for where, wanted in forms.items()
                if any(form in low for form in wanted)
            ]
        name = str(file).encode().lower()
        hits += [f"{w} in the name {file}" for w, f in forms.items() if any(x in name for x in f)]
    return sorted(set(hits))


def _forms(tokens: tuple[str, ...]) -> set[bytes]:
    forms: set[bytes] = set()
    for token in tokens:
        escaped = {token, json.dumps(token)[1:-1], quote(token), html.escape(token)}
        for word in escaped:
            for cased in (word.lower(), word.upper(), word):
                for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be", "cp1252"):
                    form = cased.encode(encoding, "ignore")
                    if len(form) >= len(cased):
                        forms.add(form.lower())
        forms.add(token.lower().encode("utf-8").hex().encode())
        for shift in range(3):  # base64 shows a word in three ways, by where it starts
            shown = base64.b64encode(b"\0" * shift + token.encode("utf-8"))
            middle = shown[-(-shift * 8 // 6) : -4].lower()
            if len(middle) >= _LEAST_BASE64:
                forms.add(middle)
    return {form for form in forms if len(form) >= 4}


def _contents(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes themselves, and what is packed in them: deflate, ASCII85, base64, PNG chunks."""
    yield data
    if depth > 2:
        return
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        yield from _contents(_from_ascii85(match[1]), depth + 1)
    for match in re.finditer(rb"base64,([A-Za-z0-9+/=]+)", data):
        yield from _contents(base64.b64decode(match[1]), depth + 1)
    for start in (m.start() for m in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data)):
        inflated = _inflated(data[start:])
        if inflated:
            yield from _contents(inflated, depth + 3)


def _from_ascii85(stream: bytes) -> bytes:
    try:
        return base64.a85decode(b"<~" + stream.strip(), adobe=True)
    except (ValueError, binascii.Error):
        return stream


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, 32 << 20)
    except zlib.error:
        return b""
