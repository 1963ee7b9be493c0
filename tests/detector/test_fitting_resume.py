"""Ctrl+C, a full disk or a foreign file: no work is lost, and the rest comes out the same."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from detector.training import augment, checkpoint, fitting
from detector.training.augment import Prepared
from detector.training.fitting import Recipe, fit, new_network
from detector.training.history import EpochFigures
from detector.types import DetectorError
from tests.detector.training_material import material

RECIPE = Recipe(input_size=64, epochs=2, images_per_epoch=8, batch=4)


@pytest.fixture
def prepared(tmp_path: Path) -> list[Prepared]:
    return material(tmp_path / "e", 6, 64)[1]


def run(
    prepared: list[Prepared],
    path: Path,
    recipe: Recipe = RECIPE,
    history: list[EpochFigures] | None = None,
) -> dict[str, torch.Tensor]:
    network = new_network(recipe, ("opacity",), (), prepared, None)
    fitted = fit(network, prepared, recipe, ("opacity",), (), checkpoint=path, history=history)
    return fitted.state_dict()


@pytest.mark.parametrize("image", [2, 4, 7, 12])
def test_after_ctrl_c_training_goes_on_to_the_same_weights(
    image: int, prepared: list[Prepared], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl+C while that image is made: in the first step, at an epoch's end, in its middle."""
    before = signal.getsignal(signal.SIGINT)
    whole_history: list[EpochFigures] = []
    whole = run(prepared, tmp_path / "whole", history=whole_history)
    shown: list[int] = []
    real = augment.Augmenter.__call__

    def press(self: augment.Augmenter, *arguments: object) -> object:
        shown.append(1)
        if len(shown) == image:
            signal.raise_signal(signal.SIGINT)
        return real(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(augment.Augmenter, "__call__", press)
        with pytest.raises(KeyboardInterrupt):
            run(prepared, tmp_path / "stopped")
    assert len(shown) == -(-image // 4) * 4  # the step was finished, no other one was begun
    assert signal.getsignal(signal.SIGINT) is before
    history: list[EpochFigures] = []
    torch.manual_seed(99)
    resumed = run(prepared, tmp_path / "stopped", history=history)
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name
    assert [e.epoch for e in history] == [1, 2]
    for one, other in zip(history, whole_history, strict=True):
        assert one.losses == pytest.approx(other.losses)


def test_ctrl_c_while_validating_stops_before_the_next_epoch(
    prepared: list[Prepared], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object) -> dict[str, float]:
        signal.raise_signal(signal.SIGINT)
        return {}

    lines: list[str] = []
    monkeypatch.setattr(fitting, "validate", press)
    network = new_network(RECIPE, ("opacity",), (), prepared, None)
    with pytest.raises(KeyboardInterrupt):
        fit(network, prepared, RECIPE, ("opacity",), (), checkpoint=tmp_path / "c",
            held_out=prepared[:1], progress=lines.append)  # fmt: skip
    assert lines[-1].startswith("stopped after epoch 1; the checkpoint c is kept")
    assert sum("epoch 2 of" in line for line in lines) == 0


def test_a_second_ctrl_c_does_not_wait(
    prepared: list[Prepared], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it waited")

    monkeypatch.setattr(augment.Augmenter, "__call__", press)
    with pytest.raises(KeyboardInterrupt):
        run(prepared, tmp_path / "c")


class FullDisk:
    """Stands for os.fsync where the disk has no room left."""

    def __init__(self, after: int):
        self.left = after

    def __call__(self, _descriptor: int) -> None:
        if not self.left:
            raise OSError(28, "No space left on device")
        self.left -= 1


def test_a_full_disk_stops_with_a_sentence_and_leaves_the_last_checkpoint(
    prepared: list[Prepared], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(prepared, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.os, "fsync", FullDisk(after=1))
        sentence = r"c cannot be written: No space left on device. The one before it is intact."
        with pytest.raises(DetectorError, match=sentence):
            run(prepared, tmp_path / "c")
    assert not list(tmp_path.glob("*.part"))
    resumed = run(prepared, tmp_path / "c")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_a_full_device_is_a_sentence_too(prepared: list[Prepared], tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "c.part").symlink_to(full)  # torch writes into a device without room
    with pytest.raises(DetectorError, match="c cannot be written: "):
        run(prepared, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_damaged_checkpoint_and_a_foreign_one_are_named(
    prepared: list[Prepared], tmp_path: Path
) -> None:
    run(prepared, tmp_path / "c")
    kept = (tmp_path / "c").read_bytes()
    with pytest.raises(DetectorError, match="c belongs to other data or another recipe"):
        run(prepared, tmp_path / "c", replace(RECIPE, learning_rate=5e-4))
    with pytest.raises(DetectorError, match="c belongs to other data or another recipe"):
        run(prepared[1:], tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == kept
    (tmp_path / "c").write_bytes(b"not a checkpoint")
    with pytest.raises(DetectorError, match="damaged; delete it"):
        run(prepared, tmp_path / "c")
