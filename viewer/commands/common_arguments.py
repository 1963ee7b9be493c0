"""Arguments that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_home(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Which folder is the home."""
    parser.add_argument(
        "--home",
        type=Path,
        default=default,
        metavar="DIR",
        help="folder for the label database, settings, logs and trained models (else the variable "
        "LIGHTBOX_HOME, else the place that the system gives to applications)",
    )


def add_database(parser: argparse.ArgumentParser, default: str | None = argparse.SUPPRESS) -> None:
    """Which label database."""
    parser.add_argument(
        "--db",
        default=default,
        metavar="PLACE",
        help="the label database: a file, or postgresql+psycopg://USER@HOST/NAME, which several "
        "desks can share (else the variable LIGHTBOX_DB, where a password is less in sight, else "
        "labels.sqlite in the folder of --home)",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Where a model runs."""
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where the model runs; auto takes a graphics card where there is one",
    )
