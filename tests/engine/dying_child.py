"""First function of a decode worker that aborts, crashes or hangs over files so named."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from viewer.engine.limits import Kind


def enter(kind: Kind, connection: Connection) -> None:
    from viewer.dicom import pixels, scan
    from viewer.engine import decode_worker

    read_images, decode = scan.read_images, pixels.decode

    def die_of(path: Path, member: str) -> None:
        match Path(member or path).stem.split("-")[0]:
            case "abort":
                os.abort()
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "slow":
                time.sleep(0.4)
            case "hang":
                time.sleep(1000)
            case "loop":
                while True:
                    pass

    def read_or_die(opened: Any, path: Path, member: str) -> Any:
        die_of(path, member)
        return read_images(opened, path, member)

    def decode_or_die(image: Any, hashed: bool = True) -> Any:
        die_of(image.path, image.member)
        return decode(image, hashed)

    scan.read_images = read_or_die
    pixels.decode = decode_or_die
    decode_worker.main(connection)
