"""The window's tests run without a screen, and a warning of Qt fails them."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from tests.ui.window_fixtures import desk, make_desk, workers

__all__ = ["desk", "make_desk", "workers"]  # fixtures of a whole window

_HARMLESS = ("This plugin does not support ",)  # the offscreen platform's own


@pytest.fixture(autouse=True)
def no_qt_warnings() -> Iterator[None]:
    """Fail a test during which Qt warned."""
    warned: list[str] = []

    def note(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
        loud = kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg)
        if loud and not message.startswith(_HARMLESS):
            warned.append(message)

    before = qInstallMessageHandler(note)
    yield
    qInstallMessageHandler(before)
    assert not warned, f"Qt warned: {warned}"
