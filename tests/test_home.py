"""Where the program keeps its things."""

from __future__ import annotations

import tomllib
from pathlib import Path

import platformdirs
import pytest

from viewer import version
from viewer.errors import InputError
from viewer.home import Home, bundled_models, bundled_resources

ROOT = Path(__file__).parent.parent


def test_the_option_wins_over_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_HOME", str(tmp_path / "variable"))
    assert Home.resolve(tmp_path / "option").path == tmp_path / "option"
    assert (tmp_path / "option").is_dir()
    assert not (tmp_path / "variable").exists()


def test_the_variable_wins_over_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_HOME", str(tmp_path / "deep" / "variable"))
    assert Home.resolve(None).path == tmp_path / "deep" / "variable"
    assert (tmp_path / "deep" / "variable").is_dir()


@pytest.mark.parametrize("empty", [True, False])
def test_else_the_system_says_where(
    empty: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name, **_: str(tmp_path / name))
    if empty:
        monkeypatch.setenv("LIGHTBOX_HOME", "")
    else:
        monkeypatch.delenv("LIGHTBOX_HOME", raising=False)
    assert Home.resolve(None).path == tmp_path / "Lightbox"


def test_everything_lies_inside(tmp_path: Path) -> None:
    home = Home.resolve(tmp_path)
    places = home.database, home.settings, home.logs, home.models
    assert all(place.is_relative_to(tmp_path) for place in places)
    assert len(set(places)) == 4


def test_a_relative_home_does_not_move_with_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Home.resolve(Path("mine")).path == tmp_path / "mine"


def test_a_home_that_cannot_be_created_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be created: .*\.$"):
        Home.resolve(tmp_path / "file" / "home")
    with pytest.raises(InputError, match="cannot be created"):
        Home.resolve(tmp_path / "file")


def test_what_ships_is_found_from_source_and_in_the_built_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bundled_models() == ROOT / "models"
    assert bundled_resources() == ROOT / "resources"
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path), raising=False)
    assert bundled_models() == tmp_path / "models"
    assert bundled_resources() == tmp_path / "resources"


def test_models_that_ship_come_before_those_made_here(tmp_path: Path) -> None:
    home = Home.resolve(tmp_path)
    assert home.model_folders == (bundled_models(), home.models)


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == version.VERSION
