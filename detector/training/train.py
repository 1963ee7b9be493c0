"""A model from labelled images: gone on from one that is there, or from chance."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from detector.dataset.folds import hold_out, patient_hash
from detector.dataset.pictures import LoadDicom
from detector.dataset.sample import Dataset, Sample
from detector.dataset.sources import read_dataset
from detector.inference.devices import choose_device
from detector.model_store import LoadedModel, load, save
from detector.networks.network import DetectionNetwork
from detector.training.augment import Prepared, prepare
from detector.training.card import card_of, seen_patients, training_facts, validation_facts
from detector.training.distributed import Team, joined
from detector.training.fitting import fit
from detector.training.history import EpochFigures, plot
from detector.training.plan import Wish, recipe_for
from detector.training.recipe import Recipe, new_network
from detector.training.starting import extended, take_backbone
from detector.types import DatasetError, DetectorError, ModelError

__all__ = ["Wish", "train", "training_facts"]

Progress = Callable[[str], None]
HELD_OUT = 0.15
"""Share of the patients that validate where nothing else is asked for."""

PLOT = "training.png"


def train(
    data: Path | Sequence[Path],
    out: Path,
    *,
    init: Path | None,
    wish: Wish = Wish(),  # noqa: B008
    name: str | None = None,
    device: str = "auto",
    share: float = HELD_OUT,
    resume: bool = False,
    load_dicom: LoadDicom | None = None,
    progress: Progress = lambda _: None,
) -> Path:
    """Train one model on `data` and write it to ``out/NAME``, with a plot beside its card.

    Under torchrun the processes train together; the first one alone writes and speaks.

    Parameters
    ----------
    data : one folder or several, each in a form that `detector.dataset.sources` reads.
    out : the folder that models are kept in; NAME gets a number where it is taken. A checkpoint
        is kept there until the model is written.
    init : the folder of a model to go on from (of another architecture, to take the backbone
        from), a YOLOX-nano ONNX file that starts a csp_nano, or None to start from chance.
    name : of the new model; None is the base's name and "-tuned", or "trained".
    share : of the patients that are held out and measured after each epoch; 0 trains on all.
    resume : go on from the checkpoint of a stopped training.
    load_dicom : decodes one DICOM file, for data sets that hold such.
    progress : called with one line for the reader.

    Returns
    -------
    The folder of the new model. Nobody has measured it: its card says so, and `evaluate` on
    other patients is the next thing to do.

    Raises
    ------
    DatasetError, ModelError, DetectorError
        With a sentence for the reader.
    KeyboardInterrupt
        After Ctrl+C, once a checkpoint is written.
    """
    device = choose_device(device)
    with joined(device) as team:
        said = progress if team.first else _silence
        folders = [data] if isinstance(data, Path) else data
        datasets = [read_dataset(folder, load_dicom) for folder in folders]
        start = _Start.of(init)
        material = _Material.of(datasets, start.base, share, said)
        recipe = recipe_for(wish, start.base, material.training, team.size)
        if start.file is not None and recipe.architecture != "csp_nano":
            raise ModelError(
                f"{start.file.name} can start a csp_nano, not a {recipe.architecture}."
            )
        training = _Training(out, material, recipe, start, device, team, said)
        return training.run(name or start.name(recipe), resume)


def _silence(_line: str) -> None:
    """What the others of a team say."""


@dataclass(frozen=True)
class _Start:
    """What a training goes on from: a model, an ONNX file, or neither."""

    base: LoadedModel | None = None
    file: Path | None = None

    @staticmethod
    def of(init: Path | None) -> _Start:
        if init is None:
            return _Start()
        return _Start(file=init) if init.is_file() else _Start(load(init))

    def whole(self, recipe: Recipe) -> LoadedModel | None:
        """The model, where it is taken as a whole and not its backbone alone."""
        same = self.base is not None and self.base.card.architecture == recipe.architecture
        return self.base if same else None

    def name(self, recipe: Recipe) -> str:
        whole = self.whole(recipe)
        return f"{whole.card.name}-tuned" if whole else "trained"


@dataclass(frozen=True)
class _Material:
    """What is trained on, and what is measured on after each epoch."""

    datasets: Sequence[Dataset]
    categories: tuple[str, ...]
    training: Sequence[Sample]
    held_out: Sequence[Sample]

    @staticmethod
    def of(
        datasets: Sequence[Dataset], base: LoadedModel | None, share: float, progress: Progress
    ) -> _Material:
        categories = _categories(datasets, base)
        samples = _usable(datasets, progress)
        boxed = {s.patient for s in samples if s.objects}
        if share > 0 and share * len(boxed) < 1:
            progress(f"{len(boxed)} patients with boxes are too few to hold any out: no validation")
            share = 0.0
        training, held_out = hold_out(samples, share, categories)
        if held_out:
            progress(
                f"{len({s.patient for s in held_out})} patients with {len(held_out)} images are "
                "held out for validation"
            )
        known = seen_patients(base.card.training) if base is not None else frozenset()
        if repeated := sum(patient_hash(p) in known for p in {s.patient for s in held_out}):
            progress(f"{repeated} of them trained the start: the validation is optimistic")
        return _Material(datasets, categories, training, held_out)


def _usable(datasets: Sequence[Dataset], progress: Progress) -> list[Sample]:
    for dataset in datasets:
        for problem in dataset.problems:
            progress(f"{dataset.name}: {problem}")
    samples = [s for d in datasets for s in d.samples]
    used = [s for s in samples if s.complete or s.objects or s.rejected or s.image_classes]
    if len(used) < len(samples):
        progress(f"{len(samples) - len(used)} images carry no decision and are left out")
    if not any(s.objects or s.rejected or s.complete for s in used):
        raise DatasetError("The data holds no decided box and no completely read image.")
    return used


def _categories(datasets: Sequence[Dataset], base: LoadedModel | None) -> tuple[str, ...]:
    """The base's categories first, in its order, then the new ones of the data."""
    known = list(base.card.categories) if base else []
    for dataset in datasets:
        known += [c for c in dataset.categories if c not in known]
    if not known:
        raise DatasetError("The data names no category to train.")
    return tuple(known)


