"""Child process that runs the detector on arrays, and looks at models that are brought along.

It never sees an image file of the reader's.
"""

from __future__ import annotations

import os
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from detector import model_store
from viewer.engine.child import Link, serve
from viewer.engine.messages import (
    ANALYSING,
    LOADING,
    AddModelAnswer,
    AddModelRequest,
    Answer,
    DetectAnswer,
    DetectRequest,
    DetectUpdate,
    InspectModelAnswer,
    InspectModelRequest,
    Request,
)

if TYPE_CHECKING:
    from detector.inference.predictor import Predictor


def main(connection: Connection) -> None:
    """Entry point of the process."""
    _leave_room()
    serve(connection, _Models().handle)


class _Models:
    """The one loaded model: a second one in memory would serve nobody."""

    def __init__(self) -> None:
        self._key: tuple[Path, str] | None = None
        self._predictor: Predictor | None = None

    def handle(self, request: Request, link: Link) -> Answer:
        if isinstance(request, InspectModelRequest | AddModelRequest):
            return _taken_in(request)
        if not isinstance(request, DetectRequest):
            raise TypeError(f"the model worker does not know {type(request).__name__}")
        predictor = self._load(request, link)
        link.report(DetectUpdate(ANALYSING))
        detections = predictor.predict(
            request.image, request.floor, request.proposals, request.thorough
        )
        link.check()
        return DetectAnswer(detections)

    def _load(self, request: DetectRequest, link: Link) -> Predictor:
        key = request.model_folder, request.device
        if (
            self._predictor is not None
            and self._key == key
            # Another model may have been put into the same folder since.
            and model_store.read_card(request.model_folder) == self._predictor.card
        ):
            return self._predictor
        link.report(DetectUpdate(LOADING))
        self._predictor = self._key = None  # free the memory of the last one first
        # It may bring torch: seconds that belong to this stage, and after _leave_room.
        from detector.inference.predictor import Predictor  # noqa: PLC0415

        self._predictor = Predictor(*key, memory=request.memory)
        self._key = key
        return self._predictor


def _taken_in(request: InspectModelRequest | AddModelRequest) -> Answer:
    from detector.importing import add  # noqa: PLC0415  as above

    if isinstance(request, InspectModelRequest):
        return InspectModelAnswer(add.inspect(request.file, request.description))
    return AddModelAnswer(add.add(request.file, request.models, request.description))


def _leave_room() -> None:
    """Leave the window a core and the right of way, so that it stays quick while this works."""
    threads = str(max(1, (os.cpu_count() or 2) - 1))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read by torch and by us
        os.environ.setdefault(name, threads)
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(5)
