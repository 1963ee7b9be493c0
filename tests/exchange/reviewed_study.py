"""A reviewed study for the tests of what refers to images: reports and presentation states."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from detector.types import Box, Detection, Detections
from viewer.dicom.deidentify import copy_of
from viewer.dicom.model import Frame, Image, ImageKey
from viewer.dicom.pixels import decode
from viewer.dicom.pseudonym import Pseudonym
from viewer.dicom.scan import scan
from viewer.exchange.export import ExportSummary
from viewer.exchange.formats import FORMATS
from viewer.exchange.options import Options
from viewer.review.measurement import Shape
from viewer.review.session import ReviewSession
from viewer.review.store import Store

READER = "Dr. Who"
WEIGHTS = "0123456789abcdef" * 4
BOXES = (Box(1, 2, 30, 40), Box(40, 2, 80, 40), Box(1, 60, 30, 90), Box(50, 60, 70, 90))


@dataclass
class Reviewed:
    """A study with an accepted, a corrected, a rejected, an open and an added finding."""

    store: Store
    session: ReviewSession
    image: Image
    frame: Frame
    folder: Path

    @property
    def key(self) -> ImageKey:
        return ImageKey(self.image.uid, self.image.frame_number, self.frame.pixel_sha256)

    def export(self, name: str, options: Options = Options()) -> Path:  # noqa: B008  frozen
        """Export everything in a format; the folder that was written."""
        self.summary = export(self.store, name, self.folder / name, options)
        return self.folder / name

    summary: ExportSummary | None = None


def export(
    store: Store,
    name: str,
    out: Path,
    options: Options = Options(),  # noqa: B008  frozen
) -> ExportSummary:
    def copy(image: Image, pseudonym: Pseudonym | None, pixels: bool) -> bytes:
        return copy_of(image, pseudonym, pixels=pixels)

    return FORMATS[name].export(store, out, decode, options, copy=copy)


def review(store: Store, path: Path, folder: Path, frame_number: int = 1) -> Reviewed:
    """Open a file of at least 120 rows and 90 columns and decide on it."""
    images = [image for update in scan([path]) for image in update.images]
    image = next(each for each in images if each.frame_number == frame_number)
    frame = decode(image)
    session = ReviewSession(store, image.study.uid, READER)
    session.remember_image(image, frame.pixel_sha256)
    key = ImageKey(image.uid, image.frame_number, frame.pixel_sha256)
    found = tuple(
        Detection(box, score, "opacity")
        for box, score in zip(BOXES, (0.9, 0.8, 0.7, 0.6), strict=True)
    )
    session.add_run(key, Detections(found, "chest-xray", "1.2", WEIGHTS, "cpu", 0.01, 0.1))
    session.threshold = 0.37
    first, second, third, _ = session.findings(image.uid, frame_number)
    session.accept(first.id)
    session.correct(second.id, box=Box(41.5, 2, 80, 41))
    session.reject(third.id)
    session.ai_visible = False
    session.add(key, Box(5, 100, 25, 118), "hilar fullness")
    session.ai_visible = True
    return Reviewed(store, session, image, frame, folder)


def measure(reviewed: Reviewed) -> None:
    """One measurement of each shape."""
    for shape, points in (
        (Shape.LENGTH, ((10, 10), (40, 50))),
        (Shape.ANGLE, ((10, 10), (40, 10), (40, 50))),
        (Shape.RECTANGLE, ((10, 20), (30, 60))),
        (Shape.ELLIPSE, ((10, 20), (30, 60))),
        (Shape.POINT, ((10.5, 20.5),)),
    ):
        session = reviewed.session
        session.measure(reviewed.key, shape, tuple((float(x), float(y)) for x, y in points))


def run_peer(program: str, *arguments: str) -> str:
    """What a program of DCMTK says; skips where it is not installed, fails on an error of it."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} of DCMTK is not installed")
    done = subprocess.run([found, *arguments], capture_output=True, check=False)
    words = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0, words
    errors = [line for line in words.splitlines() if line.startswith(("E:", "F:"))]
    assert not errors, words
    return words
