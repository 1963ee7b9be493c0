"""Studies of one large radiograph each, with two candidates, as a batch leaves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from detector.types import Box, Detection, Detections, ModelCard
from tests.dicom_factory import make_dicom
from viewer.dicom.model import Image, ImageKey
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.review.store import Store
from viewer.review.study_log import run_of

WEIGHTS = "ab" * 32
THRESHOLD = 0.3
_ROWS, _COLUMNS = 2500, 2048  # of a chest radiograph


def card() -> ModelCard:
    """A model that has analysed all of them; it is never run."""
    return ModelCard(
        name="bench",
        version="1",
        architecture="none",
        architecture_options={},
        categories=("opacity",),
        input_size=64,
        weights_sha256=WEIGHTS,
        modalities=("DX",),
        body_parts=("CHEST",),
        views=("PA",),
        default_threshold=THRESHOLD,
        description="",
        evaluation={},
    )


def analysed_studies(store: Store, folder: Path, count: int) -> None:
    """Write the files, put them into the list and keep two candidates of each."""
    folder.mkdir()
    pixels = np.tile(np.linspace(200, 3800, _COLUMNS).astype(np.uint16), (_ROWS, 1))
    for number in range(count):
        pixels[0, 0] = number
        make_dicom(
            folder / f"{number:03d}.dcm",
            pixels,
            PatientName=f"Bench^{number}",
            PatientID=f"B-{number}",
            StudyInstanceUID=f"1.2.{number}",
            SeriesInstanceUID=f"1.2.{number}.1",
            SOPInstanceUID=f"1.2.{number}.1.1",
        )
    images: list[Image] = []
    decoder = Worker("decode")
    try:
        client.scan(decoder, [folder], lambda update: images.extend(update.images))
        store.worklist.add(images)
        for image in images:
            pixel_sha256 = client.decode_frame(decoder, image).pixel_sha256
            store.remember_images([(image, pixel_sha256)], shown=False)
            found = _detections(image)
            key = ImageKey(image.uid, image.frame_number, pixel_sha256)
            store.record_run(run_of(key, found, THRESHOLD), found.detections)
    finally:
        decoder.close()


def _detections(image: Image) -> Detections:
    score = 0.5 + int(image.uid.split(".")[2]) % 50 / 100
    boxes = (Box(300, 400, 700, 900), Box(1200, 1300, 1600, 1800))
    return Detections(
        tuple(Detection(box, score - place / 10, "opacity") for place, box in enumerate(boxes)),
        model_name="bench",
        model_version="1",
        weights_sha256=WEIGHTS,
        device="cpu",
        score_floor=0.01,
        seconds=0.1,
    )
