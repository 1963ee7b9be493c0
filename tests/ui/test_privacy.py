"""90 identifiers go in; none comes out but where docs/PRIVACY.md says so."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtGui import QImageReader

from detector.types import Box
from tests.planted import Planting, found_in, plant_png, plant_radiograph, plant_terms
from tests.ui.window_fixtures import Desk
from viewer import log
from viewer.app import _hook
from viewer.dicom.scan import scan
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.errors import EngineError, ViewerError
from viewer.exchange.formats import FORMATS
from viewer.exchange.options import BurnedIn, Options
from viewer.review.measurement import Shape
from viewer.review.store import Store
from viewer.ui import dialogs

FIRST = 100  # value of the first pixel, by which the puppet of the detector knows an image
# What docs/PRIVACY.md names: the label database with its copies, and the settings (the folders
# that were used last).
HOLDS_IDENTITY = ("labels.sqlite", "backups", "settings.json")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything that asks for a temporary file puts it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def read(desk: Desk, *paths: Path) -> None:
    """Open, detect, accept, correct, reject, add, measure, sign: what a reader does."""
    desk.puppet.answers[FIRST] = [
        (Box(20, 20, 60, 60), 0.9, "opacity"),
        (Box(80, 20, 120, 60), 0.8, "opacity"),
        (Box(20, 80, 60, 120), 0.7, "opacity"),
    ]
    for path in paths:
        desk.open(path)
        desk.until(lambda path=path: is_shown(desk, path))  # type: ignore[misc]
        session, key = desk.window.reading.session, desk.window.reading.key
        assert session is not None
        assert key is not None
        if path is paths[0]:
            desk.wait_analysed()
            first, second, third = session.findings(key.uid, 1)
            session.accept(first.id)
            session.correct(second.id, box=Box(81, 22, 118, 60))
            session.reject(third.id)
        session.add(key, Box(100, 100, 140, 140), "nodule")
        session.measure(key, Shape.LENGTH, ((10.0, 10.0), (60.0, 60.0)))
        session.sign()


def is_shown(desk: Desk, path: Path) -> bool:
    """Whether the image of a file is on the screen and can be decided on."""
    reading = desk.window.reading
    image, key = reading.image, reading.key
    if image is None or key is None or image.path != path or key.uid != image.uid:
        return False
    session = reading.session
    if session is None or session.study_uid != image.study.uid:
        return False
    try:  # a picture does not wait for its hash, without which it cannot be decided on
        session.measure(key, Shape.POINT, ((5.0, 5.0),))
    except ViewerError:
        return False
    return True


def export_all(home_database: Path, out: Path) -> None:
    """Every format of the table, every kind of picture, from the files by a real worker."""
    worker = Worker("decode")
    try:
        with Store.open(home_database) as store:
            for name, row in FORMATS.items():
                for form in row.pictures or (None,):
                    options = Options(pictures=form, burned_in=BurnedIn.INCLUDE)
                    row.export(
                        store,
                        out / f"{name}-{form}",
                        partial(client.decode_frame, worker),
                        options,
                        copy=partial(client.copy_image, worker),
                    )
    finally:
        worker.close()


def crash(desk: Desk, path: Path, words: str) -> None:
    """An exception in the window with identity in its message, and a worker killed at its work."""
    hook = _hook(desk.window)
    try:
        raise ValueError(f"{words} in {path}")
    except ValueError as error:
        hook(type(error), error, error.__traceback__)
    worker = Worker("decode")
    (image,) = (each for update in scan([path]) for each in update.images)
    failures: list[Exception] = []

    def decode() -> None:
        try:
            client.decode_frame(worker, image)
        except EngineError as error:
            failures.append(error)

    try:
        worker.start()
        pid = worker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)  # so that it surely dies over this request
        waiting = threading.Thread(target=decode)
        waiting.start()
        time.sleep(0.3)
        os.kill(pid, signal.SIGKILL)
        waiting.join()
    finally:
        worker.close()
    assert failures


def written_below(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_no_identifier_leaves_the_places_that_are_documented(
    desk: Desk, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planting = Planting()
    source = tmp_path / "source"
    main = plant_radiograph(source, planting, FIRST)
    second, plain = plant_terms(source, planting), plant_png(source, planting)
    assert planting.count >= 90
    out = tmp_path / "out"
    out.mkdir()
    with log.written_to(desk.home.logs):
        read(desk, main, second, plain)
        export_all(Path(str(desk.home.database)), out)
        monkeypatch.setattr(dialogs, "choose_picture", lambda *_: out / "view.png")
        desk.window.view_picture.save(identity=False)
        desk.until((out / "view.png").exists)
        crash(desk, main, planting.tokens["PatientName family"][0])
        logging.getLogger("viewer.test").warning("the log is open")
    exported = written_below(out)
    assert {path.parts[len(out.parts)].partition("-")[0] for path in exported} >= set(FORMATS)
    home = [
        path
        for path in written_below(desk.home.path)
        if not path.relative_to(desk.home.path).parts[0].startswith(HOLDS_IDENTITY)
    ]
    assert any(path.name == log.FILE_NAME for path in home)
    assert "unexpected: ValueError" in (desk.home.logs / log.FILE_NAME).read_text("utf-8")
    assert found_in(planting, [*exported, *home, *written_below(temporary)]) == []


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16-le"])
def test_the_search_finds_what_is_there(tmp_path: Path, encoding: str) -> None:
    planting = Planting()
    token = planting.word("a")
    file = tmp_path / "file.bin"
    file.write_bytes(b"\0\1" + token.upper().encode(encoding, "ignore") + b"\2")
    assert found_in(planting, [file]) == [f"a in {file}"]


def test_the_search_sees_into_what_is_packed(tmp_path: Path) -> None:
    planting = Planting()
    source = plant_png(tmp_path, planting)
    hits = found_in(planting, [source])
    assert {hit.partition(" in ")[0] for hit in hits} == {
        "PNG text",
        "PNG international text",
        "EXIF",
        "PNG file name",
    }
    assert QImageReader(str(source)).canRead()


def test_every_token_is_in_the_files_that_are_planted(tmp_path: Path) -> None:
    planting = Planting()
    files = [plant_radiograph(tmp_path, planting, FIRST), plant_terms(tmp_path, planting)]
    files.append(plant_png(tmp_path, planting))
    hits = {hit.partition(" in ")[0] for hit in found_in(planting, files)}
    assert hits == set(planting.tokens)


def test_with_identity_the_reports_do_name_the_patient(
    desk: Desk, tmp_path: Path, temporary: Path
) -> None:
    planting = Planting()
    main = plant_radiograph(tmp_path / "source", planting, FIRST)
    read(desk, main)
    worker = Worker("decode")
    try:
        with Store.open(desk.home.database) as store:
            FORMATS["sr"].export(
                store,
                tmp_path / "sr",
                partial(client.decode_frame, worker),
                Options(identity=True),
                copy=partial(client.copy_image, worker),
            )
    finally:
        worker.close()
    hits = {hit.partition(" in ")[0] for hit in found_in(planting, written_below(tmp_path / "sr"))}
    assert {"PatientName family", "PatientID", "StudyInstanceUID", "SOPInstanceUID"} <= hits
    assert not {hit for hit in hits if hit.startswith(("private", "nested", "overlay", "file"))}
