"""The walls of the house: import contracts, and the rules that the linter cannot name.

Each contract is also broken once on purpose in a copy of the code: a contract that nobody has seen
fail is decoration.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]

# One offending line for each contract: the module that gets it, and the line.
OFFENCES = {
    "detector-alone": ("detector/preprocess.py", "import viewer.errors"),
    "dicom-alone": ("viewer/dicom/pixels.py", "import viewer.engine.messages"),
    "review-alone": ("viewer/review/session.py", "import PySide6.QtCore"),
    "exchange-below-ui": ("viewer/exchange/coco.py", "import viewer.engine.host"),
    "engine-below-ui": ("viewer/engine/client.py", "import viewer.review.store"),
    "decode-without-torch": (
        "viewer/engine/decode_worker.py",
        "import detector.inference.predictor",
    ),
    "model-without-dicom": ("viewer/engine/model_worker.py", "import viewer.dicom.pixels"),
    "torch-in-detector": ("viewer/review/fold.py", "import torch"),
    "ui-without-bytes": ("viewer/ui/viewport.py", "import pydicom"),
    "qt-in-ui": ("viewer/home.py", "import PySide6.QtCore"),
}


def lint_imports(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    chosen = [part for name in contracts for part in ("--contract", name)]
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command",
    ]
    command[-1] += "; sys.path.insert(0, '.'); lint_imports_command()"
    return subprocess.run(
        [*command, "--no-cache", "--config", str(ROOT / "pyproject.toml"), *chosen],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_contract_is_kept() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_has_its_offence() -> None:
    assert {contract["id"] for contract in CONTRACTS} == set(OFFENCES)


@pytest.mark.parametrize("contract", sorted(OFFENCES))
def test_each_contract_fails_when_broken(contract: str, tmp_path: Path) -> None:
    for package in ("viewer", "detector"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    module, line = OFFENCES[contract]
    broken = tmp_path / module
    source = broken.read_text(encoding="utf-8")
    broken.write_text(source + f"\n{line}\n", encoding="utf-8")
    result = lint_imports(tmp_path, contract)
    assert result.returncode == 1, result.stdout + result.stderr
    name = next(entry["name"] for entry in CONTRACTS if entry["id"] == contract)
    assert f"{name} BROKEN" in " ".join(result.stdout.split())


# --- what the linter cannot name -----------------------------------------------------------------


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in ("viewer", "detector", "resources"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def names_used(tree: ast.Module) -> set[str]:
    """Every dotted module imported, every imported name, and every attribute's last part."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {alias.name for alias in node.names} | {str(node.module)}
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
    return names


def offenders(words: set[str], allowed: tuple[str, ...], within: str = "") -> list[str]:
    return [
        f"{name}: {sorted(words & names_used(tree))}"
        for name, tree in modules()
        if name.startswith(within) and not name.startswith(allowed) and words & names_used(tree)
    ]


def test_widgets_only_in_ui() -> None:
    assert not offenders({"PySide6.QtWidgets", "QtWidgets"}, ("viewer/ui/", "viewer/app.py"))


def test_threads_only_in_jobs() -> None:
    """The engine may watch its child processes; in the window only ui/jobs.py owns threads."""
    words = {
        "Thread",
        "QThread",
        "QThreadPool",
        "QRunnable",
        "ThreadPoolExecutor",
        "start_new_thread",
    }
    assert not offenders(words, ("viewer/ui/jobs.py", "viewer/engine/"), within="viewer/")


def test_message_boxes_only_in_the_main_window() -> None:
    assert not offenders({"QMessageBox"}, ("viewer/ui/main_window.py", "viewer/ui/dialogs.py"))


def test_no_module_named_for_nothing() -> None:
    banned = {"utils", "util", "helpers", "helper", "manager", "controller", "misc", "common"}
    assert not [name for name, _ in modules() if Path(name).stem in banned]


def test_no_star_or_relative_imports() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.level or any(alias.name == "*" for alias in node.names))
    ]
    assert not found


def test_the_window_process_never_loads_torch() -> None:
    """Import all that the window imports, as it is started, and look at what came along."""
    code = "import viewer.app, sys; sys.exit('torch' in sys.modules or 'pydicom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_subcommands_never_load_qt() -> None:
    code = "import viewer.cli, sys; sys.exit(any(m.startswith('PySide6') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
