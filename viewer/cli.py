"""The command line: which words lead where. No Qt unless the window is asked for."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from detector.types import RESEARCH_USE_ONLY, DetectorError
from viewer import log
from viewer.commands.console import UsageError, require_paths, tell
from viewer.dicom.model import VoiFunction, VoiWindow
from viewer.errors import ExchangeError, InputError, ViewerError
from viewer.exchange.formats import FORMATS
from viewer.exchange.options import BurnedIn, Options, Pictures, Split
from viewer.home import Home
from viewer.version import VERSION

PROGRAM = "Lightbox" if getattr(sys, "frozen", False) else "python main.py"

_EXIT_FAILED, _EXIT_BAD_USE, _EXIT_INTERRUPTED = 1, 2, 130

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")

Run = Callable[[argparse.Namespace, Home], int]


def main(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code: 0 done, 1 failed input, 2 bad use."""
    parser = _window_parser() if command_of(arguments) is None else _command_parser()
    options = parser.parse_args(_with_joined_window(arguments))
    try:
        home = Home.resolve(options.home, options.db)
        run: Run = options.run
        with log.written_to(home.logs):
            return run(options, home)
    except UsageError as error:
        tell(f"{PROGRAM}: {error}")
        return _EXIT_BAD_USE
    except (ViewerError, DetectorError) as error:
        tell(f"{PROGRAM}: {error}")
        return _EXIT_FAILED
    except KeyboardInterrupt:
        tell(f"{PROGRAM}: stopped.")
        return _EXIT_INTERRUPTED


# --- which parser --------------------------------------------------------------------------------


def command_of(arguments: Sequence[str]) -> str | None:
    """The subcommand: the first word that is no option, if it is one's name."""
    rest = iter(arguments)
    for word in rest:
        if word in ("--home", "--db"):
            next(rest, None)
        elif word == "--":
            return None
        elif not word.startswith("-"):
            return word if word in _COMMANDS else None
    return None


def _with_joined_window(arguments: Sequence[str]) -> list[str]:
    """Join ``--window -600/1500``: argparse takes a word that starts with - for an option."""
    joined: list[str] = []
    for word in arguments:
        if joined and joined[-1] == "--window" and re.match(r"-[\d.]", word):
            joined[-1] = f"--window={word}"
        else:
            joined.append(word)
    return joined


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(_EXIT_BAD_USE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _window_parser() -> argparse.ArgumentParser:
    commands = "\n".join(f"  {name:10}{text}" for name, (text, _, _) in _COMMANDS.items())
    parser = _Parser(
        prog=PROGRAM,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=(
            "Lightbox opens DICOM studies and X-ray images in a window, with a detector beside\n"
            f"the reader. {RESEARCH_USE_ONLY}"
        ),
        epilog=(
            f"commands, which need no display:\n{commands}\n\n"
            f"'{PROGRAM} COMMAND --help' tells about one. A file or folder that has the name of a\n"
            "command is opened as ./NAME. Exit codes: 0 done, 1 the input could not be used,\n"
            "2 the command line is wrong."
        ),
    )
    _add_home(parser, default=None)
    _add_database(parser, default=None)
    parser.add_argument("--version", action="version", version=f"Lightbox {VERSION}")
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="DICOM file, folder, zip archive, DICOMDIR, PNG, JPEG, TIFF or BMP to open",
    )
    parser.set_defaults(run=_open_window)
    return parser


def _command_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROGRAM, allow_abbrev=False)
    _add_home(parser, default=None)
    _add_database(parser, default=None)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (text, add_arguments, run) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            prog=f"{PROGRAM} {name}",
            allow_abbrev=False,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=RESEARCH_USE_ONLY,
        )
        add_arguments(command)
        _add_home(command, default=argparse.SUPPRESS)  # else it would undo one given before
        command.set_defaults(run=run)
    return parser


def _add_home(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--home",
        type=Path,
        default=default,
        metavar="DIR",
        help="folder for the label database, settings, logs and trained models (else the variable "
        "LIGHTBOX_HOME, else the place that the system gives to applications)",
    )


