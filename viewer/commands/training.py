"""`train` and `evaluate`: the detector's own, with the models and words of the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detector import model_store
from viewer.commands.console import require_paths, tell
from viewer.commands.dicom_pictures import dicom_pictures
from viewer.commands.models import chosen_model
from viewer.home import Home


def train(
    home: Home,
    data: Sequence[Path],
    out: Path,
    *,
    init: str | None,
    device: str,
    held_out: float,
    resume: bool,
    wish: Mapping[str, Any],
) -> None:
    """Train a model on labelled images and write it into a new folder inside ``out``.

    Parameters
    ----------
    init : name of a model, an ONNX file, or "none"; None is the first model, and chance where
        another architecture is wished for.
    held_out : share of the patients that validate.
    wish : the fields of `detector.training.plan.Wish`.
    """
    require_paths(data)
    start = _start(home, init, wish.get("architecture"))
    # Imported late: it brings torch, which a wrong path should not have to wait for.
    from detector.training.plan import Wish  # noqa: PLC0415
    from detector.training.train import train as train_model  # noqa: PLC0415

    with dicom_pictures() as load_dicom:
        train_model(
            data, out, init=start, wish=Wish(**wish), device=device, share=held_out,
            resume=resume, load_dicom=load_dicom, progress=tell,
        )  # fmt: skip


def _start(home: Home, init: str | None, architecture: str | None) -> Path | None:
    if init == "none":
        return None
    if init is not None and init.lower().endswith(".onnx"):
        require_paths([Path(init)])
        return Path(init)
    folder = chosen_model(home, init)
    card = model_store.read_card(folder)
    if init is None and architecture not in (None, card.architecture):
        tell(f"{card.name} is a {card.architecture}: this {architecture} starts from chance")
        return None
    return folder


def evaluate(
    home: Home,
    model: str,
    data: Sequence[Path],
    out: Path | None,
    *,
    device: str,
    precision: str,
    robustness: bool,
) -> None:
    """Print how good a model's boxes are on labelled images; into a folder of figures if asked."""
    require_paths(data)
    folder = chosen_model(home, model)
    from detector.measuring.evaluate import evaluate as measure  # noqa: PLC0415
    from detector.measuring.report import (  # noqa: PLC0415
        format_table,
        refuse_occupied,
        write_report,
    )

    if out is not None:
        refuse_occupied(out)
    with dicom_pictures() as load_dicom:
        report = measure(
            folder, data, tell, device=device, precision=precision, robustness=robustness,
            load_dicom=load_dicom,
        )  # fmt: skip
    print(format_table(report))
    if out is not None:
        write_report(report, out)
        tell(f"wrote {out}")
