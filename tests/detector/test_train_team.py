"""Two processes under torchrun train one network, as one process does with the same batches."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from detector.training import fitting
from detector.training.distributed import Team
from detector.training.fitting import fit, new_network
from detector.types import DetectorError
from tests.detector import team_of_two
from tests.detector.training_material import material, patches

ROOT = Path(__file__).parents[2]


def trained_by_two(folder: Path) -> list[Any]:
    """Weights before and after, and figures, of each process."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, "--nproc-per-node", "2", "-m", "tests.detector.team_of_two", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    assert b"Warning" not in done.stderr
    return [torch.load(folder / f"{rank}of2.pt") for rank in range(2)]


def test_two_processes_end_with_the_same_weights_near_those_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patches(tmp_path / "e", 9)
    monkeypatch.setattr(fitting, "Augmenter", team_of_two.Plain)
    team_of_two.main(tmp_path)
    start, alone, figures = torch.load(tmp_path / "0of1.pt")
    first, second = trained_by_two(tmp_path)
    for name, value in first[1].items():
        assert torch.equal(value, second[1][name]), name
        assert value.isfinite().all(), name
    assert first[2] == second[2]
    for (losses, _), (theirs, _) in zip(figures, first[2], strict=True):
        assert math.isclose(sum(losses.values()), sum(theirs.values()), rel_tol=0.1)
    moved = torch.cat([(alone[n] - start[n]).flatten() for n in start])
    theirs = torch.cat([(first[1][n] - start[n]).flatten() for n in start])
    likeness = torch.nn.functional.cosine_similarity(moved, theirs, dim=0)
    assert likeness > 0.7, likeness  # each process varies its pictures in its own way
    assert list((tmp_path / "images").glob("images-*.uint8"))  # one file, shared


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    _, prepared = material(tmp_path / "e", 3, 64)
    network = new_network(team_of_two.RECIPE, ("opacity",), (), prepared, None)
    with pytest.raises(DetectorError, match="8 images cannot be shared by 3 processes"):
        fit(network, prepared, team_of_two.RECIPE, ("opacity",), (), checkpoint=tmp_path / "c",
            team=Team(0, 3))  # fmt: skip
