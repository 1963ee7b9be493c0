"""`bench`: how fast the detector is on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from detector import model_store
from viewer.commands.console import require_paths, tell
from viewer.commands.models import chosen_model
from viewer.home import Home

if TYPE_CHECKING:
    from detector.inference.bench import BackendRow, Cost, FolderRow

GOAL = 0.15
"""What lies around the network may cost this share of its forward pass."""


def bench_detector(
    home: Home, model: str | None, data: Path | None, images: int | None, device: str
) -> None:
    """Print the speed of a model: over a folder where one is given, then of each of its parts."""
    if data is not None:
        require_paths([data])
    folder = chosen_model(home, model)
    # Imported late: a wrong path should not have to wait for it.
    from detector.inference import bench  # noqa: PLC0415
    from detector.inference.devices import choose_device  # noqa: PLC0415
    from detector.inference.predictor import BATCH  # noqa: PLC0415

    card = model_store.read_card(folder)
    print(f"{card.name} {card.version}, {card.architecture}, {card.input_size} pixels")
    if data is not None:
        print(_folder_line(_over_folder(home, folder, data, images, device)))
    costs = bench.preprocess_costs(card)
    print("\nbefore the network      ms    CPU ms")
    for name, cost in costs.items():
        print(f"{name:20}{_ms(cost)}")
    print(
        f"\nnetwork, one picture    ms    CPU ms   in {BATCH}s: ms    CPU ms"
        "   images/s   after it: ms    CPU ms   boxes of the first row"
    )
    rows = []
    for row in bench.backend_rows(folder, choose_device(device)):
        rows.append(row)
        print(_backend_line(row))
    print(f"\nbefore and after it, as a share of the bare forward pass (goal: {GOAL:.0%})")
    for row in rows:
        shares = (f"{name}: {_share(row, cost):.0%}" for name, cost in costs.items())
        print(f"{_name(row):20}  {'   '.join(shares)}")


def _over_folder(
    home: Home, folder: Path, data: Path, images: int | None, device: str
) -> FolderRow:
    from detector.dataset.sources import read_dataset  # noqa: PLC0415
    from detector.inference import bench  # noqa: PLC0415
    from detector.inference.predictor import Predictor  # noqa: PLC0415

    samples = read_dataset(data).samples[:images]
    predictor = Predictor(folder, device, memory=home.measured_speeds)

    def progress(done: int) -> None:
        if done % 200 == 0 or done == len(samples):
            tell(f"images analysed: {done} of {len(samples)}")

    return bench.run_over(predictor, (sample.load() for sample in samples), progress)


def _folder_line(row: FolderRow) -> str:
    peak = "not known" if row.peak_bytes is None else f"{row.peak_bytes / 2**20:.0f} MiB"
    return (
        f"{row.images} images in {row.seconds:.1f} s, decoding included: "
        f"{row.images / row.seconds:.1f} images/s; peak memory {peak}; "
        f"{row.device}, {row.precision}"
    )


def _backend_line(row: BackendRow) -> str:
    return (
        f"{_name(row):20}{_ms(row.forward)}{_ms(row.batched):>22}{1 / row.forward.wall:>11.1f}"
        f"{_ms(row.postprocess):>25}   {'yes' if row.alike else 'no'}"
    )


def _share(row: BackendRow, before: Cost) -> float:
    """On the processor its own seconds are compared: others that run beside this do not count."""
    if row.backend.device == "cpu":
        return (before.processor + row.postprocess.processor) / row.forward.processor
    return (before.wall + row.postprocess.wall) / row.forward.wall


def _name(row: BackendRow) -> str:
    return f"{row.backend.engine} {row.backend.precision}"


def _ms(cost: Cost) -> str:
    return f"{cost.wall * 1000:>7.1f} {cost.processor * 1000:>8.1f}"
