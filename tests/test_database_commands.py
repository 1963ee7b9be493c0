"""`backup`, `verify` and `--db`, as whoever looks after the computers uses them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from detector.types import Box
from tests.dicom_factory import make_dicom
from tests.review import raw_sql
from tests.review.postgres_server import PASSWORD, PostgresAbsentError, PostgresServer
from viewer import cli
from viewer.dicom import pixels, scan
from viewer.dicom.model import ImageKey
from viewer.review.finding import Status
from viewer.review.place import Place
from viewer.review.session import ReviewSession
from viewer.review.store import Store


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    try:
        started = PostgresServer()
    except PostgresAbsentError as reason:
        pytest.skip(str(reason))
    yield started
    started.stop()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(*words: object) -> int:
    return cli.main([str(word) for word in words])


def decide(place: Place, file: Path) -> str:
    """Accept a box on the image of a file; the uid of its study."""
    (image,) = [image for update in scan.scan([file]) for image in update.images]
    frame = pixels.decode(image)
    with Store.open(place) as store:
        session = ReviewSession(store, image.study.uid, "Dr. Who")
        session.remember_image(image, frame.pixel_sha256)
        session.add(ImageKey(image.uid, 1, frame.pixel_sha256), Box(10, 10, 60, 60), "opacity")
        session.sign()
    return image.study.uid


@pytest.fixture
def radiograph(tmp_path: Path) -> Path:
    values = np.random.default_rng(1).normal(2000, 400, (300, 260))
    return make_dicom(tmp_path / "image.dcm", np.clip(values, 0, 4095).astype(np.uint16))


def test_a_backup_is_made_verified_and_put_back(
    home: Path, radiograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = home / "labels.sqlite"
    study = decide(database, radiograph)
    assert run("--home", home, "backup", "--out", tmp_path / "copy.sqlite") == 0
    assert run("backup", "--home", home) == 0
    assert len(list((home / "backups").iterdir())) == 1
    with Store.open(database) as store:
        session = ReviewSession(store, study, "Dr. Who")
        session.remove(session.findings()[0].id)
    assert run("--home", home, "verify") == 0
    assert "is sound: 3 events in 1 logs" in capsys.readouterr().out
    assert run("--home", home, "backup", "--restore", tmp_path / "copy.sqlite") == 0
    assert "kept what was there as" in capsys.readouterr().err
    with Store.open(database) as store:
        assert [each.status for each in ReviewSession(store, study, "Dr. Who").findings()] == [
            Status.ADDED
        ]


def test_what_was_changed_is_said_with_exit_code_1(
    home: Path, radiograph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decide(home / "labels.sqlite", radiograph)
    raw_sql.run(home / "labels.sqlite", "UPDATE events SET reader = 'Dr. No' WHERE sequence = 2")
    assert run("--home", home, "verify") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "Event 2 (" in said.err


def test_a_damaged_database_names_the_command_that_helps(
    home: Path, radiograph: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    database = home / "labels.sqlite"
    decide(database, radiograph)
    assert run("--home", home, "backup") == 0
    (copy,) = (home / "backups").iterdir()
    database.write_bytes(b"\0" * 9000)
    export = ("--home", home, "export", "--format", "coco", "--out", tmp_path / "out")
    assert run(*export) == 1
    assert f"`backup --restore {copy}`" in capsys.readouterr().err
    assert database.read_bytes() == b"\0" * 9000
    assert run("--home", home, "backup", "--restore", copy) == 0
    assert run(*export) == 0


@pytest.mark.parametrize("command", [["verify"], ["backup"]])
def test_nothing_is_made_where_there_is_none(
    home: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--home", home, *command) == 1
    assert "There is no label database" in capsys.readouterr().err
    assert sorted(path.name for path in home.iterdir()) == ["logs"]


def test_a_copy_that_is_no_database_or_itself_is_refused(
    home: Path, radiograph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = home / "labels.sqlite"
    decide(database, radiograph)
    content = database.read_bytes()
    for copy in (radiograph, home / "nothing", database):
        assert run("--home", home, "backup", "--restore", copy) == 1
    assert "is the label database itself" in capsys.readouterr().err
    assert database.read_bytes() == content


class TestDb:
    def test_a_file_elsewhere(self, home: Path, radiograph: Path, tmp_path: Path) -> None:
        decide(tmp_path / "other.sqlite", radiograph)
        out = tmp_path / "out"
        words = ("export", "--format", "coco", "--out", out)
        assert run("--home", home, "--db", tmp_path / "other.sqlite", *words) == 0
        assert (out / "annotations.json").is_file()
        assert not (home / "labels.sqlite").exists()

    def test_a_server_by_every_command_that_uses_it(
        self,
        server: PostgresServer,
        home: Path,
        radiograph: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        place = server.new_database()
        decide(place, radiograph)
        url = place.url
        out = tmp_path / "out"
        assert run("--home", home, "export", "--db", url, "--format", "coco", "--out", out) == 0
        assert run("--home", home, "verify", "--db", url) == 0
        assert run("--home", home, "--db", url, "backup") == 0
        (copy,) = (home / "backups").iterdir()
        assert run("--home", home, "--db", copy, "verify") == 0
        second = server.new_database()
        at_second = ("--home", home, "--db", second.url)
        assert run(*at_second, "backup", "--restore", copy) == 0
        assert run(*at_second, "import", "--format", "coco", out / "annotations.json") == 0
        assert run(*at_second, "verify") == 0
        said = capsys.readouterr()
        assert "2 events in 1 logs" in said.out
        assert not (home / "labels.sqlite").exists()
        kept = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
        for text in (said.out, said.err, *(each.decode("latin-1") for each in kept)):
            assert PASSWORD not in text
            assert PASSWORD.replace(" ", "%20") not in text

    def test_what_is_no_place_is_said_without_repeating_it(
        self, home: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        for url in (
            "mysql://u:hush@host/labels",
            "postgresql+psycopg://u:hush@host:many/labels",
            "postgresql+psycopg://u:hush@127.0.0.1:1/labels?connect_timeout=1",
            "postgresql+psycopg://u:hush@127.0.0.1:1/labels?nonsense=hush",
        ):
            assert run("--home", home, "--db", url, "verify") == 1
        assert "hush" not in capsys.readouterr().err
        assert "hush" not in caplog.text

    def test_the_variable_where_the_option_is_not_given(
        self, home: Path, tmp_path: Path, radiograph: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decide(tmp_path / "variable.sqlite", radiograph)
        monkeypatch.setenv("LIGHTBOX_DB", str(tmp_path / "variable.sqlite"))
        assert run("--home", home, "verify") == 0
        assert run("--home", home, "--db", tmp_path / "option.sqlite", "verify") == 1

    def test_its_value_is_not_taken_for_a_command(self) -> None:
        assert cli.command_of(["--db", "export", "verify"]) == "verify"
        assert cli.command_of(["--db", "verify"]) is None
