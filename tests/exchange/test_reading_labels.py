"""Labels of strangers: what is wrong with them is said with file and line, and nothing is kept."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.types import Box
from tests.dicom_factory import make_dicom
from tests.exchange.journeys import DATASETS, Load, OpenFile, essence, export, findings, import_
from viewer.dicom.model import ImageKey
from viewer.errors import Cancelled, ExchangeError
from viewer.exchange.formats import FORMATS
from viewer.exchange.tensorflow_messages import Example
from viewer.exchange.tfrecord import masked_crc
from viewer.review.finding import Role, Status, Verb
from viewer.review.fold import fold
from viewer.review.session import ReviewSession
from viewer.review.store import Store

ROWS, COLUMNS = 100, 200

Spoil = Callable[[Path], None]


def picture(path: Path, rows: int = ROWS, columns: int = COLUMNS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(7).integers(0, 256, (rows, columns)).astype(np.uint8)
    cv2.imwrite(str(path), values)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def yolo(folder: Path, line: str = "0 0.5 0.5 0.5 0.5") -> Path:
    write(folder / "data.yaml", "names: [opacity]\n")
    picture(folder / "images/a.png")
    write(folder / "labels/a.txt", f"0 0.1 0.1 0.1 0.1\n{line}\n")
    return folder


_OBJECT = """<annotation>
<filename>/home/me/a.png</filename>
<object><name>opacity</name>
{}</object>
</annotation>"""
_XML = "Annotations/a.xml"
_BOX = "<bndbox><xmin>51</xmin><ymin>26</ymin><xmax>150</xmax><ymax>75</ymax></bndbox>"


def voc(folder: Path, inside: str = _BOX) -> Path:
    picture(folder / "JPEGImages/a.png")
    write(folder / "Annotations/a.xml", _OBJECT.format(inside))
    return folder


def nih(folder: Path, row: str = "a.png,opacity,51.2,51.2,10,10,,,", columns: int = 1024) -> Path:
    picture(folder / "images/a.png", 1024, columns)
    write(
        folder / "BBox_List_2017.csv",
        f"Image Index,Finding Label,Bbox [x,y,w,h],,,\na.png,opacity,1,1,20,20,,,\n{row}\n",
    )
    return folder


def rsna(folder: Path, row: str = "a,51.2,51.2,10.0,10.0,1") -> Path:
    picture(folder / "images/a.png", 1024, 1024)
    header = "patientId,x,y,width,height,Target"
    write(folder / "stage_2_train_labels.csv", f"{header}\nb,,,,,0\n{row}\n")
    return folder


WRONG: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "yolo four numbers": ("yolo", lambda f: yolo(f, "0 0.5 0.5 0.5"), r"labels/a.txt, line 2"),
    "yolo no number": ("yolo", lambda f: yolo(f, "0 0.5 x 0.5 0.5"), r"line 2 .*'x' is no number"),
    "yolo nan": ("yolo", lambda f: yolo(f, "0 0.5 nan 0.5 0.5"), r"line 2 .*'nan'"),
    "yolo class": ("yolo", lambda f: yolo(f, "7 0.5 0.5 0.5 0.5"), r"line 2 .*no class 7"),
    "yolo class -1": ("yolo", lambda f: yolo(f, "-1 0.5 0.5 0.5 0.5"), r"line 2"),
    "yolo no size": ("yolo", lambda f: yolo(f, "0 0.5 0.5 0 0.5"), r"line 2"),
    "yolo outside": ("yolo", lambda f: yolo(f, "0 1.5 0.5 0.1 0.1"), r"line 2 .*outside"),
    "voc no box": ("voc", lambda f: voc(f, ""), r"a.xml, line 3"),
    "voc text": ("voc", lambda f: voc(f, _BOX.replace("150", "wide")), r"line 3 .*'wide'"),
    "voc reversed": ("voc", lambda f: voc(f, _BOX.replace("150", "5")), r"line 3"),
    "voc outside": ("voc", lambda f: voc(f, _BOX.replace("51", "351").replace("150", "400")),
                    r"line 3 .*outside"),
    "voc no name": ("voc", lambda f: (voc(f), replaced(f / _XML, "opacity", " "))[0],
                    r"line 3 .*name"),
    "voc cut": ("voc", lambda f: voc(f, "<"), r"a.xml cannot be read as XML: .*line 4"),
    "voc other": ("voc", lambda f: (voc(f), replaced(f / _XML, "annotation", "x"))[0],
                  r"a.xml, line 1 is no Pascal VOC"),
    "nih short": ("csv", lambda f: nih(f, "a.png,opacity,1,2,3"), r"2017.csv, line 3"),
    "nih text": ("csv", lambda f: nih(f, "a.png,opacity,1,2,wide,4"), r"line 3 .*'wide'"),
    "nih negative": ("csv", lambda f: nih(f, "a.png,opacity,1,2,-3,4"), r"line 3 .*positive"),
    "nih outside": ("csv", lambda f: nih(f, "a.png,opacity,2000,2,3,4"), r"line 3 .*outside"),
    "nih header": ("csv", lambda f: (nih(f), replaced(f / "BBox_List_2017.csv", "Image", "Im"))[0],
                   r"2017.csv, line 1"),
    "rsna target": ("csv", lambda f: rsna(f, "a,1,2,3,4,2"), r"labels.csv, line 3 .*Target"),
    "rsna no box": ("csv", lambda f: rsna(f, "a,,,,,1"), r"labels.csv, line 3"),
    "tfrecord cut": ("tfrecord", lambda f: records(f, lambda b: b[:-9]), r"r.tfrecord, byte 0"),
    "tfrecord bit": ("tfrecord", lambda f: records(f, lambda b: flipped(b, 40)), r"record 1 is d"),
    "tfrecord length": ("tfrecord", lambda f: records(f, lambda b: flipped(b, 3)), r"byte 0"),
    "tfrecord no example": ("tfrecord", lambda f: framed(f, b"\xff" * 9), r"record 1 is no tf"),
    "tfrecord size": ("tfrecord", lambda f: framed(f, Example().SerializeToString()), r"height"),
}  # fmt: skip


def replaced(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def framed(folder: Path, content: bytes) -> Path:
    length = struct.pack("<Q", len(content))
    whole = length + struct.pack("<I", masked_crc(length))
    whole += content + struct.pack("<I", masked_crc(content))
    (folder / "r.tfrecord").write_bytes(whole)
    return folder


def records(folder: Path, spoil: Callable[[bytes], bytes] = lambda content: content) -> Path:
    """One record with one box, its picture inside, spoilt."""
    picture(folder / "a.png")
    example = Example()
    fields = example.features.feature
    fields["image/encoded"].bytes_list.value.append((folder / "a.png").read_bytes())
    (folder / "a.png").unlink()
    fields["image/height"].int64_list.value.append(ROWS)
    fields["image/width"].int64_list.value.append(COLUMNS)
    fields["image/object/class/text"].bytes_list.value.append(b"opacity")
    for side, value in (("xmin", 0.25), ("ymin", 0.25), ("xmax", 0.75), ("ymax", 0.75)):
        fields[f"image/object/bbox/{side}"].float_list.value.append(value)
    framed(folder, example.SerializeToString())
    path = folder / "r.tfrecord"
    path.write_bytes(spoil(path.read_bytes()))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "labels"
    path.mkdir()
    return path


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_entry_is_named_and_nothing_is_imported(
    store: Store, load: Load, folder: Path, case: str
) -> None:
    name, make, said = WRONG[case]
    with pytest.raises(ExchangeError, match=said):
        import_(store, make(folder), name, load)
    assert findings(store) == []


@pytest.mark.parametrize(
    ("name", "make"), [("yolo", yolo), ("voc", voc), ("csv", nih), ("csv", rsna)]
)
def test_what_others_wrote_comes_in(
    store: Store, load: Load, folder: Path, name: str, make: Callable[[Path], Path]
) -> None:
    summary = import_(store, make(folder), name, load, reader="Dr. Import")
    found = [finding.box for finding in findings(store)]
    in_tables = Box(51.2, 51.2, 61.2, 61.2)
    wanted = in_tables if name == "csv" else Box(50, 25, 150, 75)
    assert wanted in [Box(*(round(v, 6) for v in corners(box))) for box in found]
    assert summary.not_found == (("b (it is neither in the label database nor beside the file)",)
                                 if make is rsna else ())  # fmt: skip


def corners(box: Box) -> tuple[float, ...]:
    return box.x_min, box.y_min, box.x_max, box.y_max


def test_published_nih_boxes_are_scaled_to_a_smaller_picture(
    store: Store, load: Load, folder: Path
) -> None:
    import_(store, nih(folder, columns=512), "csv", load)
    assert Box(25.6, 51.2, 30.6, 61.2) in [
        Box(*(round(v, 6) for v in corners(finding.box))) for finding in findings(store)
    ]


def test_a_difficult_object_is_uncertain(store: Store, load: Load, folder: Path) -> None:
    import_(store, voc(folder, _BOX + "<difficult>1</difficult>"), "voc", load)
    assert [finding.uncertain for finding in findings(store)] == [True]


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x [<!ENTITY a "opacity"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        "<!DOCTYPE annotation>",
    ],
)
def test_a_document_type_is_refused(
    store: Store, load: Load, folder: Path, declaration: str
) -> None:
    file = voc(folder) / "Annotations/a.xml"
    file.write_text(declaration + file.read_text())
    with pytest.raises(ExchangeError, match=r"a\.xml declares a document type"):
        import_(store, folder, "voc", load)


def test_a_deep_file_is_told(store: Store, load: Load, folder: Path) -> None:
    file = voc(folder) / "Annotations/a.xml"
    deep = "<part>" * 20_000 + "</part>" * 20_000
    file.write_text(_OBJECT.format(_BOX + deep))
    import_(store, folder, "voc", load)  # depth alone is no harm
    assert len(findings(store)) == 1


@pytest.mark.parametrize("escape", ["../a.png", "/etc/passwd", "..", "C:\\a.png"])
def test_no_file_outside_the_folder_is_opened(
    store: Store, load: Load, folder: Path, escape: str
) -> None:
    picture(folder.parent / "a.png")
    voc(folder)
    (folder / "JPEGImages/a.png").unlink()
    replaced(folder / "Annotations/a.xml", "/home/me/a.png", escape)
    opened: list[Path] = []

    def watch(path: Path) -> list[object]:
        opened.append(path)
        return []

    summary = FORMATS["voc"].import_labels(
        store, folder, "R", load=watch, keep=folder / "keep"  # type: ignore[arg-type]
    )  # fmt: skip
    assert len(summary.not_found) == 1
    assert opened == []


def test_a_picture_inside_a_record_gets_a_file_of_its_own(
    store: Store, load: Load, folder: Path
) -> None:
    summary = import_(store, records(folder), "tfrecord", load)
    assert (summary.findings, summary.not_found) == (1, ())
    (kept,) = (folder.parent / "keep").iterdir()
    assert store.load(store.study_uids()[0]).images[0].image.path == kept
    assert [finding.box for finding in findings(store)] == [Box(50, 25, 150, 75)]
    assert import_(store, folder, "tfrecord", load).findings == 0
    assert list((folder.parent / "keep").iterdir()) == [kept]


def test_what_is_no_picture_inside_a_record_leaves_no_file(
    store: Store, load: Load, folder: Path
) -> None:
    example = Example()
    fields = example.features.feature
    fields["image/encoded"].bytes_list.value.append(b"no picture")
    for side in ("height", "width"):
        fields[f"image/{side}"].int64_list.value.append(9)
    summary = import_(store, framed(folder, example.SerializeToString()), "tfrecord", load)
    assert len(summary.not_found) == 1
    assert list((folder.parent / "keep").iterdir()) == []


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("what", ["empty folder", "a picture", "gone", "binary"])
def test_what_is_nothing_of_the_kind_is_told(
    store: Store, load: Load, folder: Path, name: str, what: str
) -> None:
    path = folder
    if what == "a picture":
        picture(folder / "x.png")
        path = folder / "x.png"
    elif what == "gone":
        path = folder / "gone"
    elif what == "binary":
        path = folder / "x.bin"
        path.write_bytes(random.Random(3).randbytes(5000))
    with pytest.raises(ExchangeError):
        import_(store, path, name, load)


class TestLogs:
    """Whose log an import goes into, and what it is held against."""

    def test_another_readers_decision_on_the_box_does_not_count(
        self, store: Store, load: Load, folder: Path
    ) -> None:
        assert import_(store, yolo(folder), "yolo", load, reader="Dr. A").findings == 2
        assert import_(store, folder, "yolo", load, reader="Dr. B").findings == 2
        assert import_(store, folder, "yolo", load, reader="Dr. A").findings == 0
        (uid,) = store.study_uids()
        events = store.load(uid).events
        assert [event.reader for event in events] == ["Dr. A"] * 2 + ["Dr. B"] * 2
        assert {event.role for event in events} == {Role.READER}
        assert Verb.SIGN not in {event.verb for event in events}

    def test_a_signed_study_is_open_again_after_an_import(
        self, store: Store, load: Load, folder: Path
    ) -> None:
        """What comes in was in no signature."""
        import_(store, yolo(folder), "yolo", load, reader="Dr. A")
        (uid,) = store.study_uids()
        ReviewSession(store, uid, "Dr. A").sign()
        replaced(folder / "labels/a.txt", "0 0.1 0.1", "0 0.2 0.2")
        assert import_(store, folder, "yolo", load, reader="Dr. A").findings == 1
        assert not fold(store.load(uid)).signed

    def test_a_cancelled_import_writes_no_finding(
        self, store: Store, load: Load, folder: Path
    ) -> None:
        def cancel(_done: int, _total: int) -> None:
            raise Cancelled("Cancelled.")

        with pytest.raises(Cancelled):
            FORMATS["yolo"].import_labels(
                store, yolo(folder), "R", load=load, keep=folder / "keep", on_progress=cancel
            )
        assert findings(store) == []


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("seed", range(3))
def test_anything_a_reader_may_draw_and_name_makes_the_journey(
    *,
    store: Store,
    other_store: Store,
    open_file: OpenFile,
    load: Load,
    tmp_path: Path,
    name: str,
    seed: int,
) -> None:
    chance = random.Random(f"{seed}")
    alphabet = "ab=+-@ ,;'\"\\#:{}[]<>&|%$/äß肺🫁\u2028\u00a0\u0085"
    for number in range(4):
        values = np.random.default_rng([seed, number]).integers(0, 4096, (80, 120))
        file = make_dicom(
            tmp_path / f"{number}.dcm", values.astype(np.uint16), StudyInstanceUID=f"2.25.{number}"
        )
        session, [(image, frame)] = open_file(store, file)
        key = ImageKey(image.uid, 1, frame.pixel_sha256)
        for _ in range(chance.randrange(5)):
            category = "".join(chance.choices(alphabet, k=chance.randint(1, 12))).strip() or "x"
            x, y = chance.uniform(0, 100), chance.uniform(0, 60)
            box = Box(
                x, y, min(120.0, x + chance.uniform(2, 90)), min(80.0, y + chance.uniform(2, 60))
            )
            finding = session.add(key, box, category)
            if chance.random() < 0.2:
                session.doubt(finding.id)
        if chance.random() < 0.5:
            session.sign()
    export(store, tmp_path / "out", name)
    import_(other_store, tmp_path / "out", name, load)
    assert essence(other_store) == essence(store)
    assert all(finding.status is not Status.OPEN for finding in findings(other_store))
