"""What the formats for training have in common: pictures with boxes, and a record of the rest.

Beside its own files each of them writes

lightbox.json
    all that the format cannot hold, in the form of our COCO export: rejected and uncertain boxes,
    reader, time, model, patient key, what was reviewed completely, how pixel values are to be
    read, the research-use notice.
partial.txt
    the pictures that were not reviewed completely, one a line: there may be more on them than
    their boxes say.
README.txt
    what is in the folder, in words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.types import RESEARCH_USE_ONLY
from viewer.dicom.model import Frame, Skipped
from viewer.dicom.secondary_capture import secondary_capture
from viewer.dicom.written import file_of
from viewer.errors import EngineError, InputError
from viewer.exchange import coco_entries
from viewer.exchange.export import Export, Part, Written
from viewer.exchange.options import PARTS, Pictures
from viewer.exchange.pages import Page, name_of
from viewer.exchange.pictures import Encoded, encoded, write_durably
from viewer.version import VERSION

SIDE_FILE, PARTIAL_LIST, PARTIAL = "lightbox.json", "partial.txt", "partial"


@dataclass(frozen=True, slots=True)
class Item:
    """An image that goes out.

    Attributes
    ----------
    number : from 1.
    name : of its picture file, without folder: tells pixels and number, and nothing of a patient.
    part : of the split: train where there is none.
    entry : its entry in a COCO document, but for ``file_name``.
    """

    number: int
    name: str
    part: str
    page: Page
    entry: dict[str, Any]

    @property
    def place(self) -> str:
        """The part, but ``partial`` where a plain reader would take it for read completely."""
        return self.part if self.page.exhaustive else PARTIAL


def items(work: Export, usual: Pictures) -> Iterator[tuple[Item, Encoded]]:
    """Each image that can be decoded, with its picture file's content."""
    split = work.options.split
    for number, (page, frame) in enumerate(work.frames(), start=1):
        try:
            picture = _picture(work, page, frame, work.options.pictures or usual)
        except (InputError, EngineError) as error:
            work.skipped.append(Skipped(name_of(page.record.image), str(error)))
            continue
        short = hashlib.sha256(page.record.pixel_sha256.encode()).hexdigest()[:16]
        # The number tells images of equal pixels apart: two patients may both be all black.
        name = f"{short}-{number}{picture.suffix}"
        part = split.part_of(page.record.patient_key) if split else PARTS[0]
        yield (
            Item(number, name, part, page, coco_entries.image_entry(number, name, page, picture)),
            picture,
        )


def _picture(work: Export, page: Page, frame: Frame, form: Pictures) -> Encoded:
    if form is not Pictures.DICOM:
        return encoded(frame, form)
    image = page.record.image
    pseudonym = work.pseudonym(page.record.patient_key)  # a data set never has an identity
    if image.is_plain:
        content = file_of(secondary_capture(image, frame, pseudonym))
    else:
        content = work.copy(image, pseudonym, True)
    height, width = frame.values.shape[:2]
    return Encoded(content, ".dcm", width, height, 3 if frame.is_colour else 1)


def category_ids(work: Export) -> dict[str, int]:
    """Of every category that was decided on: certain, uncertain and rejected alike."""
    return coco_entries.category_ids(
        finding.category for page in work.pages for finding, _ in page.decided
    )


def document(
    placed: Iterable[tuple[Item, str]], ids: dict[str, int], description: str
) -> dict[str, Any]:
    """The COCO document of these images, each with the path of its picture."""
    result: dict[str, Any] = {
        "info": coco_entries.info(description, VERSION),
        "categories": coco_entries.categories(ids),
        "images": [],
        "annotations": [],
        "rejected_annotations": [],
        "uncertain_annotations": [],
    }
    number = 0
    for item, path in placed:
        result["images"].append(item.entry | {"file_name": path})
        for kind, decided in (
            ("annotations", item.page.certain),
            ("rejected_annotations", item.page.rejected),
            ("uncertain_annotations", item.page.uncertain),
        ):
            for finding, decision in decided:
                number += 1
                box = coco_entries.box_entry(
                    number, item.number, ids[finding.category], finding.box
                )
                result[kind].append(box | coco_entries.decision_fields(finding, decision))
    return result


def write_json(path: Path, content: dict[str, Any]) -> None:
    write_durably(path, json.dumps(content, indent=1, allow_nan=False).encode("utf-8"))


def write_side_files(
    work: Export, placed: Sequence[tuple[Item, str]], ids: dict[str, int], about: str
) -> None:
    """lightbox.json, partial.txt and README.txt beside the files of a format.

    Parameters
    ----------
    about : the lines of the README that are the format's own.
    """
    side = document(placed, ids, "Lightbox labels: what the other files cannot hold")
    write_json(work.folder / SIDE_FILE, side)
    partial = [path for item, path in placed if not item.page.exhaustive]
    write_durably(work.folder / PARTIAL_LIST, "".join(f"{p}\n" for p in partial).encode("utf-8"))
    text = _README.format(
        notice=RESEARCH_USE_ONLY, about=about.strip(), complete=len(placed) - len(partial),
        partial=len(partial), rejected=len(side["rejected_annotations"]),
        uncertain=len(side["uncertain_annotations"]),
    )  # fmt: skip
    write_durably(work.folder / "README.txt", text.encode("utf-8"))


_README = """\
{notice}

{about}

{complete} images were reviewed completely: what is not marked on them is not there.
{partial} images were not: unsigned, or with a finding that the reader is not sure of. They are
listed in {{list}}. Their boxes are right, but there may be more; training on them as if
they were complete teaches the model to miss what was not marked yet.

{rejected} rejected and {uncertain} uncertain boxes are in {{side}} alone, with reader, time, model,
patient key and all else that this format cannot hold.
""".replace("{{list}}", PARTIAL_LIST).replace("{{side}}", SIDE_FILE)


def written(work: Export, gone_out: Sequence[Item]) -> Written:
    """The figures of an export, by part where it was split."""
    parts = _parts(work, gone_out) if work.options.split else ()
    return Written.of([item.page for item in gone_out], parts)


def _parts(work: Export, gone_out: Sequence[Item]) -> tuple[Part, ...]:
    keys = {
        name: [item.page.record.patient_key for item in gone_out if item.part == name]
        for name in work.options.parts
    }
    return tuple(Part(name, len(set(those)), len(those)) for name, those in keys.items())