@dataclass(frozen=True)
class _Training:
    """Everything that is settled before the first image is decoded."""

    out: Path
    material: _Material
    recipe: Recipe
    start: _Start
    device: str
    team: Team
    progress: Progress

    def run(self, name: str, resume: bool) -> Path:
        checkpoint, squares = self.out / f"{name}.checkpoint", self.out / f"{name}.images"
        if checkpoint.is_file() and not resume:
            raise DetectorError(
                f"There is a checkpoint of a stopped training, {checkpoint.name}: go on from it "
                "with --resume, or delete it to start anew."
            )
        prepared = self._prepared(self.material.training, squares)
        held_out = self._prepared(self.material.held_out, squares)
        network, image_classes = self._network(prepared)
        history: list[EpochFigures] = []
        network = fit(
            network, prepared, self.recipe, self.material.categories, image_classes,
            checkpoint=checkpoint, device=self.device, progress=self.progress,
            held_out=held_out, history=history, team=self.team,
        )  # fmt: skip
        folder = Path(self.team.from_first(str(_free(self.out, name))))
        if self.team.first:
            self._write(folder, network, image_classes, history)
            checkpoint.unlink(missing_ok=True)
            shutil.rmtree(squares, ignore_errors=True)
            self.progress(f"the model is in {folder}")
        return folder

    def _prepared(self, samples: Sequence[Sample], folder: Path) -> list[Prepared]:
        return prepare(
            samples, self.recipe.input_size, self.progress,
            channels=self.recipe.channels, folder=folder, team=self.team,
        )  # fmt: skip

    def _network(self, prepared: Sequence[Prepared]) -> tuple[DetectionNetwork, list[str]]:
        """The network before its first step, and the names of its image-level classes."""
        recipe, categories = self.recipe, self.material.categories
        if whole := self.start.whole(recipe):
            torch.manual_seed(recipe.seed)  # for the outputs of new categories
            names = list(whole.card.architecture_options.get("image_classes", []))
            return extended(whole, categories), names
        names = sorted({c for s in self.material.training for c in s.image_classes})
        network = new_network(recipe, categories, names, prepared, self.start.file)
        if self.start.base is not None:
            taken = take_backbone(network, self.start.base)
            self.progress(
                f"{taken} tensors of the backbone are taken from {self.start.base.card.name}"
            )
        return network, names

    def _write(
        self,
        folder: Path,
        network: DetectionNetwork,
        image_classes: Sequence[str],
        history: Sequence[EpochFigures],
    ) -> None:
        material = self.material
        facts = training_facts(material.datasets, material.training, self.recipe) | {
            "device": self.device,
            "processes": self.team.size,
            "history": [figures.to_json() for figures in history],
        }
        if self.start.file is not None:
            facts["start"] = self.start.file.name
        if material.held_out:
            facts["validation"] = validation_facts(material.training, material.held_out, history)
        options = self.recipe.options(image_classes)
        if whole := self.start.whole(self.recipe):
            options = whole.card.architecture_options
        card = card_of(
            folder.name, self.recipe, facts,
            categories=material.categories, options=options, base=self.start.base,
        )  # fmt: skip
        save(card, network, folder)
        try:
            (folder / PLOT).write_bytes(plot(history))
        except OSError as e:
            raise DetectorError(f"The plot {PLOT} cannot be written: {e.strerror}.") from e


def _free(out: Path, name: str) -> Path:
    folder, number = out / name, 2
    while folder.exists():
        folder, number = out / f"{name}-{number}", number + 1
    return folder
