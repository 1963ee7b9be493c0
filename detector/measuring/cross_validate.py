"""Five patient folds of the bundled model, and the shipped model with their figures on its card.

python -m detector.measuring.cross_validate train --data DIR --work DIR --start FILE.onnx
python -m detector.measuring.cross_validate predict --data DIR --work DIR
python -m detector.measuring.cross_validate report --data DIR --work DIR
python -m detector.measuring.cross_validate publish --data DIR --work DIR --out models/chest-xray

Everything but the published model goes to the work folder, outside the project. What is done is
not done again; folds and members can run in several processes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from detector.dataset.sources import read_dataset
from detector.dataset.vocabulary import IMAGE_CLASSES
from detector.inference.predictor import Predictor
from detector.measuring.evaluate import Seen, analysed
from detector.measuring.folds import (
    ALL_PATIENTS,
    FOLDS,
    MEMBERS,
    SHIPPED,
    Plan,
    bare_card,
    train_member,
    write_model,
)
from detector.measuring.out_of_fold import out_of_fold_report
from detector.measuring.plots import write_plots
from detector.measuring.publish import publish
from detector.measuring.report import format_table
from detector.measuring.robustness import Perturbation, perturbations
from detector.types import Box, DatasetError, Detection

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Variant:
    """One way to ask the model: how it is computed, and what it looks at."""

    precision: str = "fp32"
    change: Perturbation | None = None


def variants() -> dict[str, Variant]:
    """By name: each backend that ships, and the perturbed pictures."""
    return {
        "fp32": Variant(),
        "bf16": Variant("bf16"),
        **{name: Variant(change=change) for name, change in perturbations().items()},
    }


def predict(plan: Plan, fold: int, progress: Progress) -> None:
    """What the model of a fold finds on the patients that it never saw, in every variant.

    Only the plain one looks at the images without boxes, too: their image-level classes count.
    """
    folder = plan.work / "models" / f"fold{fold}"
    samples = plan.held_out(fold)
    read = [s for s in samples if s.complete & frozenset(SHIPPED)]
    for name, variant in variants().items():
        path = _predictions(plan.work, name, fold)
        if path.is_file():
            continue
        if not folder.is_dir():
            card = bare_card(plan, f"fold{fold}", "0")
            write_model(plan, fold, replace(card, image_findings=IMAGE_CLASSES), folder)
        predictor = Predictor(folder, "cpu", variant.precision)
        seen = analysed(
            predictor, samples if name == "fp32" else read, variant.change, progress,
            f"fold {fold}, {name}",
        )  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([_row(s) for s in seen]))


def out_of_fold(plan: Plan, variant: str) -> list[Seen]:
    """The pooled predictions of the folds that are done.

    Raises
    ------
    DatasetError
        Where no fold is done.
    """
    samples = {s.path.name: s for s in plan.dataset.samples}
    seen: list[Seen] = []
    for fold in range(FOLDS):
        path = _predictions(plan.work, variant, fold)
        if path.is_file():
            for row in json.loads(path.read_text()):
                found = tuple(Detection(Box(*f[:4]), float(f[4]), str(f[5])) for f in row["found"])
                sample = samples[row["image"]]
                seen.append(Seen(sample, row["columns"], row["rows"], found, row["image_scores"]))
    if not seen:
        raise DatasetError("No fold is done yet.")
    return seen


def _row(seen: Seen) -> dict[str, Any]:
    return {
        "image": seen.sample.path.name,
        "columns": seen.columns,
        "rows": seen.rows,
        "found": [
            [d.box.x_min, d.box.y_min, d.box.x_max, d.box.y_max, d.score, d.category]
            for d in seen.found
        ],
        "image_scores": dict(seen.image_scores),
    }


def _predictions(work: Path, variant: str, fold: int) -> Path:
    return work / "predictions" / variant / f"fold{fold}.json"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("train", "predict", "report", "publish"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="outside the project")
    parser.add_argument("--start", type=Path, help="YOLOX-nano ONNX file to start from")
    parser.add_argument("--folds", type=int, nargs="+", default=[*range(FOLDS), ALL_PATIENTS])
    parser.add_argument("--members", type=int, nargs="+", default=[*range(len(MEMBERS))])
    parser.add_argument("--epochs", type=int, help="fewer than the recipe's, to try the way")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--model-version", default="2.0.0")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    members = [replace(m, epochs=given.epochs or m.epochs) for m in MEMBERS]
    plan = Plan(read_dataset(given.data), given.work, members, given.start)
    if given.what == "train":
        for member in given.members:
            train_member(plan, member, given.folds, _tell)
    elif given.what == "predict":
        for fold in given.folds:
            if fold != ALL_PATIENTS:
                predict(plan, fold, _tell)
    else:
        report = out_of_fold_report({name: out_of_fold(plan, name) for name in variants()})
        if given.what == "report":
            print(format_table(report))
            (plan.work / "report.json").write_text(json.dumps(report, indent=1))
            write_plots(report, plan.work)
        elif given.out is None:
            parser.error("publish needs --out")
        else:
            publish(plan, report, out=given.out, version=given.model_version)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
