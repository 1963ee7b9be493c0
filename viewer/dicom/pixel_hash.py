"""The hash by which the pixels of a frame are known again. No pydicom here."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from viewer.dicom.model import Frame


def hash_pixels(values: npt.NDArray[Any], shift: int = 0) -> str:
    """SHA-256 (hex) of the stored values ``values - shift``, whatever type holds them.

    Hashed are the shape, the kind of number (``i`` or ``f``) and the values as little endian in
    the narrowest type that holds them all: uint8, uint16, uint32, int8, int16, int32 or int64;
    floats as they are. So equal stored values give one hash whether they come from an 8-bit PNG
    or a DICOM file of 16 Bits Allocated. Colour is hashed as 8-bit RGB, grey before the modality
    LUT.
    """
    if values.dtype.kind == "f":
        canonical, kind = values.astype(f"<f{values.dtype.itemsize}", copy=False), "f"
    else:
        narrowest = _narrowest(int(values.min()) - shift, int(values.max()) - shift)
        canonical, kind = values.astype(narrowest, copy=False), "i"
        if shift:  # right in this type even where a part of the sum wraps round
            canonical = canonical - np.array(shift).astype(narrowest)
    shape = "x".join(map(str, values.shape))
    digest = hashlib.sha256(f"{shape} {kind}{canonical.dtype.itemsize} ".encode())
    digest.update(np.ascontiguousarray(canonical).data)
    return digest.hexdigest()


def with_hash(frame: Frame) -> Frame:
    """The frame with its hash, which may have been left for later."""
    if frame.pixel_sha256:
        return frame
    return replace(frame, pixel_sha256=hash_pixels(frame.values, frame.shift))


def _narrowest(low: int, high: int) -> np.dtype[Any]:
    for name in ("u1", "u2", "u4") if low >= 0 else ("i1", "i2", "i4"):
        limits = np.iinfo(name)
        if limits.min <= low and high <= limits.max:
            return np.dtype(f"<{name}")
    return np.dtype("<i8")
