"""The words of `evaluate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from viewer.commands.training import evaluate
from viewer.home import Home


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything but ``--device``."""
    parser.add_argument("--model", required=True, metavar="NAME", help="name or folder of a model")
    parser.add_argument(
        "--data",
        required=True,
        action="append",
        type=Path,
        metavar="DIR",
        help="folder that `export` wrote, or in another form of docs/DATASETS.md; repeatable",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="a new folder for report.json and the plots"
    )
    parser.add_argument(
        "--robustness",
        action="store_true",
        help="measure on changed pictures too (gamma, noise, blur, turned, half resolution)",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16", "int8"),
        default="auto",
        help="how the network is computed; auto is fp32 here",
    )


def run(options: argparse.Namespace, home: Home) -> None:
    """Measure as these words ask."""
    evaluate(
        home,
        options.model,
        options.data,
        options.out,
        device=options.device,
        precision=options.precision,
        robustness=options.robustness,
    )
