"""Which form a data folder is in, and its samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from detector.dataset.coco import find_annotations, read_coco
from detector.dataset.duplicates import describe, find_twins
from detector.dataset.lightbox import is_export
from detector.dataset.nih import is_nih, read_nih
from detector.dataset.pictures import LoadDicom
from detector.dataset.reference import is_reference, read_reference
from detector.dataset.rsna import is_rsna, read_rsna
from detector.dataset.sample import Dataset
from detector.dataset.vindr import find_tables, read_vindr
from detector.dataset.voc import is_voc, read_voc
from detector.dataset.yolo import read_yolo
from detector.dataset.yolo_names import find_names
from detector.types import DatasetError


def read_dataset(folder: Path, load_dicom: LoadDicom | None = None) -> Dataset:
    """Read a folder in whichever of the known forms it is; docs/DATASETS.md describes them.

    Parameters
    ----------
    load_dicom : decodes one DICOM file; without it a folder of DICOM files is refused.

    Returns
    -------
    The data set, without the second of two equal files. The reference set alone keeps it: folds
    and figures refer to its list of images. ``problems`` says which they are either way.

    Raises
    ------
    DatasetError
        Where the folder is in none of the forms, or holds no usable image.
    """
    try:
        data = _read(folder, load_dicom)
        twins = find_twins(data.samples)
    except OSError as e:
        name = Path(e.filename).name if e.filename else folder.name
        raise DatasetError(f"{name} cannot be read: {e.strerror}.") from e
    if not data.samples:
        first = " ".join(data.problems[:3])
        raise DatasetError(f"{data.name} holds no usable image. {first}".strip())
    said = tuple(describe(data.samples[place], twin) for place, twin in twins.items())
    kept = data.samples
    if twins and not is_reference(folder):
        said = tuple(f"{sentence} The first counts." for sentence in said)
        kept = tuple(s for place, s in enumerate(data.samples) if place not in twins)
    return replace(data, samples=kept, problems=(*data.problems, *said))


def _read(folder: Path, load_dicom: LoadDicom | None) -> Dataset:
    data = _published(folder, load_dicom) or _general(folder, load_dicom)
    if data is None:
        raise DatasetError(
            f"{folder.name or folder} is no labelled data in a form that is known: COCO, Pascal "
            "VOC, YOLO, or ChestX-ray14, RSNA or VinDr-CXR as they are published."
        )
    return data


def _published(folder: Path, load_dicom: LoadDicom | None) -> Dataset | None:
    """Sets that are known by the names of their tables."""
    if is_reference(folder):
        return read_reference(folder)
    if is_export(folder) and (is_nih(folder) or is_rsna(folder)):
        # Its boxes and names are not those of the published sets, which these readers know.
        raise DatasetError(
            f"{folder.name} is a CSV export of Lightbox; export COCO, YOLO or Pascal VOC to train."
        )
    if is_nih(folder):
        return read_nih(folder)
    if is_rsna(folder):
        return read_rsna(folder, load_dicom)
    tables = find_tables(folder)
    return read_vindr(folder, tables, load_dicom) if tables else None


def _general(folder: Path, load_dicom: LoadDicom | None) -> Dataset | None:
    if names := find_names(folder):
        return read_yolo(folder, names)
    if annotations := find_annotations(folder):
        return read_coco(folder, annotations, load_dicom)
    return read_voc(folder) if is_voc(folder) else None
