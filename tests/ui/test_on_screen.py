"""What the screen shows is what ``render`` writes: the real window on a virtual screen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.dicom_factory import make_dicom

ROOT = Path(__file__).parent.parent.parent
_CORNERS = (90, 300)  # pixels, down and across, that the corner text may cover


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A virtual screen of its own."""
    xvfb = shutil.which("Xvfb")
    if xvfb is None:
        pytest.skip("no virtual screen: Xvfb is not installed")
    read, write = os.pipe()
    command = [xvfb, "-displayfd", str(write), "-screen", "0", "1500x950x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait()


def assert_screen_equals_render(file: Path, display: str, folder: Path) -> None:
    environment = os.environ | {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display}
    shot, rendered = folder / "shot.png", folder / "rendered.png"
    probe = [sys.executable, "-m", "tests.ui.screen_probe", file, shot, folder / "home"]
    answer = subprocess.run(
        probe, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    place = json.loads(answer.stdout.splitlines()[-1])
    assert place["zoom"] == pytest.approx(1.0)
    render = [sys.executable, "main.py", "render", file, "--out", rendered]
    subprocess.run(render, cwd=ROOT, check=True, capture_output=True, timeout=120)

    screen = cv2.imread(str(shot), cv2.IMREAD_COLOR)
    expected = cv2.imread(str(rendered), cv2.IMREAD_COLOR)
    assert screen is not None
    assert expected is not None
    left, top = place["origin"]
    rows, columns = screen.shape[:2]
    y0, y1 = max(0, top), min(rows, top + expected.shape[0])
    x0, x1 = max(0, left), min(columns, left + expected.shape[1])
    difference = np.abs(
        screen[y0:y1, x0:x1].astype(int) - expected[y0 - top : y1 - top, x0 - left : x1 - left]
    ).max(axis=2)
    seen = np.ones((rows, columns), bool)
    high, wide = _CORNERS
    for down in (slice(None, high), slice(-high, None)):
        for across in (slice(None, wide), slice(-wide, None)):
            seen[down, across] = False
    compared = difference[seen[y0:y1, x0:x1]]
    assert compared.size > 100_000
    assert expected.std() > 20  # a picture, not a plain surface
    assert compared.max() <= 1


def test_a_twelve_bit_radiograph_on_the_screen_equals_render(display: str, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 4096, (900, 900)).astype(np.uint16)
    file = make_dicom(
        tmp_path / "radiograph.dcm",
        pixels,
        PhotometricInterpretation="MONOCHROME1",
        WindowCenter=1800,
        WindowWidth=2600,
    )
    assert_screen_equals_render(file, display, tmp_path)


def test_a_real_radiograph_on_the_screen_equals_render(
    display: str, data_folder: Path, tmp_path: Path
) -> None:
    file = sorted((data_folder / "cxr" / "original").glob("*.png"))[0]
    assert_screen_equals_render(file, display, tmp_path)
