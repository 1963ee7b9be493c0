"""Does the shipped detector mark the phantom's opacity, and what else does it mark?

    python -m benchmarks.phantom_check [--model DIR] [--seeds 20] [--size 2048]

A phantom is never trained on. This measures the model on pictures that it was not made for, so
that the sample study shows what the detector really does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from detector.inference.predictor import Predictor
from detector.types import Box, Detection, DetectorError, ImageInput, ToneCurve
from resources.chest_phantom import LARGEST_VALUE, chest_radiograph
from resources.sample_study import RADIOGRAPH_SIZE, SAMPLE_SEED

MODEL = Path(__file__).parent.parent / "models" / "chest-xray"
CATEGORY = "opacity"
OVERLAP = 0.3
FLOOR = 0.01
WINDOW = ToneCurve((0.0, float(LARGEST_VALUE)), (0.0, 1.0))  # as the DICOM file has it


@dataclass(frozen=True)
class Row:
    """What happened to one seed."""

    seed: int
    best_overlap: float  # IoU of the best marks with the opacity
    overlapped: bool  # a mark has IoU >= OVERLAP
    centred: bool  # a mark's middle lies inside the opacity's box
    best_score: float  # of candidates that hit by either rule, shown or not
    stray: int  # marks of another place or category
    false_without: int  # marks on the same chest without an opacity
    highest_without: float


def measure(predictor: Predictor, seed: int, size: int) -> Row:
    threshold = predictor.card.default_threshold
    pixels, box = chest_radiograph(seed, True, size)
    if box is None:
        raise ValueError("the phantom with an opacity has no box")
    found = predictor.predict(ImageInput(pixels, WINDOW), FLOOR).detections
    marks = [d for d in found if d.score >= threshold]
    clear, _ = chest_radiograph(seed, False, size)
    elsewhere = predictor.predict(ImageInput(clear, WINDOW), FLOOR).detections
    return Row(
        seed,
        best_overlap=max((d.box.iou(box) for d in marks if d.category == CATEGORY), default=0.0),
        overlapped=any(_overlaps(d, box) for d in marks),
        centred=any(_centred(d, box) for d in marks),
        best_score=max((d.score for d in found if _hits(d, box)), default=0.0),
        stray=sum(not _hits(d, box) for d in marks),
        false_without=sum(d.score >= threshold for d in elsewhere),
        highest_without=max((d.score for d in elsewhere), default=0.0),
    )


def _overlaps(detection: Detection, box: Box) -> bool:
    return detection.category == CATEGORY and detection.box.iou(box) >= OVERLAP


def _centred(detection: Detection, box: Box) -> bool:
    x = (detection.box.x_min + detection.box.x_max) / 2
    y = (detection.box.y_min + detection.box.y_max) / 2
    inside = box.x_min <= x <= box.x_max and box.y_min <= y <= box.y_max
    return detection.category == CATEGORY and inside


def _hits(detection: Detection, box: Box) -> bool:
    return _overlaps(detection, box) or _centred(detection, box)


def table(rows: Sequence[Row]) -> str:
    lines = ["seed  IoU   IoU>=0.3  centre  best score  stray | without: false  highest score"]
    lines += [
        f"{r.seed:4d}  {r.best_overlap:4.2f}  {_tick(r.overlapped):>8}  {_tick(r.centred):>6}"
        f"  {r.best_score:10.2f}  {r.stray:5d} | {r.false_without:14d}  {r.highest_without:13.2f}"
        for r in rows
    ]
    count = len(rows)
    lines.append(
        f"of {count}: IoU >= {OVERLAP} in {sum(r.overlapped for r in rows)}, centre inside in "
        f"{sum(r.centred for r in rows)}, either in "
        f"{sum(r.overlapped or r.centred for r in rows)}; stray marks an image "
        f"{sum(r.stray for r in rows) / count:.2f} with an opacity, "
        f"{sum(r.false_without for r in rows) / count:.2f} without"
    )
    return "\n".join(lines)


def _tick(yes: bool) -> str:
    return "yes" if yes else "no"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="phantom_check", description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL, help="model folder")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds, from 1")
    parser.add_argument("--size", type=int, default=RADIOGRAPH_SIZE, help="pixels; fewer is faster")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        predictor = Predictor(given.model, "cpu")
    except DetectorError as error:
        print(error, file=sys.stderr)
        return 1
    rows = []
    for seed in range(1, given.seeds + 1):
        print(f"\rseed {seed} of {given.seeds}", end="", file=sys.stderr, flush=True)
        rows.append(measure(predictor, seed, given.size))
    print(file=sys.stderr)
    card = predictor.card
    print(f"{card.name} {card.version}, weights {card.weights_sha256[:12]}, threshold ", end="")
    print(f"{card.default_threshold:.3f}, {given.size} pixels, sample study: seed {SAMPLE_SEED}")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
