"""How fast a file wants its frames to be shown (PS3.3 C.7.6.5)."""

from __future__ import annotations

from pydicom.dataset import Dataset

from viewer.dicom.attributes import number, numbers

_FASTEST = 1000.0  # frames a second: beyond it the file does not mean what it says


def read_frame_rate(dataset: Dataset) -> float:
    """Frames a second, 0 where the file does not say.

    Recommended Display Frame Rate (0008,2144) is what the maker wants; Cine Rate (0018,0040), Frame
    Time (0018,1063) and Frame Time Vector (0018,1065), in ms, are how the frames were acquired.
    """
    for keyword in ("RecommendedDisplayFrameRate", "CineRate"):
        rate = number(dataset, keyword) or 0.0
        if 0 < rate <= _FASTEST:
            return rate
    vector = numbers(dataset, "FrameTimeVector")[1:]  # the first one is before the first frame
    frame_time = number(dataset, "FrameTime") or (sum(vector) / len(vector) if vector else 0.0)
    return 1000 / frame_time if frame_time >= 1000 / _FASTEST else 0.0
