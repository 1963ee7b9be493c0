"""The batch over real files and a real database, with a detector that answers as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from benchmarks.review.radiographs import card
from detector.types import Box, Detection, Detections
from tests.ui.window_fixtures import radiograph, undecodable
from viewer.batch import Batch, BatchStep, Machine, duration
from viewer.dicom.model import Frame, Image
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.engine.messages import ANALYSING, LOADING, DetectUpdate
from viewer.errors import Cancelled, EngineError, InputError
from viewer.review.finding import Mode
from viewer.review.store import Store
from viewer.review.worklist import StudyStatus, WorklistRow

CARD = card()


@pytest.fixture(scope="module")
def decoder() -> Iterator[Worker]:
    worker = Worker("decode")
    yield worker
    worker.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "labels.sqlite") as opened:
        yield opened


class Desk:
    """A folder of files, a list, and what the detector was asked for."""

    def __init__(self, store: Store, decoder: Worker, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.asked: list[int] = []
        self.failing: dict[int, Exception] = {}
        self.machine = Machine(
            scan=partial(client.scan, decoder),
            decode=partial(client.decode_frame, decoder),
            detect=self._detect,
        )

    def study(self, number: int, **elements: object) -> Path:
        own = {
            "PatientID": f"P-{number}",
            "StudyInstanceUID": f"1.2.{number}",
            "SOPInstanceUID": f"1.2.{number}.1",
            "ViewPosition": "PA",
        }
        return radiograph(self.folder / f"{number}.dcm", first=number, **own | elements)

    def add(self) -> list[int]:
        images: list[Image] = []
        self.machine.scan((self.folder,), lambda update: images.extend(update.images))
        return self.store.worklist.add(images)

    def run(
        self, ids: list[int], wait: Callable[[], None] = lambda: None
    ) -> tuple[list[BatchStep], dict[str, WorklistRow]]:
        steps: list[BatchStep] = []
        Batch(self.store, self.machine, CARD, wait).run(ids, steps.append)
        return steps, self.rows()

    def rows(self) -> dict[str, WorklistRow]:
        found = self.store.worklist.rows("Dr A", Mode.CONCURRENT, CARD.weights_sha256)
        return {row.patient_id: row for row in found}

    def _detect(self, frame: Frame, watch: Callable[[DetectUpdate], None]) -> Detections:
        number = int(frame.values.flat[0])
        self.asked.append(number)
        failure = self.failing.get(number)
        if isinstance(failure, EngineError):
            watch(DetectUpdate(LOADING))
            raise failure
        watch(DetectUpdate(ANALYSING))
        if failure is not None:
            raise failure
        found = (Detection(Box(10, 10, 60, 60), number / 100, "opacity"),)
        return Detections(found, "bench", "1", CARD.weights_sha256, "cpu", 0.01, 0.1)


@pytest.fixture
def desk(store: Store, decoder: Worker, tmp_path: Path) -> Desk:
    folder = tmp_path / "files"
    folder.mkdir()
    return Desk(store, decoder, folder)


def test_every_study_is_kept_as_a_run_and_nobody_is_said_to_have_seen_it(desk: Desk) -> None:
    for number in (20, 80):
        desk.study(number)
    steps, rows = desk.run(desk.add())
    assert [(step.done, step.total, step.images) for step in steps] == [(1, 2, 1), (2, 2, 1)]
    assert rows["P-80"].why == "opacity 0.80, 1 open candidate"
    assert rows["P-20"].why == "nothing at the model's threshold"
    record = desk.store.load("1.2.80")
    assert [image.shown for image in record.images] == [False]
    assert [run.threshold for run in record.runs] == [CARD.default_threshold]


def test_what_the_model_does_not_read_is_refused_without_being_decoded(desk: Desk) -> None:
    desk.study(1, Modality="CT")
    _, rows = desk.run(desk.add())
    assert desk.asked == []
    assert rows["P-1"].status is StudyStatus.NEW
    assert rows["P-1"].why.startswith("Not analysed: this model reads")
    assert rows["P-1"].done


def test_one_bad_file_costs_its_study_only(desk: Desk) -> None:
    desk.study(1)
    undecodable(
        desk.folder / "2.dcm",
        PatientID="P-2",
        StudyInstanceUID="1.2.2",
        SOPInstanceUID="1.2.2.1",
    )
    desk.study(3)
    desk.failing[3] = InputError("It cannot be analysed.")
    desk.study(4)
    _, rows = desk.run(desk.add())
    assert {name: row.status.value for name, row in rows.items()} == {
        "P-1": "analysed",
        "P-2": "failed",
        "P-3": "failed",
        "P-4": "analysed",
    }
    assert rows["P-3"].why == "It cannot be analysed."
    assert rows["P-2"].failure


def test_a_file_that_is_gone_is_its_studys_failure(desk: Desk) -> None:
    path = desk.study(1)
    ids = desk.add()
    path.unlink()
    _, rows = desk.run(ids)
    assert rows["P-1"].why == "1.dcm: It cannot be read: there is no such file or folder."


def test_a_model_that_cannot_be_loaded_ends_the_batch(desk: Desk) -> None:
    for number in (1, 2, 3):
        desk.study(number)
    desk.failing[1] = EngineError("The weights are damaged.")
    with pytest.raises(EngineError, match="weights are damaged"):
        desk.run(desk.add())
    assert desk.asked == [1]
    assert {row.status for row in desk.rows().values()} == {StudyStatus.NEW}


def test_what_this_model_has_been_over_is_not_run_again(desk: Desk) -> None:
    desk.study(80)
    ids = desk.add()
    desk.run(ids)
    desk.run(ids)
    assert desk.asked == [80]
    assert len(desk.store.load("1.2.80").runs) == 1


def test_a_stopped_batch_keeps_what_it_has(desk: Desk) -> None:
    for number in (10, 20, 30):
        desk.study(number)
    ids = desk.add()

    def wait() -> None:
        if len(desk.asked) == 1:
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        desk.run(ids, wait)
    assert desk.asked == [10]
    statuses = [row.status for row in desk.rows().values()]
    assert statuses.count(StudyStatus.NEW) >= 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (59, "59 s"), (61, "1 min"), (3540, "59 min"), (3700, "1 h 2 min")],
)
def test_time_that_is_left_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
