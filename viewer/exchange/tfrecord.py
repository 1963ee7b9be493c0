"""TFRecord in the form of the TensorFlow Object Detection API, without TensorFlow.

``train.tfrecord`` (with ``val`` and ``test`` where it is split) has the images that were reviewed
completely, ``partial.tfrecord`` the others; ``label_map.pbtxt`` names the classes. Each record is
one ``tf.train.Example``, framed as TensorFlow does: length, masked CRC-32C of it, content, masked
CRC-32C of that (tensorflow/core/lib/io/record_writer.h).
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c
from google.protobuf import text_format
from google.protobuf.message import DecodeError

from detector.types import Box
from viewer.errors import ExchangeError
from viewer.exchange import dataset, side_file
from viewer.exchange.dataset import PARTIAL, Item
from viewer.exchange.entries import MOST_BYTES, wrong_at
from viewer.exchange.export import Export, Written
from viewer.exchange.labels import LabelBox, LabelDocument, LabelImage, fitted
from viewer.exchange.options import Pictures
from viewer.exchange.pictures import Encoded, write_durably
from viewer.exchange.tensorflow_messages import Example, StringIntLabelMap

SUFFIX, LABEL_MAP = ".tfrecord", "label_map.pbtxt"
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_HEAD, _TAIL = 12, 4  # bytes before and after the content of a record

_ABOUT = f"""\
TFRecord in the form of the TensorFlow Object Detection API: image/encoded, image/object/bbox/xmin
and so on as shares of the picture, image/object/class/text and label. {LABEL_MAP} names the
classes. {PARTIAL}{SUFFIX} has the images that were not reviewed completely: keep it out of
training. A picture of 16 bits needs decode_png(dtype=tf.uint16).
"""


def write(work: Export) -> Written:
    """Write record files and their label map."""
    ids = dataset.category_ids(work)
    placed: list[tuple[Item, str]] = []
    with ExitStack() as stack:
        files = {
            part: stack.enter_context((work.folder / f"{part}{SUFFIX}").open("xb"))
            for part in (*work.options.parts, PARTIAL)
        }
        for item, picture in dataset.items(work, Pictures.PNG8):
            _write_record(files[item.place], _example(item, picture, ids))
            placed.append((item, item.name))
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
    names = StringIntLabelMap()
    for name, number in ids.items():
        names.item.add(name=name, id=number)
    text = text_format.MessageToString(names, as_utf8=True)
    write_durably(work.folder / LABEL_MAP, text.encode("utf-8"))
    dataset.write_side_files(work, placed, ids, _ABOUT)
    return dataset.written(work, [item for item, _ in placed])


def _example(item: Item, picture: Encoded, ids: dict[str, int]) -> Any:
    """The fields of tf_example_decoder.py; numbers are float32, as the format has them."""
    example = Example()
    features = example.features.feature
    found = [finding for finding, _ in item.page.certain]
    columns, rows = picture.width, picture.height
    for name, text in (
        ("image/encoded", [picture.content]),
        ("image/format", [picture.suffix.removeprefix(".").encode()]),
        ("image/filename", [item.name.encode()]),
        ("image/source_id", [item.name.encode()]),
        ("image/object/class/text", [each.category.encode() for each in found]),
    ):
        features[name].bytes_list.value.extend(text)
    for name, numbers in (
        ("image/height", [rows]),
        ("image/width", [columns]),
        ("image/object/class/label", [ids[each.category] for each in found]),
    ):
        features[name].int64_list.value.extend(numbers)
    for side, shares in (
        ("xmin", [each.box.x_min / columns for each in found]),
        ("xmax", [each.box.x_max / columns for each in found]),
        ("ymin", [each.box.y_min / rows for each in found]),
        ("ymax", [each.box.y_max / rows for each in found]),
    ):
        features[f"image/object/bbox/{side}"].float_list.value.extend(shares)
    return example


def _write_record(file: BinaryIO, example: Any) -> None:
    content = example.SerializeToString(deterministic=True)
    length = struct.pack("<Q", len(content))
    for part in (length, content):
        file.write(part)
        file.write(struct.pack("<I", masked_crc(part)))


def masked_crc(content: bytes) -> int:
    """CRC-32C, turned and shifted so that a CRC over data with CRCs in it stays a good one."""
    crc: int = google_crc32c.value(content)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


# --- reading -------------------------------------------------------------------------------------


def read(path: Path) -> LabelDocument:
    """Read one record file, or all of a folder. The pictures stay in it until they are needed.

    Raises
    ------
    ExchangeError
        Something is wrong; the sentence names file and record.
    """
    files = sorted(path.glob(f"*{SUFFIX}*")) if path.is_dir() else [path]
    if not files:
        raise ExchangeError(f"{path.name} has no record files ({SUFFIX}).")
    folder = path if path.is_dir() else path.parent
    side = side_file.read(folder)
    images: list[LabelImage] = []
    boxes: list[LabelBox] = []
    for file in files:
        for number, (place, length) in enumerate(_places(file), start=1):
            where = f"{file.name}, record {number}"
            content = partial(_content, file, place, length, where)
            features = _features(content(), where)
            with wrong_at(where):
                images.append(_image(features, len(images) + 1, content, where))
                boxes += _boxes(features, len(images), where)
    return side_file.joined(LabelDocument(folder, tuple(images), tuple(boxes)), side)


def _places(file: Path) -> Iterator[tuple[int, int]]:
    """Where the content of each record lies, and how long it is."""
    try:
        size, place = file.stat().st_size, 0
        with file.open("rb") as opened:
            while place < size:
                where = f"{file.name}, byte {place}"
                opened.seek(place)
                head = opened.read(_HEAD)
                if len(head) < _HEAD:
                    raise ExchangeError(f"{where}: the file ends within a record.")
                if struct.unpack("<I", head[8:])[0] != masked_crc(head[:8]):
                    raise ExchangeError(f"{where}: this is no record, or a damaged one.")
                (length,) = struct.unpack("<Q", head[:8])
                if length > MOST_BYTES or place + _HEAD + length + _TAIL > size:
                    raise ExchangeError(f"{where}: the record is longer than it may be.")
                yield place + _HEAD, length
                place += _HEAD + length + _TAIL
    except OSError as error:
        raise ExchangeError(f"{file.name} cannot be read: {error.strerror}.") from error


def _content(file: Path, place: int, length: int, where: str) -> bytes:
    """The content of one record, checked."""
    try:
        with file.open("rb") as opened:
            opened.seek(place)
            content, tail = opened.read(length), opened.read(_TAIL)
    except OSError as error:
        raise ExchangeError(f"{file.name} cannot be read: {error.strerror}.") from error
    if len(tail) < _TAIL or struct.unpack("<I", tail)[0] != masked_crc(content):
        raise ExchangeError(f"{where} is damaged: its checksum is wrong.")
    return content


def _features(content: bytes, where: str) -> Any:
    try:
        return Example.FromString(content).features.feature
    except DecodeError as error:
        raise ExchangeError(f"{where} is no tf.train.Example.") from error


def _image(features: Any, image_id: int, content: Callable[[], bytes], where: str) -> LabelImage:
    (height,), (width,) = (_numbers(features, f"image/{side}", 1) for side in ("height", "width"))
    if height < 1 or width < 1:
        raise ValueError("its width and height must be positive")
    name = b"".join(features["image/filename"].bytes_list.value).decode("utf-8")

    def picture() -> bytes:
        encoded = _features(content(), where)["image/encoded"].bytes_list.value
        return b"".join(encoded)

    return LabelImage(image_id, name, int(width), int(height), drawn_on=(1.0, 1.0), content=picture)


def _boxes(features: Any, image_id: int, where: str) -> Iterator[LabelBox]:
    texts = features["image/object/class/text"].bytes_list.value
    corners = [_numbers(features, f"image/object/bbox/{side}", len(texts)) for side in _SIDES]
    for text, x_min, y_min, x_max, y_max in zip(texts, *corners, strict=True):
        box = fitted(Box(x_min, y_min, x_max, y_max), 1, 1)
        yield LabelBox(image_id, box, text.decode("utf-8"), where=where)


def _numbers(features: Any, name: str, count: int) -> list[float]:
    feature = features[name]
    numbers = [float(each) for each in (*feature.int64_list.value, *feature.float_list.value)]
    if len(numbers) != count:
        raise ValueError(f"'{name}' has {len(numbers)} numbers, not {count}")
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"'{name}' has a number that is not finite")
    return numbers
