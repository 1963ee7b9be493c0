"""The words of `train`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from viewer.commands.training import train
from viewer.home import Home

_ARCHITECTURES = ("csp_nano", "retinanet", "fcos", "faster_rcnn", "ssdlite")
_BACKBONES = ("resnet18", "mobilenet_v3")
_MOST_HELD_OUT = 90
"""Per cent; something must be left to train on."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        required=True,
        action="append",
        type=Path,
        metavar="DIR",
        help="folder that `export` wrote, or in another form of docs/DATASETS.md; repeatable",
    )
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder that the model is written into, as a folder of its own",
    )
    parser.add_argument(
        "--init",
        metavar="NAME",
        help="what to go on from: a model (else the first one), YOLOX-nano as FILE.onnx, or none; "
        "of a model of another architecture the backbone is taken where both have the same",
    )
    parser.add_argument(
        "--arch", choices=_ARCHITECTURES, help="architecture (else that of the start, or csp_nano)"
    )
    parser.add_argument("--backbone", choices=_BACKBONES, help="of all but csp_nano")
    parser.add_argument("--channels", type=int, choices=(1, 3), help="1 grey, 3 colour")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint of a stopped training"
    )
    _add_recipe(parser)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--epochs", type=_whole_number, metavar="N", help="passes over the data (else the recipe's)"
    )
    parser.add_argument(
        "--pretrain-epochs",
        type=_number,
        default=0,
        metavar="N",
        help="so many come first that train the image-level classes alone (default 0)",
    )
    parser.add_argument(
        "--input-size",
        type=_whole_number,
        metavar="PIXELS",
        help="side of the square that the network sees, a multiple of 32",
    )
    parser.add_argument(
        "--batch", type=_whole_number, metavar="N", help="images of one step, over all processes"
    )
    parser.add_argument(
        "--seed", type=_number, default=0, metavar="N", help="of all that is random (default 0)"
    )
    parser.add_argument(
        "--validate",
        type=_percent,
        default=15,
        metavar="PERCENT",
        help="of the patients that are held out and measured after each epoch; 0 trains on all "
        "(default %(default)s)",
    )


def run(options: argparse.Namespace, home: Home) -> None:
    """Train what the words say."""
    train(
        home,
        options.data,
        options.out,
        init=options.init,
        device=options.device,
        held_out=options.validate / 100,
        resume=options.resume,
        wish={
            "architecture": options.arch,
            "backbone": options.backbone,
            "channels": options.channels,
            "input_size": options.input_size,
            "epochs": options.epochs,
            "label_epochs": options.pretrain_epochs,
            "batch": options.batch,
            "seed": options.seed,
        },
    )


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"a whole number is needed, not '{text}'")
    return int(text)


def _whole_number(text: str) -> int:
    number = _number(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 is needed, not '{text}'")
    return number


def _percent(text: str) -> int:
    percent = _number(text)
    if percent > _MOST_HELD_OUT:
        raise argparse.ArgumentTypeError(f"0 to {_MOST_HELD_OUT} per cent can be held out")
    return percent
