"""Who a patient is in what goes out without identity. No pydicom: the window holds one, too."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """A patient's key in place of the name and id, and new UIDs in place of the file's.

    The UIDs come from the old ones by a keyed hash, so that all that goes out of one label
    database fits together, and nobody without the key finds the old ones.
    """

    patient_key: str
    secret: bytes = field(repr=False)

    def uid(self, uid: str) -> str:
        """The UID that stands for another one: the root "2.25." and 128 bits (PS3.5 B.2)."""
        digest = hmac.new(self.secret, uid.encode("utf-8", "surrogatepass"), "sha256").digest()
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"

    def image_uid(self, uid: str, frame_number: int, number_of_frames: int) -> str:
        """The UID of a frame that goes out as an image of its own."""
        return self.uid(uid if number_of_frames == 1 else f"{uid}#{frame_number}")
