"""The detector in its child process, with a real network: answers, refusals, cancelling."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from detector.types import Detections
from tests.model_factory import make_model
from viewer.dicom.model import Frame, VoiWindow
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.engine.messages import ANALYSING, LOADING, DetectUpdate
from viewer.errors import Cancelled, EngineError, InputError, ViewerError

FLOOR = 0.001


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker("model")
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def frame() -> Frame:
    values = np.random.default_rng(3).normal(2000, 400, (900, 700)).astype(np.int16)
    return Frame(values, "0" * 64, "", (VoiWindow(2000, 1600),), inverted=False)


def test_stages_are_told_and_the_model_stays_loaded(
    worker: Worker, model: Path, frame: Frame
) -> None:
    stages: list[str] = []

    def note(update: DetectUpdate) -> None:
        stages.append(update.stage)

    first = client.detect(worker, frame, model, FLOOR, "cpu", note)
    assert stages == [LOADING, ANALYSING]
    second = client.detect(worker, frame, model, FLOOR, "cpu", note)
    assert stages == [LOADING, ANALYSING, ANALYSING]
    assert first.device == second.device == "cpu"
    assert first.model_name == "random"
    assert first.detections
    assert first.detections == second.detections


def test_boxes_are_those_of_the_predictor_in_pixels_of_the_frame(
    worker: Worker, model: Path, frame: Frame
) -> None:
    from detector.inference.predictor import Predictor
    from detector.types import ImageInput
    from viewer.dicom import voi

    ours = client.detect(worker, frame, model, FLOOR, "cpu")
    image = ImageInput(frame.values, voi.tone_curve(frame))
    theirs = Predictor(model, "cpu").predict(image, FLOOR)
    assert [d.category for d in ours.detections] == [d.category for d in theirs.detections]
    for mine, other in zip(ours.detections, theirs.detections, strict=True):
        assert mine.score == pytest.approx(other.score, abs=1e-4)
        assert mine.box.iou(other.box) > 0.99
        assert 0 <= mine.box.x_min < mine.box.x_max <= 700
        assert 0 <= mine.box.y_min < mine.box.y_max <= 900


def test_another_model_is_loaded_in_its_place(
    worker: Worker, model: Path, frame: Frame, tmp_path: Path
) -> None:
    other = make_model(tmp_path, "other", seed=1)
    assert client.detect(worker, frame, model, FLOOR, "cpu").model_name == "random"
    assert client.detect(worker, frame, other, FLOOR, "cpu").model_name == "other"
    assert client.detect(worker, frame, model, FLOOR, "cpu").model_name == "random"


def test_a_model_that_was_replaced_in_its_folder_is_loaded_anew(
    worker: Worker, frame: Frame, tmp_path: Path
) -> None:
    old = make_model(tmp_path)
    first = client.detect(worker, frame, old, FLOOR, "cpu")
    shutil.rmtree(old)
    with pytest.raises(InputError, match="no model"):
        client.detect(worker, frame, old, FLOOR, "cpu")
    make_model(tmp_path, seed=1)
    second = client.detect(worker, frame, old, FLOOR, "cpu")
    assert second.weights_sha256 != first.weights_sha256
    assert second.detections != first.detections


def test_damaged_weights_are_a_sentence_and_the_child_lives_on(
    worker: Worker, model: Path, frame: Frame, tmp_path: Path
) -> None:
    damaged = make_model(tmp_path, "damaged")
    weights = damaged / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    pid = worker.pid
    with pytest.raises(InputError, match="SHA-256"):
        client.detect(worker, frame, damaged, FLOOR, "cpu")
    assert client.detect(worker, frame, model, FLOOR, "cpu").model_name == "random"
    assert worker.pid == pid


def test_absent_device_is_a_sentence(worker: Worker, model: Path, frame: Frame) -> None:
    import torch

    if torch.backends.mps.is_available():
        pytest.skip("this computer has every device that could be absent")
    with pytest.raises(InputError, match="mps"):
        client.detect(worker, frame, model, FLOOR, "mps")


def cancelled_after(worker: Worker, model: Path, frame: Frame, stage: str, delay: float) -> float:
    """Cancel a request ``delay`` seconds after a stage began; seconds that took to end it."""
    reached = threading.Event()
    ended: list[float | ViewerError | Detections] = []

    def note(update: DetectUpdate) -> None:
        if update.stage == stage:
            reached.set()

    def run() -> None:
        try:
            ended.append(client.detect(worker, frame, model, FLOOR, "cpu", note))
        except ViewerError as error:
            ended.append(error)
        ended.append(time.monotonic())

    thread = threading.Thread(target=run)
    thread.start()
    assert reached.wait(240)
    time.sleep(delay)
    asked_at = time.monotonic()
    worker.cancel()
    thread.join(10)
    assert isinstance(ended[0], Cancelled), ended[0]
    assert isinstance(ended[1], float)
    return ended[1] - asked_at


def test_cancel_while_loading_ends_within_half_a_second(model: Path, frame: Frame) -> None:
    worker = Worker("model")
    try:
        # Importing torch takes seconds and listens to no one: this child is killed.
        assert cancelled_after(worker, model, frame, LOADING, 0.1) < 0.5
        assert client.detect(worker, frame, model, FLOOR, "cpu").detections
    finally:
        worker.close()


def test_cancel_while_analysing_ends_within_half_a_second_and_the_model_stays(
    worker: Worker, model: Path, frame: Frame
) -> None:
    client.detect(worker, frame, model, FLOOR, "cpu")
    pid = worker.pid
    assert cancelled_after(worker, model, frame, ANALYSING, 0.0) < 0.5
    began = time.monotonic()
    assert client.detect(worker, frame, model, FLOOR, "cpu").detections
    if worker.pid == pid:  # it stopped by itself: nothing had to be loaded again
        assert time.monotonic() - began < 5


def test_cancel_before_the_child_is_up_ends_within_half_a_second(model: Path, frame: Frame) -> None:
    worker = Worker("model")
    errors: list[Exception] = []

    def run() -> None:
        try:
            client.detect(worker, frame, model, FLOOR, "cpu")
        except (Cancelled, EngineError) as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while worker.pid is None:
        time.sleep(0.005)
    asked_at = time.monotonic()
    worker.cancel()
    thread.join(10)
    assert time.monotonic() - asked_at < 0.5
    assert isinstance(errors[0], Cancelled)
    worker.close()
