"""The batch over a folder of images through the real code: throughput and peak memory.

python -m benchmarks.review.batch FOLDER [--images N]

Beside it the detector alone: one process that predicts one array after the other, decoded before.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from detector.inference.predictor import Predictor
from detector.model_store import read_card
from detector.types import ImageInput
from viewer.batch import SCORE_FLOOR, Batch, BatchStep, Machine
from viewer.commands.console import find_images
from viewer.commands.models import chosen_model
from viewer.dicom import voi
from viewer.dicom.model import Image
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.home import Home
from viewer.review.store import Store

_ALONE = 100  # images that the detector is timed over by itself


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.review.batch")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, help="only the first so many")
    options = parser.parse_args(arguments)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # as many as the model worker takes
        os.environ.setdefault(name, str(max(1, (os.cpu_count() or 2) - 1)))
    with TemporaryDirectory() as temporary:
        home = Home.resolve(Path(temporary))
        folder = chosen_model(home, None)
        # Both find the fastest way of computing before they are timed.
        Predictor(folder, "auto", memory=home.measured_speeds)
        with _Memory() as memory:
            images, seconds, words = _batch(home, folder, options.folder, options.images)
        count = len(images)
        os.nice(5)  # as the model worker is
        alone = _detector_alone(home, folder, images[:: max(1, count // _ALONE)])
    print(words)
    print(f"batch     {count} images in {seconds:.1f} s: {count / seconds:.2f} images/s")
    print(f"detector  alone, on decoded arrays: {1 / alone:.2f} images/s")
    print(f"ratio     {seconds / count / alone:.2f} of the detector alone")
    print(f"memory    peak of all processes {memory.peak / 2**20:.0f} MiB")
    return 0


def _batch(
    home: Home, model: Path, folder: Path, most: int | None
) -> tuple[list[Image], float, str]:
    with (
        Store.open(home.database) as store,
        closing(Worker("decode")) as decoder,
        closing(Worker("model")) as detector,
    ):
        images = find_images(decoder, [folder])[0][:most]
        ids = store.worklist.add(images)
        machine = Machine(
            scan=partial(client.scan, decoder),
            decode=partial(client.decode_frame, decoder),
            detect=lambda frame, watch: client.detect(
                detector, frame, model, SCORE_FLOOR, "auto", watch, memory=home.measured_speeds
            ),
        )
        batch = Batch(store, machine, read_card(model))
        batch.run(ids[:1], lambda _: None)  # the model is loaded, which no long batch notices
        began = time.monotonic()
        summary = batch.run(ids[1:], _tell)
        seconds = time.monotonic() - began
    words = f"{summary.images} analysed, {len(summary.refusals)} not for this model"
    return images[1:], seconds, f"{words}, {len(summary.failures)} failed"


def _tell(step: BatchStep) -> None:
    if step.done % 100 == 0:
        print(f"{step.done} of {step.total}", file=sys.stderr, flush=True)


def _detector_alone(home: Home, model: Path, images: Sequence[Image]) -> float:
    """Seconds an image, in this process."""
    with closing(Worker("decode")) as decoder:
        frames = [client.decode_frame(decoder, image) for image in images]
    inputs = [ImageInput(frame.values, voi.tone_curve(frame)) for frame in frames]
    predictor = Predictor(model, "auto", memory=home.measured_speeds)
    predictor.predict(inputs[0], SCORE_FLOOR)
    began = time.monotonic()
    for each in inputs:
        predictor.predict(each, SCORE_FLOOR)
    return (time.monotonic() - began) / len(inputs)


class _Memory:
    """The most that this process and its children held together, looked at ten times a second."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self.peak = max(self.peak, sum(map(_resident, _family(os.getpid()))))


def _family(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return [pid]
    return [pid, *(member for child in text.split() for member in _family(int(child)))]


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
