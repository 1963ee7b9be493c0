"""What the subcommands share: words on stderr, images from paths, files written whole."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from viewer.dicom.model import Image, ScanUpdate, Skipped
from viewer.engine import client
from viewer.engine.host import Worker
from viewer.errors import ExchangeError, InputError


class UsageError(Exception):
    """A command line that asks for something impossible; exit code 2."""


def tell(text: str) -> None:
    """Say something to the person at the console; stdout stays free for results."""
    print(text, file=sys.stderr, flush=True)


def require_paths(paths: Sequence[Path]) -> None:
    """Raise InputError where one of the paths does not exist."""
    for path in paths:
        try:
            path.stat()
        except FileNotFoundError as error:
            raise InputError(f"{path} does not exist.") from error
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def images_of_file(decoder: Worker, path: Path) -> list[Image]:
    """The images of one file; InputError with the reason where it has none."""
    images: list[Image] = []
    skipped: list[Skipped] = []

    def take(update: ScanUpdate) -> None:
        images.extend(update.images)
        skipped.extend(update.skipped)

    client.scan(decoder, [path], take)
    if not images:
        reason = skipped[0].reason if skipped else "It holds no image."
        raise InputError(f"{path} cannot be used: {reason}")
    return images


def find_images(decoder: Worker, paths: Sequence[Path]) -> tuple[list[Image], list[Skipped]]:
    """Every image of the files, folders and archives, in the order found, and what was no image."""
    images: list[Image] = []
    skipped: list[Skipped] = []

    def take(update: ScanUpdate) -> None:
        images.extend(update.images)
        skipped.extend(update.skipped)

    require_paths(paths)
    files = client.scan(decoder, paths, take)
    tell(f"{len(images)} images in {files} files")
    for item in skipped:
        tell(f"skipped {item.path}: {item.reason}")
    return images, skipped


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is either the old one or the new one, never half of it.

    Raises
    ------
    ExchangeError
        The file cannot be written.
    """
    temporary = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes it for the owner alone
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise ExchangeError(f"{path} cannot be written: {error.strerror}.") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
