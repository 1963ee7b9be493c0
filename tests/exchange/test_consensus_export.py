"""The consensus of two readers goes out, with what each of them had said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from detector.types import Box
from tests.dicom_factory import make_dicom
from tests.exchange.test_coco_export import export, found, key_of
from viewer.dicom.model import Frame, Image
from viewer.errors import ExchangeError
from viewer.exchange.options import Options
from viewer.review.adjudication import Adjudication
from viewer.review.session import ReviewSession
from viewer.review.store import Store

OpenFile = Callable[[Store, Path], tuple[ReviewSession, list[tuple[Image, Frame]]]]


@pytest.fixture
def adjudication(store: Store, tmp_path: Path, open_file: OpenFile) -> Adjudication:
    """A accepts two candidates and rejects one; B has another box, another category, an own one."""
    pixels = np.random.default_rng(7).integers(0, 4096, (120, 90)).astype(np.uint16)
    session, [(image, frame)] = open_file(store, make_dicom(tmp_path / "chest.dcm", pixels))
    key = key_of(image, frame)
    boxes = [Box(1, 2, 31, 42), Box(40, 2, 80, 42), Box(1, 60, 31, 90)]
    session.add_run(key, found(*zip(boxes, (0.9, 0.8, 0.7), strict=True)))
    first, second, third = session.findings()
    session.accept(first.id, second.id)
    session.reject(third.id)
    session.sign()
    other = ReviewSession(store, session.study_uid, "B")
    other.correct(first.id, box=Box(1, 2, 31, 28))
    other.correct(second.id, category="nodule")
    other.reject(third.id)
    other.add(key, Box(50, 60, 80, 90), "opacity")
    other.sign()
    return Adjudication(store, session.study_uid, "Prof")


def test_nothing_goes_out_before_the_consensus_is_signed(
    adjudication: Adjudication, store: Store, tmp_path: Path
) -> None:
    for row in adjudication.rows:
        adjudication.neither(row)
    with pytest.raises(ExchangeError, match="not adjudicated"):
        export(store, tmp_path / "out")


def test_each_box_names_what_each_reader_had(
    adjudication: Adjudication, store: Store, tmp_path: Path
) -> None:
    category, partial, box, agreed = adjudication.rows
    adjudication.take(category, "B")
    adjudication.take(partial, "B")
    adjudication.draw(box, Box(1, 2, 31, 35))
    adjudication.neither(agreed)
    own = adjudication.add(box.image, Box(60, 100, 85, 118), "mass")
    adjudication.sign()
    summary, document = export(store, tmp_path / "out")
    assert (summary.written.findings, summary.written.rejected) == (4, 1)
    said: dict[tuple[float, ...], Any] = {
        tuple(each["bbox"]): each
        for each in (*document["annotations"], *document["rejected_annotations"])
    }
    drawn = said[1, 2, 30, 33]
    assert (drawn["status"], drawn["reader"], drawn["ai_visible"]) == ("corrected", "Prof", False)
    assert drawn["model"]["name"] == "chest-xray"  # both had begun from its candidate
    assert drawn["sources"] == [
        {
            "reader": "B",
            "status": "corrected",
            "category": "opacity",
            "bbox": [1, 2, 30, 26],
            "uncertain": False,
        },
        {
            "reader": "Dr. Who",
            "status": "accepted",
            "category": "opacity",
            "bbox": [1, 2, 30, 40],
            "uncertain": False,
        },
    ]
    renamed = said[40, 2, 40, 40]
    names = {each["id"]: each["name"] for each in document["categories"]}
    assert names[renamed["category_id"]] == "nodule"
    assert [each["category"] for each in renamed["sources"]] == ["nodule", "opacity"]
    assert [each["reader"] for each in said[50, 60, 30, 30]["sources"]] == ["B"]
    hard = said[1, 60, 30, 30]
    assert hard in document["rejected_annotations"]
    assert [each["status"] for each in hard["sources"]] == ["rejected", "rejected"]
    assert said[tuple(own.box.xywh())]["sources"] == []
    assert document["images"][0]["review"] == "complete"
    json.dumps(document, allow_nan=False)
    assert len(COCO(str(tmp_path / "out" / "annotations.json")).getAnnIds()) == 4


def test_one_readers_decisions_have_no_sources(
    adjudication: Adjudication, store: Store, tmp_path: Path
) -> None:
    _, document = export(store, tmp_path / "out", options=Options(reader="B"))
    assert {each["reader"] for each in document["annotations"]} == {"B"}
    assert [each["sources"] for each in document["annotations"]] == [[], [], []]
