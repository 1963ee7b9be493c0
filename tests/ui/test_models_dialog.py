"""The dialog of the models: what is listed, chosen, taken in and removed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from detector.importing.description import Description, Inspection
from detector.types import ImageFinding, ModelCard
from tests.ui.window_fixtures import CARD
from viewer.dicom.model import ImageKey
from viewer.errors import InputError
from viewer.home import Home
from viewer.review.finding import Run
from viewer.review.thresholds import Thresholds
from viewer.settings import Settings
from viewer.ui import dialogs, model_choice, model_dialogs, wording
from viewer.ui.analysis import AnalysisState, Model, Outcome
from viewer.ui.jobs import Jobs
from viewer.ui.model_choice import ModelChoice
from viewer.ui.model_dialogs import DescriptionDialog, ModelsDialog


def install(models: Path, name: str) -> ModelCard:
    """A model as the window sees it: a card."""
    (models / name).mkdir(parents=True)
    card = replace(CARD, name=name)
    (models / name / "card.json").write_text(json.dumps(asdict(card)))
    return card


class Room:
    """The dialog over a real home, with what the child process would answer."""

    def __init__(self, home: Home, jobs: Jobs, qtbot: QtBot) -> None:
        self.home = home
        self.settings = Settings.load(home.settings)
        self.thresholds: list[Thresholds] = []
        self.categories: list[tuple[str, ...]] = []
        self.analysis: Any = SimpleNamespace(model=None, use=self._use)
        self.said: list[Description] = []
        self.parent = parent = QWidget()
        qtbot.addWidget(parent)
        self.choice = ModelChoice(
            jobs,
            home,
            self.settings,
            inspect=lambda file, said: Inspection(
                replace(said, name=file.stem), ("categories",), 2
            ),
            add=self._add,
            reading=SimpleNamespace(set_thresholds=self.thresholds.append),  # type: ignore[arg-type]
            deciding=SimpleNamespace(set_known_categories=self.categories.append),  # type: ignore[arg-type]
            analysis=self.analysis,
            parent=parent,
        )
        self.choice.follow_settings()
        self.dialog = ModelsDialog(parent, self.choice, "")
        self.dialog.show()

    def _use(self, model: Model | None) -> None:
        self.analysis.model = model

    def _add(self, file: Path, models: Path, said: Description) -> ModelCard:
        if said.categories != ("a", "b"):
            raise InputError("The ONNX model answers for 2 categories.")
        self.said.append(said)
        return install(models, said.name)

    def rows(self) -> list[tuple[str, str]]:
        """Star and name of each row."""
        table = self.dialog.table
        return [
            (table.item(row, 0).text(), table.item(row, 1).text())
            for row in range(table.rowCount())
        ]


@pytest.fixture
def room(tmp_path: Path, qtbot: QtBot) -> Iterator[Room]:
    home = Home(tmp_path / "home")
    install(home.models, "mine")
    jobs = Jobs()
    jobs.add_slot(model_choice.SLOT)
    yield Room(home, jobs, qtbot)
    jobs.close()


def test_another_model_is_used_at_once_and_kept(room: Room) -> None:
    assert room.rows() == [("★", "chest-xray"), ("", "mine")]
    room.dialog.table.selectRow(1)
    room.dialog.use_button.click()
    assert room.rows() == [("", "chest-xray"), ("★", "mine")]
    assert not room.dialog.use_button.isEnabled()
    assert room.analysis.model.folder == room.home.models / "mine"
    assert (room.thresholds[-1], room.categories[-1]) == (Thresholds(0.5), ("opacity", "nodule"))
    assert Settings.load(room.home.settings).text("model") == "mine"


def test_removing_asks_first_and_what_ships_stays(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(reply: bool) -> Callable[[QWidget, str], bool]:
        return lambda _parent, name: asked.append(name) is None and reply

    monkeypatch.setattr(dialogs, "confirm_removal", answer(False))
    room.dialog.table.selectRow(1)
    room.dialog.remove_button.click()
    assert (asked, len(room.rows())) == (["mine"], 2)
    monkeypatch.setattr(dialogs, "confirm_removal", answer(True))
    room.dialog.remove_button.click()
    assert room.rows() == [("★", "chest-xray")]
    assert not (room.home.models / "mine").exists()
    room.dialog.table.selectRow(0)
    room.dialog.remove_button.click()
    assert "ships with Lightbox and cannot be removed" in room.dialog.words.text()
    assert asked == ["mine", "mine"]


def test_a_file_is_described_and_added(
    room: Room, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    typed = "a"

    def fill(dialog: DescriptionDialog) -> int:
        assert "it has 2" in dialog.categories.placeholderText()
        assert not dialog.add_button.isEnabled()
        dialog.categories.setText(typed)
        assert dialog.add_button.isEnabled()
        return int(QDialog.DialogCode.Accepted)

    monkeypatch.setattr(dialogs, "choose_model", lambda *_: Path("/brought/yolo.onnx"))
    monkeypatch.setattr(model_dialogs.DescriptionDialog, "exec", fill)
    room.dialog.add_button.click()
    qtbot.waitUntil(lambda: "answers for 2 categories" in room.dialog.words.text())
    assert len(room.rows()) == 2
    typed = "a, b"
    room.dialog.add_button.click()
    qtbot.waitUntil(lambda: "yolo was added" in room.dialog.words.text())
    assert ("", "yolo") in room.rows()
    assert room.dialog.selected() == "yolo"
    assert room.said[0].categories == ("a", "b")


def test_the_settings_offer_the_models_that_are_there(room: Room, qtbot: QtBot) -> None:
    room.settings.change(model="gone")
    dialog = dialogs.SettingsDialog(room.dialog, room.settings, ["chest-xray", "mine"])
    assert dialog.values()["model"] == "gone"
    assert [words for _, words in dialogs._model_choices(["a"], "gone")] == [
        "the first one (a)",
        "a",
        "gone (not there)",
    ]


# --- what the window says ------------------------------------------------------------------------


def test_image_findings_are_said_of_the_whole_image_the_likeliest_first() -> None:
    found = (ImageFinding("Pleural_Thickening", 0.124), ImageFinding("Edema", 0.62))
    run = Run(
        "r", ImageKey("1", 1, "0" * 64), "chest-xray", "2", "w", "cpu", 0.01, datetime.now(UTC),
        precision="int8", image_findings=found,
    )  # fmt: skip
    state = AnalysisState(Outcome.ANALYSED, run=run)
    words = wording.image_findings_words(state).replace("\N{NO-BREAK SPACE}", " ")
    assert words == "On the whole image: edema 62 %, pleural thickening 12 %"
    assert wording.ran_by(state, None) == "chest-xray 2 on CPU, int8"
    assert not wording.image_findings_words(AnalysisState(Outcome.NOT_ANALYSED))


def test_of_many_image_findings_three_are_said_and_all_are_in_the_tip() -> None:
    found = tuple(ImageFinding(f"C{n}", n / 10) for n in range(1, 6))
    run = Run(
        "r", ImageKey("1", 1, "0" * 64), "chest-xray", "2", "w", "cpu", 0.01, datetime.now(UTC),
        image_findings=found,
    )  # fmt: skip
    state = AnalysisState(Outcome.ANALYSED, run=run, seconds=0.04)
    words = wording.image_findings_words(state).replace("\N{NO-BREAK SPACE}", " ")
    assert words == "On the whole image: c5 50 %, c4 40 %, c3 30 % and 2 less likely"
    assert wording.image_findings_tip(state).count("\n") == 4
    assert wording.ran_by(state, None) == "chest-xray 2 on CPU · under 0.1 s"
