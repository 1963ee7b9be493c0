"""Which device a network runs on. torch is imported only where it has to be asked."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from detector.types import DetectorError

DEVICES = ("cuda", "mps", "cpu")


def choose_device(wanted: str) -> str:
    """The device to run on: "cpu", "cuda" or "mps".

    Raises
    ------
    DetectorError
        Where it is not a device's name, or the device is not there.
    """
    if wanted not in {"auto", *DEVICES}:
        raise DetectorError(f"{wanted!r} is no device; choose auto, cpu, cuda or mps.")
    if wanted == "cpu":
        return wanted
    # Seconds, which the CPU with onnxruntime does without.
    import torch  # noqa: PLC0415

    there: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if wanted == "auto":
        return next(name for name in DEVICES if there[name]())
    if not there[wanted]():
        raise DetectorError(f"This computer has no {wanted} device that the detector can use.")
    return wanted


def threads() -> int:
    """How many threads a network may use on the CPU; 0 leaves it to the library.

    OMP_NUM_THREADS is what torch reads; onnxruntime is told the same.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() else 0


def hardware() -> str:
    """A short name for everything of this computer that decides how fast a network runs.

    It is read without torch and in a millisecond: processor, number of cores and of threads, and
    the graphics driver, so that a card that was put in, or a driver's update, is noticed.
    """
    parts = (platform.machine(), _processor(), os.cpu_count(), threads(), _graphics_driver())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _processor() -> str:
    if sys.platform == "linux":
        lines = _text(Path("/proc/cpuinfo")).splitlines()
        wanted = ("model name", "flags", "Features")  # of the first core; the rest are alike
        return " ".join(next((x for x in lines if x.startswith(name)), "") for name in wanted)
    return platform.processor()


def _graphics_driver() -> str:
    if sys.platform == "win32":
        library = Path(os.environ.get("SYSTEMROOT", "C:/Windows"), "System32", "nvcuda.dll")
        return str(library.stat().st_mtime_ns) if library.is_file() else ""
    if sys.platform == "linux":
        return _text(Path("/proc/driver/nvidia/version")) + _text(
            Path("/sys/module/amdgpu/version")
        )
    return platform.mac_ver()[0]  # Metal comes with the system


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
