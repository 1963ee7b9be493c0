"""What the child processes do for the window, as functions that wait for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from viewer.dicom.model import Frame, Image, Picture
from viewer.exchange.export import FileAccess
from viewer.ui.analysis import Detect
from viewer.ui.batching import BatchEngine
from viewer.ui.exchanging import Load
from viewer.ui.frames import Decode
from viewer.ui.model_choice import Add, Inspect
from viewer.ui.objects import ObjectReaders
from viewer.ui.opening import Scan
from viewer.ui.tag_browser import ReadTags


@dataclass(frozen=True)
class Engine:
    """One function for each thing that is asked of a worker; all raise ViewerError."""

    scan: Scan
    decode: Decode
    make_thumbnail: Callable[[Image, int], Picture]
    detect: Detect
    files: FileAccess
    load: Load
    inspect_model: Inspect
    add_model: Add
    read_tags: ReadTags
    objects: ObjectReaders
    decode_for_volume: Callable[[Image], Frame]
    scan_for_list: Scan
    scan_ahead: Scan
    decode_ahead: Callable[[Image], Frame]
    batch: BatchEngine