def _add_database(parser: argparse.ArgumentParser, default: str | None = argparse.SUPPRESS) -> None:
    parser.add_argument(
        "--db",
        default=default,
        metavar="PLACE",
        help="the label database: a file, or postgresql+psycopg://USER@HOST/NAME, which several "
        "desks can share (else the variable LIGHTBOX_DB, where a password is less in sight, else "
        "labels.sqlite in the folder of --home)",
    )


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where the model runs; auto takes a graphics card where there is one",
    )


# --- arguments of each command -------------------------------------------------------------------


def _add_detect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--out", required=True, type=_file_to_write, metavar="FILE.json")
    parser.add_argument("--model", metavar="NAME", help="name of a model (else the first one)")
    parser.add_argument(
        "--floor",
        type=_score,
        default=0.01,
        metavar="SCORE",
        help="lowest score that is written, 0 to 1 (default %(default)s)",
    )
    _add_device(parser)
    parser.add_argument(
        "--any-image",
        action="store_true",
        help="analyse also images that the model was not made for, by its card",
    )
    parser.add_argument(
        "--proposals",
        type=_whole_number,
        default=0,
        metavar="N",
        help="write also the N best regions that a two-stage model looked at",
    )
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="look at the mirrored image, too, unless the model does so by itself, and merge what "
        "is found",
    )


def _add_analyse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--model", metavar="NAME", help="name of a model (else the first one)")
    _add_device(parser)
    _add_database(parser)


def _add_render(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--out", required=True, type=_png_to_write, metavar="FILE.png")
    parser.add_argument(
        "--frame", type=_whole_number, default=1, metavar="N", help="number of the frame, from 1"
    )
    parser.add_argument(
        "--window",
        type=_window,
        metavar="CENTER/WIDTH",
        help="window in modality values, for example -600/1500 (else the file's, else automatic)",
    )


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
        type=_split,
        metavar="TRAIN/VAL/TEST",
        help="divide by patient, for example 0.8/0.1/0.1",
    )
    _add_database(parser)


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
    _add_database(parser)


def _add_agreement(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--readers",
        nargs=2,
        metavar=("A", "B"),
        help="only these two (else every two that have signed a study in common)",
    )
    parser.add_argument(
        "--out",
        type=_file_to_write,
        metavar="FILE.csv",
        help="write it as CSV as well, with a line for each study",
    )
    _add_database(parser)


def _add_backup(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--out",
        type=_file_to_write,
        metavar="FILE",
        help="the copy, an SQLite file (else one with the time in its name, among the backups)",
    )
    what.add_argument(
        "--restore",
        type=Path,
        metavar="FILE",
        help="put this copy in the place of the label database; what is there now is kept aside",
    )
    _add_database(parser)


def _add_train(parser: argparse.ArgumentParser) -> None:
    from viewer.commands.training_arguments import add_arguments  # noqa: PLC0415

    add_arguments(parser)
    _add_device(parser)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    from viewer.commands.evaluate_arguments import add_arguments  # noqa: PLC0415

    add_arguments(parser)
    _add_device(parser)


def _add_models(parser: argparse.ArgumentParser) -> None:
    from viewer.commands.models_arguments import add_arguments  # noqa: PLC0415

    for verb in add_arguments(parser):
        _add_home(verb, default=argparse.SUPPRESS)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("detector", "viewer", "store"))
    parser.add_argument("--model", metavar="NAME", help="name of a model (else the first one)")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="data set to run over besides, and be timed"
    )
    parser.add_argument(
        "--images", type=_whole_number, metavar="N", help="only so many of its images"
    )
    parser.add_argument(
        "--labelme", type=Path, metavar="FILE", help="peer of the viewer (else the one on PATH)"
    )
    _add_device(parser)


# --- values --------------------------------------------------------------------------------------


def _score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise argparse.ArgumentTypeError(f"a score is a number from 0 to 1, not '{text}'")
    return score


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 is needed, not '{text}'")
    return int(text)


