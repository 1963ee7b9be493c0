"""Models on disk: NAME/card.json beside NAME/weights.safetensors. Cards are read without torch."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.types import ModelCard, ModelError

if TYPE_CHECKING:
    from torch import nn

CARD, WEIGHTS = "card.json", "weights.safetensors"
MOST_CARD_BYTES = 16 * 1024 * 1024
_LISTS = ("categories", "modalities", "body_parts", "views")
_OPTIONAL_LISTS = ("image_findings",)


@dataclass(frozen=True, eq=False)
class LoadedModel:
    card: ModelCard
    network: nn.Module  # float32, eval mode, on the device it was loaded for


def find_models(folders: Iterable[Path]) -> tuple[ModelCard, ...]:
    """The cards of all readable models in these folders, in the order given, then by name.

    Of two models of one name, the first folder's is the one; `problems` tells what was not
    readable.
    """
    found: dict[str, ModelCard] = {}
    for place in _model_folders(folders):
        try:
            card = read_card(place)
        except ModelError:
            continue  # `problems` names it
        found.setdefault(card.name, card)
    return tuple(found.values())


def problems(folders: Iterable[Path]) -> tuple[str, ...]:
    """One sentence for each model in these folders whose card cannot be read."""
    sentences = []
    for place in _model_folders(folders):
        try:
            read_card(place)
        except ModelError as e:
            sentences.append(str(e))
    return tuple(sentences)


def locate(name: str, folders: Iterable[Path]) -> Path:
    """The folder of the model of that name, or of that path.

    Raises
    ------
    ModelError
        Where there is none.
    """
    places = _model_folders(folders)
    for place in places:
        try:
            if read_card(place).name == name:
                return place
        except ModelError:
            if place.name == name:
                raise
    if (Path(name) / CARD).is_file():
        return Path(name)
    known = ", ".join(card.name for card in find_models(folders)) or "none"
    raise ModelError(f"There is no model named {name!r}; the models here are: {known}.")


def read_card(folder: Path) -> ModelCard:
    """The card of one model folder.

    Raises
    ------
    ModelError
        Where it is absent, no JSON, or lacks a field or has one of the wrong kind.
    """
    path = folder / CARD
    try:
        if path.stat().st_size > MOST_CARD_BYTES:
            raise ModelError(f"The model {folder.name} has a card of implausible size.")
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as e:
        raise ModelError(f"There is no model in {folder.name}: it has no {CARD}.") from e
    except (OSError, ValueError) as e:
        raise ModelError(f"The card of the model {folder.name} cannot be read.") from e
    try:
        return _card(data)
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        raise ModelError(f"The card of the model {folder.name} is not complete: {e}.") from e


def load(folder: Path, device: str = "cpu") -> LoadedModel:
    """The network of a model folder, once its file is what the card says.

    Raises
    ------
    ModelError
        Where the weights are absent, are not those of the card, or do not fit the architecture.
    """
    card = read_card(folder)
    content = read_checked(folder, card, WEIGHTS, card.weights_sha256)
    return LoadedModel(card, _network(card, content, device))


def read_checked(folder: Path, card: ModelCard, name: str, digest: str) -> bytes:
    """A file of a model folder, once it is the one that the card means.

    Raises
    ------
    ModelError
        Where it is absent, or its SHA-256 is not `digest`.
    """
    try:
        content = (folder / name).read_bytes()
    except OSError as e:
        raise ModelError(f"The model {card.name} has no readable {name}.") from e
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(
            f"The model {card.name} is not used: {name} is not the file of its card "
            "(SHA-256 differs). It is damaged or was replaced."
        )
    return content


def _network(card: ModelCard, content: bytes, device: str) -> nn.Module:
    # Listing cards must not load torch: the window does it.
    import torch  # noqa: PLC0415
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.torch import load as parse  # noqa: PLC0415

    from detector.networks.architectures import build  # noqa: PLC0415

    network = build(card.architecture, card.architecture_options, card.categories)
    try:
        network.load_state_dict(
            {k: v.float() if v.is_floating_point() else v for k, v in parse(content).items()}
        )
    except (RuntimeError, SafetensorError) as e:
        raise ModelError(
            f"The weights of the model {card.name} do not fit its architecture {card.architecture}."
        ) from e
    network = network.eval().to(device)
    return network.to(memory_format=torch.channels_last)


def save(
    card: ModelCard, network: nn.Module, folder: Path, *, replace_old: bool = False
) -> ModelCard:
    """Write a model folder and return the card with the hash of its weights.

    The folder appears whole or not at all.

    Raises
    ------
    ModelError
        Where the folder is there already, or cannot be written.
    """
    from safetensors.torch import save as serialise  # noqa: PLC0415

    state = {
        name: value.detach().contiguous().cpu() for name, value in network.state_dict().items()
    }
    content = serialise(state)
    card = replace(card, weights_sha256=hashlib.sha256(content).hexdigest())
    if folder.exists() and not replace_old:
        raise ModelError(f"There is a model in {folder.name} already.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        (part / WEIGHTS).write_bytes(content)
        text = json.dumps(asdict(card), indent=1, ensure_ascii=False)
        (part / CARD).write_text(text + "\n", encoding="utf-8")
        part.chmod(0o755)
        if folder.exists():
            old = part.with_name(f"{part.name}.old")
            folder.replace(old)
            part.replace(folder)
            shutil.rmtree(old)
        else:
            part.replace(folder)
    except OSError as e:
        raise ModelError(f"The model cannot be written to {folder.name}: {e.strerror}.") from e
    return card


def _model_folders(folders: Iterable[Path]) -> list[Path]:
    return [
        place
        for folder in folders
        if folder.is_dir()
        for place in sorted(folder.iterdir())
        if (place / CARD).is_file() and not place.name.startswith(".")
    ]


def _card(data: Any) -> ModelCard:
    if not isinstance(data, dict):
        raise TypeError("it is not a JSON object")
    known = {name: data[name] for name in ModelCard.__dataclass_fields__ if name in data}
    for name in _LISTS:
        known[name] = tuple(str(v) for v in known[name])
    for name in _OPTIONAL_LISTS:
        known[name] = tuple(str(v) for v in known.get(name, ()))
    known["calibration"] = {
        str(category): (float(a), float(b))
        for category, (a, b) in known.get("calibration", {}).items()
    }
    known["exports"] = {str(n): str(digest) for n, digest in known.get("exports", {}).items()}
    known["channels"] = int(known.get("channels", 1))
    for name in ("architecture_options", "training", "evaluation"):
        if not isinstance(known.get(name, {}), dict):
            raise TypeError(f"{name} is not an object")
    known["input_size"] = int(known["input_size"])
    known["default_threshold"] = float(known["default_threshold"])
    card = ModelCard(**known)
    if not card.categories or not 32 <= card.input_size <= 4096 or card.channels not in (1, 3):
        raise ValueError("it names no category, an impossible input size or number of channels")
    if not 0 <= card.default_threshold <= 1:  # also refuses NaN
        raise ValueError("its default threshold is not between 0 and 1")
    if not set(card.image_findings) <= set(card.architecture_options.get("image_classes", ())):
        raise ValueError("it reports an image-level finding that the network does not answer")
    _check_operating_points(card.evaluation)
    return card


def _check_operating_points(evaluation: dict[str, Any]) -> None:
    """The tables that the window reads at each move of the threshold hold numbers."""
    backends = dict(evaluation.get("backends", {})).values()
    categories = dict(evaluation.get("categories", {})).values()
    for category in categories:
        for name in ("images", "patients", "objects"):
            int(category.get(name, 0))
    tables = [each.get("operating_points", []) for each in (evaluation, *backends, *categories)]
    tables += [one for each in backends for one in each.get("operating_points_of", {}).values()]
    for point in (point for table in tables for point in table):
        for name in ("threshold", "sensitivity", "false_marks_per_image"):
            float(point[name])
