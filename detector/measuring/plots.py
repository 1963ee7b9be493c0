"""The figures of a report as pictures: FROC, precision over recall, reliability, robustness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

DOTS_PER_INCH = 200
MODEL, PRIOR, AFTER, OTHER = "#0b5fa5", "#7a7a7a", "#c8501e", "#3d8f5f"
_IOU_LINES = {"0.3": (OTHER, 3.0), "0.4": (MODEL, 2.0), "0.5": (AFTER, 1.2)}
"""Colour and width: the curves often lie on one another."""


def write_plots(report: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write a PNG for each kind of figure in the report; the files.

    Raises
    ------
    OSError
        Where a file cannot be written.
    """
    categories = report["categories"]
    if not categories:
        return []
    pictures = {
        "froc.png": _side_by_side(report, categories, _froc),
        "precision_recall.png": _side_by_side(report, categories, _precision_recall),
        "reliability.png": _side_by_side(report, categories, _reliability),
    }
    if "robustness" in report:
        robustness = report["robustness"]
        by_category = {c: {name: row[c] for name, row in robustness.items()} for c in categories}
        pictures["robustness.png"] = _side_by_side(report, by_category, _robustness)
    for name, figure in pictures.items():
        figure.savefig(folder / name)
    return [folder / name for name in pictures]


def _side_by_side(report: Mapping[str, Any], parts: Mapping[str, Any], draw: Any) -> Figure:
    """One pair of axes for each category, and under them the notice."""
    figure = Figure(figsize=(1.0 + 4.6 * len(parts), 5.6), dpi=DOTS_PER_INCH, layout="constrained")
    figure.get_layout_engine().set(rect=(0, 0.05, 1, 0.95))  # type: ignore[union-attr,call-arg]
    for axes, (category, part) in zip(
        figure.subplots(1, len(parts), squeeze=False)[0], parts.items(), strict=True
    ):
        axes.set_title(category)
        axes.grid(color="#e4e4e4", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes, part)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), frameon=False, fontsize=9)
    model = report.get("model")
    named = f"{model['name']} {model['version']}. " if model else ""
    figure.text(0.5, 0.015, f"{named}{report['notice']}", ha="center", fontsize=8, color="#555555")
    return figure


def _froc(axes: Axes, part: Mapping[str, Any]) -> None:
    curve = part["froc_curve"]
    rates = curve["false_marks_per_image"]
    _band(axes, rates, curve["interval"])
    axes.plot(
        rates, curve["sensitivity"], color=MODEL, label=f"model, CPM {part['cpm']['value']:.2f}"
    )
    axes.plot([p["false_marks_per_image"] for p in part["froc"]],
              [p["sensitivity"] for p in part["froc"]], "o", color=MODEL, markersize=4)  # fmt: skip
    axes.plot(rates, curve["prior"], "--", color=PRIOR,
              label=f"prior boxes, CPM {part['cpm']['prior']:.2f}")  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator([0.125, 0.25, 0.5, 1, 2, 4, 8]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels(["1/8", "1/4", "1/2", "1", "2", "4", "8"])
    axes.set(xlim=(0.125, 8), ylim=(0, 1.02), xlabel="False marks an image (all images read)",
             ylabel="Sensitivity (hit: IoU of 0.3 or more)")  # fmt: skip


def _band(axes: Axes, x: Sequence[float], spans: Sequence[Sequence[float] | None]) -> None:
    known = [(at, *span) for at, span in zip(x, spans, strict=True) if span is not None]
    if known:
        at, low, high = zip(*known, strict=True)
        axes.fill_between(at, low, high, color=MODEL, alpha=0.15, linewidth=0,
                          label="95 % interval over patients")  # fmt: skip


def _precision_recall(axes: Axes, part: Mapping[str, Any]) -> None:
    curves = part["precision_recall"]
    for iou, (colour, width) in _IOU_LINES.items():
        axes.plot(
            curves["recall"], curves[f"precision_{iou}"],
            color=colour, linewidth=width, drawstyle="steps-pre",
            label=f"IoU {iou}, AP {part['ap'][iou]['value']:.2f}",
        )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="Recall", ylabel="Precision")


def _reliability(axes: Axes, part: Mapping[str, Any]) -> None:
    marks = part["calibration"]["marks"]
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1, label="score is the share of hits")
    for bins, ece, colour, marker, name in (
        (marks["bins"], marks["ece"], PRIOR, "s", "score"),
        (marks["bins_after_platt"], marks["ece_after_platt"], MODEL, "o", "after Platt scaling"),
    ):
        if bins:
            axes.plot(
                [b["mean_score"] for b in bins], [b["hit_share"] for b in bins],
                color=colour, marker=marker, markersize=4, label=f"{name}, ECE {ece:.3f}",
            )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="Mean score of the bin",
             ylabel="Share of hits in the bin (IoU of 0.3 or more)")  # fmt: skip


def _robustness(axes: Axes, part: Mapping[str, Any]) -> None:
    names = list(part)
    for offset, (figure, title, colour) in enumerate((
        ("ap_0.4", "AP at IoU 0.4", MODEL), ("cpm", "CPM", AFTER),
        ("sensitivity_at_1", "found at 1 false mark an image", OTHER),
    )):  # fmt: skip
        places = [row + 0.26 * (offset - 1) for row in range(len(names))]
        axes.barh(
            places, [part[n][figure]["value"] for n in names], 0.24, color=colour, label=title
        )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, 1), xlabel="AP, CPM, sensitivity")
