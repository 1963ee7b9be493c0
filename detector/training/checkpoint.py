"""The state of a training on disk: the old one or the new one, never half of it."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from detector.training.augment import Prepared
from detector.types import DetectorError


class Checkpoint:
    """The file that a training goes on from.

    Parameters
    ----------
    fingerprint : of `fingerprint`: what the file must agree on.
    """

    def __init__(self, path: Path, fingerprint: str):
        self.path = path
        self._fingerprint = fingerprint

    def write(self, state: dict[str, Any]) -> None:
        """Replace the file, at once or not at all.

        Raises
        ------
        DetectorError
            Where it cannot be written; the one before it stays as it was.
        """
        part = self.path.with_name(f"{self.path.name}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                torch.save(state | {"fingerprint": self._fingerprint}, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except (OSError, RuntimeError) as e:  # torch.save raises RuntimeError on a full disk
            reason = getattr(e, "strerror", None) or "the disk may be full"
            left = " The one before it is intact." if self.path.is_file() else ""
            raise DetectorError(
                f"The training checkpoint {self.path.name} cannot be written: {reason}.{left}"
            ) from e
        finally:
            part.unlink(missing_ok=True)

    def read(self) -> dict[str, Any] | None:
        """The state in the file; None where there is no file.

        Raises
        ------
        DetectorError
            Where it is damaged, or belongs to another training.
        """
        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as e:
            raise DetectorError(
                f"The training checkpoint {self.path.name} is damaged; delete it to start anew."
            ) from e
        if state.get("fingerprint") != self._fingerprint:
            raise DetectorError(
                f"The training checkpoint {self.path.name} belongs to other data or another "
                "recipe; delete it to start anew, or keep it and write elsewhere."
            )
        return state


def fingerprint(recipe: dict[str, Any], *shares: Sequence[Prepared]) -> str:
    """What a checkpoint must agree on: the recipe, the images and all that is known of them."""
    content = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
    for prepared in shares:
        for item in prepared:
            sample = item.sample
            known = (sorted(sample.complete), sorted(sample.weak.items()),
                     sorted(sample.image_classes.items()))  # fmt: skip
            content.update(repr((sample.objects, sample.rejected, known)).encode())
            content.update(item.pixels.tobytes())
        content.update(b"end of share")
    return content.hexdigest()
