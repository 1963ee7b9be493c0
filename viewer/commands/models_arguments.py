"""The words of `models`: its own subcommands and flags."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from detector.importing.description import STYLES, Description
from viewer.commands import models
from viewer.home import Home

_T = TypeVar("_T")


def add_arguments(parser: argparse.ArgumentParser) -> tuple[argparse.ArgumentParser, ...]:
    """Put list, add, use and remove below the parser of `models`; their parsers."""
    parser.description = (
        "Lists, adds, uses and removes models. An added detector is an ONNX file (YOLO, SSD, "
        "RetinaNet or DETR), a safetensors file of an architecture of Lightbox, or a folder that "
        "`train` wrote; never a pickle."
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True, dest="verb")
    listing, adding, using, removing = (
        verbs.add_parser(verb, help=text, description=text.capitalize(), allow_abbrev=False)
        for verb, text in (
            ("list", "print the models; the one in use has a star"),
            ("add", "add a model; what neither it nor a flag says is asked"),
            ("use", "have the window and the commands use a model"),
            ("remove", "delete a model that was added or trained"),
        )
    )
    adding.add_argument("file", type=Path, metavar="FILE")
    _add_description(adding)
    using.add_argument("name", metavar="NAME")
    removing.add_argument("name", metavar="NAME")
    return listing, adding, using, removing


def _add_description(parser: argparse.ArgumentParser) -> None:
    plain = Description()
    parser.add_argument("--name", default="", help="its name here (else the file's)")
    parser.add_argument("--output", default="", choices=STYLES, help="how an ONNX file answers")
    parser.add_argument(
        "--categories",
        default=(),
        type=_value(models.categories_of),
        metavar="A,B",
        help="names in the model's order, with commas, or a text file with one a line",
    )
    parser.add_argument("--input-size", type=_value(models.input_size_of), metavar="PIXELS")
    for flag, default, text in (
        ("--modality", plain.modalities, "DICOM modalities that it reads"),
        ("--body-part", plain.body_parts, "body parts that it reads"),
        ("--view", plain.views, "views that it reads"),
    ):
        words = ",".join(default)
        parser.add_argument(
            flag,
            default=default,
            type=_value(_codes),
            metavar="A,B",
            help=f"{text} (default {words})",
        )
    parser.add_argument(
        "--channels", type=int, choices=(1, 3), help="1 where it reads grey pictures, 3 colour"
    )
    parser.add_argument(
        "--scale", type=float, choices=(1, 255), help="the number that white becomes"
    )
    for flag in ("--mean", "--std"):
        parser.add_argument(
            flag,
            default=(),
            type=_value(_numbers),
            metavar="A,B,C",
            help="for each plane, after --scale",
        )
    parser.add_argument("--order", default="", choices=("rgb", "bgr"), help="order of the planes")
    parser.add_argument(
        "--first-label",
        type=int,
        choices=(0, 1),
        default=plain.first_label,
        help="number of the first category in answers with labels (default %(default)s)",
    )
    parser.add_argument(
        "--threshold",
        type=_value(_score),
        default=plain.threshold,
        metavar="SCORE",
        help="lowest score that is shown at first (default %(default)s)",
    )
    parser.add_argument("--architecture", default="", help="of a safetensors file")
    parser.add_argument(
        "--options", type=Path, metavar="FILE.json", help="options of that architecture"
    )


def run(options: argparse.Namespace, home: Home) -> None:
    """Do what the subcommand says."""
    if options.verb == "list":
        models.list_models(home)
    elif options.verb == "use":
        models.use(home, options.name)
    elif options.verb == "remove":
        models.remove(home, options.name)
    else:
        models.add(home, options.file, _description(options))


def _description(options: argparse.Namespace) -> Description:
    return Description(
        name=options.name,
        output=options.output,
        categories=options.categories,
        input_size=options.input_size,
        modalities=options.modality,
        body_parts=options.body_part,
        views=options.view,
        channels=options.channels,
        scale=options.scale,
        mean=options.mean,
        std=options.std,
        order=options.order,
        first_label=options.first_label,
        threshold=options.threshold,
        architecture=options.architecture,
        options={} if options.options is None else models.options_of(options.options),
    )


def _value(read: Callable[[str], _T]) -> Callable[[str], _T]:
    """A reader whose ValueError argparse shows in its own words."""

    def convert(text: str) -> _T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def _codes(text: str) -> tuple[str, ...]:
    codes = tuple(code.strip().upper() for code in text.split(",") if code.strip())
    if not codes:
        raise ValueError("at least one is needed")
    return codes


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise ValueError(f"numbers with commas between them are needed, not '{text}'") from error


def _score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise ValueError(f"a score is a number from 0 to 1, not '{text}'")
    return score
