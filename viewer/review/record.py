"""What the store hands out, and the documented JSON form in which it keeps values.

Finding (``before`` and ``after`` of an event)::

    {"id", "image": {"uid", "frame_number", "pixel_sha256"},
     "box": [x_min, y_min, x_max, y_max], "category", "status", "score", "derived_from", "note",
     "uncertain", "reason",
     "sources": [{"reader", "finding_id", "box", "category", "status", "uncertain"}]}

Measurement, in the same place::

    {"id", "image", "shape", "points": [[x, y], ...]}

Image header: the fields of ``viewer.dicom.model.Image`` by their names, nested as there, with the
absolute path as text; but without ``acquisition``, which only orders the images of a series. The
forms grow by fields with defaults only, so that an older record can always be read; fields that
only a newer version knows are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.types import Box
from viewer.dicom.model import (
    Image,
    ImageKey,
    Kind,
    Patient,
    PlaneGeometry,
    SeriesHeader,
    Spacing,
    SpacingSource,
    StudyHeader,
)
from viewer.review.finding import (
    Candidate,
    Event,
    Finding,
    Reason,
    Role,
    Run,
    Source,
    Status,
)
from viewer.review.measurement import Measurement, Shape

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image that was decoded, with the hash of its pixels.

    Attributes
    ----------
    patient_key : keyed hash: the same for all studies of one patient, tells no identity.
    shown : these pixels were on a reader's screen. What was only analysed ahead was not, and no
        signature covers it.
    """

    image: Image
    pixel_sha256: str
    patient_key: str
    shown: bool = True

    @property
    def key(self) -> ImageKey:
        return ImageKey(self.image.uid, self.image.frame_number, self.pixel_sha256)


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """All that is kept of one study, each tuple in the order in which it was written.

    Attributes
    ----------
    images : the present record of each (uid, frame number): the pixels seen last.
    runs, candidates : of these and of earlier pixels.
    events : the whole log.
    """

    study_uid: str
    images: tuple[ImageRecord, ...]
    runs: tuple[Run, ...]
    candidates: tuple[Candidate, ...]
    events: tuple[Event, ...]


def of_patient(record: StudyRecord, patient_key: str) -> StudyRecord:
    """What of a study is one patient's.

    A sender's fault may put two patients under one Study Instance UID: what was decided on one of
    them is no word about the other. A whole study's verb belongs to those whose images it covers.
    """
    images = tuple(image for image in record.images if image.patient_key == patient_key)
    own = {(image.key.uid, image.key.frame_number) for image in images}
    return replace(of_images(record, own), images=images)


def of_images(record: StudyRecord, own: Set[tuple[str, int]]) -> StudyRecord:
    """What of a study was said of these images (uid, frame number); its images stay as they are."""

    def is_own(key: ImageKey) -> bool:
        return (key.uid, key.frame_number) in own

    def about(event: Event) -> tuple[ImageKey, ...]:
        subject = event.after if event.after is not None else event.before
        return event.covers if subject is None else (subject.image,)

    return replace(
        record,
        runs=tuple(run for run in record.runs if is_own(run.image)),
        candidates=tuple(each for each in record.candidates if is_own(each.image)),
        events=tuple(event for event in record.events if any(map(is_own, about(event)))),
    )


def by_patient(record: StudyRecord) -> tuple[tuple[str, StudyRecord], ...]:
    """Each patient's part of a study, with the patient key, in the order of the keys."""
    keys = sorted({image.patient_key for image in record.images})
    return tuple((key, of_patient(record, key)) for key in keys)


def of_log(record: StudyRecord, reader: str, role: Role = Role.READER) -> StudyRecord:
    """What of a study one reader said, or what the consensus on it is.

    Readers do not see each other's decisions: two reads are worth more than one only where they
    were made apart. The consensus is one log, whoever wrote to it.
    """
    return replace(
        record,
        events=tuple(
            event
            for event in record.events
            if event.role is role and (role is Role.ADJUDICATOR or event.reader == reader)
        ),
    )


def readers(record: StudyRecord) -> tuple[str, ...]:
    """Who has a log of their own in a study, in the order of their first events."""
    return tuple(
        dict.fromkeys(event.reader for event in record.events if event.role is Role.READER)
    )


def key_to_json(key: ImageKey) -> dict[str, Any]:
    return {
        "uid": key.uid,
        "frame_number": key.frame_number,
        "pixel_sha256": key.pixel_sha256,
    }


def key_from_json(data: Mapping[str, Any]) -> ImageKey:
    return ImageKey(data["uid"], int(data["frame_number"]), data["pixel_sha256"])


