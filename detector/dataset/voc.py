"""Pascal VOC: one XML file an image (Everingham et al., IJCV 2010; LabelImg, CVAT)."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from detector.dataset.boxes import ImageBoxes
from detector.dataset.lightbox import known_pictures
from detector.dataset.pictures import PICTURE_SUFFIXES, files_below, picture_size
from detector.dataset.sample import Dataset, Sample
from detector.types import DatasetError

_MOST_BYTES = 16 << 20
_SIDES = ("xmin", "ymin", "xmax", "ymax")


def is_voc(folder: Path) -> bool:
    return next(folder.rglob("*.xml"), None) is not None


def read_voc(folder: Path) -> Dataset:
    """Read ``Annotations/*.xml`` with ``JPEGImages/``, or XML files beside their images.

    An XML file is one image read in full for every category of the data set; one without objects
    is a reviewed negative. A picture without XML was not read and is left out. VOC counts pixels
    from 1 and both corners belong to the object: (1, 1, columns, rows) is the whole image and
    becomes (0, 0, columns, rows). A ``difficult`` object is left out and its category is then
    not complete on that image; a ``truncated`` one is an object as any other. An export of
    Lightbox says besides whose images these are, and which were not read in full.

    Raises
    ------
    DatasetError
        Where no XML file is VOC.
    """
    problems: list[str] = []
    read: list[tuple[Path, ImageBoxes]] = []
    for path in files_below(folder, {".xml"}):
        try:
            read.append(_image(path, problems))
        except DatasetError as e:
            problems.append(f"{path.name} was left out: {e}")
    if not read:
        raise DatasetError(f"{folder.name} holds no Pascal VOC file. {' '.join(problems[:3])}")
    described = {path for path, _ in read}
    known = known_pictures(folder)
    unread = [p for p in files_below(folder, PICTURE_SUFFIXES) if p not in described]
    if unread:
        problems.append(f"{len(unread)} images without XML were left out: nobody read them.")
    categories = sorted({c for _, b in read for c in (*_names(b), *b.doubtful)})
    samples = []
    for path, boxes in read:
        ours = known.get(path)
        complete = frozenset() if ours and ours.partial else frozenset(categories)
        samples.append(Sample(
            path, ours.patient if ours else path.relative_to(folder).as_posix(),
            tuple(boxes.objects), complete=complete - boxes.doubtful,
        ))  # fmt: skip
    return Dataset(folder.name, tuple(samples), tuple(categories), tuple(problems))


def _names(boxes: ImageBoxes) -> set[str]:
    return {o.category for o in boxes.objects}


def _image(path: Path, problems: list[str]) -> tuple[Path, ImageBoxes]:
    root = _parsed(path)
    if root.tag != "annotation":
        raise DatasetError("it is no Pascal VOC file.")
    picture = _picture(path, root.findtext("filename", ""))
    boxes = ImageBoxes(picture_size(picture), problems)
    for number, item in enumerate(root.iter("object"), start=1):
        which = f"Object {number} of {path.name}"
        category = item.findtext("name", "").strip()
        if not category:
            raise DatasetError(f"object {number} has no name.")
        if item.findtext("difficult", "0").strip() == "1":
            boxes.leave_out(category, f"{which} ({category}) was left out: it is marked difficult.")
            continue
        try:
            x_min, y_min, x_max, y_max = (float(item.findtext(f"bndbox/{s}", "")) for s in _SIDES)
        except ValueError:
            boxes.leave_out(category, f"{which} was left out: its box is not four numbers.")
            continue
        boxes.add(category, (x_min - 1.0, y_min - 1.0, x_max, y_max), which)
    return picture, boxes


def _picture(path: Path, filename: str) -> Path:
    """The picture of an XML file: by its ``filename``, or by the name of the XML file itself."""
    folders = (path.parent, path.parent.parent / "JPEGImages", path.parent.parent / "images")
    # Only the last part of the name: the rest is a path on the computer of whoever wrote it.
    names = [PureWindowsPath(filename.strip()).name] + [
        path.stem + suffix for s in sorted(PICTURE_SUFFIXES) for suffix in (s, s.upper())
    ]
    for folder in folders:
        for name in names:
            if name and (folder / name).is_file():
                return folder / name
    raise DatasetError(f"its image {names[0] or path.stem} is missing.")


def _parsed(path: Path) -> Element:
    """The XML tree. A document type is refused: with it go entities and their expansion."""

    def refuse(*_: object) -> None:
        raise DatasetError("it declares a document type, which is not allowed.")

    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DatasetError("it is too large for one image.")
        parser.Parse(path.read_bytes(), True)
        return builder.close()
    except (OSError, expat.ExpatError) as e:
        raise DatasetError(f"it cannot be read as XML: {e}.") from e
