"""What a child process may use before it is stopped: one table."""

from __future__ import annotations

from typing import Literal

from viewer.engine.messages import (
    AddModelRequest,
    CopyRequest,
    DetectRequest,
    FramesRequest,
    InspectModelRequest,
    MeasurementsRequest,
    ReportRequest,
    Request,
    ScanRequest,
    SegmentationRequest,
    SoftcopyRequest,
    TagsRequest,
    ThumbnailRequest,
)

Kind = Literal["decode", "model"]

# Seconds from the start of the process to its first word; the model worker imports torch first,
# which takes minutes from a cold network disk under a virus scanner.
START_LIMIT_S: dict[Kind, float] = {"decode": 60.0, "model": 240.0}

# Seconds of computing without a word, after which the system ends a child (not on Windows). A scan
# says each file that it begins: with the start of the next process, a decoder that goes in circles
# costs the reader one file and less than 10 s. A sound file is not lost on a computer that is busy
# with other things.
COMPUTING_LIMIT_S: dict[type[Request], float] = {
    ScanRequest: 8.0,
    FramesRequest: 8.0,
    ThumbnailRequest: 8.0,
    TagsRequest: 8.0,
    CopyRequest: 16.0,  # it decodes twice: to look, and as stored
    MeasurementsRequest: 8.0,
}

# Seconds without a word before a request counts as hung, whatever it does: waiting for a disk, too.
SILENCE_LIMIT_S: dict[type[Request], float] = {
    ScanRequest: 20.0,
    FramesRequest: 20.0,
    ThumbnailRequest: 20.0,
    TagsRequest: 20.0,
    CopyRequest: 40.0,
    MeasurementsRequest: 20.0,
    ReportRequest: 30.0,
    SoftcopyRequest: 30.0,
    SegmentationRequest: 120.0,  # all frames of it
    DetectRequest: 600.0,  # importing torch on a busy computer took 270 s
    InspectModelRequest: 600.0,
    AddModelRequest: 600.0,
}

# A cancelled request ends within 500 ms: time to stop by itself, then to be killed and reaped.
CANCEL_GRACE_S = 0.2
KILL_WAIT_S = 0.1

# How often a waiting host looks for a cancellation.
POLL_S = 0.02

# Address space of the decode worker: several times the largest frame that dicom/limits.py allows.
# The model worker has none: CUDA reserves far more than it uses.
DECODE_ADDRESS_SPACE = 8 << 30

# Arrays below this travel in the pipe itself: two system calls are cheaper than a shared block.
SHARED_FROM_BYTES = 64 << 10

# Shared memory that is left to everyone else. Writing into a full /dev/shm is not an error but a
# SIGBUS, so a block is only made where it fits with this to spare.
SHARED_HEADROOM = 16 << 20

# A block of shared memory above this is not kept for the next answer of its child.
KEPT_BLOCK_BYTES = 64 << 20
