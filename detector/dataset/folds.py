"""Splits by patient: stratified by who has boxes, and dealt from a hash of the patient alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from detector.dataset.sample import Sample


def patient_hash(patient: str) -> str:
    """What a card keeps of a patient's name or key, enough to know it again in other data."""
    return hashlib.sha256(f"lightbox patient {patient}".encode()).hexdigest()[:16]


def patient_folds(
    samples: Iterable[Sample], folds: int, categories: Iterable[str] | None = None
) -> dict[str, int]:
    """Deal the patients into folds, those with boxes apart from those without, by hash order.

    Parameters
    ----------
    categories : whose boxes count; None counts every box.
    """
    return {
        patient: place % folds
        for members in _strata(samples, categories)
        for place, patient in enumerate(members)
    }


def hold_out(
    samples: Sequence[Sample], share: float, categories: Iterable[str] | None = None
) -> tuple[list[Sample], list[Sample]]:
    """Training and validation samples; no patient is in both.

    Of the patients with boxes, and of those without, the first `share` by hash order validate:
    at least one of each stratum that has two or more.
    """
    held: set[str] = set()
    for members in _strata(samples, categories):
        count = max(round(share * len(members)), 1) if share > 0 and len(members) > 1 else 0
        held.update(members[: min(count, len(members) - 1)])
    return (
        [s for s in samples if s.patient not in held],
        [s for s in samples if s.patient in held],
    )


def split_hash(samples: Iterable[Sample], folds: Mapping[str, int]) -> str:
    """SHA-256 over the sorted lines "patient hash fold" of the patients in `samples`.

    Two cards with the same hash were measured on the same split.

    Parameters
    ----------
    folds : patient to fold, as of `patient_folds`; of a `hold_out`, 0 trains and 1 validates.
    """
    lines = sorted(f"{patient_hash(p)} {folds[p]}" for p in {s.patient for s in samples})
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _strata(samples: Iterable[Sample], categories: Iterable[str] | None) -> list[list[str]]:
    """The patients with a box, then those without, each in the order of their hash."""
    counted = None if categories is None else frozenset(categories)
    with_boxes: dict[str, bool] = {}
    for sample in samples:
        boxed = any(counted is None or o.category in counted for o in sample.objects)
        with_boxes[sample.patient] = with_boxes.get(sample.patient, False) or boxed
    return [
        sorted(
            (p for p, boxed in with_boxes.items() if boxed is stratum),
            key=lambda p: hashlib.sha256(p.encode()).hexdigest(),
        )
        for stratum in (True, False)
    ]
