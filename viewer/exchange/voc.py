"""Pascal VOC: Annotations, JPEGImages (with PNG in it: readers look there), ImageSets/Main.

The lists of ``ImageSets/Main`` name the images that were reviewed completely, ``partial.txt``
there the others. VOC counts pixels from 1 and both corners belong to the object, whole numbers
only: a box over the whole image is 1, 1, columns, rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath, PureWindowsPath
from typing import Any
from xml.etree import ElementTree as ET

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from detector.dataset.pictures import files_below
from detector.types import Box
from viewer.errors import ExchangeError
from viewer.exchange import dataset, side_file
from viewer.exchange.dataset import PARTIAL, Item
from viewer.exchange.entries import bytes_of, number_of, wrong_at
from viewer.exchange.export import Export, Written
from viewer.exchange.labels import LabelBox, LabelDocument, LabelImage
from viewer.exchange.options import Pictures
from viewer.exchange.pictures import Encoded, write_durably

_ABOUT = f"""\
Pascal VOC: an XML file in Annotations/ for each picture in JPEGImages/ (PNG, so that nothing is
lost). Corners are whole pixels counted from 1, both within the object. The lists in
ImageSets/Main name the pictures of each part; {PARTIAL}.txt there those that were not reviewed
completely.
"""

_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_LINE = "line"  # the attribute in which the parser notes it


def write(work: Export) -> Written:
    """Write a Pascal VOC data set.

    Raises
    ------
    ExchangeError
        A category has a character that XML cannot hold.
    """
    ids = dataset.category_ids(work)
    for category in ids:
        if _NOT_IN_XML.search(category):
            raise ExchangeError(f"The category {category!r} has a character that XML cannot hold.")
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (work.folder / name).mkdir(parents=True)
    placed: list[tuple[Item, str]] = []
    for item, picture in dataset.items(work, Pictures.PNG8):
        path = f"JPEGImages/{item.name}"
        write_durably(work.folder / path, picture.content)
        file = (work.folder / "Annotations" / item.name).with_suffix(".xml")
        write_durably(file, _annotation(item, picture))
        placed.append((item, path))
    _write_lists(work, [item for item, _ in placed])
    dataset.write_side_files(work, placed, ids, _ABOUT)
    return dataset.written(work, [item for item, _ in placed])


def _write_lists(work: Export, items: list[Item]) -> None:
    for part in (*work.options.parts, PARTIAL):
        names = "".join(f"{PurePath(item.name).stem}\n" for item in items if item.place == part)
        write_durably(work.folder / "ImageSets/Main" / f"{part}.txt", names.encode("ascii"))


def _annotation(item: Item, picture: Encoded) -> bytes:
    root = ET.Element("annotation")
    _add(root, "folder", "JPEGImages")
    _add(root, "filename", item.name)
    _add(ET.SubElement(root, "source"), "database", "Lightbox")
    size = ET.SubElement(root, "size")
    _add(size, "width", picture.width)
    _add(size, "height", picture.height)
    _add(size, "depth", picture.channels)
    _add(root, "segmented", 0)
    for finding, _ in item.page.certain:
        thing = ET.SubElement(root, "object")
        _add(thing, "name", finding.category)
        _add(thing, "pose", "Unspecified")
        corners = _corners(finding.box, picture.width, picture.height)
        x_min, y_min, x_max, y_max = corners
        cut = x_min == 1 or y_min == 1 or x_max == picture.width or y_max == picture.height
        _add(thing, "truncated", int(cut))
        _add(thing, "difficult", 0)
        around = ET.SubElement(thing, "bndbox")
        for side, value in zip(_SIDES, corners, strict=True):
            _add(around, side, value)
    ET.indent(root)
    # A bare return would come back as a new line.
    content: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return content.replace(b"\r", b"&#13;") + b"\n"


def _add(parent: ET.Element, tag: str, content: str | int) -> None:
    ET.SubElement(parent, tag).text = str(content)


def _corners(box: Box, columns: int, rows: int) -> tuple[int, int, int, int]:
    x_min, x_max = _side(box.x_min, box.x_max, columns)
    y_min, y_max = _side(box.y_min, box.y_max, rows)
    return x_min, y_min, x_max, y_max


def _side(low: float, high: float, most: int) -> tuple[int, int]:
    """First and last pixel, from 1; of a box thinner than a pixel, the one its middle is in."""
    first, last = round(low) + 1, round(high)
    if first > last:
        first = last = int((low + high) / 2) + 1
    return min(max(first, 1), most), min(max(last, 1), most)


def read(path: Path) -> LabelDocument:
    """Read one annotation file, or those of a folder at any depth.

    A ``difficult`` object is an uncertain finding.

    Raises
    ------
    ExchangeError
        Something is wrong; the sentence names file and line.
    """
    files = files_below(path, {".xml"}) if path.is_dir() else [path]
    folder = path
    if not path.is_dir():
        folder = path.parent.parent if path.parent.name == "Annotations" else path.parent
    if not files:
        raise ExchangeError(f"{folder.name} has no annotation files (.xml).")
    side = side_file.read(folder)
    images: list[LabelImage] = []
    boxes: list[LabelBox] = []
    for file in files:
        root = _parsed(file)
        images.append(_image(file, root, folder, len(images) + 1))
        boxes += _boxes(file, root, len(images))
    return side_file.joined(LabelDocument(folder, tuple(images), tuple(boxes)), side)


class _Lines(DefusedXMLParser):  # type: ignore[misc]  # defusedxml has no types
    """Notes at which line each element begins."""

    def _start(self, tag: str, attributes: list[str]) -> Any:
        element = super()._start(tag, attributes)
        element.set(_LINE, str(self.parser.CurrentLineNumber))
        return element


def _parsed(file: Path) -> ET.Element:
    """The tree; a document type is refused, and with it entities and their expansion."""
    try:
        parser = _Lines(forbid_dtd=True)
        parser.feed(bytes_of(file))
        root: ET.Element = parser.close()
    except DefusedXmlException as error:
        raise ExchangeError(
            f"{file.name} declares a document type, which is not allowed."
        ) from error
    except ET.ParseError as error:
        raise ExchangeError(f"{file.name} cannot be read as XML: {error}.") from error
    if root.tag != "annotation":
        raise ExchangeError(f"{_place(file, root)} is no Pascal VOC annotation.")
    return root


def _place(file: Path, element: ET.Element) -> str:
    return f"{file.name}, line {element.get(_LINE)}"


def _image(file: Path, root: ET.Element, folder: Path, image_id: int) -> LabelImage:
    with wrong_at(_place(file, root)):
        # Only the last part of the name: the rest is a path on the computer of whoever wrote it.
        name = PureWindowsPath(root.findtext("filename", "").strip()).name
        if not name:
            raise ValueError("it has no 'filename'")
        places = (folder / "JPEGImages", folder / "images", file.parent)
        found = next((place / name for place in places if (place / name).is_file()), None)
        relative = name if found is None else found.relative_to(folder).as_posix()
        width, height = (
            int(number_of(root.findtext(f"size/{side}", "0"))) for side in ("width", "height")
        )
        return LabelImage(image_id, relative, width, height)


def _boxes(file: Path, root: ET.Element, image_id: int) -> Iterator[LabelBox]:
    for item in root.findall("object"):
        with wrong_at(_place(file, item)):
            category = item.findtext("name", "").strip()
            if not category:
                raise ValueError("it has no 'name'")
            x_min, y_min, x_max, y_max = (
                number_of(item.findtext(f"bndbox/{side}", "")) for side in _SIDES
            )
            yield LabelBox(
                image_id,
                Box(x_min - 1.0, y_min - 1.0, x_max, y_max),
                category,
                uncertain=item.findtext("difficult", "0").strip() == "1",
                where=_place(file, item),
            )
