"""Taking a model of somebody else's into the models folder: looked at, tried, and never a pickle.

What comes in is untrusted: the viewer calls this in its child process.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from detector import model_store
from detector.importing.description import STYLES, UNMEASURED, Description, Inspection
from detector.inference.onnx_detector import (
    ARCHITECTURE,
    MOST_BYTES,
    ONNX_FILE,
    OnnxNetwork,
    Planes,
    check_graph,
    load_onnx_detector,
)
from detector.inference.onnx_outputs import Layout, layouts, shapes
from detector.types import ModelCard, ModelError

_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOST_NAMES = 100_000  # characters of a list of categories inside an ONNX file
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # what every published DETR subtracts


def inspect(path: Path, description: Description) -> Inspection:
    """What is still to be said before `path` can be added.

    Parameters
    ----------
    path : an ONNX file, a safetensors file, or a folder with a card and one of them, which its
        card.json may stand for.

    Raises
    ------
    ModelError
        Where it is no such thing, is a pickle, or cannot be a detector.
    """
    folder = _folder(path)
    if folder is not None:
        name = description.name or model_store.read_card(folder).name
        return Inspection(replace(description, name=name), ())
    content = _read(path)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-._") or "model"
    description = replace(description, name=description.name or stem[:64])
    if path.suffix.lower() == ".onnx":
        return _inspect_onnx(content, description)
    return Inspection(
        description, _missing(description, "architecture", "categories", "input_size")
    )


def add(path: Path, models: Path, description: Description) -> ModelCard:
    """Copy the model into the folder `models`, with a card made from its description.

    It appears there whole, tried and hashed, or not at all.

    Raises
    ------
    ModelError
        As `inspect`; where something is missing in the description, the name is taken or is no
        name, the file is not what the card says, or it cannot be written.
    """
    found = inspect(path, description)
    if found.missing:
        raise ModelError(f"Not said of the model: {', '.join(found.missing)}.")
    description = found.description
    if not _NAME.fullmatch(description.name):
        raise ModelError(
            f"{description.name!r} is no name for a model: letters, digits, '.', '_' and '-', at "
            "most 64, beginning with a letter or digit."
        )
    folder = _folder(path)
    if folder is not None:
        card = replace(model_store.read_card(folder), name=description.name)
        return _install(_files(folder, card), card, models)
    content = _read(path)
    sha256 = hashlib.sha256(content).hexdigest()
    if path.suffix.lower() == ".onnx":
        card = _onnx_card(OnnxNetwork(content), description, sha256)
        return _install({ONNX_FILE: content}, card, models)
    channels = description.channels or description.options.get("channels", 1)
    description = replace(description, channels=channels)
    card = _card(description, description.architecture, description.options, sha256)
    return _install({model_store.WEIGHTS: content}, card, models)


# --- the file ------------------------------------------------------------------------------------


def _folder(path: Path) -> Path | None:
    """The model folder that is meant, or None where it is a single file."""
    if path.is_dir():
        return path
    return path.parent if path.name == model_store.CARD else None


def _read(path: Path) -> bytes:
    """The content of an ONNX or safetensors file; nothing else is opened."""
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        raise ModelError(_pickle_words(path.name))
    if suffix not in (".onnx", ".safetensors"):
        raise ModelError(
            f"{path.name} is neither an ONNX nor a safetensors file, nor a folder with a card."
        )
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ModelError(f"{path.name} is larger than {MOST_BYTES >> 30} GiB.")
        content = path.read_bytes()
    except OSError as e:
        raise ModelError(f"{path.name} cannot be read: {e.strerror}.") from e
    # A zip, as torch.save writes it, or a bare pickle, whatever the file is called.
    if content[:2] == b"PK" or (content[:1] == b"\x80" and content[1:2] <= b"\x05"):
        raise ModelError(_pickle_words(path.name))
    return content


def _pickle_words(name: str) -> str:
    return (
        f"{name} is a pickle, which can run any program when it is opened; Lightbox never opens "
        "one. Export the network to ONNX (torch.onnx.export), or write its weights with "
        "safetensors.torch.save_file."
    )


def _files(folder: Path, card: ModelCard) -> dict[str, bytes]:
    """What a model folder holds by its card: the weights, and networks exported from them."""
    file = ONNX_FILE if card.architecture == ARCHITECTURE else model_store.WEIGHTS
    files = {file: _read(folder / file)}
    for name in card.exports:
        if Path(name).name != name or Path(name).suffix != ".onnx":
            raise ModelError(f"The card of {folder.name} lists {name!r}, which is no ONNX file.")
        content = _read(folder / name)
        check_graph(content)
        files.setdefault(name, content)
    return files


def _install(files: Mapping[str, bytes], card: ModelCard, models: Path) -> ModelCard:
    """Write the folder beside the others, load it as it will be loaded, then give it its name."""
    folder = models / card.name
    if folder.exists():
        raise ModelError(f"There is a model named {card.name} already.")
    part = None
    try:
        models.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{card.name}.", dir=models))
        for name, content in files.items():
            (part / name).write_bytes(content)
        text = json.dumps(asdict(card), indent=1, ensure_ascii=False)
        (part / model_store.CARD).write_text(text + "\n", encoding="utf-8")
        card = model_store.read_card(part)
        _try(part, card)
        part.chmod(0o755)
        part.replace(folder)
    except OSError as e:
        raise ModelError(f"The model cannot be written to {folder.name}: {e.strerror}.") from e
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)  # gone already where all went well
    return card


def _try(folder: Path, card: ModelCard) -> None:
    if card.architecture == ARCHITECTURE:
        shape = (1, card.channels, card.input_size, card.input_size)
        load_onnx_detector(folder, card).run(np.full(shape, 0.5, dtype=np.float32))
    else:
        model_store.load(folder)


# --- ONNX ----------------------------------------------------------------------------------------


def _inspect_onnx(content: bytes, description: Description) -> Inspection:
    network = OnnxNetwork(content)
    if description.input_size not in (None, network.side or description.input_size):
        raise ModelError(
            f"The ONNX model reads {network.side} x {network.side} pixels, not "
            f"{description.input_size} x {description.input_size}."
        )
    description = replace(
        description,
        input_size=network.side or description.input_size or _named_size(network.metadata),
        categories=description.categories or _named_categories(network.metadata),
    )
    if description.input_size is None:  # without it the network cannot be tried
        return Inspection(description, _missing(description, "input_size", "categories"))
    possible = _possible(network, description)
    if len(possible) > 1:
        return Inspection(description, _missing(description, "output", "categories"))
    description = _filled(network, description, possible[0])
    count = possible[0].category_count()
    named = len(description.categories)
    if count is not None and named and possible[0].width - named not in (4, 5):
        raise ModelError(f"The ONNX model answers for {count} categories, but {named} were named.")
    return Inspection(description, _missing(description, "categories"), count)


def _possible(network: OnnxNetwork, description: Description) -> list[Layout]:
    """The layouts that its answer to noise may have, and that the description allows."""
    assert description.input_size is not None
    if description.output and description.output not in STYLES:
        raise ModelError(f"{description.output!r} is no style; choose {', '.join(STYLES)}.")
    shape = (1, network.planes, description.input_size, description.input_size)
    outputs = network.answer(np.random.default_rng(0).random(shape, dtype=np.float32))
    found = layouts(outputs, description.input_size)
    if not found:
        raise ModelError(
            f"The ONNX model answers with {shapes(outputs)}, which is not how a YOLO, SSD, "
            "RetinaNet or DETR answers."
        )
    chosen = [layout for layout in found if description.output in ("", layout.style)]
    if not chosen:
        styles = " or ".join(layout.style for layout in found)
        raise ModelError(
            f"The ONNX model answers with {shapes(outputs)}: that is the style {styles}, not "
            f"{description.output}."
        )
    return chosen


def _onnx_card(network: OnnxNetwork, description: Description, sha256: str) -> ModelCard:
    layout = replace(_possible(network, description)[0], first_label=description.first_label)
    assert description.scale is not None  # `inspect` has filled it in
    planes = Planes(description.scale, description.mean, description.std, description.order)
    options = {"layout": asdict(layout), "planes": asdict(planes)}
    return _card(description, ARCHITECTURE, options, sha256)


def _filled(network: OnnxNetwork, description: Description, layout: Layout) -> Description:
    """With what the person did not say as such detectors are usually trained."""
    mean, std = description.mean, description.std
    if layout.style == "detr" and description.scale is None and not mean and not std:
        mean, std = _IMAGENET if network.planes == 3 else ((), ())
    for name, values in (("mean", mean), ("std", std)):
        if values and len(values) != network.planes:
            raise ModelError(f"The model has {network.planes} planes, but {name} {len(values)}.")
    if 0.0 in std:
        raise ModelError("A std of 0 cannot be divided by.")
    channels = description.channels or network.planes
    if channels > network.planes:
        raise ModelError("The ONNX model has an input of one plane: it cannot read colour.")
    yolox = layout.raw_grid
    return replace(
        description,
        output=layout.style,
        channels=channels,
        scale=description.scale or (255.0 if yolox else 1.0),
        mean=mean,
        std=std,
        order=description.order or ("bgr" if yolox else "rgb"),
    )


def _card(
    description: Description, architecture: str, options: Mapping[str, object], sha256: str
) -> ModelCard:
    assert description.input_size is not None  # `inspect` has asked for it
    return ModelCard(
        name=description.name,
        version="1",
        architecture=architecture,
        architecture_options=dict(options),
        categories=description.categories,
        input_size=description.input_size,
        weights_sha256=sha256,
        modalities=description.modalities,
        body_parts=description.body_parts,
        views=description.views,
        default_threshold=description.threshold,
        description=UNMEASURED,
        channels=description.channels or 1,
    )


def _missing(description: Description, *fields: str) -> tuple[str, ...]:
    return tuple(name for name in fields if not getattr(description, name))


# --- what Ultralytics writes into its files ----------------------------------------------


def _named_categories(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """``{0: 'person', 1: 'car'}`` as a tuple."""
    names = _literal(metadata.get("names", ""))
    if not isinstance(names, dict) or sorted(names) != list(range(len(names))):
        return ()
    return tuple(str(names[number]) for number in range(len(names)))


def _named_size(metadata: Mapping[str, str]) -> int | None:
    """``[640, 640]`` as 640."""
    size = _literal(metadata.get("imgsz", ""))
    square = isinstance(size, list) and len(size) == 2 and size[0] == size[1]
    return int(size[0]) if square and isinstance(size[0], int) else None  # type: ignore[index]


def _literal(text: str) -> object:
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        return ast.literal_eval(text) if len(text) <= _MOST_NAMES else None
    return None
