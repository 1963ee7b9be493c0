"""Colours and type of the whole window: a dark reading room with one accent.

The colours of the marks come from the palette of Okabe and Ito, which readers with the common
forms of colour blindness tell apart; each status has its own line and glyph as well.
"""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

SURROUND = QColor("#000000")  # around the picture: black, so that the eye adapts to the picture
WINDOW = QColor("#16181b")
PANEL = QColor("#1c1f23")
FIELD = QColor("#101214")
RAISED = QColor("#262a2f")
BORDER = QColor("#32373d")
TEXT = QColor("#d9dce0")
MUTED = QColor("#9aa1a9")  # secondary text: 6.5:1 on WINDOW
DISABLED = QColor("#646b73")
ACCENT = QColor("#56b4e9")
ON_ACCENT = QColor("#0b1013")
WARNING = QColor("#f0a733")
ERROR = QColor("#ff8a70")

PICTURE_TEXT = QColor("#e4e7ea")
HALO = QColor(0, 0, 0, 215)  # under text on the picture: readable on white, too
LINE_HALO = QColor(0, 0, 0, 165)

MARK_OPEN = QColor("#f5b02e")
MARK_ACCEPTED = QColor("#3ecf9d")
MARK_CORRECTED = QColor("#3ecf9d")
MARK_REJECTED = QColor("#a7adb4")
MARK_ADDED = QColor("#56b4e9")
MEASUREMENT = QColor("#f0e442")  # the palette's yellow: lines, where marks are boxes with a tag
READERS = (  # boxes of several readers on one picture, told apart by their letters as well
    QColor("#f5b02e"),
    QColor("#56b4e9"),
    QColor("#e08fc0"),
    QColor("#f0e442"),
)
PROPOSAL = QColor("#c9ced4")
OVERLAY = QColor("#d8f05a")  # DICOM overlay planes: no colour of a mark

MIN_TEXT_PIXELS = 12
TEXT_PIXELS = 13

