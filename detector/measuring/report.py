"""The report of an evaluation: a table for a terminal, a folder for those who keep it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detector.measuring import plots
from detector.types import DetectorError

REPORT = "report.json"


def refuse_occupied(folder: Path) -> None:
    """Raise DetectorError where a report cannot go into a new folder of this name."""
    try:
        occupied = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as e:
        raise DetectorError(f"The folder {folder} cannot be used: {e.strerror}.") from e
    if occupied:
        raise DetectorError(f"{folder} is there already and not an empty folder; choose another.")


def write_report(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write ``report.json`` and the plots into a new folder; the files in it.

    Raises
    ------
    DetectorError
        Where the folder is there and not empty, or cannot be written.
    """
    refuse_occupied(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / REPORT).write_text(f"{text}\n", encoding="utf-8")
        return [folder / REPORT, *plots.write_plots(report, folder)]
    except OSError as e:
        raise DetectorError(f"{folder} cannot be written: {e.strerror}.") from e


def format_table(report: Mapping[str, Any]) -> str:
    """The report as a table for a terminal."""
    lines = []
    if "model" in report:
        lines.append(
            f"{report['model']['name']} {report['model']['version']} on "
            f"{', '.join(report['data'])} ({report['device']}, {report['precision']})"
        )
    lines.append(f"{report['images']} images of {report['patients']} patients; found means IoU of "
                 f"{report['hit_iou']} or more; 95 % intervals over patients")  # fmt: skip
    lines += [f"! {w}" for w in report.get("warnings", ())]
    for name, figures in report["categories"].items():
        lines += ["", *_category_lines(name, figures)]
    lines += _class_lines(report["image_classes"])
    if "default_threshold" in report:
        lines += _operating_lines(report, report["default_threshold"])
    if "robustness" in report:
        lines += _robustness_lines(report["robustness"])
    return "\n".join([*lines, "", report["notice"]])


def _category_lines(name: str, figures: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{name}: {figures['objects']} objects on {figures['images_with_objects']} "
        f"of {figures['images']} images, {figures['patients']} patients",
        f"  {'':24}{'model':>7}{'95 % interval':>18}{'prior box':>11}"
        f"{'difference':>12}{'95 % interval':>18}",
    ]
    rows = [(f"AP at IoU {iou}", row) for iou, row in figures["ap"].items()]
    rows += [("AP at IoU 0.50:0.95", figures["coco_ap"]), ("CPM", figures["cpm"])]
    lines += [
        f"  {title:24}{_number(row['value'])}{_span(row['interval']):>18}{row['prior']:11.3f}"
        f"{row['difference']:+12.3f}{_span(row['difference_interval']):>18}"
        for title, row in rows
    ]
    lines += [
        f"  found at {row['false_marks_per_image']:>5g} false/img {_number(row['sensitivity'])}"
        f"{_span(row['interval']):>18}{row['prior']:11.3f}   from score {row['threshold']:.3f}"
        for row in figures["froc"]
    ]
    lines.append(_figure_line("AUC of the best score", figures["image_auc"]))
    for part, rows_of in (("view", figures["views"]), ("side", figures["sizes"])):
        for stratum, row in rows_of.items():
            counted = f"{part} {stratum}: {row['objects']} objects"
            lines.append(f"  {counted:31} AP at 0.4 {_short(row['ap_0.4'])}, found at 1 false/img "
                         f"{_short(row['sensitivity_at_1'])}")  # fmt: skip
    marks = figures["calibration"]["marks"]
    lines.append(f"  calibration error {_number(marks['ece']).strip()}, after Platt scaling "
                 f"{_number(marks['ece_after_platt']).strip()} (of the {marks['candidates']} "
                 f"candidates that score {marks['from_score']:.3f} or more)")  # fmt: skip
    return lines


def _class_lines(classes: Mapping[str, Any]) -> list[str]:
    if not classes:
        return []
    lines = ["", f"image level{'':15}{'AUC':>5}{'95 % interval':>18}{'positive':>10}{'images':>8}"]
    return lines + [
        f"  {name:24}{_number(row['value'])[2:]}{_span(row['interval']):>18}{row['positives']:>10}"
        f"{row['images']:>8}{'' if row['reported'] else '   not reported'}"
        for name, row in classes.items()
    ]


def _operating_lines(report: Mapping[str, Any], threshold: float) -> list[str]:
    """What the default threshold means, for each category and for all together."""
    named = {name: c["operating_points"] for name, c in report["categories"].items()}
    if len(named) > 1:
        named["together"] = report["operating_points"]
    lines = [""]
    for name, points in named.items():
        point = min(points, key=lambda p: abs(p["threshold"] - threshold))
        lines.append(f"{name} at {point['threshold']:g}: finds {point['sensitivity']:.0%}, "
                     f"{point['false_marks_per_image']:.2g} false marks an image")  # fmt: skip
    return lines


def _robustness_lines(robustness: Mapping[str, Any]) -> list[str]:
    lines = []
    for category in next(iter(robustness.values())):
        lines += ["", f"{category}, picture changed{'':4}  AP at 0.4 (drop)   CPM (drop)"
                      "         found at 1 false/img (drop)"]  # fmt: skip
        for name, by_category in robustness.items():
            row = by_category[category]
            cells = [f"{row[k]['value']:.3f} ({row[k]['drop']:+.3f})"
                     for k in ("ap_0.4", "cpm", "sensitivity_at_1")]  # fmt: skip
            lines.append(f"  {name:24}  {cells[0]:17}  {cells[1]:17}  {cells[2]}")
    return lines


def _figure_line(title: str, row: Mapping[str, Any]) -> str:
    return f"  {title:24}{_number(row['value'])}{_span(row['interval']):>18}"


def _short(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return "-"
    return f"{row['value']:.3f} ({_span(row['interval'])})"


def _number(value: float | None) -> str:
    return f"{'-':>7}" if value is None else f"{value:7.3f}"


def _span(interval: Sequence[float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
