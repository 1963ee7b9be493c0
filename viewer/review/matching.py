"""When two boxes are the same finding: decisions carried over to a newer run."""

from __future__ import annotations

from detector.types import Box

SAME_FINDING_IOU = 0.5
"""Intersection over union from which two boxes of one category are one finding."""


def same_finding(box: Box, category: str, other_box: Box, other_category: str) -> bool:
    """True where both mark the same thing on one image."""
    return category == other_category and box.iou(other_box) >= SAME_FINDING_IOU