def subject_to_json(subject: Finding | Measurement | None) -> dict[str, Any] | None:
    """The documented form of what an event is about."""
    if isinstance(subject, Measurement):
        return measurement_to_json(subject)
    return None if subject is None else finding_to_json(subject)


def subject_from_json(data: Mapping[str, Any] | None) -> Finding | Measurement | None:
    if data is None:
        return None
    return measurement_from_json(data) if "shape" in data else finding_from_json(data)


def measurement_to_json(measurement: Measurement) -> dict[str, Any]:
    return {
        "id": measurement.id,
        "image": key_to_json(measurement.image),
        "shape": measurement.shape.value,
        "points": [[float(x), float(y)] for x, y in measurement.points],
    }


def measurement_from_json(data: Mapping[str, Any]) -> Measurement:
    return Measurement(
        id=data["id"],
        image=key_from_json(data["image"]),
        shape=Shape(data["shape"]),
        points=tuple((float(x), float(y)) for x, y in data["points"]),
    )


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """The documented form; numbers become plain floats, whatever arithmetic they came from."""
    return {
        "id": finding.id,
        "image": key_to_json(finding.image),
        "box": _box_to_json(finding.box),
        "category": finding.category,
        "status": finding.status.value,
        "score": None if finding.score is None else float(finding.score),
        "derived_from": finding.derived_from,
        "note": finding.note,
        "uncertain": finding.uncertain,
        "reason": None if finding.reason is None else finding.reason.value,
        "sources": [
            _fields(source) | {"box": _box_to_json(source.box), "status": source.status.value}
            for source in finding.sources
        ],
    }


def finding_from_json(data: Mapping[str, Any]) -> Finding:
    return Finding(
        id=data["id"],
        image=key_from_json(data["image"]),
        box=_box_from_json(data["box"]),
        category=data["category"],
        status=Status(data["status"]),
        score=data.get("score"),
        derived_from=data.get("derived_from"),
        note=data.get("note", ""),
        uncertain=bool(data.get("uncertain", False)),
        reason=None if data.get("reason") is None else Reason(data["reason"]),
        sources=tuple(_source_from_json(source) for source in data.get("sources", ())),
    )


def _source_from_json(data: Mapping[str, Any]) -> Source:
    return Source(
        data["reader"],
        data["finding_id"],
        _box_from_json(data["box"]),
        data["category"],
        Status(data["status"]),
        bool(data.get("uncertain", False)),
    )


def _box_to_json(box: Box) -> list[float]:
    return [float(box.x_min), float(box.y_min), float(box.x_max), float(box.y_max)]


def _box_from_json(data: Sequence[float]) -> Box:
    x_min, y_min, x_max, y_max = data
    return Box(x_min, y_min, x_max, y_max)


def image_to_json(image: Image) -> dict[str, Any]:
    """The whole header, so that the file can be found and decoded again without the window."""
    data = _fields(image)
    del data["acquisition"], data["native"]  # of this sitting alone
    data["path"] = str(image.path.absolute())
    data["study"] = _fields(image.study) | {"patient": _fields(image.study.patient)}
    data["series"] = _fields(image.series)
    data["spacing"] = _fields(image.spacing) | {"source": image.spacing.source.value}
    data["kind"] = image.kind.value
    data["references"] = list(image.references)
    if image.geometry is not None:
        data["geometry"] = {name: list(each) for name, each in _fields(image.geometry).items()}
    return data


def _fields(value: DataclassInstance) -> dict[str, Any]:
    # dataclasses.asdict copies deeply: a millisecond an image, which is long for a series.
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _known(kind: type[DataclassInstance], data: Mapping[str, Any]) -> dict[str, Any]:
    """Without the fields that a newer version has added."""
    known = kind.__dataclass_fields__.keys()
    if data.keys() <= known:  # nearly always: a series has hundreds of these
        return dict(data)
    return {name: value for name, value in data.items() if name in known}


def image_from_json(data: Mapping[str, Any]) -> Image:
    values = _known(Image, data)
    study = _known(StudyHeader, values["study"])
    study["patient"] = Patient(**_known(Patient, study["patient"]))
    spacing = _known(Spacing, values["spacing"])
    spacing["source"] = SpacingSource(spacing["source"])
    geometry = values["geometry"]
    values.update(
        path=Path(values["path"]),
        study=StudyHeader(**study),
        series=SeriesHeader(**_known(SeriesHeader, values["series"])),
        spacing=Spacing(**spacing),
        geometry=(
            None
            if geometry is None
            else PlaneGeometry(
                **{name: tuple(value) for name, value in _known(PlaneGeometry, geometry).items()}
            )
        ),
        kind=Kind(values.get("kind", Kind.IMAGE)),
        references=tuple(values.get("references", ())),
    )
    return Image(**values)
