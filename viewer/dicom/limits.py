"""Every bound on untrusted input, in one table; each is refused with a sentence that names it."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.errors import InputError

_MIB = 1024 * 1024
_GIB = 1024 * _MIB


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that is accepted of one thing, in ``unit`` of ``size`` each."""

    what: str
    most: int
    unit: str = ""
    size: int = 1

    def check(self, value: int) -> None:
        """Raise InputError where ``value`` is above the limit."""
        if value > self.most:
            raise InputError(f"{self.what} is {self._text(value)}, above the limit {self.text}.")

    @property
    def text(self) -> str:
        return f"of {self._text(self.most)}"

    def _text(self, value: int) -> str:
        number = value / self.size
        digits = 0 if number >= 100 or number == int(number) else 1
        return f"{number:,.{digits}f} {self.unit}".strip()


FILE_BYTES = Limit("The file", 4 * _GIB, "GiB", _GIB)
PLAIN_FILE_BYTES = Limit("The image file", 512 * _MIB, "MiB", _MIB)
# A deflated data set and a member of an archive are held in memory as a whole.
INFLATED_BYTES = Limit("The unpacked file", 2 * _GIB, "GiB", _GIB)
ARCHIVE_INFLATED_BYTES = Limit("The unpacked archive", 64 * _GIB, "GiB", _GIB)
ARCHIVE_MEMBERS = Limit("The number of files in the archive", 50_000)
# A blank mask deflates a thousandfold in earnest, so the ratio counts only for what is large.
INFLATED_RATIO = Limit("The compression ratio", 200)
INFLATED_RATIO_FROM_BYTES = 256 * _MIB
FRAME_PIXELS = Limit("The frame", 100_000_000, "megapixels", 1_000_000)
FRAMES = Limit("The number of frames", 50_000)
FOLDER_DEPTH = Limit("The depth of nested folders", 64)
# Python's own recursion limit ends pydicom's reading of nested sequences near this depth.
SEQUENCE_DEPTH = Limit("The depth of nested sequences", 100)
ENCODED_FRAME_BYTES = Limit("The compressed frame", _GIB, "GiB", _GIB)
DOCUMENT_BYTES = Limit("The PDF document", 512 * _MIB, "MiB", _MIB)
DOCUMENT_PAGES = Limit("The number of pages of the PDF document", 5_000)
REPORT_ITEMS = Limit("The number of items of the report", 50_000)
REPORT_DEPTH = Limit("The depth of nested items of the report", 60)
GRAPHIC_POINTS = Limit("The number of points of the presentation state", 200_000)
SEGMENTATION_BYTES = Limit("The segmentation", 768 * _MIB, "MiB", _MIB)
TAG_ROWS = Limit("The number of elements that are listed", 20_000)
# A stack that is put together for MPR lies in the window's own memory.
VOLUME_BYTES = Limit("The volume", 4 * _GIB, "GiB", _GIB)
