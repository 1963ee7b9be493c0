"""Start the built program as a reader would, with an empty home and no Python on its PATH.

Under a virtual screen: the window comes up on the sample study, the detector's candidates are kept,
and one key press becomes one kept decision. Prints size and times; exit code 1 where it fails.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from PIL import ImageGrab

SECONDS = 120.0  # that any one step may take on a slow machine


@contextmanager
def virtual_screen() -> Iterator[str]:
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        if not number:
            raise SystemExit("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def wait_for(what: str, ready: Callable[[], str], program: subprocess.Popen[bytes]) -> str:
    """Ask until ``ready`` answers; SystemExit where the program ends or the time is over."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if program.poll() is not None:
            raise SystemExit(f"the program ended with code {program.returncode} before: {what}")
        if answer := ready():
            return answer
        time.sleep(0.05)
    raise SystemExit(f"not within {SECONDS:.0f} s: {what}")


def count(database: Path, query: str) -> str:
    """The count as text, empty for none or where the database does not stand yet."""
    if not database.exists():
        return ""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            (number,) = connection.execute(query).fetchone()
    except sqlite3.OperationalError:  # being created or written just now: ask again
        return ""
    return str(number) if number else ""


def size_in_mb(folder: Path) -> float:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def check(folder: Path, screenshot: Path | None) -> None:
    xdotool = shutil.which("xdotool")
    if xdotool is None or shutil.which("Xvfb") is None:
        raise SystemExit("this check needs xdotool and Xvfb: apt-get install xdotool xvfb")
    sample = next(folder.rglob("resources/sample"))
    with tempfile.TemporaryDirectory() as home, virtual_screen() as display:
        screen = {"DISPLAY": display}
        environment = screen | {"HOME": home, "PATH": "/nonexistent", "QT_QPA_PLATFORM": "xcb"}
        environment["LC_ALL"] = "C.UTF-8"

        def press(window: str, *keys: str) -> None:
            # No window manager runs here: the focus has to be given by hand.
            command = [xdotool, "windowfocus", "--sync", window, "key", *keys]
            subprocess.run(command, env=screen, check=True)

        def window() -> str:
            command = [xdotool, "search", "--onlyvisible", "--name", "Lightbox"]
            answer = subprocess.run(
                command, env=screen, capture_output=True, text=True, check=False
            )
            return answer.stdout.strip()

        start = time.monotonic()
        command = [str(folder / "Lightbox"), "--home", f"{home}/kept", str(sample)]
        program = subprocess.Popen(command, env=environment)
        database = Path(home, "kept", "labels.sqlite")
        try:
            shown_window = wait_for("a window", window, program).split()[0]
            shown = time.monotonic() - start
            runs = "select count(*) from runs"
            wait_for("an analysed image", lambda: count(database, runs), program)
            analysed = time.monotonic() - start
            candidates = count(database, "select count(*) from candidates")
            if not candidates:
                raise SystemExit("the detector marked nothing on the sample study")
            time.sleep(1.0)  # the marks are drawn
            press(shown_window, "n", "Return")
            accepted = "select count(*) from events where verb = 'accept'"
            wait_for("a kept decision", lambda: count(database, accepted), program)
            if screenshot is not None:
                time.sleep(0.5)
                ImageGrab.grab(xdisplay=display).save(screenshot)
        finally:
            program.kill()
            program.wait()
    print(f"size            {size_in_mb(folder):8.0f} MB")
    print(f"window shown    {shown:8.1f} s")
    print(f"sample analysed {analysed:8.1f} s, {candidates} candidates kept")
    print("one decision    kept")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--screenshot", type=Path)
    arguments = parser.parse_args()
    check(arguments.folder.resolve(), arguments.screenshot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
