"""Pictures, splits and wholeness, which all formats for training share."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from pycocotools.coco import COCO

from detector.dataset.sources import read_dataset
from detector.types import Box, ImageInput
from tests.dicom_factory import make_dicom
from tests.exchange.journeys import DATASETS, Load, OpenFile, essence, export, import_
from viewer.dicom import voi
from viewer.dicom.model import Image, ImageKey
from viewer.dicom.pixels import decode
from viewer.dicom.scan import scan
from viewer.errors import Cancelled, EngineError, ExchangeError
from viewer.exchange.formats import FORMATS
from viewer.exchange.options import PARTS, BurnedIn, Options, Pictures, Split
from viewer.review.store import Store


def pixels(number: int, rows: int = 40, columns: int = 30) -> Any:
    return np.random.default_rng(number).integers(0, 4096, (rows, columns)).astype(np.uint16)


def review(store: Store, open_file: OpenFile, path: Path, *, sign: bool = True) -> None:
    """One box on every frame of a file."""
    session, found = open_file(store, path)
    for image, frame in found:
        key = ImageKey(image.uid, image.frame_number, frame.pixel_sha256)
        session.add(key, Box(1 + image.frame_number, 2, 20.5, 30), "opacity")
    if sign:
        session.sign()


@pytest.fixture
def patients(store: Store, open_file: OpenFile, tmp_path: Path) -> dict[str, int]:
    """24 patients with one to three images each, by their keys."""
    (tmp_path / "in").mkdir()
    number = 0
    for patient in range(24):
        for _ in range(1 + patient % 3):
            number += 1
            file = make_dicom(
                tmp_path / "in" / f"{number}.dcm",
                pixels(number),
                PatientID=f"P{patient}",
                StudyInstanceUID=f"2.25.{number}",
            )
            review(store, open_file, file)
    counted: dict[str, int] = {}
    for uid in store.study_uids():
        for record in store.load(uid).images:
            counted[record.patient_key] = counted.get(record.patient_key, 0) + 1
    return counted


class TestSplit:
    def test_shares(self) -> None:
        assert Split.of("0.8/0.1/0.1") == Split.of("80/10/10")
        assert Split.of("1/0/0").part_of("any") == "train"
        for wrong in ("", "0.8", "0.8/0.1", "1/1", "a/b/c", "0.5/0.25/0.25/0", "1.2/-0.2"):
            with pytest.raises(ExchangeError, match="split"):
                Split.of(wrong)

    def test_as_many_as_their_shares_say(self) -> None:
        split = Split.of("0.6/0.3/0.1")
        parts = [split.part_of(f"{number:032x}") for number in range(20_000)]
        for part, share in zip(PARTS, (0.6, 0.3, 0.1), strict=True):
            assert parts.count(part) / len(parts) == pytest.approx(share, abs=0.015)

    @pytest.mark.parametrize("name", DATASETS)
    def test_each_patient_is_in_one_part_and_the_counts_are_said(
        self, store: Store, patients: dict[str, int], tmp_path: Path, name: str
    ) -> None:
        split = Split.of("50/25/25")
        summary = export(store, tmp_path / "out", name, split=split)
        wanted = {part: {key for key in patients if split.part_of(key) == part} for part in PARTS}
        assert all(wanted.values())  # else this shows nothing
        assert [(part.name, part.patients, part.images) for part in summary.written.parts] == [
            (part, len(keys), sum(patients[key] for key in keys)) for part, keys in wanted.items()
        ]
        named = dict(parts_on_disk(tmp_path / "out", name))
        key_of = keys_by_picture(tmp_path / "out", name)
        assert {part: {key_of[stem] for stem in stems} for part, stems in named.items()} == wanted

    def test_the_same_patients_the_next_time(
        self, store: Store, patients: dict[str, int], open_file: OpenFile, tmp_path: Path
    ) -> None:
        split = Split.of("50/25/25")
        export(store, tmp_path / "a", "coco", split=split)
        late = make_dicom(tmp_path / "late.dcm", pixels(99), PatientID="L", StudyInstanceUID="2.99")
        review(store, open_file, late)
        export(store, tmp_path / "b", "coco", split=split)
        for part in PARTS:
            first, second = (
                {
                    image["patient_key"]
                    for image in json.loads((tmp_path / out / f"{part}.json").read_text())["images"]
                }
                for out in ("a", "b")
            )
            assert first <= second

    def test_pycocotools_and_the_detector_read_a_split_export(
        self, store: Store, patients: dict[str, int], tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        export(store, out, "coco", split=Split.of("50/25/25"))
        total = sum(patients.values())
        assert sum(len(COCO(str(out / f"{part}.json")).getImgIds()) for part in PARTS) == total
        data = read_dataset(out)
        assert data.problems == ()
        assert len(data.samples) == total
        assert {sample.patient for sample in data.samples} == set(patients)

    @pytest.mark.parametrize("name", DATASETS)
    def test_a_split_export_comes_back(
        self,
        *,
        store: Store,
        other_store: Store,
        patients: dict[str, int],
        load: Load,
        tmp_path: Path,
        name: str,
    ) -> None:
        export(store, tmp_path / "out", name, split=Split.of("50/25/25"))
        assert import_(other_store, tmp_path / "out", name, load).not_found == ()
        assert essence(other_store) == essence(store)


def parts_on_disk(out: Path, name: str) -> Iterator[tuple[str, set[str]]]:
    """The stems of the pictures of each part, from what the format says itself."""
    for part in PARTS:
        if name == "coco":
            images = json.loads((out / f"{part}.json").read_text())["images"]
            yield part, {Path(image["file_name"]).stem for image in images}
        elif name == "yolo":
            yield part, {path.stem for path in (out / "images" / part).iterdir()}
        elif name == "voc":
            yield part, set((out / "ImageSets/Main" / f"{part}.txt").read_text().split())
        elif name == "csv":
            yield part, {Path(n).stem for n in (out / f"{part}_list.txt").read_text().split()}
        else:
            content = (out / f"{part}.tfrecord").read_bytes()
            yield (
                part,
                {stem for stem in keys_by_picture(out, name) if f"{stem}.png".encode() in content},
            )


def keys_by_picture(out: Path, name: str) -> dict[str, str]:
    files = [out / f"{part}.json" for part in PARTS] if name == "coco" else [out / "lightbox.json"]
    return {
        Path(image["file_name"]).stem: image["patient_key"]
        for file in files
        for image in json.loads(file.read_text())["images"]
    }


def left_whole(store: Store, out: Path, name: str) -> bool:
    """Whether the export was written, be it that its name alone is not on the disk yet."""
    try:
        export(store, out, name)
    except ExchangeError as error:
        if "No space left" not in str(error):
            raise
    return out.exists()


def images_of(path: Path) -> list[Image]:
    return [image for update in scan([path]) for image in update.images]


class TestPictures:
    @pytest.mark.parametrize(
        ("name", "form"), [(name, form) for name in DATASETS for form in FORMATS[name].pictures]
    )
    def test_frames_colour_and_monochrome1_go_out_and_come_back(
        self,
        *,
        store: Store,
        other_store: Store,
        open_file: OpenFile,
        load: Load,
        tmp_path: Path,
        name: str,
        form: Pictures,
    ) -> None:
        source = tmp_path / "in"
        source.mkdir()
        for file in (
            make_dicom(
                source / "1.dcm",
                np.stack([pixels(number) for number in (1, 2, 3)]),
                StudyInstanceUID="2.1",
            ),
            make_dicom(
                source / "2.dcm",
                pixels(4),
                StudyInstanceUID="2.2",
                PhotometricInterpretation="MONOCHROME1",
            ),
        ):
            review(store, open_file, file)
        colour = np.random.default_rng(5).integers(0, 256, (40, 30, 3)).astype(np.uint8)
        PIL.Image.fromarray(colour).save(source / "3.png")
        review(store, open_file, source / "3.png")
        out = tmp_path / "out"
        summary = export(store, out, name, pictures=form, burned_in=BurnedIn.INCLUDE)
        assert summary.written.images == 5
        import_(other_store, out, name, load)
        assert essence(other_store) == essence(store)
        if name == "tfrecord":
            return
        if form is Pictures.DICOM:
            copies = [decode(image) for path in out.rglob("*.dcm") for image in images_of(path)]
            assert {copy.pixel_sha256 for copy in copies} == {
                record.pixel_sha256
                for uid in store.study_uids()
                for record in store.load(uid).images
            }
            return
        records = [r for uid in store.study_uids() for r in store.load(uid).images]
        written = [cv2.imread(str(p), cv2.IMREAD_UNCHANGED) for p in sorted(out.rglob("*.png"))]
        for record in records:
            frame = decode(record.image)
            if form is Pictures.PNG8 or frame.is_colour:
                expected = voi.picture(frame, voi.default_voi(frame))
            else:
                expected = frame.values
            assert any(
                np.array_equal(expected, picture[..., ::-1] if picture.ndim == 3 else picture)
                for picture in written
            ), record.image.path

    def test_the_detector_reads_de_identified_dicom(
        self, store: Store, open_file: OpenFile, tmp_path: Path
    ) -> None:
        file = make_dicom(tmp_path / "1.dcm", pixels(4), PatientName="Planted^Name", PatientID="PL")
        review(store, open_file, file)
        export(store, tmp_path / "out", "coco", pictures=Pictures.DICOM)
        (written,) = (tmp_path / "out" / "images").iterdir()
        assert b"Planted" not in written.read_bytes()

        def load_dicom(path: Path) -> ImageInput:
            frame = decode(images_of(path)[0])
            return ImageInput(frame.values, voi.tone_curve(frame))

        (sample,) = read_dataset(tmp_path / "out", load_dicom).samples
        np.testing.assert_array_equal(sample.load().values, pixels(4))
        assert sample.objects[0].box == Box(2, 2, 20.5, 30)

    def test_the_8_bit_pictures_say_that_they_are_brightness(
        self, store: Store, open_file: OpenFile, tmp_path: Path
    ) -> None:
        file = make_dicom(tmp_path / "1.dcm", pixels(4), PhotometricInterpretation="MONOCHROME1")
        review(store, open_file, file)
        export(store, tmp_path / "out", "coco", pictures=Pictures.PNG8)
        (image,) = json.loads((tmp_path / "out" / "annotations.json").read_text())["images"]
        assert image["value_mapping"] == {"slope": 1.0, "intercept": 0.0}
        assert image["tone_curve"] is None
        (sample,) = read_dataset(tmp_path / "out").samples
        frame = decode(store.load(store.study_uids()[0]).images[0].image)
        seen = voi.picture(frame, voi.default_voi(frame))
        np.testing.assert_array_equal(sample.load().values, seen)


class TestWhole:
    """An export is there as a whole, or not at all."""

    @pytest.fixture(autouse=True)
    def _three(self, store: Store, open_file: OpenFile, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        for number in (1, 2, 3):
            file = make_dicom(
                tmp_path / "in" / f"{number}.dcm", pixels(number), StudyInstanceUID=f"2.{number}"
            )
            review(store, open_file, file, sign=number != 2)

    @pytest.mark.parametrize("name", DATASETS)
    def test_cancelled_at_any_image(self, store: Store, tmp_path: Path, name: str) -> None:
        before = sorted(tmp_path.rglob("*"))
        for at in range(4):

            def cancel(done: int, _total: int, at: int = at) -> None:
                if done == at:
                    raise Cancelled("Cancelled.")

            with pytest.raises(Cancelled):
                FORMATS[name].export(store, tmp_path / "out", decode, on_progress=cancel)
            assert sorted(tmp_path.rglob("*")) == before

    @pytest.mark.parametrize("name", DATASETS)
    def test_the_disk_is_full_at_any_write(
        self, store: Store, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every file that is written and every folder that is synced fails once."""
        before = sorted(tmp_path.rglob("*"))
        failed = 0
        for number in range(60):
            left = number

            def fsync(_handle: int) -> None:
                nonlocal left
                left -= 1
                if left < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")

            with monkeypatch.context() as patch:
                patch.setattr(os, "fsync", fsync)
                if left_whole(store, tmp_path / f"out{number}", name):
                    break
            failed += 1
            assert sorted(tmp_path.rglob("*")) == before
        assert failed > 5  # pictures, labels, side files, folders

    @pytest.mark.parametrize("name", DATASETS)
    def test_an_image_that_cannot_be_decoded_is_left_out_and_named(
        self, store: Store, other_store: Store, load: Load, tmp_path: Path, name: str
    ) -> None:
        def decode_all_but_one(image: Image) -> Any:
            if image.path.name == "2.dcm":
                raise EngineError("The decoder died.")
            return decode(image)

        summary = FORMATS[name].export(store, tmp_path / "out", decode_all_but_one)
        assert summary.written.images == 2
        assert [Path(item.path).name for item in summary.skipped] == ["2.dcm"]
        assert summary.skipped[0].reason == "The decoder died."
        assert import_(other_store, tmp_path / "out", name, load).findings == 2

    @pytest.mark.parametrize("name", DATASETS)
    def test_no_image_can_be_decoded(self, store: Store, tmp_path: Path, name: str) -> None:
        def decode_none(_image: Image) -> Any:
            raise EngineError("The decoder died.")

        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(ExchangeError, match="None of the 3 images can be exported"):
            FORMATS[name].export(store, tmp_path / "out", decode_none, Options())
        assert sorted(tmp_path.rglob("*")) == before

    @pytest.mark.parametrize("name", DATASETS)
    def test_the_notice_is_in_every_export(self, store: Store, tmp_path: Path, name: str) -> None:
        export(store, tmp_path / "out", name)
        texts = [p for p in (tmp_path / "out").iterdir() if p.suffix in (".json", ".txt", ".yaml")]
        assert any("Research use only" in p.read_text("utf-8") for p in texts)
