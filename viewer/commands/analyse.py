"""`analyse`: put files into the worklist and run the detector over them. No display needed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from detector import model_store
from viewer.batch import (
    SCORE_FLOOR,
    Batch,
    BatchStep,
    BatchSummary,
    Machine,
    duration,
    summary_words,
)
from viewer.commands.console import find_images, tell
from viewer.commands.models import chosen_model
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.home import Home
from viewer.review.store import Store


def analyse(paths: Sequence[Path], model: str | None, device: str, home: Home) -> int:
    """Analyse every study of these files; returns the exit code.

    1 where a study failed, or nothing was found: everything else is kept all the same.

    Raises
    ------
    InputError, EngineError, ModelError, StoreError
        A path does not exist, the model cannot be used, or nothing can be kept.
    """
    folder = chosen_model(home, model)
    card = model_store.read_card(folder)
    with (
        Store.open(home.database) as store,
        closing(Worker("decode")) as decoder,
        closing(Worker("model")) as detector,
    ):
        images, _ = find_images(decoder, paths)
        ids = store.worklist.add(images)
        names = {row.id: row.patient_name or row.description for row in store.worklist.rows("")}
        machine = Machine(
            scan=partial(client.scan, decoder),
            decode=partial(client.decode_frame, decoder),
            detect=lambda frame, watch: client.detect(
                detector, frame, folder, SCORE_FLOOR, device, watch, memory=home.measured_speeds
            ),
        )

        def show(step: BatchStep) -> None:
            what = step.failure or step.refusal or f"{step.images} analysed"
            left = f", {duration(step.seconds_left)} left" if step.done < step.total else ""
            tell(f"study {step.done} of {step.total}: {names[step.study]}: {what}{left}")

        summary = Batch(store, machine, card).run(ids, show)
    _tell_summary(summary, names)
    return 0 if summary.studies and not summary.failures else 1


def _tell_summary(summary: BatchSummary, names: dict[int, str]) -> None:
    tell(summary_words(summary))
    for study, failure in summary.failures.items():
        tell(f"failed: {names[study]}: {failure}")
