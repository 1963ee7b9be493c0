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
    from viewer.dicom import scan
    from viewer.engine import decode_worker

    read_images = scan.read_images

    def die_of(opened: Any, path: Path, member: str) -> Any:
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
        return read_images(opened, path, member)

    scan.read_images = die_of  # type: ignore[assignment]
    decode_worker.main(connection)
