"""The windows on the keys 1 to 9."""

from __future__ import annotations

from viewer.dicom.model import Frame, Image, Voi, VoiTable, VoiWindow
from viewer.dicom.voi import auto_window
from viewer.ui.grid import Grid
from viewer.ui.reading import Reading

MOST = 9

CT: tuple[VoiWindow, ...] = (
    VoiWindow(-600, 1500, explanation="lung"),
    VoiWindow(350, 2000, explanation="bone"),
    VoiWindow(40, 80, explanation="brain"),
    VoiWindow(40, 400, explanation="soft tissue"),
    VoiWindow(80, 400, explanation="mediastinum"),
    VoiWindow(90, 150, explanation="liver"),
)
"""In Hounsfield units."""


class Presets:
    """The presets of the active viewport's picture."""

    def __init__(self, reading: Reading, grid: Grid) -> None:
        self._reading = reading
        self._grid = grid

    def names(self) -> tuple[str, ...]:
        image, loaded = self._reading.image, self._reading.loaded
        return () if image is None or loaded is None else preset_names(image, loaded.frame)

    def use(self, number: int) -> None:
        """Show the picture under the window on a key; nothing where the key has none."""
        image, loaded = self._reading.image, self._reading.loaded
        if image is not None and loaded is not None:
            voi = preset(image, loaded.frame, number)
            if voi is not None:
                self._grid.viewport.set_voi(voi)


def preset_names(image: Image, frame: Frame) -> tuple[str, ...]:
    """What the keys from 1 on stand for; empty where a window has no meaning."""
    if frame.is_colour:
        return ()
    named = tuple(_name(voi) for voi in _fixed(image, frame))
    own = tuple(f"of the file  {_name(voi)}" for voi in frame.vois)
    automatic = () if _is_ct(image, frame) else ("automatic",)
    return (*named, *own, *automatic)[:MOST]


def preset(image: Image, frame: Frame, number: int) -> Voi | None:
    """The window on a key from 1 to 9, None where it has none.

    For CT in Hounsfield units the usual ones and then the file's own; for anything else the file's
    windows, then one by the values of this frame.
    """
    if frame.is_colour:
        return None
    fixed = (*_fixed(image, frame), *frame.vois)
    if number <= len(fixed):
        return fixed[number - 1]
    if number == len(fixed) + 1 and not _is_ct(image, frame):
        return auto_window(frame)
    return None


def _is_ct(image: Image, frame: Frame) -> bool:
    return image.series.modality == "CT" and frame.unit == "HU"


def _fixed(image: Image, frame: Frame) -> tuple[VoiWindow, ...]:
    return CT if _is_ct(image, frame) else ()


def _name(voi: Voi) -> str:
    if isinstance(voi, VoiTable):
        return voi.explanation or "VOI LUT"
    digits = 0 if voi.width >= 20 else 2
    return f"{voi.explanation}  {voi.width:.{digits}f} / {voi.center:.{digits}f}".strip()
