"""Which model a command means."""

from __future__ import annotations

from pathlib import Path

from detector import model_store
from detector.types import ModelError
from viewer.home import Home


def chosen_model(home: Home, name: str | None) -> Path:
    """The folder of the model of that name, or of the first one where none is named.

    Raises
    ------
    ModelError
        There is none, or its card cannot be read.
    """
    if name is not None:
        return model_store.locate(name, home.model_folders)
    cards = model_store.find_models(home.model_folders)
    if not cards:
        problems = model_store.problems(home.model_folders)
        raise ModelError(" ".join(["No model was found.", *problems]))
    return model_store.locate(cards[0].name, home.model_folders)
