"""Patients, not images, are dealt, and always the same way."""

from __future__ import annotations

from pathlib import Path

from detector.dataset.folds import hold_out, patient_folds, split_hash
from detector.dataset.sample import LabelledBox, Sample
from detector.types import Box


def some_samples() -> list[Sample]:
    """200 images of 100 patients; a third of the images with a box, every fifth box a nodule."""
    return [
        Sample(Path(f"{i}.png"), f"p{i // 2}", objects=() if i % 3 else (
            LabelledBox(Box(1, 1, 9, 9), "opacity" if i % 5 else "nodule"),
        ))
        for i in range(200)
    ]  # fmt: skip


def test_folds_hold_each_patient_once_and_share_the_boxed_ones() -> None:
    samples = some_samples()
    fold_of = patient_folds(samples, 5)
    assert set(fold_of) == {s.patient for s in samples}
    boxed = {s.patient for s in samples if s.objects}
    counts = [sum(fold_of[p] == k for p in boxed) for k in range(5)]
    assert max(counts) - min(counts) <= 1
    assert patient_folds(reversed(samples), 5) == fold_of


def test_folds_stratify_by_the_categories_that_are_named() -> None:
    samples = some_samples()
    without_nodules = [
        Sample(s.path, s.patient, tuple(o for o in s.objects if o.category == "opacity"))
        for s in samples
    ]
    as_before = patient_folds(without_nodules, 5)
    assert patient_folds(samples, 5, ("opacity",)) == as_before
    assert patient_folds(samples, 5) != as_before


def test_held_out_patients_are_a_share_of_both_strata() -> None:
    samples = some_samples()
    training, validation = hold_out(samples, 0.2, ("opacity", "nodule"))
    assert not {s.patient for s in training} & {s.patient for s in validation}
    assert len(training) + len(validation) == len(samples)
    boxed = {s.patient for s in samples if s.objects}
    held = {s.patient for s in validation}
    assert len(held & boxed) == round(0.2 * len(boxed))
    assert len(held - boxed) == round(0.2 * (100 - len(boxed)))
    again = hold_out(samples[::-1], 0.2, ("opacity", "nodule"))[1]
    assert {s.patient for s in again} == held
    assert hold_out(samples, 0.0) == (samples, [])


def test_few_patients_still_leave_some_on_each_side() -> None:
    box = (LabelledBox(Box(1, 1, 9, 9), "opacity"),)
    few = [Sample(Path(f"{i}.png"), str(i), box) for i in range(3)]
    assert [len(part) for part in hold_out(few, 0.1)] == [2, 1]
    assert [len(part) for part in hold_out(few, 0.99)] == [1, 2]
    assert [len(part) for part in hold_out(few[:1], 0.5)] == [1, 0]


def test_the_hash_of_a_split_names_it() -> None:
    samples = some_samples()
    folds = patient_folds(samples, 5)
    first = split_hash(samples, folds)
    assert len(first) == 64
    assert split_hash(reversed(samples), dict(reversed(folds.items()))) == first
    assert split_hash(samples, folds | {"p3": (folds["p3"] + 1) % 5}) != first
    assert split_hash(samples[2:], folds) != first
