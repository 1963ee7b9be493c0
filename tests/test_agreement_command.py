"""`agreement` over a database that several readers have written."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.types import Box
from viewer import cli
from viewer.dicom.model import Image, ImageKey, Patient, SeriesHeader, StudyHeader
from viewer.review.session import ReviewSession
from viewer.review.store import Store

ROOT = Path(__file__).parent.parent
PATIENTS = 12


def image_of(number: int) -> Image:
    study = StudyHeader(f"1.2.{number}", Patient(f"Name^{number}", f"PLANTED-{number}", ""))
    return Image(
        path=Path(f"PLANTED/{number}.dcm"),
        member="",
        uid=f"1.2.{number}.1",
        frame_number=1,
        number_of_frames=1,
        rows=200,
        columns=300,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        study=study,
        series=SeriesHeader(f"1.2.{number}.2", 1, "chest", "DX", "CHEST"),
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIGHTBOX_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


Read = Callable[[str, int, list[tuple[float, str]]], None]


@pytest.fixture
def read(home: Path) -> Read:
    """A reader marks and signs one patient's study."""

    def reading(reader: str, number: int, marks: list[tuple[float, str]]) -> None:
        image = image_of(number)
        with Store.open(home / "labels.sqlite") as store:
            session = ReviewSession(store, image.study.uid, reader)
            session.remember_image(image, f"{number:064x}")
            for left, category in marks:
                key = ImageKey(image.uid, 1, f"{number:064x}")
                session.add(key, Box(left, 10, left + 30, 40), category)
            session.sign()

    return reading


def rows_of(text: str) -> list[list[str]]:
    """The lines of the printed table, in cells."""
    lines = text[: text.index("Matched:")].splitlines()
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]


def test_two_readers_of_twelve_patients(
    read: Read, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(PATIENTS):
        category = "nodule" if number == 0 else "opacity"
        read("Dr A", number, [(10, "opacity")] if number < 6 else [])
        read("=Dr B", number, [(10, category)] if number < 4 or number == 11 else [])
    read("Dr C", 0, [])
    out = tmp_path / "agreement.csv"
    assert cli.main(["agreement", "--readers", "Dr A", "=Dr B", "--out", str(out)]) == 0
    said = capsys.readouterr()
    head, line = rows_of(said.out)
    cells = dict(zip(head, line, strict=True))
    assert (cells["studies"], cells["patients"], cells["images"]) == ("12", "12", "12")
    assert (cells["findings"], cells["both"]) == ("7", "4")
    assert (cells["only A"], cells["only B"]) == ("2", "1")
    # Images: agreed 9 of 12; by chance (6 * 5 + 6 * 7) / 144 = 0.5.
    assert cells["image kappa"].startswith("0.50 [")
    # Categories nodule, opacity, nothing: agreed 3 of 7; by chance (0 + 6 * 4 + 1 * 2) / 49.
    assert cells["category kappa"].startswith(f"{(21 - 26) / (49 - 26):.2f} [")
    assert cells["mean IoU"] == "1.00"
    assert "PLANTED" not in said.out + said.err
    with out.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["study"] for row in written] == [*map(str, range(1, 13)), "all"]
    assert {row["reader_b"] for row in written} == {"'=Dr B"}
    assert len({row["patient_key"] for row in written[:-1]}) == PATIENTS
    assert float(written[-1]["image_kappa"]) == 0.5
    assert float(written[-1]["image_kappa_low"]) < 0.5 < float(written[-1]["image_kappa_high"])
    differing = [row for row in written if row["both"] == "1" and row["same_category"] == "0"]
    assert [row["category_kappa"] for row in differing] == ["0.0000"]  # answers that never meet
    empty = [row for row in written if (row["both"], row["only_a"], row["only_b"]) == tuple("000")]
    assert len(empty) == 5
    assert {row["category_kappa"] for row in empty} == {""}  # no number is made up
    assert "PLANTED" not in out.read_text(encoding="utf-8")


def test_every_two_readers_have_a_line(read: Read, capsys: pytest.CaptureFixture[str]) -> None:
    for reader in ("Dr C", "Dr A", "Dr B"):
        read(reader, 1, [(10, "opacity")])
    assert cli.main(["agreement"]) == 0
    _, *lines = rows_of(capsys.readouterr().out)
    assert [line[:2] for line in lines] == [["Dr A", "Dr B"], ["Dr A", "Dr C"], ["Dr B", "Dr C"]]
    # One patient: a kappa of one answer is undefined, and no interval is drawn.
    assert lines[0][-3:] == ["-", "-", "1.00"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [([], "two readers"), (["--readers", "Dr A", "Dr Nobody"], "both Dr A and Dr Nobody")],
)
def test_nothing_to_compare_is_one_sentence(
    read: Read, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    read("Dr A", 1, [(10, "opacity")])
    assert cli.main(["agreement", *words]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip().endswith(f"No study was signed by {sentence}.")


def test_a_reader_is_not_compared_with_himself(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["agreement", "--readers", "Dr A", "Dr A"]) == 2
    assert "two readers" in capsys.readouterr().err


def test_it_loads_no_qt_and_no_torch(read: Read) -> None:
    read("Dr A", 1, [])
    read("Dr B", 1, [])
    code = (
        "import sys; from viewer import cli; code = cli.main(['agreement']);"
        "sys.exit(code or any(m.split('.')[0] in ('PySide6', 'torch') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
