"""`models`, and which model a command means."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector import model_store
from detector.importing.description import STYLES, Description, Inspection
from detector.types import ModelCard, ModelError
from viewer import installed
from viewer.commands.console import require_paths, tell
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.errors import InputError
from viewer.home import Home
from viewer.settings import Settings

_FLAGS = {
    "output": "--output yolo|ssd|retinanet|detr",
    "categories": "--categories NAME,NAME,… or a text file with one a line",
    "input_size": "--input-size PIXELS",
    "architecture": "--architecture NAME",
}
_QUESTIONS = {
    "output": f"How does it answer ({', '.join(STYLES)})?",
    "categories": "What are its categories, in its order (names with commas, or a text file)?",
    "input_size": "How many pixels has the square that it reads, a side?",
    "architecture": "Which architecture has it (as `train --arch` names it)?",
}


def chosen_model(home: Home, name: str | None) -> Path:
    """The folder of the model of that name, else of the one in use.

    Raises
    ------
    ModelError
        There is none, its card cannot be read, or the one that was chosen for use is gone.
    """
    if name is not None:
        return model_store.locate(name, home.model_folders)
    settings = Settings.load(home.settings)
    model, problem = installed.model_in_use(home, settings)
    if model is None:
        raise ModelError(" ".join(["No model was found.", problem]).strip())
    if settings.text("model") not in ("", model.card.name):
        raise ModelError(
            f"The model {settings.text('model')} of the settings is not there; choose another "
            "one with `models use`."
        )
    return model.folder


def list_models(home: Home) -> None:
    """Print the models; the one in use has a star."""
    in_use, problem = installed.model_in_use(home, Settings.load(home.settings))
    heads = ("", "name", "version", "architecture", "input", "categories", "source")
    rows = [heads]
    for model in installed.installed_models(home):
        card = model.card
        star = "*" if in_use is not None and card.name == in_use.card.name else ""
        size = f"{card.input_size} px {'grey' if card.channels == 1 else 'colour'}"
        rows.append(
            (star, card.name, card.version, card.architecture, size, _few(card), model.source)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    for row in rows:
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    if problem:
        tell(problem)


def use(home: Home, name: str) -> None:
    """Have the window and the commands use this model."""
    model = installed.use_model(home, Settings.load(home.settings), name)
    tell(f"{model.card.name} {model.card.version} is used from now on")


def remove(home: Home, name: str) -> None:
    """Delete a model that was added or trained here."""
    installed.remove_model(home, Settings.load(home.settings), name)
    tell(f"removed {name}")


def add(home: Home, file: Path, description: Description) -> None:
    """Add a model; what neither flags nor the file say is asked, where somebody can answer.

    Raises
    ------
    InputError, EngineError
        It is no model that can be used, or something is missing and nobody can be asked.
    """
    require_paths([file])
    _refuse_taken_name(home, description.name)
    with closing(Worker("model")) as worker:
        inspection = client.inspect_model(worker, file.absolute(), description)
        while inspection.missing:
            inspection = _ask(worker, file.absolute(), inspection)
        _refuse_taken_name(home, inspection.description.name)
        card = client.add_model(worker, file.absolute(), home.models, inspection.description)
    tell(_added_words(card))


def _ask(worker: Worker, file: Path, inspection: Inspection) -> Inspection:
    if not sys.stdin.isatty():
        flags = "; ".join(_FLAGS[field] for field in inspection.missing)
        raise InputError(f"{file.name} does not say everything; add {flags}.{_count(inspection)}")
    field = inspection.missing[0]
    hint = _count(inspection) if field == "categories" else ""
    try:
        text = input(f"{_QUESTIONS[field]}{hint} ").strip()
    except EOFError as error:
        raise InputError("Nothing was added.") from error
    try:
        description = replace(inspection.description, **{field: _ANSWERS[field](text)})
    except ValueError as error:
        tell(str(error))
        return inspection
    return client.inspect_model(worker, file, description)


def _count(inspection: Inspection) -> str:
    count = inspection.category_count
    return "" if count is None else f" It answers for {count} categories."


def _refuse_taken_name(home: Home, name: str) -> None:
    if name in [model.card.name for model in installed.installed_models(home)]:
        raise InputError(f"There is a model named {name} already; give --name another one.")


def _few(card: ModelCard) -> str:
    names = ", ".join(card.categories[:4])
    more = len(card.categories) - 4
    return f"{names} and {more} more" if more > 0 else names


def _added_words(card: ModelCard) -> str:
    size = f"{card.input_size} x {card.input_size}"
    lines = [
        f"added {card.name}: {len(card.categories)} categories, input {size}",
        f"It is used on {card.reads()} ({', '.join(card.modalities)}); --modality, --body-part "
        "and --view say otherwise.",
        f"Nobody here has measured it. `models use {card.name}` makes it the one in use.",
    ]
    planes = card.architecture_options.get("planes")
    if planes is not None:
        values = f"0 to {planes['scale']:g}, {planes['order'].upper()}"
        minus = f", mean {_numbers(planes['mean'])}" if planes["mean"] else ""
        over = f", std {_numbers(planes['std'])}" if planes["std"] else ""
        style = card.architecture_options["layout"]["style"]
        lines.insert(1, f"It answers in the style {style} and gets values {values}{minus}{over}.")
    return "\n".join(lines)


def _numbers(values: list[float]) -> str:
    return " ".join(f"{value:g}" for value in values)


# --- values --------------------------------------------------------------------------------------


def categories_of(text: str) -> tuple[str, ...]:
    """Names with commas between them, or those of a text file with one a line.

    Raises
    ------
    ValueError
        Where there is none, one is there twice, or the file cannot be read.
    """
    path = Path(text)
    names = text.split(",")
    if path.suffix == ".txt" or path.is_file():
        try:
            names = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} cannot be read as a list of names") from error
    found = tuple(name.strip() for name in names if name.strip())
    if not found:
        raise ValueError("at least one category is needed")
    if len(set(found)) != len(found):
        raise ValueError("one category is named twice")
    return found


def input_size_of(text: str) -> int:
    """Pixels from 32 to 4096; ValueError where the text is something else."""
    if not text.isdigit() or not 32 <= int(text) <= 4096:
        raise ValueError(f"an input size is a whole number from 32 to 4096, not '{text}'")
    return int(text)


def style_of(text: str) -> str:
    """One of the styles; ValueError where the text is something else."""
    if text not in STYLES:
        raise ValueError(f"choose {', '.join(STYLES)}, not '{text}'")
    return text


def options_of(path: Path) -> dict[str, Any]:
    """The options of an architecture from a JSON file.

    Raises
    ------
    InputError
        It cannot be read or is no JSON object.
    """
    try:
        options = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON.") from error
    if not isinstance(options, dict):
        raise InputError(f"{path} is no JSON object.")
    return options


_ANSWERS: dict[str, Callable[[str], Any]] = {
    "output": style_of,
    "categories": categories_of,
    "input_size": input_size_of,
    "architecture": str,
}
