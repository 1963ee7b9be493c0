"""YOLO, by hand and by the detector."""

from __future__ import annotations

from pathlib import Path

from detector.dataset.sources import read_dataset
from detector.types import RESEARCH_USE_ONLY
from tests.exchange.journeys import (
    ODD,
    OpenFile,
    export,
    keys,
)
from viewer.review.store import Store


class TestYolo:
    def test_a_hand_parser_and_the_detector_read_it(
        self, store: Store, odd_labels: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        export(store, out, "yolo")
        yaml = (out / "data.yaml").read_text("utf-8")
        assert RESEARCH_USE_ONLY in yaml
        assert "train: images/train\n" in yaml
        assert "partial" not in yaml
        for place in ("train", "partial"):
            pictures = sorted(path.stem for path in (out / "images" / place).iterdir())
            assert pictures == sorted(path.stem for path in (out / "labels" / place).iterdir())
            assert len(pictures) == 2
        lines = [
            line.split()
            for path in (out / "labels" / "train").iterdir()
            for line in path.read_text().splitlines()
        ]
        assert len(lines) == len(ODD) + 4
        assert ["0", "0.500000000", "0.500000000", "1.000000000", "1.000000000"] in lines
        data = read_dataset(out)
        assert data.problems == ()
        assert set(data.categories) == {*ODD, "nodule"}
        assert data.categories[0] == "opacity"
        by_boxes = sorted(data.samples, key=lambda sample: len(sample.objects))
        assert [len(sample.objects) for sample in by_boxes] == [0, 1, 1, len(ODD) + 4]
        assert [bool(sample.complete) for sample in by_boxes] == [True, False, False, True]
        assert len({sample.patient for sample in data.samples}) == 4
        assert {sample.patient for sample in data.samples} == keys(store)

    def test_class_numbers_stay_when_findings_are_added(
        self, store: Store, odd_labels: Path, open_file: OpenFile, tmp_path: Path
    ) -> None:
        export(store, tmp_path / "a", "yolo")
        export(store, tmp_path / "b", "yolo")
        assert (tmp_path / "a/data.yaml").read_bytes() == (tmp_path / "b/data.yaml").read_bytes()
