"""How good a model's boxes are on labelled images: from its folder and theirs to the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.dataset.folds import patient_hash
from detector.dataset.pictures import LoadDicom
from detector.dataset.sample import Dataset, Sample
from detector.dataset.sources import read_dataset
from detector.inference.predictor import Predictor
from detector.measuring.figures import measure
from detector.measuring.report import format_table
from detector.measuring.robustness import (
    Perturbation,
    found_in_frame,
    perturbations,
    perturbed_image,
    robustness_figures,
)
from detector.measuring.seen import Seen
from detector.training.card import seen_patients
from detector.types import DatasetError, ModelCard

__all__ = ["Seen", "analysed", "evaluate", "format_table", "measure"]

Progress = Callable[[str], None]
_AT_ONCE = 16
"""Pictures that are held in memory at the same time."""


def evaluate(
    model_folder: Path,
    data: Path | Sequence[Path],
    progress: Progress = lambda _: None,
    *,
    device: str = "auto",
    precision: str = "auto",
    robustness: bool = False,
    rounds: int = 1000,
    load_dicom: LoadDicom | None = None,
) -> dict[str, Any]:
    """Run a model over labelled images and measure its boxes and image-level scores.

    Parameters
    ----------
    precision : "fp32", "bf16" or "int8": each backend has figures of its own.
    robustness : measure under each perturbation too, which takes eight times as long.
    rounds : of the bootstrap over patients.
    load_dicom : decodes one DICOM file, for data sets that hold such.

    Returns
    -------
    A dict ready for JSON; `format_table` prints it and `write_report` writes it.
    ``seen_in_training`` is the number of its patients on whom the model was trained: where it is
    not 0 the figures are optimistic, and ``warnings`` says so.

    Raises
    ------
    ModelError, DatasetError, DetectorError
        With a sentence for the reader.
    """
    predictor = Predictor(model_folder, device, precision)
    card = _with_every_image_class(predictor)
    folders = [data] if isinstance(data, Path) else data
    datasets = [read_dataset(folder, load_dicom) for folder in folders]
    samples = _measurable([s for d in datasets for s in d.samples], card)
    seen = analysed(predictor, samples, None, progress)
    report = measure(seen, card.categories, rounds=rounds)
    report |= _facts(predictor, datasets, samples)
    if robustness:
        changed = {
            name: analysed(predictor, samples, change, progress, f"images analysed, {name}")
            for name, change in perturbations().items()
        }
        report["robustness"] = robustness_figures(seen, changed, card.categories, rounds=rounds)
    return report


def _with_every_image_class(predictor: Predictor) -> ModelCard:
    """Have the network's image-level classes told even where its card reports none of them."""
    names = tuple(predictor.card.architecture_options.get("image_classes", ()))
    predictor.card = replace(predictor.card, image_findings=names)
    return predictor.card


def _measurable(samples: Sequence[Sample], card: ModelCard) -> list[Sample]:
    """The images on which something that the model finds is known."""
    categories, classes = frozenset(card.categories), frozenset(card.image_findings)
    if not any(s.complete & categories for s in samples):
        raise DatasetError(
            "The data has no completely read image for what this model finds: "
            f"{', '.join(card.categories)}."
        )
    return [s for s in samples if s.complete & categories or s.image_classes.keys() & classes]


def analysed(
    predictor: Predictor,
    samples: Sequence[Sample],
    change: Perturbation | None,
    progress: Progress,
    done: str = "images analysed",
) -> list[Seen]:
    """What the model finds on each image, as it is or changed.

    Parameters
    ----------
    done : what the progress counts, in words.
    """
    seen: list[Seen] = []
    for start in range(0, len(samples), _AT_ONCE):
        batch = samples[start : start + _AT_ONCE]
        seen += _seen(predictor, batch, change)
        if start % (4 * _AT_ONCE) == 0 or len(seen) == len(samples):
            progress(f"{done}: {len(seen)} of {len(samples)}")
    return seen


def _seen(predictor: Predictor, batch: Sequence[Sample], change: Perturbation | None) -> list[Seen]:
    images = [sample.load() for sample in batch]
    if change is None:
        answers = predictor.predict_many(images)
        found = [answer.detections for answer in answers]
    else:
        pairs = [perturbed_image(image, change, predictor.card) for image in images]
        answers = predictor.predict_many([picture for picture, _ in pairs])
        size = predictor.card.input_size
        found = [
            found_in_frame(answer.detections, change, geometry, size)
            for answer, (_, geometry) in zip(answers, pairs, strict=True)
        ]
    return [
        Seen(
            sample, image.values.shape[1], image.values.shape[0], boxes,
            {f.name: f.probability for f in answer.image_findings},
        )
        for sample, image, boxes, answer in zip(batch, images, found, answers, strict=True)
    ]  # fmt: skip


def _facts(
    predictor: Predictor, datasets: Sequence[Dataset], samples: Sequence[Sample]
) -> dict[str, Any]:
    """What was measured with what, and what the reader of the figures must know."""
    card = predictor.card
    known = seen_patients(card.training)
    patients = {s.patient for s in samples}
    repeated = sum(patient_hash(p) in known for p in patients)
    warnings = [f"{d.name}: {problem}" for d in datasets for problem in d.problems]
    if repeated:
        share = f"{repeated} of {len(patients)} patients were seen in training"
        warnings.insert(0, f"{share}: the figures are optimistic.")
    return {
        "model": {"name": card.name, "version": card.version,
                  "weights_sha256": card.weights_sha256},
        "data": [d.name for d in datasets],
        "device": predictor.device,
        "precision": predictor.precision,
        "default_threshold": card.default_threshold,
        "seen_in_training": repeated,
        "warnings": warnings,
    }  # fmt: skip
