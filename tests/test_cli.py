"""The command line as a hospital's engineer uses it: what comes out, and the exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from detector.types import RESEARCH_USE_ONLY, Box, Detection, Detections
from tests.dicom_factory import make_dicom
from tests.model_factory import make_model
from tests.object_factory import make_encapsulated_pdf, pdf_bytes
from viewer import cli
from viewer.dicom import pixels, scan, voi
from viewer.dicom.model import Image, VoiWindow
from viewer.review.session import ReviewSession
from viewer.review.store import Store
from viewer.version import VERSION

ROOT = Path(__file__).parent.parent


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIGHTBOX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models"))


def chest(seed: int = 1) -> np.ndarray:
    values = np.random.default_rng(seed).normal(2000, 400, (300, 260))
    return np.clip(values, 0, 4095).astype(np.uint16)


def images_of(path: Path) -> list[Image]:
    return [image for update in scan.scan([path]) for image in update.images]


def run(*words: object) -> int:
    return cli.main([str(word) for word in words])


def program(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *map(str, words)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


# --- the words -----------------------------------------------------------------------------------


def test_help_tells_the_commands_and_that_it_is_no_medical_device(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (["--help"], ["detect", "--help"], ["--home", "x", "train", "--help"]):
        with pytest.raises(SystemExit) as left:
            cli.main(words)
        assert left.value.code == 0
        assert RESEARCH_USE_ONLY in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    text = capsys.readouterr().out
    for command in ("detect", "render", "export", "import", "train", "evaluate"):
        assert f"  {command} " in text
    assert "./NAME" in text


def test_version_touches_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"Lightbox {VERSION}\n"
    assert not home.exists()


@pytest.mark.parametrize(
    "words",
    [
        "detect x.dcm",
        "detect --out r.json",
        "detect x.dcm --out r.json --floor 2",
        "detect x.dcm --out r.json --floor nan",
        "detect x.dcm --out r.json --device tpu",
        "detect x.dcm --out nowhere/r.json",
        "detect x.dcm --out .",
        "render x.dcm --out x.jpg",
        "render x.dcm --out x.png --frame 0",
        "render x.dcm --out x.png --window 40",
        "render x.dcm --out x.png --window 40/0",
        "render . --out x.png",
        "export --out x",
        "export --format dota --out x",
        "export --format yolo --out x --pictures dicom",
        "export --format yolo --out x --split 0.8/0.3",
        "export --format sr --out x --split 80/20",
        "import x --format gsps",
        "import x.json",
        "train --data x",
        "train --data x --out y --arch yolo",
        "train --data x --out y --validate 95",
        "train --data x --out y --seed -1",
        "evaluate --data x",
        "--no-such-option",
        "x.dcm --out r.json",
        "detect x.dcm --ou r.json",
    ],
)
def test_bad_use_is_one_sentence_and_exit_code_2(
    words: str,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = cli.main(words.split())
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else -1
    assert code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert "Traceback" not in said.err


def test_home_is_taken_before_and_after_the_command(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.png"
    file = make_dicom(tmp_path / "a.dcm", chest())
    assert run("--home", tmp_path / "one", "render", file, "--out", out) == 0
    assert run("render", file, "--out", out, "--home", tmp_path / "two") == 0
    assert (tmp_path / "one").is_dir()
    assert (tmp_path / "two").is_dir()
    assert not home.exists()


def test_home_that_cannot_be_made_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    file = make_dicom(tmp_path / "a.dcm", chest())
    code = run("--home", tmp_path / "file" / "home", "render", file, "--out", tmp_path / "x.png")
    assert code == 1
    assert "cannot be created" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()


def test_a_path_that_is_no_command_must_exist(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("detct") == 1
    assert "detct does not exist." in capsys.readouterr().err


def test_a_folder_named_like_a_command_is_opened_with_its_path() -> None:
    assert cli.command_of(["detect", "x"]) == "detect"
    assert cli.command_of(["./detect", "x"]) is None
    assert cli.command_of(["--home", "detect", "x"]) is None
    assert cli.command_of(["--home", "x", "render"]) == "render"
    assert cli.command_of(["--home=x", "render"]) == "render"
    assert cli.command_of(["x", "render"]) is None
    assert cli.command_of(["--", "render"]) is None


def test_without_a_display_the_window_is_a_sentence(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux can be without one")
    quiet = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "QT_QPA_PLATFORM": ""}
    result = program("--home", tmp_path / "home", **quiet)
    assert result.returncode == 1
    assert "no display" in result.stderr


def test_commands_load_neither_qt_nor_torch(tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "a.dcm", chest())
    code = (
        "import sys; from viewer import cli\n"
        "if __name__ == '__main__':\n"
        f"    code = cli.main(['--home', {str(tmp_path / 'h')!r}, 'render', {str(file)!r},"
        f" '--out', {str(tmp_path / 'x.png')!r}])\n"
        "    import viewer.commands.detect, viewer.commands.labels, viewer.commands.training\n"
        "    heavy = [m for m in sys.modules if m.split('.')[0] in ('PySide6', 'torch')]\n"
        "    sys.exit(code or len(heavy))\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, script], env=environment, check=False).returncode == 0
    assert (tmp_path / "x.png").is_file()


# --- render --------------------------------------------------------------------------------------


def test_render_is_the_picture_of_the_viewport(home: Path, tmp_path: Path) -> None:
    file = make_dicom(
        tmp_path / "a.dcm", chest(), WindowCenter=2000, WindowWidth=1000,
        PhotometricInterpretation="MONOCHROME1",
    )  # fmt: skip
    out = tmp_path / "a.png"
    result = program("render", file, "--out", out)
    assert (result.returncode, result.stdout) == (0, "")
    frame = pixels.decode(images_of(file)[0])
    expected = voi.picture(frame, VoiWindow(2000, 1000))
    assert np.array_equal(np.asarray(PIL.Image.open(out)), expected)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_render_takes_a_window_with_a_negative_center_and_a_frame(
    home: Path, tmp_path: Path
) -> None:
    volume = np.stack([chest(1), chest(2), chest(3)])
    file = make_dicom(
        tmp_path / "a.dcm", volume, NumberOfFrames=3, RescaleSlope=1, RescaleIntercept=-2600
    )
    out = tmp_path / "a.png"
    words = ("render", file, "--out", out, "--frame", 2, "--window")
    assert run(*words, "-600/1500") == 0
    frame = pixels.decode(images_of(file)[1])
    expected = voi.picture(frame, VoiWindow(-600, 1500))
    assert np.array_equal(np.asarray(PIL.Image.open(out)), expected)


def test_an_incomplete_picture_is_said_and_not_analysed(
    home: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make_dicom(tmp_path / "a.dcm", chest())
    file.write_bytes(file.read_bytes()[: -chest().nbytes // 2])
    assert run("render", file, "--out", tmp_path / "a.png") == 0
    assert "Incomplete: the data ends early, in row" in capsys.readouterr().err
    out = tmp_path / "found.json"
    assert run("detect", file, "--model", model, "--out", out, "--any-image") == 1
    assert json.loads(out.read_text())["images"] == []
    assert "incomplete" in capsys.readouterr().err


def test_render_of_what_is_not_there_is_exit_code_1_and_keeps_the_old_picture(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make_dicom(tmp_path / "a.dcm", chest())
    (tmp_path / "notes.txt").write_text("no image")
    out = tmp_path / "a.png"
    out.write_bytes(b"old")
    for words in (
        ["render", tmp_path / "none.dcm", "--out", out],
        ["render", tmp_path / "notes.txt", "--out", out],
        ["render", file, "--out", out, "--frame", 2],
    ):
        assert run(*words) == 1
        assert capsys.readouterr().err.rstrip().endswith(".")
    assert out.read_bytes() == b"old"


# --- analyse -------------------------------------------------------------------------------------


def test_analyse_fills_the_worklist_and_says_what_it_could_not_do(
    home: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "list"
    folder.mkdir()
    names = ("chest", "foot")
    for number, name in enumerate(names):
        own = {"StudyInstanceUID": f"1.2.{number}", "PatientID": name, "PatientName": name}
        part = "FOOT" if name == "foot" else "CHEST"
        make_dicom(folder / f"{name}.dcm", chest(number), BodyPartExamined=part, **own)
    assert run("analyse", folder, "--model", model, "--device", "cpu") == 0
    said = capsys.readouterr().err
    assert "study 1 of 2: chest: 1 analysed" in said
    assert "study 2 of 2: foot: Not analysed: this model reads" in said
    assert "Analysed 1 image in 2 studies. Not for this model: 1." in said
    with Store.open(home / "labels.sqlite") as store:
        rows = {row.patient_id: row for row in store.worklist.rows("anybody")}
    assert [rows[name].analysed for name in names] == [1, 0]


# --- detect --------------------------------------------------------------------------------------


def test_detect_writes_coco_and_says_what_it_skipped(
    home: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "study"
    (folder / "inner").mkdir(parents=True)
    make_dicom(folder / "inner" / "chest.dcm", chest(), SOPInstanceUID="1.2.3")
    make_dicom(folder / "foot.dcm", chest(2), BodyPartExamined="FOOT")
    PIL.Image.fromarray((chest(3) // 16).astype(np.uint8)).save(folder / "plain.png")
    make_dicom(folder / "two.dcm", np.stack([chest(4), chest(5)]), NumberOfFrames=2)
    (folder / "notes.txt").write_text("no image")
    make_encapsulated_pdf(folder / "letter.dcm", pdf_bytes(1), Modality="DX", ViewPosition="PA")
    out = tmp_path / "results.json"
    words = ("detect", folder, "--out", out, "--model", model, "--floor", 0.001, "--device", "cpu")
    assert run(*words) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "notes.txt" in said.err
    assert "foot.dcm" in said.err

    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["info"]["notice"] == RESEARCH_USE_ONLY
    assert result["info"]["device"] == "cpu"
    assert result["info"]["floor"] == 0.001
    assert result["info"]["software_version"] == VERSION
    assert result["info"]["model"]["name"] == "random"
    assert len(result["info"]["model"]["weights_sha256"]) == 64
    images = {image["id"]: image for image in result["images"]}
    names = sorted((image["file_name"], image["frame_number"]) for image in images.values())
    assert names == [("inner/chest.dcm", 1), ("plain.png", 1), ("two.dcm", 1), ("two.dcm", 2)]
    assert {(image["width"], image["height"]) for image in images.values()} == {(260, 300)}
    named = {image["file_name"]: image["sop_instance_uid"] for image in images.values()}
    assert named["inner/chest.dcm"] == "1.2.3"
    skipped = {Path(item["file"]).name: item["reason"] for item in result["skipped"]}
    assert set(skipped) == {"foot.dcm", "notes.txt", "letter.dcm"}
    assert skipped["letter.dcm"] == "Not analysed: it is a document page, not an image."
    assert "body part FOOT" in skipped["foot.dcm"]
    assert {box["image_id"] for box in result["annotations"]} == set(images)
    for box in result["annotations"]:
        x, y, width, height = box["bbox"]
        assert 0 <= x < x + width <= 260.01
        assert 0 <= y < y + height <= 300.01
        assert box["area"] == pytest.approx(width * height)
        assert 0.001 <= box["score"] <= 1

    assert run(*words, "--any-image") == 0
    result = json.loads(out.read_text(encoding="utf-8"))
    assert "foot.dcm" in {image["file_name"] for image in result["images"]}


def test_detect_where_nothing_can_be_analysed_is_exit_code_1(
    home: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.json"
    (tmp_path / "notes.txt").write_text("no image")
    words = ("--out", out, "--model", model, "--device", "cpu")
    assert run("detect", tmp_path / "none.dcm", *words) == 1
    assert "none.dcm does not exist." in capsys.readouterr().err
    assert not out.exists()
    file = make_dicom(tmp_path / "a.dcm", chest())
    assert run("detect", file, "--out", out, "--model", "nobody") == 1
    assert "nobody" in capsys.readouterr().err
    assert not out.exists()
    assert run("detect", tmp_path / "notes.txt", *words) == 1
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["images"] == result["annotations"] == []
    assert [Path(item["file"]).name for item in result["skipped"]] == ["notes.txt"]


def test_detect_with_a_damaged_model_stops_at_once(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = make_model(tmp_path, "damaged")
    weights = damaged / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    folder = tmp_path / "study"
    folder.mkdir()
    for number in range(3):
        make_dicom(folder / f"{number}.dcm", chest(number))
    out = tmp_path / "results.json"
    assert run("detect", folder, "--out", out, "--model", damaged, "--device", "cpu") == 1
    said = capsys.readouterr().err
    assert "SHA-256" in said
    assert "image 2 of 3" not in said
    assert not out.exists()


# --- export, import ------------------------------------------------------------------------------


def decide(home: Path, file: Path) -> None:
    """Add and sign a finding as the window does."""
    home.mkdir(parents=True, exist_ok=True)
    with Store.open(home / "labels.sqlite") as store:
        image = images_of(file)[0]
        frame = pixels.decode(image)
        session = ReviewSession(store, image.study.uid, "Dr. Test")
        session.remember_image(image, frame.pixel_sha256)
        key = store.load(image.study.uid).images[0].key
        detections = Detections(
            (Detection(Box(10, 20, 110, 140), 0.8, "opacity"),),
            "m", "1", "0" * 64, "cpu", 0.01, 0.1,
        )  # fmt: skip
        session.add_run(key, detections)
        session.accept(session.findings()[0].id)
        session.sign()


def test_export_with_nothing_to_export_is_exit_code_1_and_leaves_no_folder(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", "--format", "coco", "--out", tmp_path / "labels") == 1
    assert "nothing to export" in capsys.readouterr().err
    assert not (tmp_path / "labels").exists()


def test_export_and_import_carry_a_decision_to_another_desk(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make_dicom(tmp_path / "a.dcm", chest(), PatientName="Secret^Name", PatientID="77")
    decide(home, file)
    out = tmp_path / "labels"
    assert run("export", "--format", "coco", "--out", out) == 0
    text = (out / "annotations.json").read_text(encoding="utf-8")
    document = json.loads(text)
    assert [box["bbox"] for box in document["annotations"]] == [[10, 20, 100, 120]]
    assert (out / document["images"][0]["file_name"]).is_file()
    assert "Secret" not in text
    assert run("export", "--format", "coco", "--out", out) == 1  # never over what is there
    capsys.readouterr()

    other = tmp_path / "other"
    words = ("import", out / "annotations.json", "--format", "coco", "--reader", "Dr. Other")
    assert run(*words, "--home", other) == 0
    assert "1 findings" in capsys.readouterr().err
    with Store.open(other / "labels.sqlite") as store:
        records = [store.load(uid) for uid in store.study_uids()]
    assert [event.after.box for record in records for event in record.events if event.after] == [
        Box(10, 20, 110, 140)
    ]


def test_export_of_a_selection_leaves_the_others_out(home: Path, tmp_path: Path) -> None:
    chosen = make_dicom(tmp_path / "a.dcm", chest(1), PatientID="1", StudyInstanceUID="2.25.1")
    other = make_dicom(tmp_path / "b.dcm", chest(2), PatientID="2", StudyInstanceUID="2.25.2")
    decide(home, chosen)
    decide(home, other)
    out, none = tmp_path / "labels", tmp_path / "none"
    assert run("export", chosen, "--format", "coco", "--out", out) == 0
    document = json.loads((out / "annotations.json").read_text(encoding="utf-8"))
    (image,) = document["images"]
    assert image["pixel_sha256"] == pixels.decode(images_of(chosen)[0]).pixel_sha256
    undecided = make_dicom(tmp_path / "c.dcm", chest(3), StudyInstanceUID="2.25.3")
    assert run("export", undecided, "--format", "coco", "--out", none) == 1
    assert not none.exists()


def test_import_lists_what_is_not_found_and_refuses_what_is_no_coco(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("import", tmp_path / "none.json", "--format", "coco") == 1
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    assert run("import", broken, "--format", "coco") == 1
    assert "Traceback" not in capsys.readouterr().err
    lost = tmp_path / "lost.json"
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
    lost.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "lost.png", "width": 9, "height": 9}],
                "categories": [{"id": 1, "name": "opacity"}],
                "annotations": [box],
            }
        )
    )
    assert run("import", lost, "--format", "coco") == 1
    assert "lost.png" in capsys.readouterr().err


# --- train, evaluate -----------------------------------------------------------------------------


def coco_folder(folder: Path, images: int) -> Path:
    """A tiny set in the form of the export: noise, with a bright box on each picture."""
    (folder / "images").mkdir(parents=True)
    document: dict[str, list[dict[str, object]]] = {
        "categories": [{"id": 1, "name": "opacity"}],
        "images": [],
        "annotations": [],
        "rejected_annotations": [],
    }
    for number in range(1, images + 1):
        values = (chest(number) // 16).astype(np.uint8)
        values[40 : 120 + number, 60 : 140 + 2 * number] = 250
        PIL.Image.fromarray(values).save(folder / "images" / f"{number}.png")
        document["images"].append({
            "id": number, "file_name": f"images/{number}.png", "width": 260, "height": 300,
            "frame_number": 1, "pixel_sha256": f"{number:064}", "patient_key": f"{number:032}",
            "modality": "DX", "body_part": "CHEST", "view": "PA",
            "value_mapping": {"slope": 1.0, "intercept": 0.0}, "tone_curve": None,
            "review": "complete", "reviewed_negative": False,
        })  # fmt: skip
        document["annotations"].append({
            "id": number, "image_id": number, "category_id": 1,
            "bbox": [60, 40, 80 + 2 * number, 80 + number], "area": 6400,
            "iscrowd": 0, "status": "accepted", "reader": "Dr. Test",
            "decided_at": datetime.now(UTC).isoformat(), "threshold": None, "ai_visible": False,
            "model": None, "model_score": None,
        })  # fmt: skip
    (folder / "annotations.json").write_text(json.dumps(document))
    return folder


@pytest.mark.timeout(900)
def test_train_writes_a_model_that_evaluate_takes(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = coco_folder(tmp_path / "data", 6)
    out = home / "models"
    words = ("--data", data, "--out", out, "--epochs", 1, "--device", "cpu")
    assert run("train", *words, "--init", "none") == 0
    assert "epoch 1 of 1" in capsys.readouterr().err
    (folder,) = (place for place in out.iterdir() if (place / "card.json").is_file())
    name = json.loads((folder / "card.json").read_text(encoding="utf-8"))["name"]
    other = ("--arch", "ssdlite", "--backbone", "mobilenet_v3", "--input-size", 64)
    assert run("train", *words, *other) == 0
    assert "this ssdlite starts from chance" in capsys.readouterr().err

    figures = tmp_path / "figures"
    words = ("--model", name, "--data", data, "--out", figures, "--device", "cpu")
    assert run("evaluate", *words) == 0
    table = capsys.readouterr().out
    assert "opacity" in table
    assert "optimistic" in table  # it was trained on these
    assert "Research use only" in table
    assert json.loads((figures / "report.json").read_text(encoding="utf-8"))["images"] == 6
    assert (figures / "froc.png").is_file()
    assert run("evaluate", *words) == 1  # never into a folder that holds something
    assert "is there already" in capsys.readouterr().err


def test_train_and_evaluate_on_what_is_not_there_are_exit_code_1(
    home: Path, tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--data", tmp_path / "none", "--out", tmp_path / "out")
    assert run("train", *words, "--init", "none") == 1
    assert run("evaluate", "--model", model, "--data", tmp_path / "none") == 1
    said = capsys.readouterr().err
    assert said.count("does not exist.") == 2
    assert not (tmp_path / "out").exists()
    assert run("evaluate", "--model", "nobody", "--data", tmp_path) == 1
    assert "nobody" in capsys.readouterr().err


# --- the log -------------------------------------------------------------------------------------


def test_the_log_says_what_was_done_and_nothing_of_whom(home: Path, tmp_path: Path) -> None:
    file = make_dicom(tmp_path / "doe.dcm", chest(), PatientName="Doe^Jane", PatientID="4711")
    assert run("render", file, "--out", tmp_path / "x.png") == 0
    text = (home / "logs" / "lightbox.log").read_text(encoding="utf-8")
    assert "decode worker ready" in text
    for secret in ("Doe", "doe", "4711", str(tmp_path)):
        assert secret not in text
