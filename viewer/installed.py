"""The models of this installation: which there are, which one is used, taking one away."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from detector import model_store
from detector.importing.description import UNMEASURED
from detector.types import ModelCard, ModelError
from viewer.home import Home
from viewer.settings import Settings


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that was found.

    Attributes
    ----------
    bundled : it ships with the program and cannot be removed.
    """

    folder: Path
    card: ModelCard
    bundled: bool

    @property
    def source(self) -> str:
        """Where it comes from, in two or three words."""
        if self.bundled:
            return "ships with Lightbox"
        return "imported" if self.card.description == UNMEASURED else "trained"


def installed_models(home: Home) -> tuple[InstalledModel, ...]:
    """Every readable model, those that ship first."""
    folders = home.model_folders
    found = []
    for card in model_store.find_models(folders):
        folder = model_store.locate(card.name, folders)
        found.append(InstalledModel(folder, card, folder.parent != home.models))
    return tuple(found)


def card_with(home: Home, weights_sha256: str) -> ModelCard | None:
    """The card of the installed model with these weights; None where it is not here."""
    models = installed_models(home)
    found = (each.card for each in models if each.card.weights_sha256 == weights_sha256)
    return next(found, None)


def model_in_use(home: Home, settings: Settings) -> tuple[InstalledModel | None, str]:
    """The model of the settings, else the first one; and a sentence on what is wrong, if any."""
    models = {model.card.name: model for model in installed_models(home)}
    sentences = list(model_store.problems(home.model_folders))
    wanted = settings.text("model")
    if wanted and wanted not in models:
        sentences.append(f"The model {wanted} of the settings is not there.")
    chosen = models.get(wanted) or next(iter(models.values()), None)
    return chosen, " ".join(sentences)


def use_model(home: Home, settings: Settings, name: str) -> InstalledModel:
    """Analyse with this model from now on.

    Raises
    ------
    ModelError, SettingsError
        There is none of that name; the choice cannot be kept.
    """
    model = _named(home, name)
    settings.change(model=name)
    return model


def remove_model(home: Home, settings: Settings, name: str) -> None:
    """Delete a model that was added or trained here, for good.

    Raises
    ------
    ModelError, SettingsError
        There is none of that name, it ships with the program, or it cannot be deleted.
    """
    model = _named(home, name)
    if model.bundled:
        raise ModelError(f"The model {name} ships with Lightbox and cannot be removed.")
    if settings.text("model") == name:
        settings.change(model="")
    try:
        shutil.rmtree(model.folder)
    except OSError as error:
        raise ModelError(f"The model {name} cannot be removed: {error.strerror}.") from error


def _named(home: Home, name: str) -> InstalledModel:
    models = {model.card.name: model for model in installed_models(home)}
    if name not in models:
        raise ModelError(
            f"There is no model named {name!r}; the models here are: {', '.join(models) or 'none'}."
        )
    return models[name]
