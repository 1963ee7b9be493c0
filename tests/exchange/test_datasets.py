"""Every format for training: written, and read back into an empty store."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from detector.dataset.sources import read_dataset
from detector.types import Box, Detection, Detections
from tests.dicom_factory import make_dicom
from tests.exchange.journeys import (
    COLUMNS,
    DATASETS,
    ODD,
    ROWS,
    Load,
    OpenFile,
    chest,
    essence,
    export,
    findings,
    import_,
)
from viewer.dicom.model import ImageKey
from viewer.review.finding import Status
from viewer.review.session import ReviewSession
from viewer.review.store import Store

SIDED = DATASETS[1:]


@pytest.mark.parametrize("name", DATASETS)
def test_it_comes_back_into_an_empty_store(
    *, store: Store, other_store: Store, odd_labels: Path, load: Load, name: str, tmp_path: Path
) -> None:
    summary = export(store, tmp_path / "out", name)
    assert summary.skipped == ()
    written = summary.written
    assert (written.images, written.rejected, written.uncertain) == (4, 1, 1)
    assert written.findings == len(ODD) + 4 + 1 + 1
    imported = import_(other_store, tmp_path / "out", name, load)
    assert imported.not_found == ()
    assert imported.readers == ("Dr. Who",)
    assert essence(other_store) == essence(store)
    before = essence(other_store)
    assert import_(other_store, tmp_path / "out", name, load).findings == 0  # nothing twice
    assert essence(other_store) == before


@pytest.mark.parametrize("name", DATASETS)
def test_a_candidate_that_is_doubted_makes_its_image_partial(
    *,
    store: Store,
    other_store: Store,
    open_file: OpenFile,
    load: Load,
    tmp_path: Path,
    name: str,
) -> None:
    """It was neither taken nor rejected: nothing says that there is nothing."""
    session, [(image, frame)] = open_file(store, make_dicom(tmp_path / "1.dcm", **chest(1)))
    key = ImageKey(image.uid, 1, frame.pixel_sha256)
    found = (Detection(Box(1, 2, 30, 40), 0.9, "opacity"), Detection(Box(50, 2, 60, 9), 0.8, "x"))
    session.add_run(key, Detections(found, "m", "1", "w" * 64, "cpu", 0.01, 0.1))
    session.doubt(session.findings()[0].id)
    session.sign()
    written = export(store, tmp_path / "out", name).written
    assert (written.findings, written.uncertain) == (0, 1)
    if name in ("coco", "yolo", "voc"):
        (sample,) = read_dataset(tmp_path / "out").samples
        assert not sample.complete
        assert sample.objects == ()
    import_(other_store, tmp_path / "out", name, load)
    (uid,) = other_store.study_uids()
    other = ReviewSession(other_store, uid, "Dr. Who")
    (doubted,) = other.findings()
    assert (doubted.status, doubted.uncertain, doubted.score) == (Status.OPEN, True, 0.9)
    other.accept(doubted.id)
    assert [finding.status for finding in other.findings()] == [Status.ACCEPTED]


@pytest.mark.parametrize("name", SIDED)
def test_without_the_side_file_the_plain_boxes_come_back(
    *, store: Store, other_store: Store, odd_labels: Path, load: Load, name: str, tmp_path: Path
) -> None:
    """What any program could have written: boxes within rounding, accepted by who imports."""
    export(store, tmp_path / "out", name)
    (tmp_path / "out" / "lightbox.json").unlink()
    if name == "csv":  # the published sets are 1024 x 1024, whatever lies beside their tables
        scale_box_list(tmp_path / "out" / "BBox_List_2017.csv")
    imported = import_(other_store, tmp_path / "out", name, load, reader="Dr. Import")
    assert imported.readers == ("Dr. Import",)
    ours = [f for f in findings(store) if f.status is not Status.REJECTED and not f.uncertain]
    theirs = findings(other_store)
    assert len(theirs) == len(ours)
    assert {f.status for f in theirs} == {Status.ACCEPTED}
    within = 0.51 if name == "voc" else 1e-3
    for finding in ours:
        assert any(
            other.category == finding.category
            and within_pixels(other.box, finding.box, within, voc=name == "voc")
            for other in theirs
        ), finding


def within_pixels(one: Box, other: Box, most: float, *, voc: bool) -> bool:
    corners = zip(
        (one.x_min, one.y_min, one.x_max, one.y_max),
        (other.x_min, other.y_min, other.x_max, other.y_max),
        strict=True,
    )
    # VOC has whole pixels: one thinner than that grows to it.
    thin = voc and min(other.width, other.height) < 1
    return all(abs(a - b) <= (1 if thin else most) for a, b in corners)


def scale_box_list(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    scales = [1024 / COLUMNS, 1024 / ROWS] * 2
    for row in rows:
        row[2:6] = [repr(float(c) * s) for c, s in zip(row[2:6], scales, strict=True)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def test_labels_changed_by_another_program_win_over_the_side_file(
    store: Store, other_store: Store, odd_labels: Path, load: Load, tmp_path: Path
) -> None:
    """One format stands for all: the side file is joined by one function."""
    export(store, tmp_path / "out", "yolo")
    (labels,) = (
        path for path in (tmp_path / "out").rglob("*.txt")
        if path.parent.parent.name == "labels" and len(path.read_text().splitlines()) > 5
    )  # fmt: skip
    first, second, *others = labels.read_text().splitlines()
    number, x, y, width, height = second.split()
    moved = f"{number} {float(x) - 0.1} {y} {width} {height}"
    labels.write_text("\n".join([moved, *others]))
    import_(other_store, tmp_path / "out", "yolo", load, reader="Dr. Import")
    readers = Counter(
        event.reader for uid in other_store.study_uids() for event in other_store.load(uid).events
    )
    assert readers["Dr. Import"] == 1  # the box that was moved
    assert len(findings(other_store)) == len(findings(store)) - 1  # one was deleted
    assert first not in labels.read_text()
