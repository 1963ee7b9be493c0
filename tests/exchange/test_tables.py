"""Tables in the form of NIH and of RSNA, by hand."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from detector.dataset.sources import read_dataset
from detector.types import DatasetError
from tests.exchange.journeys import (
    ODD,
    Load,
    export,
    findings,
    import_,
    keys,
)
from viewer.review.finding import Status
from viewer.review.store import Store


class TestCsv:
    def test_both_forms_by_hand(self, store: Store, odd_labels: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        export(store, out, "csv")
        raw = (out / "BBox_List_2017.csv").read_text("utf-8").splitlines()
        assert raw[0] == "Image Index,Finding Label,Bbox [x,y,w,h],,,"
        rows = list(csv.reader(raw))[1:]
        assert all((out / "images" / row[0]).is_file() for row in rows)
        assert len(rows) == len(ODD) + 4 + 2  # of partial images, too: the list claims no more
        assert [float(cell) for cell in rows[0][2:6]]
        entries = table(out / "Data_Entry_2017.csv")
        assert len(entries) == 2
        assert [row["Finding Labels"] for row in entries if "|" not in row["Finding Labels"]] == [
            "No Finding"
        ]
        assert {row["Patient ID"] for row in entries} < keys(store)
        labels = table(out / "stage_2_train_labels.csv")
        opacities = [row for row in labels if row["Target"] == "1"]
        (negative,) = [row for row in labels if row["Target"] == "0"]
        assert len(opacities) == 1 + 4
        assert [negative[side] for side in ("x", "y", "width", "height")] == [""] * 4
        classes = table(out / "stage_2_detailed_class_info.csv")
        assert [row["patientId"] for row in classes] == [row["patientId"] for row in labels]
        assert Counter(row["class"] for row in classes) == {"Lung Opacity": 5, "Normal": 1}

    def test_no_cell_is_a_formula(self, store: Store, odd_labels: Path, tmp_path: Path) -> None:
        export(store, tmp_path / "out", "csv")
        cells = [
            cell
            for path in (tmp_path / "out").glob("*.csv")
            for row in csv.reader(path.read_text("utf-8").splitlines())
            for cell in row
        ]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert {"'=1+1", "'@x", "''=y"} <= set(cells)

    def test_the_rsna_form_comes_back(
        self, store: Store, other_store: Store, odd_labels: Path, load: Load, tmp_path: Path
    ) -> None:
        export(store, tmp_path / "out", "csv")
        file = tmp_path / "out" / "stage_2_train_labels.csv"
        import_(other_store, file, "csv", load)
        certain = [f for f in findings(other_store) if f.status is not Status.REJECTED]
        assert {f.category for f in certain if not f.uncertain} == {"opacity"}
        assert len([f for f in certain if not f.uncertain]) == 1 + 4

    def test_the_detector_does_not_take_it_for_the_published_set(
        self, store: Store, odd_labels: Path, tmp_path: Path
    ) -> None:
        """Those boxes are in pixels of 1024 x 1024 pictures; these are not."""
        export(store, tmp_path / "out", "csv")
        with pytest.raises(DatasetError, match="CSV export of Lightbox"):
            read_dataset(tmp_path / "out")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
