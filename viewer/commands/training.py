"""`train` and `evaluate`: the detector's own, with the models and words of the program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from viewer.commands.console import require_paths, tell, write_whole
from viewer.commands.models import chosen_model
from viewer.home import Home


def train(
    home: Home,
    data: Sequence[Path],
    out: Path,
    *,
    base: str | None,
    from_scratch: bool,
    epochs: int | None,
    device: str,
) -> None:
    """Train a model on exported findings and write it into a new folder inside ``out``."""
    require_paths(data)
    base_folder = None if from_scratch else chosen_model(home, base)
    # Imported late: it brings torch, which a wrong path should not have to wait for.
    from detector.training.train import train as train_model  # noqa: PLC0415

    folder = train_model(data, out, base=base_folder, epochs=epochs, device=device, progress=tell)
    tell(f"the model is in {folder}")


def evaluate(home: Home, model: str, data: Sequence[Path], out: Path | None, device: str) -> None:
    """Print how good a model's boxes are on exported findings; the figures as JSON where asked."""
    require_paths(data)
    folder = chosen_model(home, model)
    from detector.measuring.evaluate import evaluate as measure  # noqa: PLC0415
    from detector.measuring.evaluate import format_table  # noqa: PLC0415

    report = measure(folder, data, tell, device=device)
    print(format_table(report))
    if out is not None:
        text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
        write_whole(out, f"{text}\n".encode())
        tell(f"wrote {out}")