_STYLE = """
QWidget {{ font-size: {text}px; }}
QToolTip {{ color: {TEXT}; background: {RAISED}; border: 1px solid {BORDER}; padding: 4px 6px; }}
QMainWindow::separator {{ background: {BORDER}; width: 1px; height: 1px; }}
QMenuBar, QStatusBar, QToolBar {{ background: {WINDOW}; border: none; }}
QToolBar {{ padding: 3px 6px; spacing: 2px; border-bottom: 1px solid {BORDER}; }}
QToolBar::separator {{ background: {BORDER}; width: 1px; margin: 5px 6px; }}
QStatusBar {{ border-top: 1px solid {BORDER}; color: {MUTED}; }}
QStatusBar::item {{ border: none; }}
QDockWidget {{ color: {MUTED}; }}
QDockWidget::title {{ background: {WINDOW}; padding: 6px 8px; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 4px;
    padding: 4px 8px; }}
QToolButton:hover {{ background: {RAISED}; }}
QToolButton:checked {{ background: {RAISED}; border-color: {ACCENT}; }}
QToolButton:focus {{ border-color: {ACCENT}; }}
QToolButton:disabled {{ color: {DISABLED}; }}
QPushButton {{ background: {RAISED}; border: 1px solid {BORDER}; border-radius: 4px;
    padding: 5px 12px; }}
QPushButton:hover {{ border-color: {MUTED}; }}
QPushButton:pressed {{ background: {FIELD}; }}
QPushButton:focus {{ border-color: {ACCENT}; }}
QPushButton:default {{ background: {ACCENT}; color: {ON_ACCENT}; border-color: {ACCENT}; }}
QPushButton:disabled {{ color: {DISABLED}; background: {PANEL}; border-color: {BORDER}; }}
QLineEdit, QPlainTextEdit {{ background: {FIELD};
    border: 1px solid {BORDER}; border-radius: 4px; padding: 4px 6px;
    selection-background-color: {ACCENT}; selection-color: {ON_ACCENT}; }}
QLineEdit:focus, QPlainTextEdit:focus {{ border-color: {ACCENT}; }}
QComboBox {{ background: {FIELD}; border: 1px solid {BORDER}; border-radius: 4px;
    padding: 4px 6px; }}
QComboBox:focus {{ border-color: {ACCENT}; }}
QCheckBox::indicator:unchecked {{ width: 13px; height: 13px; border: 1px solid {MUTED};
    border-radius: 3px; background: {FIELD}; }}
QTreeView, QListView, QTableView {{ background: {PANEL}; border: none; outline: none;
    alternate-background-color: {PANEL}; }}
QTreeView::item, QListView::item, QTableView::item {{ padding: 4px; }}
QTreeView::item:hover, QListView::item:hover {{ background: {RAISED}; }}
QTreeView::item:selected, QListView::item:selected, QTableView::item:selected {{
    background: #24404f; color: {TEXT}; }}
QHeaderView::section {{ background: {WINDOW}; color: {MUTED}; border: none;
    border-bottom: 1px solid {BORDER}; padding: 5px 6px; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QMenu {{ background: {PANEL}; border: 1px solid {BORDER}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 3px; }}
QMenu::item:selected {{ background: #24404f; }}
QMenu::item:disabled {{ color: {DISABLED}; }}
QMenu::separator {{ height: 1px; background: {BORDER}; margin: 4px 8px; }}
QProgressBar {{ background: {FIELD}; border: 1px solid {BORDER}; border-radius: 3px;
    text-align: center; min-height: 14px; }}
QProgressBar::chunk {{ background: {ACCENT}; border-radius: 2px; }}
QSlider::groove:horizontal {{ background: {BORDER}; height: 4px; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {ACCENT}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {TEXT}; width: 14px; height: 14px; margin: -5px 0;
    border-radius: 7px; }}
QSlider::handle:horizontal:focus {{ background: {ACCENT}; }}
QSlider::handle:horizontal:disabled {{ background: {DISABLED}; }}
QScrollBar:vertical {{ background: transparent; width: 10px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; }}
QScrollBar::handle {{ background: {BORDER}; border-radius: 4px; min-height: 28px;
    min-width: 28px; margin: 1px; }}
QScrollBar::handle:hover {{ background: {DISABLED}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def apply(app: QApplication) -> None:
    """Give ``app`` the reading-room palette, style sheet and type size."""
    app.setStyle("Fusion")
    app.setPalette(_palette())
    app.setFont(_sized(app.font(), TEXT_PIXELS))
    names = {
        name: colour.name() for name, colour in globals().items() if isinstance(colour, QColor)
    }
    app.setStyleSheet(_STYLE.format(text=TEXT_PIXELS, **names))


def picture_font(base: QFont) -> QFont:
    """The font for text on the picture: the window's family at a fixed, readable size."""
    font = _sized(base, TEXT_PIXELS)
    font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    return font


def tag_font(base: QFont) -> QFont:
    """The font for the tag of a mark: small, never below the legible minimum."""
    font = _sized(base, MIN_TEXT_PIXELS)
    font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    return font


def _sized(base: QFont, pixels: int) -> QFont:
    font = QFont(base)
    font.setPixelSize(pixels)
    return font


def _palette() -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for key, colour in (
        (role.Window, WINDOW),
        (role.WindowText, TEXT),
        (role.Base, FIELD),
        (role.AlternateBase, PANEL),
        (role.Text, TEXT),
        (role.PlaceholderText, MUTED),
        (role.Button, RAISED),
        (role.ButtonText, TEXT),
        (role.BrightText, ERROR),
        (role.ToolTipBase, RAISED),
        (role.ToolTipText, TEXT),
        (role.Highlight, ACCENT),
        (role.HighlightedText, ON_ACCENT),
        (role.Link, ACCENT),
        (role.LinkVisited, ACCENT),
        (role.Accent, ACCENT),
    ):
        palette.setColor(key, colour)
    for key in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, key, DISABLED)
    return palette
