"""What the header says of a frame's stored values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """What the header says of one frame's stored values."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    planar: bool = False  # Planar Configuration 1: one plane after the other

    @property
    def pixels(self) -> int:
        return self.rows * self.columns
