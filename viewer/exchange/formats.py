"""The formats that labels go out in and come in from: one table for command line and window.

What a format needs is imported when it is used: the window starts without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from detector.types import ModelCard
from viewer.dicom.model import Frame, Image
from viewer.dicom.pseudonym import Pseudonym
from viewer.dicom.reported import MeasurementReport
from viewer.errors import InputError
from viewer.exchange.export import Copy, Export, ExportSummary, Written, export
from viewer.exchange.label_import import ImportSummary, Load, import_document
from viewer.exchange.labels import LabelDocument
from viewer.exchange.options import Options, Pictures

if TYPE_CHECKING:
    from viewer.review.store import Store

Write = Callable[[Export], Written]
Read = Callable[[Path], LabelDocument]
ReadReport = Callable[[MeasurementReport, Path], LabelDocument]


def _no_copy(_image: Image, _pseudonym: Pseudonym | None, _pixels: bool) -> bytes:
    raise InputError("Its file cannot be copied here.")


def _no_report(_path: Path) -> MeasurementReport:
    raise InputError("A report cannot be read here.")


def _no_card(_weights_sha256: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table.

    Attributes
    ----------
    name : on the command line.
    words : in dialogs.
    writes : what an export consists of, in a sentence.
    writer, reader : import what is needed and give the function; no reader: cannot be imported.
    report_reader : instead of ``reader`` for DICOM reports, which a worker parses first.
    pictures : how its frames may go out, the usual way first; empty: it has none.
    splits : whether it can be split by patient.
    identity : whether it can carry the patient's identity, where that is asked for.
    only_plain : the pixels of plain images alone go out, not those of DICOM images.
    files : the pattern of the files to import, for a file dialog.
    """

    name: str
    words: str
    writes: str
    writer: Callable[[], Write]
    reader: Callable[[], Read] | None = None
    report_reader: Callable[[], ReadReport] | None = None
    pictures: tuple[Pictures, ...] = ()
    splits: bool = False
    identity: bool = False
    only_plain: bool = False
    files: str = ""

    def export(
        self,
        store: Store,
        out: Path,
        decode: Callable[[Image], Frame],
        options: Options = Options(),  # noqa: B008  frozen
        *,
        copy: Copy = _no_copy,
        card_of: Callable[[str], ModelCard | None] = _no_card,
        studies: Collection[tuple[str, str]] | None = None,
        images: Collection[tuple[str, int]] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> ExportSummary:
        """As ``viewer.exchange.export.export``."""
        return export(
            store,
            out,
            decode,
            self.writer(),
            options,
            copy=copy,
            card_of=card_of,
            only_plain=self.only_plain,
            studies=studies,
            images=images,
            on_progress=on_progress,
        )

    @property
    def imports(self) -> bool:
        return self.reader is not None or self.report_reader is not None

    def import_labels(
        self,
        store: Store,
        path: Path,
        reader: str,
        *,
        load: Load,
        keep: Path,
        measurements: Callable[[Path], MeasurementReport] = _no_report,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> ImportSummary:
        """Take the candidates and findings of a file or folder into the store.

        Parameters
        ----------
        reader : whose findings these are where the file does not say.
        load : the images of a file with their decoded frames; its InputError makes it not found.
        keep : the folder for pictures that are inside the labels.
        measurements : what a measurement report says, as a worker has read it.
        on_progress : called with the images looked for and their number; what it raises ends the
            import before any finding is written.

        Raises
        ------
        ExchangeError
            The file is wrong; nothing was imported.
        StoreError
            Importing the file again adds what is missing, and nothing twice.
        """
        if self.report_reader is not None:
            document = self.report_reader()(measurements(path), path)
        else:
            assert self.reader is not None, "only what can be imported is offered for it"
            document = self.reader()(path)
        return import_document(
            store, document, reader, load=load, keep=keep, on_progress=on_progress
        )


def _write_coco() -> Write:
    from viewer.exchange import coco  # noqa: PLC0415

    return coco.write


def _read_coco() -> Read:
    from viewer.exchange import coco_document  # noqa: PLC0415

    return coco_document.read


def _write_yolo() -> Write:
    from viewer.exchange import yolo  # noqa: PLC0415

    return yolo.write


def _read_yolo() -> Read:
    from viewer.exchange import yolo  # noqa: PLC0415

    return yolo.read


def _write_voc() -> Write:
    from viewer.exchange import voc  # noqa: PLC0415

    return voc.write


def _read_voc() -> Read:
    from viewer.exchange import voc  # noqa: PLC0415

    return voc.read


def _write_csv() -> Write:
    from viewer.exchange import tables  # noqa: PLC0415

    return tables.write


def _read_csv() -> Read:
    from viewer.exchange import tables  # noqa: PLC0415

    return tables.read


def _write_tfrecord() -> Write:
    from viewer.exchange import tfrecord  # noqa: PLC0415

    return tfrecord.write


def _read_tfrecord() -> Read:
    from viewer.exchange import tfrecord  # noqa: PLC0415

    return tfrecord.read


def _write_sr() -> Write:
    from viewer.exchange import structured_report  # noqa: PLC0415

    return structured_report.write


def _write_gsps() -> Write:
    from viewer.exchange import presentation_state  # noqa: PLC0415

    return presentation_state.write


def _write_report() -> Write:
    from viewer.exchange import report  # noqa: PLC0415

    return report.write


def _read_sr() -> ReadReport:
    from viewer.exchange.structured_report_import import document_of  # noqa: PLC0415

    return document_of


_TABLE = (
    Format(
        "coco",
        "COCO",
        "One JSON file beside the pictures. It holds all that was decided.",
        _write_coco,
        _read_coco,
        pictures=(Pictures.PNG16, Pictures.PNG8, Pictures.DICOM),
        splits=True,
        files="*.json",
    ),
    Format(
        "yolo",
        "YOLO",
        "A text file for each picture, and data.yaml.",
        _write_yolo,
        _read_yolo,
        pictures=(Pictures.PNG8, Pictures.PNG16),
        splits=True,
        files="*.yaml *.yml",
    ),
    Format(
        "voc",
        "Pascal VOC",
        "An XML file for each picture. Corners are rounded to whole pixels.",
        _write_voc,
        _read_voc,
        pictures=(Pictures.PNG8, Pictures.PNG16),
        splits=True,
        files="*.xml",
    ),
    Format(
        "csv",
        "CSV",
        "Tables in the form of NIH ChestX-ray14 and of RSNA 2018, beside pictures.",
        _write_csv,
        _read_csv,
        pictures=(Pictures.PNG8, Pictures.PNG16, Pictures.DICOM),
        splits=True,
        files="*.csv",
    ),
    Format(
        "tfrecord",
        "TFRecord",
        "Pictures and boxes in record files, as the TensorFlow Object Detection API reads them.",
        _write_tfrecord,
        _read_tfrecord,
        pictures=(Pictures.PNG8, Pictures.PNG16),
        splits=True,
        files="*.tfrecord *.record",
    ),
    Format(
        "sr",
        "DICOM structured report",
        "One measurement report (TID 1500) a study, and a DICOM image for each plain one.",
        _write_sr,
        report_reader=_read_sr,
        identity=True,
        only_plain=True,
        files="*.dcm",
    ),
    Format(
        "gsps",
        "DICOM presentation state",
        "One presentation state an image, with the boxes of its findings.",
        _write_gsps,
        identity=True,
        only_plain=True,
    ),
    Format(
        "report",
        "Report",
        "One report a study to read and to print, as PDF and as HTML, with its pictures.",
        _write_report,
        identity=True,
    ),
)

FORMATS = {row.name: row for row in _TABLE}
