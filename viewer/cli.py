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
from viewer.commands import review_arguments
from viewer.commands.common_arguments import add_database, add_device, add_home
from viewer.commands.console import UsageError, require_paths, tell
from viewer.commands.values import file_to_write, png_to_write, score, whole_number, window
from viewer.errors import InputError, ViewerError
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
    add_home(parser, default=None)
    add_database(parser, default=None)
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
    add_home(parser, default=None)
    add_database(parser, default=None)
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
        add_home(command, default=argparse.SUPPRESS)  # else it would undo one given before
        command.set_defaults(run=run)
    return parser


# --- arguments of each command -------------------------------------------------------------------


def _add_detect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--out", required=True, type=file_to_write, metavar="FILE.json")
    parser.add_argument("--model", metavar="NAME", help="name of a model (else the first one)")
    parser.add_argument(
        "--floor",
        type=score,
        default=0.01,
        metavar="SCORE",
        help="lowest score that is written, 0 to 1 (default %(default)s)",
    )
    add_device(parser)
    parser.add_argument(
        "--any-image",
        action="store_true",
        help="analyse also images that the model was not made for, by its card",
    )
    parser.add_argument(
        "--proposals",
        type=whole_number,
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


def _add_render(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--out", required=True, type=png_to_write, metavar="FILE.png")
    parser.add_argument(
        "--frame", type=whole_number, default=1, metavar="N", help="number of the frame, from 1"
    )
    parser.add_argument(
        "--window",
        type=window,
        metavar="CENTER/WIDTH",
        help="window in modality values, for example -600/1500 (else the file's, else automatic)",
    )


def _add_train(parser: argparse.ArgumentParser) -> None:
    from viewer.commands.training_arguments import add_arguments  # noqa: PLC0415

    add_arguments(parser)
    add_device(parser)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    from viewer.commands.evaluate_arguments import add_arguments  # noqa: PLC0415

    add_arguments(parser)
    add_device(parser)


def _add_models(parser: argparse.ArgumentParser) -> None:
    from viewer.commands.models_arguments import add_arguments  # noqa: PLC0415

    for verb in add_arguments(parser):
        add_home(verb, default=argparse.SUPPRESS)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("detector", "viewer", "store"))
    parser.add_argument("--model", metavar="NAME", help="name of a model (else the first one)")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="data set to run over besides, and be timed"
    )
    parser.add_argument(
        "--images", type=whole_number, metavar="N", help="only so many of its images"
    )
    parser.add_argument(
        "--labelme", type=Path, metavar="FILE", help="peer of the viewer (else the one on PATH)"
    )
    add_device(parser)


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


def _render(options: argparse.Namespace, _home: Home) -> int:
    from viewer.commands.render import render  # noqa: PLC0415

    render(options.file, options.out, options.frame, options.window)
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
    "render": ("write the picture of one frame as PNG", _add_render, _render),
    **review_arguments.COMMANDS,
    "models": ("list, add, use and remove models", _add_models, _models),
    "train": ("train a model on exported findings", _add_train, _train),
    "evaluate": ("measure a model on labelled images", _add_evaluate, _evaluate),
    "bench": ("measure how fast the detector, the viewer or the store is here", _add_bench, _bench),
}
