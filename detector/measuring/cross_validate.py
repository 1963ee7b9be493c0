"""Five patient folds of the recipe, and the shipped model with their figures on its card.

python -m detector.measuring.cross_validate run --data DIR --work DIR [--start FILE.onnx]
python -m detector.measuring.cross_validate report --data DIR --work DIR
python -m detector.measuring.cross_validate publish --data DIR --work DIR --out models/chest-xray
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from detector.dataset.reference import IMAGE_CLASSES
from detector.dataset.sample import Dataset, patient_folds
from detector.dataset.sources import read_dataset
from detector.inference.predictor import DEFAULT_FLOOR, candidates, run_network
from detector.measuring.evaluate import Seen, format_table, measure
from detector.measuring.publish import publish
from detector.training.augment import Prepared, prepare
from detector.training.fitting import Recipe, fit, new_network
from detector.types import Box, DatasetError, Detection

FOLDS = 5
ALL_PATIENTS = -1
"""The number of the run that holds nobody out: the model that is shipped."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is trained on what, and where its checkpoints and predictions go."""

    data: Path
    work: Path
    recipe: Recipe
    start: Path | None


def run(plan: Plan, folds: Sequence[int], progress: Progress) -> None:
    """Train and predict each fold that is not done yet; a stopped one goes on."""
    dataset = read_dataset(plan.data)
    prepared: list[Prepared] = []
    for fold in folds:
        if not _predictions(plan.work, fold).is_file():
            prepared = prepared or prepare(dataset.samples, plan.recipe.input_size, progress)
            _run_fold(plan, dataset, prepared, fold, progress)


def _run_fold(
    plan: Plan, dataset: Dataset, prepared: Sequence[Prepared], fold: int, progress: Progress
) -> None:
    began = time.monotonic()
    fold_of = patient_folds(dataset.samples, FOLDS)
    training = [p for p in prepared if fold_of[p.sample.patient] != fold]
    held_out = [p for p in prepared if fold_of[p.sample.patient] == fold]
    network = new_network(plan.recipe, dataset.categories, IMAGE_CLASSES, training, plan.start)
    network = fit(
        network, training, plan.recipe, dataset.categories, IMAGE_CLASSES,
        checkpoint=plan.work / "ckpt" / f"fold{fold}.pt",
        progress=lambda line: progress(f"fold {fold}: {line}"),
    )  # fmt: skip
    rows = predict_all(network, held_out, dataset.categories)
    torch.save(network.state_dict(), weights_path(plan.work, fold))
    content = {"fold": fold, "recipe": plan.recipe.to_json(), "rows": rows}
    _predictions(plan.work, fold).write_text(json.dumps(content))
    progress(f"fold {fold} done in {time.monotonic() - began:.0f} s")


def predict_all(
    network: torch.nn.Module, prepared: Sequence[Prepared], categories: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Candidates above the floor and image-level logits of each image, ready for JSON."""
    rows = []
    for start in range(0, len(prepared), 16):
        batch = prepared[start : start + 16]
        squares = np.stack([p.pixels for p in batch]).astype(np.float32) / 255.0
        boxes, logits, image_logits = run_network(network, squares, "cpu")
        for item, b, s, extra in zip(batch, boxes, logits, image_logits, strict=True):
            found = candidates(b, s, DEFAULT_FLOOR, categories, item.geometry)
            rows.append({
                "image": item.sample.path.name,
                "found": [
                    [d.box.x_min, d.box.y_min, d.box.x_max, d.box.y_max, d.score, d.category]
                    for d in found
                ],
                "image_logits": [round(float(v), 4) for v in extra],
            })  # fmt: skip
    return rows


def out_of_fold(data: Path, work: Path) -> tuple[list[Seen], int]:
    """The pooled predictions of the folds that are done, and how many those are.

    Raises
    ------
    DatasetError
        Where no fold is done.
    """
    samples = {s.path.name: s for s in read_dataset(data).samples}
    seen: list[Seen] = []
    done = 0
    for fold in range(FOLDS):
        path = _predictions(work, fold)
        if not path.is_file():
            continue
        done += 1
        for row in json.loads(path.read_text())["rows"]:
            sample = samples[row["image"]]
            if sample.complete:
                found = tuple(Detection(Box(*f[:4]), float(f[4]), str(f[5])) for f in row["found"])
                rows, columns = sample.load().values.shape[:2]
                seen.append(Seen(sample, columns, rows, found))
    if not done:
        raise DatasetError("No fold is done yet.")
    return seen, done


def weights_path(work: Path, fold: int) -> Path:
    return work / f"fold{fold}.weights.pt"


def _predictions(work: Path, fold: int) -> Path:
    return work / f"fold{fold}.json"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "report", "publish"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="outside the project")
    parser.add_argument("--start", type=Path, help="YOLOX-nano ONNX file to start from")
    parser.add_argument("--folds", type=int, nargs="+", default=[*range(FOLDS), ALL_PATIENTS])
    parser.add_argument("--epochs", type=int, default=Recipe().epochs)
    parser.add_argument("--input-size", type=int, default=Recipe().input_size)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--model-version", default="1.0.0")
    parser.add_argument("--categories", nargs="+", default=["opacity", "effusion"])
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    recipe = replace(Recipe(), epochs=given.epochs, input_size=given.input_size)

    def progress(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if given.what == "run":
        run(Plan(given.data, given.work, recipe, given.start), given.folds, progress)
        return
    seen, done = out_of_fold(given.data, given.work)
    report = measure(seen, given.categories)
    if given.what == "report":
        print(format_table(report))
        (given.work / "report.json").write_text(json.dumps(report, indent=1))
        return
    if given.out is None:
        parser.error("publish needs --out")
    state = torch.load(weights_path(given.work, ALL_PATIENTS), weights_only=True)
    publish(
        state, recipe, read_dataset(given.data), report | {"folds_done": done},
        categories=tuple(given.categories), out=given.out, version=given.model_version,
    )  # fmt: skip


if __name__ == "__main__":
    main()
