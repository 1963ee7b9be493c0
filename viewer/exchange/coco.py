"""COCO: the export that `train` reads and that holds all, and the detections of `detect`.

The export is a folder with ``annotations.json`` and ``images/*.png``, or with ``train.json``,
``val.json`` and ``test.json`` in its place where it is split. ``coco_entries`` says what the
entries hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from detector.types import Detections, ModelCard
from viewer.dicom.model import Image, Skipped
from viewer.exchange import coco_entries, dataset
from viewer.exchange.dataset import Item
from viewer.exchange.export import Export, Written
from viewer.exchange.options import Pictures
from viewer.exchange.pictures import write_durably


def write(work: Export) -> Written:
    """Write a COCO data set.

    Images that were not reviewed completely are in it, and say so: ``review`` is "partial".
    """
    ids = dataset.category_ids(work)
    split = work.options.split
    names = work.options.parts if split else ("annotations",)
    placed: dict[str, list[tuple[Item, str]]] = {name: [] for name in names}
    (work.folder / "images").mkdir()
    for item, picture in dataset.items(work, Pictures.PNG16):
        path = f"images/{item.name}"
        write_durably(work.folder / path, picture.content)
        placed[item.part if split else names[0]].append((item, path))
    for name, those in placed.items():
        document = dataset.document(those, ids, "Lightbox labels")
        dataset.write_json(work.folder / f"{name}.json", document)
    return dataset.written(work, [item for those in placed.values() for item, _ in those])


def detections_json(  # noqa: PLR0917 - a contract with the command line
    results: Sequence[tuple[Image, str, Detections]],
    skipped: Sequence[Skipped],
    card: ModelCard,
    device: str,
    floor: float,
    software_version: str,
) -> dict[str, Any]:
    """The output of `detect`: COCO with a score for each box, in pixels of the original frame.

    Parameters
    ----------
    results : each image that was analysed, the file name to write for it, and what was found.
    skipped : what was not analysed; written as ``{"file", "reason"}``.
    device : where it ran: cpu, cuda or mps.

    Returns
    -------
    ``info`` (``model`` with name, version and weights_sha256, ``device``, ``floor``,
    ``software_version``, ``date_created``, ``notice``), ``images`` (also ``sop_instance_uid``,
    ``frame_number``, and where the model gives them ``image_findings``, name to probability, and
    ``proposals``, each with ``bbox`` and ``objectness``), ``categories``, ``annotations`` (with
    ``score``) and ``skipped``.
    """
    ids = {name: number for number, name in enumerate(card.categories, start=1)}
    annotations: list[dict[str, Any]] = []
    for image_id, (_, _, found) in enumerate(results, start=1):
        for detection in found.detections:
            box = coco_entries.box_entry(
                len(annotations) + 1, image_id, ids[detection.category], detection.box
            )
            annotations.append(box | {"score": float(detection.score)})
    return {
        "info": {
            **coco_entries.info("Lightbox detections", software_version),
            "model": {
                "name": card.name,
                "version": card.version,
                "weights_sha256": card.weights_sha256,
            },
            "device": device,
            "floor": float(floor),
        },
        "images": [
            {
                "id": image_id,
                "file_name": file_name,
                "width": image.columns,
                "height": image.rows,
                "sop_instance_uid": image.uid,
                "frame_number": image.frame_number,
                **_besides(found),
            }
            for image_id, (image, file_name, found) in enumerate(results, start=1)
        ],
        "categories": coco_entries.categories(ids),
        "annotations": annotations,
        "skipped": [{"file": each.path, "reason": each.reason} for each in skipped],
    }


def _besides(found: Detections) -> dict[str, Any]:
    """What a model says of an image without calling it a candidate."""
    fields: dict[str, Any] = {}
    if found.image_findings:
        fields["image_findings"] = {one.name: one.probability for one in found.image_findings}
    if found.proposals:
        fields["proposals"] = [
            {"bbox": list(one.box.xywh()), "objectness": one.objectness} for one in found.proposals
        ]
    return fields
