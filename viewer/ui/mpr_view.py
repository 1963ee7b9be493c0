"""The page with the three planes of a volume, linked by a crosshair and one window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from viewer.dicom.cutting import CutPlane, Plane, Slab, cut, step_across
from viewer.dicom.model import Acquisition, Frame, Image, Voi
from viewer.dicom.planes import Vector
from viewer.dicom.volume import Volume
from viewer.errors import ViewerError
from viewer.ui import wording
from viewer.ui.corner_text import CornerText
from viewer.ui.jobs import Jobs
from viewer.ui.mpr_bar import PROJECTION_NAMES, MprBar
from viewer.ui.mpr_plane import COLOURS, NAMES, MprPlane
from viewer.ui.presets import preset
from viewer.ui.tools import Tool

SLOT = "cut"

_PLACES = {  # row, column, rows
    Plane.AXIAL: (0, 0, 2),
    Plane.CORONAL: (0, 1, 1),
    Plane.SAGITTAL: (1, 1, 1),
}
_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}


class MprView(QWidget):
    """Axial, coronal and sagittal planes through one point of the patient.

    Attributes
    ----------
    point : where the three planes meet, mm in the patient.
    active : the plane that was touched last, which the keys are for.
    """

    left = Signal()  # the reader is done with it
    failed = Signal(str)

    def __init__(
        self,
        jobs: Jobs,
        volume: Volume,
        *,
        source: Image,
        frame: Frame,
        voi: Voi,
        point: Vector,
        note: str,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.point = volume.nearest_voxel(point)
        self._jobs = jobs
        self._volume = volume
        self._source = source
        self._frame = frame
        self._voi = voi
        self._slab = Slab()
        self._stale: set[Plane] = set()
        self._cutting = self._closed = False
        self._cuts: dict[Plane, CutPlane] = {}
        self.planes = {plane: MprPlane(plane, self) for plane in Plane}
        self.active = self.planes[Plane.AXIAL]
        self.bar = MprBar(note, self)
        self._lay_out()
        self.bar.slab_chosen.connect(self.set_slab)
        self.bar.left.connect(self.left)
        for view in self.planes.values():
            self._connect(view)
        self.go_to(self.point)

    def _lay_out(self) -> None:
        cells = QGridLayout()
        cells.setContentsMargins(0, 0, 0, 0)
        cells.setSpacing(1)
        cells.setColumnStretch(0, 1)
        cells.setColumnStretch(1, 1)
        for plane, view in self.planes.items():
            frame = QWidget(self)
            frame.setObjectName("plane")
            frame.setStyleSheet(f"#plane {{ border-top: 2px solid {COLOURS[plane].name()}; }}")
            column = QVBoxLayout(frame)
            column.setContentsMargins(0, 2, 0, 0)
            column.addWidget(view)
            row, across, rows = _PLACES[plane]
            cells.addWidget(frame, row, across, rows, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.bar)
        whole.addLayout(cells, 1)
        self.setFocusProxy(self.active)

    def _connect(self, view: MprPlane) -> None:
        view.crosshair_moved.connect(lambda x, y: self._crosshair_moved(view, x, y))
        view.scroll_requested.connect(lambda by: self.step(view.plane, by))
        view.voi_changed.connect(self._link_window)
        view.inversion_toggled.connect(lambda: self._link_inversion(view))
        view.entered.connect(lambda: self._enter(view))

    # --- going somewhere -------------------------------------------------------------------------

    def go_to(self, point: Vector) -> None:
        """Have the three planes meet at a point of the patient, mm."""
        point = self._volume.nearest_inside(point)
        for plane in Plane:
            moved = abs(plane.normal @ (point - self.point)) > 1e-6
            if moved or plane not in self._cuts:
                self._stale.add(plane)
        self.point = point
        self._place_crosshairs()
        self._cut()

    def step(self, plane: Plane, by: int) -> None:
        """Go on by layers of voxels across a plane; a positive number is to head, back or left."""
        self.go_to(self.point + plane.normal * (by * step_across(self._volume, plane)))

    def set_slab(self, slab: Slab) -> None:
        self._slab = slab
        self._stale = set(Plane)
        self._cut()

    def set_tool(self, tool: Tool) -> None:
        """What the left button does beside the crosshair."""
        for view in self.planes.values():
            view.set_tool(tool)

    def _crosshair_moved(self, view: MprPlane, x: float, y: float) -> None:
        shown = self._cuts[view.plane]
        here_x, here_y = _pixel_of(shown, self.point)
        across = (x - here_x) * shown.spacing.column * np.array(shown.geometry.row_direction)
        down = (y - here_y) * shown.spacing.row * np.array(shown.geometry.column_direction)
        self.go_to(self.point + across + down)

    # --- cutting ---------------------------------------------------------------------------------

    def _cut(self) -> None:
        """Cut what is stale beside the window's thread, a plane at a time, through the last point.

        A cut under way is not given up, so that a drag shows every plane the machine manages.
        """
        if self._cutting or not self._stale:
            return
        self._cutting = True
        plane = next(plane for plane in Plane if plane in self._stale)
        self._stale.discard(plane)
        volume, point, slab = self._volume, self.point, self._slab
        self._jobs.submit(
            SLOT,
            lambda _report: cut(volume, plane, point, slab),
            lambda found: self._arrived(self.planes[plane], found, slab),
            self._missed,
        )

    def close_down(self) -> None:
        """Show nothing more: what is under way comes too late."""
        self._closed = True
        self._cuts.clear()

    def _arrived(self, view: MprPlane, found: CutPlane, slab: Slab) -> None:
        if self._closed:
            return
        self._cutting = False
        self._cuts[view.plane] = found
        self._show(view, found, slab)
        self._place_crosshairs()
        self._cut()

    def _missed(self, error: ViewerError) -> None:
        if not self._closed:
            self._cutting = False
            self.failed.emit(str(error))

    def _show(self, view: MprPlane, found: CutPlane, slab: Slab) -> None:
        rows, columns = found.values.shape
        acquisition = Acquisition(frame_of_reference=self._source.acquisition.frame_of_reference)
        image = replace(
            self._source,
            rows=rows,
            columns=columns,
            spacing=found.spacing,
            geometry=found.geometry,
            acquisition=acquisition,
        )
        frame = replace(
            self._frame,
            values=found.values,
            pixel_sha256="",
            incomplete=False,  # the bar says so of the whole volume
            overlays=(),
            notes=(),
        )
        view.show_frame(image, frame, self._voi, same_series=True)
        position = float(view.plane.normal @ np.array(found.geometry.position))
        lines = (_slab_words(found, slab), f"Position {position:.1f} mm")
        who = wording.patient_lines(image) if view.plane is Plane.AXIAL else ()
        view.set_corner_text(CornerText((NAMES[view.plane], *who), (), tuple(filter(None, lines))))

    def _place_crosshairs(self) -> None:
        for plane, found in self._cuts.items():
            self.planes[plane].set_crosshair(*_pixel_of(found, self.point))

    # --- one window for all ----------------------------------------------------------------------

    def _link_window(self, voi: Voi) -> None:
        self._voi = voi
        for view in self.planes.values():
            view.set_voi(voi)

    def _link_inversion(self, leader: MprPlane) -> None:
        for view in self.planes.values():
            if view.inverted != leader.inverted:
                view.toggle_inverted()

    # --- keys ------------------------------------------------------------------------------------

    def _enter(self, view: MprPlane) -> None:
        self.active = view

    def event(self, event: QEvent) -> bool:
        """Esc is for this page, not for the window's table of actions."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in _STEPS:
            self.step(self.active.plane, _STEPS[Qt.Key(key)])
        elif key == Qt.Key.Key_Escape:
            self._escape()
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_9:
            chosen = preset(self._source, self._frame, key - Qt.Key.Key_0)
            if chosen is not None:
                self._link_window(chosen)
        else:
            super().keyPressEvent(event)

    def _escape(self) -> None:
        if not self.active.cancel_drag():
            self.left.emit()


def _pixel_of(shown: CutPlane, point: Vector) -> tuple[float, float]:
    """Where a point of the patient lies on a plane, in image coordinates as in `Box`."""
    away = point - np.array(shown.geometry.position)
    x = float(away @ np.array(shown.geometry.row_direction)) / shown.spacing.column
    y = float(away @ np.array(shown.geometry.column_direction)) / shown.spacing.row
    return x + 0.5, y + 0.5


def _slab_words(shown: CutPlane, slab: Slab) -> str:
    if shown.layers < 2:
        return ""
    return f"{PROJECTION_NAMES[slab.projection]} {slab.thickness:.0f} mm"
