"""A series that comes in piece by piece, and one that is closed again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt

from tests.dicom_factory import make_ct_series
from tests.ui.window_fixtures import Desk
from viewer.dicom.studies import build_studies
from viewer.ui.frames import LANES


def is_quiet(desk: Desk) -> bool:
    return not any(desk.window._jobs.busy(lane) for lane in LANES)


def test_the_reader_may_go_on_as_soon_as_there_is_a_next_image(desk: Desk, tmp_path: Path) -> None:
    make_ct_series(tmp_path / "ct", slices=6)
    desk.open(tmp_path / "ct")
    reading = desk.window.reading
    assert reading.position is not None
    whole = reading.position.study
    images = whole.series[0].images
    desk.until(lambda: is_quiet(desk))
    alone = replace(whole, series=(replace(whole.series[0], images=images[:1]),))
    reading.open(replace(reading.position, study=alone, series=alone.series[0], index=0))
    desk.key(Qt.Key.Key_Down)
    assert reading.position.index == 0  # as far as the series goes
    (grown,) = build_studies(images)
    reading.study_grew(grown)
    desk.key(Qt.Key.Key_Down)
    desk.until(lambda: reading.position is not None and reading.position.index == 1)


def test_the_rest_of_the_series_is_fetched_ahead_and_let_go_with_the_study(
    desk: Desk, tmp_path: Path
) -> None:
    make_ct_series(tmp_path / "ct", slices=30)
    desk.open(tmp_path / "ct")
    frames, position = desk.window.frames, desk.window.reading.position
    assert position is not None
    desk.until(lambda: all(frames.get(image) is not None for image in position.series.images))
    desk.window.close_study()
    assert desk.window.reading.position is None
    assert frames._cache.bytes == 0
