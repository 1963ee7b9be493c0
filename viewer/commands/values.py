"""What the words of a command line may be: each function refuses the others in a sentence."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from viewer.dicom.model import VoiFunction, VoiWindow
from viewer.errors import ExchangeError
from viewer.exchange.options import Split


def score(text: str) -> float:
    """A score, 0 to 1."""
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise argparse.ArgumentTypeError(f"a score is a number from 0 to 1, not '{text}'")
    return score


def whole_number(text: str) -> int:
    """A whole number from 1."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 is needed, not '{text}'")
    return int(text)


def window(text: str) -> VoiWindow:
    """CENTER/WIDTH in modality values."""
    match = re.fullmatch(r"([-+]?\d*\.?\d+)/(\d*\.?\d+)", text)
    if match is None or float(match[2]) <= 0:
        raise argparse.ArgumentTypeError(
            f"a window is CENTER/WIDTH with a width above 0, for example 40/400, not '{text}'"
        )
    center, width = float(match[1]), float(match[2])
    # PS3.3 C.11.2.1.2: below a width of 1 only LINEAR_EXACT is defined.
    function = VoiFunction.LINEAR if width >= 1 else VoiFunction.LINEAR_EXACT
    return VoiWindow(center, width, function)


def split(text: str) -> Split:
    """Shares of patients, TRAIN/VAL/TEST."""
    try:
        return Split.of(text)
    except ExchangeError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def file_to_write(text: str) -> Path:
    """A file that need not be there, in a folder that is."""
    path = Path(text)
    try:
        if path.is_dir():
            raise argparse.ArgumentTypeError(f"{path} is a folder; a file name is needed")
        if not path.absolute().parent.is_dir():
            raise argparse.ArgumentTypeError(f"there is no folder {path.parent} to write it in")
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be written: {error.strerror}") from error
    return path


def png_to_write(text: str) -> Path:
    """The same, of a picture."""
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"the name of a picture ends in .png, not '{text}'")
    return file_to_write(text)