def _window(text: str) -> VoiWindow:
    match = re.fullmatch(r"([-+]?\d*\.?\d+)/(\d*\.?\d+)", text)
    if match is None or float(match[2]) <= 0:
        raise argparse.ArgumentTypeError(
            f"a window is CENTER/WIDTH with a width above 0, for example 40/400, not '{text}'"
        )
    center, width = float(match[1]), float(match[2])
    # PS3.3 C.11.2.1.2: below a width of 1 only LINEAR_EXACT is defined.
    function = VoiFunction.LINEAR if width >= 1 else VoiFunction.LINEAR_EXACT
    return VoiWindow(center, width, function)


def _split(text: str) -> Split:
    try:
        return Split.of(text)
    except ExchangeError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _file_to_write(text: str) -> Path:
    path = Path(text)
    try:
        if path.is_dir():
            raise argparse.ArgumentTypeError(f"{path} is a folder; a file name is needed")
        if not path.absolute().parent.is_dir():
            raise argparse.ArgumentTypeError(f"there is no folder {path.parent} to write it in")
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be written: {error.strerror}") from error
    return path


def _png_to_write(text: str) -> Path:
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"the name of a picture ends in .png, not '{text}'")
    return _file_to_write(text)


# --- running: each command is imported when it is asked for --------------------------------------


def _open_window(options: argparse.Namespace, home: Home) -> int:
    require_paths(options.paths)
    # Qt ends the process where it finds no screen; say it in a sentence instead.
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _DISPLAYS):
        raise InputError("There is no display to open the window on; see --help for commands.")
    from viewer import app  # noqa: PLC0415

    return app.run(options.paths, home)


def _detect(options: argparse.Namespace, home: Home) -> int:
    from viewer.commands.detect import Request, detect  # noqa: PLC0415

    request = Request(
        tuple(options.paths),
        options.out,
        options.model,
        options.floor,
        options.device,
        options.any_image,
        options.proposals,
        options.thorough,
    )
    return detect(request, home)


def _analyse(options: argparse.Namespace, home: Home) -> int:
    from viewer.commands.analyse import analyse  # noqa: PLC0415

    return analyse(options.paths, options.model, options.device, home)


def _render(options: argparse.Namespace, _home: Home) -> int:
    from viewer.commands.render import render  # noqa: PLC0415

    render(options.file, options.out, options.frame, options.window)
    return 0


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


def _train(options: argparse.Namespace, home: Home) -> int:
    from viewer.commands.training_arguments import run  # noqa: PLC0415

    run(options, home)
    return 0


def _evaluate(options: argparse.Namespace, home: Home) -> int:
    from viewer.commands.evaluate_arguments import run  # noqa: PLC0415

    run(options, home)
    return 0


def _models(options: argparse.Namespace, home: Home) -> int:
    from viewer.commands.models_arguments import run  # noqa: PLC0415

    run(options, home)
    return 0


def _bench(options: argparse.Namespace, home: Home) -> int:
    if options.what != "detector":
        from viewer.commands import bench_viewer  # noqa: PLC0415

        if options.what == "store":
            return bench_viewer.bench_store()
        return bench_viewer.bench_viewer(options.labelme)
    from viewer.commands.bench import bench_detector  # noqa: PLC0415

    bench_detector(home, options.model, options.data, options.images, options.device)
    return 0


_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], Run]] = {
    "detect": (
        "run the detector over images and write its boxes as COCO JSON",
        _add_detect,
        _detect,
    ),
    "analyse": (
        "put studies into the worklist and run the detector over them",
        _add_analyse,
        _analyse,
    ),
    "render": ("write the picture of one frame as PNG", _add_render, _render),
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
        _add_database,
        _verify,
    ),
    "models": ("list, add, use and remove models", _add_models, _models),
    "train": ("train a model on exported findings", _add_train, _train),
    "evaluate": ("measure a model on labelled images", _add_evaluate, _evaluate),
    "bench": ("measure how fast the detector, the viewer or the store is here", _add_bench, _bench),
}
