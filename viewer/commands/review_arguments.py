"""The commands on the label database: what they are asked with, and how they are run.

Each is imported when it is asked for.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from viewer.commands.common_arguments import add_database, add_device
from viewer.commands.values import file_to_write, split
from viewer.exchange.formats import FORMATS
from viewer.exchange.options import BurnedIn, Options, Pictures
from viewer.home import Home


def _add_analyse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--model", metavar="NAME", help="name of a model (else the first one)")
    add_device(parser)
    add_database(parser)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="export only what was decided on the images of these files or folders (else all)",
    )
    parser.add_argument("--format", required=True, choices=tuple(FORMATS))
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--reader",
        metavar="NAME",
        help="only this reader's decisions (else the consensus, or those of the only reader)",
    )
    parser.add_argument(
        "--pictures",
        choices=tuple(Pictures),
        type=Pictures,
        help="png8: as the reader sees them; png16: the values of the file; dicom: de-identified "
        "(else what is usual for the format)",
    )
    parser.add_argument(
        "--with-identity",
        action="store_true",
        help="reports and DICOM objects carry the patient's name, ids and dates and the UIDs of "
        "the files (else a key and new UIDs)",
    )
    parser.add_argument(
        "--burned-in",
        choices=tuple(BurnedIn),
        type=BurnedIn,
        help="what becomes of images that may show identity in the picture: secondary captures, "
        "ultrasound, colour, and what says so (else the export stops where there are any)",
    )
    parser.add_argument(
        "--split",
        type=split,
        metavar="TRAIN/VAL/TEST",
        help="divide by patient, for example 0.8/0.1/0.1",
    )
    add_database(parser)


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE_OR_FOLDER")
    parser.add_argument(
        "--format",
        required=True,
        choices=tuple(name for name, row in FORMATS.items() if row.imports),
    )
    parser.add_argument(
        "--reader",
        metavar="NAME",
        help="whose findings these are where the file does not say (else the login name)",
    )
    add_database(parser)


def _add_agreement(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--readers",
        nargs=2,
        metavar=("A", "B"),
        help="only these two (else every two that have signed a study in common)",
    )
    parser.add_argument(
        "--out",
        type=file_to_write,
        metavar="FILE.csv",
        help="write it as CSV as well, with a line for each study",
    )
    add_database(parser)


def _add_backup(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--out",
        type=file_to_write,
        metavar="FILE",
        help="the copy, an SQLite file (else one with the time in its name, among the backups)",
    )
    what.add_argument(
        "--restore",
        type=Path,
        metavar="FILE",
        help="put this copy in the place of the label database; what is there now is kept aside",
    )
    add_database(parser)


def _analyse(options: argparse.Namespace, home: Home) -> int:
    from viewer.commands.analyse import analyse  # noqa: PLC0415

    return analyse(options.paths, options.model, options.device, home)


def _export(options: argparse.Namespace, home: Home) -> int:
    from viewer.commands.labels import export_labels  # noqa: PLC0415

    chosen = Options(
        options.reader,
        options.pictures,
        options.split,
        identity=options.with_identity,
        burned_in=options.burned_in,
    )
    export_labels(home, FORMATS[options.format], options.out, options.paths, chosen)
    return 0


def _import(options: argparse.Namespace, home: Home) -> int:
    from viewer.commands.labels import import_labels  # noqa: PLC0415

    return import_labels(home, FORMATS[options.format], options.file, options.reader)


def _agreement(options: argparse.Namespace, home: Home) -> int:
    from viewer.commands.agreement import agreement  # noqa: PLC0415

    agreement(home, None if options.readers is None else tuple(options.readers), options.out)
    return 0


def _backup(options: argparse.Namespace, home: Home) -> int:
    from viewer.commands import database  # noqa: PLC0415

    if options.restore is None:
        database.back_up(home, options.out)
    else:
        database.restore(home, options.restore)
    return 0


def _verify(_options: argparse.Namespace, home: Home) -> int:
    from viewer.commands.database import verify_database  # noqa: PLC0415

    verify_database(home)
    return 0


COMMANDS = {
    "analyse": (
        "put studies into the worklist and run the detector over them",
        _add_analyse,
        _analyse,
    ),
    "export": ("write the decided findings with their images", _add_export, _export),
    "import": ("read findings and candidates into the label database", _add_import, _import),
    "agreement": (
        "say how far the readers who signed the same studies agree",
        _add_agreement,
        _agreement,
    ),
    "backup": ("copy the label database, or put a copy in its place", _add_backup, _backup),
    "verify": (
        "check that nothing in the label database was changed or lost",
        add_database,
        _verify,
    ),
}
"""Name to what it does, its arguments, and how it is run."""
