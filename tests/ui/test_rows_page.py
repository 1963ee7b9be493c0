"""What a newer run says otherwise, and the consensus of two readers: pages walked by keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from detector.types import Box
from tests.ui.window_fixtures import Desk, radiograph
from viewer.review.finding import Finding, Status
from viewer.review.store import Store
from viewer.ui.mark_painting import tag_text
from viewer.ui.rows_page import RowsPage

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier

FIRST_RUN = [
    (Box(20, 20, 60, 60), 0.9, "opacity"),
    (Box(100, 30, 150, 90), 0.6, "opacity"),
    (Box(30, 100, 60, 130), 0.7, "nodule"),
]
SECOND_RUN = [
    (Box(26, 20, 66, 60), 0.8, "opacity"),  # moved
    (Box(100, 30, 150, 90), 0.61, "opacity"),  # the same
    (Box(150, 100, 190, 140), 0.75, "opacity"),  # new; the nodule is gone
]


def page_of(desk: Desk) -> RowsPage:
    page = desk.window.rows_place.page
    assert page is not None
    return page


def lines(desk: Desk) -> list[str]:
    model = page_of(desk).model
    return [str(model.data(model.index(row))) for row in range(model.rowCount())]


def chosen(desk: Desk) -> int:
    return page_of(desk).list.currentIndex().row()


def press(desk: Desk, key: Qt.Key | str, modifier: Qt.KeyboardModifier | None = None) -> None:
    desk.key(key, modifier or Qt.KeyboardModifier.NoModifier, page_of(desk).viewport)


def tags(desk: Desk) -> dict[str, Box]:
    return {tag_text(mark): mark.box for mark in page_of(desk).viewport._marks}


class TestDifference:
    @pytest.fixture
    def compared(self, desk: Desk, tmp_path: Path) -> Desk:
        """A study that was analysed, decided on, and analysed again."""
        desk.puppet.answers[100] = FIRST_RUN
        desk.open(radiograph(tmp_path / "chest.dcm", first=100))
        desk.wait_analysed()
        assert not desk.window.actions_table["differences"].isEnabled()
        desk.key(Qt.Key.Key_N)
        desk.key(Qt.Key.Key_X)  # the best one is rejected
        desk.puppet.answers[100] = SECOND_RUN
        desk.key(Qt.Key.Key_F5)
        desk.until(lambda: len(desk.puppet.calls) == 2)
        desk.until(desk.window.actions_table["differences"].isEnabled)
        desk.key("D", SHIFT)
        desk.until(lambda: desk.window.rows_place.key is not None)
        return desk

    def test_new_gone_and_moved_with_what_was_decided(self, compared: Desk) -> None:
        assert lines(compared) == [
            "opacity, 0.75, new · to decide",
            "nodule, 0.70, gone · never decided",
            "opacity, 0.90 → 0.80, moved, overlap 0.74 · rejected, carried over",
            "opacity, 0.60 → 0.61, the same · to decide",
        ]
        assert "1 new, 1 gone, 1 moved" in page_of(compared).head.text()
        assert "at least 0.5" in page_of(compared).note.text()

    def test_a_row_brings_both_its_boxes(self, compared: Desk) -> None:
        assert tags(compared) == {"now opacity 0.75": SECOND_RUN[2][0]}
        press(compared, Qt.Key.Key_N)
        press(compared, Qt.Key.Key_Down)
        assert tags(compared) == {
            "before opacity 0.90": FIRST_RUN[0][0],
            "now opacity 0.80": SECOND_RUN[0][0],
        }
        dashed = {mark.look.owner: mark.look.dashed for mark in page_of(compared).viewport._marks
                  if mark.look}  # fmt: skip
        assert dashed == {"before": True, "now": False}
        rect = page_of(compared).list.visualRect(page_of(compared).model.index(1))
        QTest.mouseClick(
            page_of(compared).list.viewport(), Qt.MouseButton.LeftButton, pos=rect.center()
        )
        assert tags(compared) == {"before nodule 0.70": FIRST_RUN[2][0]}

    def test_enter_goes_where_it_is_decided(self, compared: Desk) -> None:
        press(compared, Qt.Key.Key_Return)
        window = compared.window
        assert window.rows_place.page is None
        assert window.centre.currentWidget() is window.grid
        finding = window.deciding.finding()
        assert finding is not None
        assert finding.box == SECOND_RUN[2][0]
        compared.key(Qt.Key.Key_Return)
        assert compared.verbs() == ["reject", "accept"]

    def test_no_key_decides_on_the_page_and_escape_leaves_it(self, compared: Desk) -> None:
        assert compared.window.findings_dock.isHidden()
        for key, modifier in (
            (Qt.Key.Key_X, None),
            (Qt.Key.Key_Z, CONTROL),
            (Qt.Key.Key_Return, CONTROL),
        ):
            press(compared, key, modifier)
        assert compared.verbs() == ["reject"]
        press(compared, Qt.Key.Key_Escape)
        assert compared.window.rows_place.page is None
        assert compared.window.findings_dock.isVisible()
        compared.key(Qt.Key.Key_Z, CONTROL)
        assert compared.verbs() == ["reject", "undo"]

    def test_the_earlier_run_is_chosen(self, compared: Desk) -> None:
        runs = compared.window.differing.runs
        assert [runs.itemText(place) for place in range(runs.count())] == [
            "Beside the run before",
            "Beside chest-xray 1.0.0",
        ]
        press(compared, Qt.Key.Key_R)
        assert runs.currentIndex() == 1
        assert len(lines(compared)) == 4


HERE, SHIFTED = Box(20, 20, 60, 60), Box(22, 20, 62, 60)
FAR, LOW, LOWER = Box(120, 30, 170, 90), Box(30, 100, 70, 140), Box(30, 110, 70, 150)
KINDS = ["nodule / opacity: category differs", "opacity: only B", "opacity: box differs"]


class TestAdjudication:
    @pytest.fixture
    def adjudicated(self, make_desk: Callable[..., Desk], tmp_path: Path) -> Desk:
        """The page over a study that two readers have signed, each alone."""
        desk = make_desk(None, reader_name="Dr Alpha")
        desk.open(radiograph(tmp_path / "chest.dcm", first=100))
        window = desk.window
        readers = {
            "Dr Alpha": [(HERE, "opacity"), (LOW, "opacity"), (Box(150, 110, 190, 150), "nodule")],
            "Dr Beta": [
                (SHIFTED, "opacity"),
                (LOWER, "opacity"),
                (FAR, "opacity"),
                (Box(150, 110, 190, 150), "opacity"),
            ],
        }
        for name, boxes in readers.items():
            window.reading.set_reader(name)
            for box, category in boxes:
                window.deciding.new_category = category
                window.deciding.add(box)
            desk.key(Qt.Key.Key_Return, CONTROL)
            assert desk.verbs()[-1] == "sign"
        window.reading.set_reader("Prof Gamma")
        desk.until(window.actions_table["adjudicate"].isEnabled)
        desk.key("A", SHIFT)
        desk.until(lambda: window.rows_place.key is not None)
        return desk

    def consensus(self, desk: Desk) -> list[Finding]:
        log = desk.window.adjudicating.log
        assert log is not None
        return [each.finding for each in log.resolutions() if each.finding is not None]

    def test_one_reader_is_not_enough(self, make_desk: Callable[..., Desk], tmp_path: Path) -> None:
        desk = make_desk(None)
        desk.open(radiograph(tmp_path / "chest.dcm", first=100))
        desk.key(Qt.Key.Key_Return, CONTROL)
        assert not desk.window.actions_table["adjudicate"].isEnabled()
        desk.key("A", SHIFT)
        assert desk.window.rows_place.page is None

    def test_what_stands_on_the_page(self, adjudicated: Desk) -> None:
        assert lines(adjudicated) == [
            *(f"{kind}, to resolve" for kind in KINDS),
            "opacity: agreed, to resolve",
        ]
        head = page_of(adjudicated).head.text()
        for words in (
            "A Dr Alpha",
            "B Dr Beta",
            "0 of 4 rows resolved",
            "AI marks hidden",
            "both 3, only A 0, only B 1",
            "of images undefined",
        ):
            assert words in head
        assert page_of(adjudicated).warning.isHidden()
        found = {mark.look.owner: mark.look.colour for mark in page_of(adjudicated).viewport._marks
                 if mark.look}  # fmt: skip
        assert len(set(found.values())) == len(found) == 2

    def test_all_by_keys_and_signed(self, adjudicated: Desk) -> None:
        desk = adjudicated
        press(desk, Qt.Key.Key_A)
        assert lines(desk)[3] == "opacity: agreed, ✓ opacity, own box or category"
        assert chosen(desk) == 0
        press(desk, "2")  # as B has it, and on to the next
        assert chosen(desk) == 1
        press(desk, Qt.Key.Key_Return, CONTROL)
        assert "2 rows are not resolved yet" in desk.window.notice.text.text()
        press(desk, Qt.Key.Key_X)
        press(desk, "1")
        statuses = [finding.status for finding in self.consensus(desk)]
        assert statuses == [Status.ADDED, Status.REJECTED, Status.ADDED, Status.CORRECTED]
        assert lines(desk)[:3] == [
            f"{KINDS[0]}, ✓ as B's",
            f"{KINDS[1]}, nothing there",
            f"{KINDS[2]}, ✓ as A's",
        ]
        press(desk, Qt.Key.Key_Return, CONTROL)
        events = [event for event in desk.events() if event["role"] == "adjudicator"]
        assert [event["verb"] for event in events] == [
            "accept", "accept", "reject", "accept", "sign",
        ]  # fmt: skip
        assert {event["reader"] for event in events} == {"Prof Gamma"}
        assert not any(event["ai_visible"] for event in events)
        assert "Signed by Prof Gamma" in page_of(desk).head.text()

    def test_undo_is_of_the_consensus_and_never_of_the_readers(self, adjudicated: Desk) -> None:
        desk = adjudicated
        read = len(desk.verbs())
        press(desk, "2")
        press(desk, Qt.Key.Key_Z, CONTROL)
        assert self.consensus(desk) == []
        press(desk, Qt.Key.Key_Z, CONTROL)
        press(desk, Qt.Key.Key_Z, CONTROL | SHIFT)
        assert len(self.consensus(desk)) == 1
        assert desk.verbs()[read:] == ["accept", "undo", "redo"]

    def test_a_reader_who_marked_nothing_there_is_said(self, adjudicated: Desk) -> None:
        press(adjudicated, Qt.Key.Key_N)
        press(adjudicated, "1")
        assert "Dr Alpha has marked nothing here" in adjudicated.window.notice.text.text()
        assert self.consensus(adjudicated) == []

    def test_an_own_box_for_a_row_and_one_that_nobody_has(self, adjudicated: Desk) -> None:
        desk = adjudicated
        press(desk, Qt.Key.Key_N)
        press(desk, Qt.Key.Key_N)  # the boxes differ
        press(desk, Qt.Key.Key_B)
        desk.drag((28, 104), (72, 148))
        (drawn,) = self.consensus(desk)
        assert (drawn.status, drawn.category) == (Status.CORRECTED, "opacity")
        assert drawn.box.y_min == pytest.approx(104, abs=1.5)
        assert [source.reader for source in drawn.sources] == ["Dr Alpha", "Dr Beta"]
        desk.drag((72, 148), (80, 152))  # the handle at the lower right corner
        assert self.consensus(desk)[0].box.x_max == pytest.approx(80, abs=1.5)
        desk.click(190, 10)  # beside everything: nothing is chosen
        press(desk, Qt.Key.Key_B)
        desk.drag((5, 5), (18, 18))
        added = self.consensus(desk)[-1]
        assert (added.status, added.sources) == (Status.ADDED, ())
        assert lines(desk)[-1].endswith("added by the adjudicator")
        press(desk, Qt.Key.Key_X)
        assert added not in self.consensus(desk)

    def test_the_category_is_changed_in_a_menu(self, adjudicated: Desk) -> None:
        press(adjudicated, Qt.Key.Key_E)
        assert "Take a reader's finding first" in adjudicated.window.notice.text.text()
        press(adjudicated, "1")
        press(adjudicated, Qt.Key.Key_N, SHIFT)
        shown: list[str] = []

        def choose() -> None:
            menu = QApplication.activePopupWidget()
            assert isinstance(menu, QMenu)
            shown.extend(action.text() for action in menu.actions())
            menu.setActiveAction(menu.actions()[shown.index("opacity")])
            QTest.keyClick(menu, Qt.Key.Key_Return)

        QTimer.singleShot(100, choose)
        press(adjudicated, Qt.Key.Key_E)
        assert shown[:2] == ["nodule", "opacity"]
        (made,) = self.consensus(adjudicated)
        assert (made.category, made.status) == ("opacity", Status.CORRECTED)

    def test_a_click_on_a_box_chooses_its_row(self, adjudicated: Desk) -> None:
        adjudicated.click(145, 40)
        assert chosen(adjudicated) == 1

    def test_an_adjudicator_who_has_read_is_told_so(self, adjudicated: Desk) -> None:
        press(adjudicated, Qt.Key.Key_Escape)
        adjudicated.window.reading.set_reader("Dr Beta")
        adjudicated.key("A", SHIFT)
        warning = page_of(adjudicated).warning
        assert warning.isVisible()
        assert "You, Dr Beta, are one of the readers" in warning.text()
        press(adjudicated, "1")  # which is not forbidden
        adjudicated.until(lambda: adjudicated.window.rows_place.key is not None)
        press(adjudicated, "1")
        assert self.consensus(adjudicated)

    def test_the_store_has_it_for_the_next_sitting(self, adjudicated: Desk) -> None:
        press(adjudicated, "1")
        study = adjudicated.window.reading.position
        assert study is not None
        press(adjudicated, Qt.Key.Key_Escape)
        adjudicated.key("A", SHIFT)
        assert lines(adjudicated)[0] == f"{KINDS[0]}, ✓ as A's"
        with Store.open(adjudicated.home.database) as store:
            events = store.load(study.study.header.uid).events
        assert [event.role.value for event in events].count("adjudicator") == 1


def test_the_detectors_marks_are_hidden_from_an_adjudicator_until_asked_for(
    desk: Desk, tmp_path: Path
) -> None:
    desk.puppet.answers[100] = FIRST_RUN
    desk.open(radiograph(tmp_path / "chest.dcm", first=100))
    desk.wait_analysed()
    window = desk.window
    for name in ("Dr A", "Dr B"):
        window.reading.set_reader(name)
        session = window.reading.session
        assert session is not None
        window.reading.sessions.keep_all()
        session.sign()
    desk.until(window.actions_table["adjudicate"].isEnabled)
    desk.key("A", SHIFT)
    desk.until(lambda: window.rows_place.key is not None)
    assert tags(desk) == {}
    assert window.status.machine.isHidden()
    press(desk, Qt.Key.Key_G)
    assert set(tags(desk)) == {"AI opacity 0.90", "AI opacity 0.60", "AI nodule 0.70"}
    press(desk, Qt.Key.Key_Return, CONTROL)
    (signed,) = [event for event in desk.events() if event["role"] == "adjudicator"]
    assert (signed["verb"], bool(signed["ai_visible"])) == ("sign", True)
    press(desk, Qt.Key.Key_Escape)
    assert window.status.machine.isVisible()
