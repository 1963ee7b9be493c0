"""`detect`: the detector over files, its boxes as COCO JSON. No display needed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from detector import model_store
from detector.types import Detections
from viewer.commands.console import find_images, require_paths, tell, write_whole
from viewer.commands.models import chosen_model
from viewer.dicom.model import Image, Kind, Skipped
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.engine.messages import LOADING, DetectUpdate
from viewer.errors import EngineError, InputError
from viewer.exchange import coco
from viewer.home import Home
from viewer.version import VERSION


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    paths: tuple[Path, ...]
    out: Path
    model: str | None
    floor: float
    device: str
    any_image: bool
    proposals: int = 0
    thorough: bool = False


def detect(request: Request, home: Home) -> int:
    """Analyse every image and write the file; returns the exit code.

    1 where not one image was analysed: the file is written all the same and says why.

    Raises
    ------
    InputError, EngineError, ModelError, ExchangeError
        A path does not exist, the model cannot be used, or the file cannot be written.
    """
    require_paths(request.paths)
    folder = chosen_model(home, request.model)
    card = model_store.read_card(folder)
    if request.proposals and not card.has_proposals:
        raise InputError(f"The model {card.name} has no proposals: it is not a two-stage detector.")
    with closing(Worker("decode")) as decoder, closing(Worker("model")) as detector:
        images, skipped = find_images(decoder, request.paths)
        run = _Run(request, home, folder, decoder, detector)
        analysed: list[tuple[Image, str, Detections]] = []
        for number, image in enumerate(images, start=1):
            name = given_name(image, request.paths)
            tell(f"image {number} of {len(images)}: {name}")
            try:
                analysed.append((image, name, run.analyse(image)))
            except (InputError, EngineError) as error:
                if run.model_failed:
                    raise
                tell(f"skipped {name}: {error}")
                skipped.append(Skipped(name, str(error)))
    devices = {detections.device for _, _, detections in analysed} or {request.device}
    result = coco.detections_json(
        analysed, skipped, card, ", ".join(sorted(devices)), request.floor, VERSION
    )
    write_whole(request.out, json.dumps(result, indent=1).encode() + b"\n")
    tell(f"wrote {request.out}: {len(analysed)} of {len(images)} images analysed")
    return 0 if analysed else 1


class _Run:
    """One model over many images."""

    def __init__(
        self, request: Request, home: Home, folder: Path, decoder: Worker, detector: Worker
    ) -> None:
        self.model_failed = False  # the fault is the model's: no image could do better
        self._request = request
        self._home = home
        self._folder = folder
        self._card = model_store.read_card(folder)
        self._decoder = decoder
        self._detector = detector

    def analyse(self, image: Image) -> Detections:
        if image.kind is not Kind.IMAGE:
            raise InputError(f"Not analysed: it is a {image.kind.value}, not an image.")
        if not self._request.any_image:
            refusal = self._card.refusal(
                image.series.modality, image.series.body_part, image.view, image.is_colour
            )
            if refusal is not None:
                raise InputError(refusal)
        frame = client.decode_frame(self._decoder, image)
        request = self._request
        detections = client.detect(
            self._detector,
            frame,
            self._folder,
            request.floor,
            request.device,
            self._watch,
            request.proposals,
            thorough=request.thorough,
            memory=self._home.measured_speeds,
        )
        self.model_failed = False
        return detections

    def _watch(self, update: DetectUpdate) -> None:
        # What fails after this word and before the next one fails in loading.
        self.model_failed = update.stage == LOADING


def given_name(image: Image, paths: Sequence[Path]) -> str:
    """The name of an image's file as the person would write it.

    Relative to the folder that was given, or the name itself where the file was given; the frame
    has a field of its own.
    """
    file = image.path.absolute()
    for given in paths:
        if given.is_dir() and file.is_relative_to(given.absolute()):
            name = file.relative_to(given.absolute()).as_posix()
            break
        if not given.is_dir() and file == given.absolute():
            name = str(given)
            break
    else:
        name = str(image.path)  # named by a DICOMDIR
    return f"{name} > {image.member}" if image.member else name
