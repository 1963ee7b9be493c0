"""`models`: a detector brought along, listed, chosen, run and removed, as an engineer does it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from detector.model_store import read_card
from tests.dicom_factory import make_dicom
from tests.model_factory import make_model, make_two_stage_model
from tests.onnx_factory import make_onnx, yolo_answer
from viewer import cli
from viewer.home import Home
from viewer.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("LIGHTBOX_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    answer = yolo_answer(7, (32, 16, 16, 16, 0.5, 0.2, 0.8), boxes=252)
    return make_onnx(tmp_path / "nodules.onnx", {"output": answer})


def run(*words: object) -> int:
    return cli.main([str(word) for word in words])


def install(home: Home, name: str) -> None:
    """What `models add` leaves behind, without its child process."""
    make_model(home.models, name)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_added_detector_is_asked_about_run_and_removed(
    home: Home,
    yolo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("nodule,nodule\nnodule, mass\n"))
    assert run("models", "add", yolo, "--threshold", "0.2") == 0
    said = capsys.readouterr()
    assert "It answers for 2 categories." in said.out
    assert "named twice" in said.err
    assert "Nobody here has measured it" in said.err
    card = read_card(home.models / "nodules")
    assert (card.categories, card.default_threshold) == (("nodule", "mass"), 0.2)

    # 120 x 60 pixels lie in the middle half of the square of 64: the box is in pixels of the file.
    picture = make_dicom(tmp_path / "a.dcm", np.zeros((60, 120), np.uint16))
    out = tmp_path / "out.json"
    assert run("detect", picture, "--model", "nodules", "--out", out, "--floor", "0.05") == 0
    found = json.loads(out.read_text())
    assert found["info"]["model"]["name"] == "nodules"
    names = {entry["id"]: entry["name"] for entry in found["categories"]}
    best = max(found["annotations"], key=lambda entry: entry["score"])
    assert names[best["category_id"]] == "mass"
    assert best["score"] == pytest.approx(0.4, abs=1e-6)
    assert best["bbox"] == pytest.approx([45, 0, 30, 15], abs=1e-3)

    assert run("models", "remove", "nodules") == 0
    assert not (home.models / "nodules").exists()


def test_without_a_terminal_the_missing_flags_are_named(
    home: Home,
    yolo: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run("models", "add", yolo) == 1
    assert "--categories" in capsys.readouterr().err
    assert not home.models.exists()


def test_the_list_has_a_star_at_the_one_in_use(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    install(home, "mine")

    def starred() -> str:
        capsys.readouterr()
        assert run("models", "list") == 0
        (line,) = [row for row in capsys.readouterr().out.splitlines() if row.startswith("*")]
        return line.split()[1]

    assert starred() == "chest-xray"
    assert run("models", "use", "mine") == 0
    assert starred() == "mine"
    assert Settings.load(home.settings).text("model") == "mine"
    assert run("models", "remove", "mine") == 0
    assert starred() == "chest-xray"
    assert Settings.load(home.settings).text("model") == ""


def test_what_cannot_be_is_a_sentence(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    for words, sentence in (
        (("remove", "chest-xray"), "ships with Lightbox and cannot be removed"),
        (("remove", "absent"), "no model named 'absent'"),
        (("use", "absent"), "no model named 'absent'"),
        (("add", "absent.onnx"), "does not exist"),
    ):
        assert run("models", *words) == 1
        assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--categories", ","), ("--input-size", "7"), ("--mean", "a"), ("--threshold", "2")],
)
def test_bad_flags_are_bad_use(
    home: Home, yolo: Path, flag: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        run("models", "add", yolo, flag, value)
    assert left.value.code == 2
    assert flag in capsys.readouterr().err


def test_a_chosen_model_that_is_gone_is_not_replaced_silently(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.path.mkdir()
    Settings.load(home.settings).change(model="gone")
    picture = make_dicom(tmp_path / "a.dcm", np.zeros((60, 120), np.uint16))
    assert run("detect", picture, "--out", tmp_path / "out.json") == 1
    assert "gone of the settings is not there" in capsys.readouterr().err


def test_proposals_need_a_two_stage_model(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = make_dicom(tmp_path / "a.dcm", np.zeros((60, 120), np.uint16))
    words = ("--model", "chest-xray", "--proposals", 5)
    assert run("detect", picture, "--out", tmp_path / "out.json", *words) == 1
    assert "no proposals" in capsys.readouterr().err


def test_a_two_stage_model_tells_its_best_proposals(home: Home, tmp_path: Path) -> None:
    model = make_two_stage_model(tmp_path)
    values = np.random.default_rng(0).integers(0, 256, (150, 120), dtype=np.uint8)
    PIL.Image.fromarray(values).save(tmp_path / "a.png")
    out = tmp_path / "out.json"
    words = ("--model", model, "--out", out, "--proposals", 5, "--any-image", "--device", "cpu")
    assert run("detect", tmp_path / "a.png", *words) == 0
    (image,) = json.loads(out.read_text())["images"]
    proposals = image["proposals"]
    assert len(proposals) == 5
    scores = [proposal["objectness"] for proposal in proposals]
    assert scores == sorted(scores, reverse=True)
    for x, y, width, height in (proposal["bbox"] for proposal in proposals):
        assert 0 <= x < x + width <= 120
        assert 0 <= y < y + height <= 150


def test_a_published_yolox_sees_a_person_in_a_radiograph(
    home: Home, data_folder: Path, tmp_path: Path
) -> None:
    """A network that nobody here trained, on raw grid, BGR and 0..255."""
    file = data_folder / "init" / "yolox_nano_coco.onnx"
    picture = data_folder / "cxr" / "images" / "00000002_000.jpg"
    if not file.is_file() or not picture.is_file():
        pytest.skip("the published network or the picture is absent")
    names = tmp_path / "coco.txt"
    names.write_text("\n".join(["person", *(f"thing {number}" for number in range(1, 80))]))
    assert run("models", "add", file, "--categories", names, "--name", "yolox") == 0
    out = tmp_path / "out.json"
    assert run("detect", picture, "--model", "yolox", "--any-image", "--out", out) == 0
    found = json.loads(out.read_text())
    best = max(found["annotations"], key=lambda entry: entry["score"])
    (image,) = found["images"]
    assert best["category_id"] == 1
    assert best["score"] > 0.5
    assert best["bbox"][2] * best["bbox"][3] > 0.6 * image["width"] * image["height"]
