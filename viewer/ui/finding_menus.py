"""The menus of a finding: at its mark on the picture, and beside it in the list."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from viewer.review.finding import Reason, Status
from viewer.ui import dialogs
from viewer.ui.deciding import Deciding
from viewer.ui.findings_panel import FindingsPanel


class FindingMenus:
    """Shows them, and does what is chosen."""

    def __init__(
        self,
        window: QWidget,
        deciding: Deciding,
        panel: FindingsPanel,
        action: Callable[[str], QAction],
        guarded: Callable[[Callable[[], object]], None],
    ) -> None:
        self._window = window
        self._deciding = deciding
        self._panel = panel
        self._action = action
        self._guarded = guarded

    def ask_category(self) -> None:
        """The categories, beside the selected finding in the list."""
        finding = self._deciding.finding()
        if finding is not None:
            menu = QMenu(self._window)
            self._fill_categories(menu, finding.category)
            menu.exec(self._panel.point_of(finding.id))
            menu.deleteLater()

    def ask_reason(self) -> None:
        """Why the selected candidate is rejected, by a number from 1 on."""
        finding = self._deciding.finding()
        if finding is not None:
            menu = QMenu(self._window)
            self._fill_reasons(menu)
            menu.exec(self._panel.point_of(finding.id))
            menu.deleteLater()

    def show(self, finding_id: str, point: QPoint) -> None:
        """What can be done with the finding under the cursor, and with the picture."""
        if finding_id:
            self._deciding.select(finding_id)
        menu = QMenu(self._window)
        finding = self._deciding.finding()
        if finding is not None and finding_id:
            for name in ("accept", "reject"):
                menu.addAction(self._action(name))
            if finding.status is not Status.ADDED:
                self._fill_reasons(menu.addMenu("Reject because"))
            menu.addAction(self._action("doubt"))
            self._fill_categories(menu.addMenu("Category"), finding.category)
            for name in ("note", "history"):
                menu.addAction(self._action(name))
            menu.addSeparator()
        if self._action("erase").isEnabled():
            menu.addAction(self._action("erase"))
            menu.addSeparator()
        for name in ("box", "length", "angle", "auto", "invert", "fit"):
            menu.addAction(self._action(name))
        menu.exec(point)
        menu.deleteLater()

    def _fill_reasons(self, menu: QMenu) -> None:
        for number, reason in enumerate(Reason, 1):
            action = menu.addAction(f"&{number}  {reason.value}")
            action.triggered.connect(
                lambda _checked=False, reason=reason: self._guarded(
                    lambda: self._deciding.reject(reason)
                )
            )

    def _fill_categories(self, menu: QMenu, current: str) -> None:
        for name in self._deciding.categories():
            action = menu.addAction(name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(name == current)
            action.triggered.connect(
                lambda _checked=False, name=name: self._guarded(
                    lambda: self._deciding.change_category(name)
                )
            )
        menu.addSeparator()
        other = menu.addAction("Other…")
        other.triggered.connect(lambda: self._guarded(lambda: self._other_category(current)))

    def _other_category(self, current: str) -> None:
        name = dialogs.ask_category(self._window, current)
        if name is not None:
            self._deciding.change_category(name)
