"""The same picture twice in one data set would count twice, or lie on both sides of a split."""

from __future__ import annotations

import filecmp
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from detector.dataset.sample import Sample

_HEAD_BYTES = 1 << 16


def find_twins(samples: Sequence[Sample]) -> dict[int, Sample]:
    """The places of samples whose file equals, byte by byte, that of an earlier one: the latter.

    Only files of one size are opened at all, and only those of one size and one beginning are
    read through.
    """
    sizes = [sample.path.stat().st_size for sample in samples]
    shared = Counter(sizes)
    first: dict[tuple[int, bytes], list[Sample]] = {}
    twins: dict[int, Sample] = {}
    for place, (sample, size) in enumerate(zip(samples, sizes, strict=True)):
        if shared[size] == 1:
            continue
        alike = first.setdefault((size, _head(sample.path)), [])
        twin = next((s for s in alike if filecmp.cmp(s.path, sample.path, shallow=False)), None)
        if twin is None:
            alike.append(sample)
        else:
            twins[place] = twin
    return twins


def describe(sample: Sample, twin: Sample) -> str:
    """A sentence that names both."""
    boxes = f"{len(sample.objects)} box{'' if len(sample.objects) == 1 else 'es'}"
    if sample.path == twin.path:
        return f"The image {twin.path.name} is named twice, the second time with {boxes}."
    return f"The image {sample.path.name} ({boxes}) is the same picture as {twin.path.name}."


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.sha256(file.read(_HEAD_BYTES)).digest()
