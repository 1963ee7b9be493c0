"""A study without files: the review knows headers and hashes, never pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detector.types import Box, Detection, Detections
from tests.review.postgres_server import PostgresAbsentError, PostgresServer
from viewer.dicom.model import Image, ImageKey, Patient, SeriesHeader, StudyHeader
from viewer.review.place import Place
from viewer.review.session import ReviewSession
from viewer.review.store import Store

STUDY = "1.2.3"
PIXELS = "a" * 64

MakeImage = Callable[..., Image]
MakeDetections = Callable[..., Detections]


@pytest.fixture
def make_image() -> MakeImage:
    def make(uid: str = "1.2.3.4", *, study: str = STUDY, patient: str = "P1") -> Image:
        return Image(
            path=Path("folder/image.dcm"),
            member="",
            uid=uid,
            frame_number=1,
            number_of_frames=1,
            rows=200,
            columns=300,
            samples_per_pixel=1,
            photometric_interpretation="MONOCHROME2",
            study=StudyHeader(study, Patient("Doe^Jane", patient, "Hospital")),
            series=SeriesHeader(f"{study}.1", 1, "chest", "DX", "CHEST"),
            view="PA",
        )

    return make


@pytest.fixture
def make_detections() -> MakeDetections:
    def make(*found: tuple[Box, float], weights: str = "w" * 64) -> Detections:
        return Detections(
            tuple(Detection(box, score, "opacity") for box, score in found),
            model_name="chest-xray",
            model_version="1.0",
            weights_sha256=weights,
            device="cpu",
            score_floor=0.01,
            seconds=0.1,
        )

    return make


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server of its own."""
    try:
        server = PostgresServer()
    except PostgresAbsentError as reason:
        pytest.skip(str(reason))
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a label database can be made: the tests that ask for it run on both."""
    if request.param == "sqlite":
        return tmp_path / "labels.sqlite"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "labels.sqlite") as opened:
        yield opened


@pytest.fixture
def key() -> ImageKey:
    return ImageKey("1.2.3.4", 1, PIXELS)


@pytest.fixture
def session(
    store: Store, make_image: MakeImage, make_detections: MakeDetections, key: ImageKey
) -> ReviewSession:
    """A study of one analysed image with candidates of scores 0.9, 0.6 and 0.2."""
    opened = ReviewSession(store, STUDY, "Dr. Who")
    opened.remember_image(make_image(), PIXELS)
    opened.add_run(
        key,
        make_detections(
            (Box(10, 10, 60, 60), 0.9), (Box(100, 20, 150, 80), 0.6), (Box(5, 120, 50, 160), 0.2)
        ),
    )
    return opened
