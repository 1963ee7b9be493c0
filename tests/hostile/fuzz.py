"""A seeded mutator over the real corpus, through the real open path.

    python -m tests.hostile.fuzz [--files 2000] [--seed 1] [--data DIR]

Prints what became of the files. Fails where something came up that is not a reason for the
reader: an unexpected error, a file that was neither opened nor named, a sound file that was lost,
or one that took longer than the limits of the engine.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.dicom_factory import make_dicom
from tests.hostile.mutator import mutated, spliced
from viewer.dicom import voi
from viewer.dicom.model import Image, ScanUpdate, Skipped
from viewer.engine import client
from viewer.engine.host import Worker, WorkerError
from viewer.errors import InputError

LOT = 40  # files scanned together, with a sound one among them
FRAMES = 3  # decoded of each file: the first two and the last
SECONDS = 20.0  # on a computer that may do other things besides
LARGEST = 4 << 20  # larger files are left out: they take the time and add no kind of damage

OUTCOMES = (
    "opened",
    "opened, marked incomplete",
    "refused by the scan",
    "refused by the decoder",
    "child process died",
    "child process hung",
)


@dataclass
class Tally:
    """What became of the files, and what must never happen."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)  # what ended the child process
    slowest: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)


class Fuzz:
    """Mutates, opens, counts."""

    def __init__(self, corpus: Sequence[Path], seed: int, worker: Worker) -> None:
        self._corpus = corpus
        self._seed = seed
        self._worker = worker
        self.tally = Tally()

    def run(self, files: int) -> Tally:
        for start in range(0, files, LOT):
            with tempfile.TemporaryDirectory() as folder:
                lot = dict(self._write(Path(folder), range(start, min(start + LOT, files))))
                self._open(Path(folder), lot)
        return self.tally

    def _write(self, folder: Path, numbers: range) -> Iterator[tuple[Path, str]]:
        for number in numbers:
            chance = random.Random(f"{self._seed}/{number}")
            source = chance.choice(self._corpus)
            data = mutated(source.read_bytes(), chance)
            if chance.random() < 0.1:
                data = spliced(data, chance.choice(self._corpus).read_bytes(), chance)
            path = folder / f"{number:06}{source.suffix}"
            path.write_bytes(data)
            yield path, f"{source.name}, number {number} of seed {self._seed}"

    def _open(self, folder: Path, lot: dict[Path, str]) -> None:
        sound = make_dicom(folder / "sound.dcm", np.arange(64, dtype=np.uint16).reshape(8, 8))
        images: dict[Path, list[Image]] = {}
        skipped: dict[Path, Skipped] = {}

        def take(update: ScanUpdate) -> None:
            for image in update.images:
                images.setdefault(image.path, []).append(image)
            for item in update.skipped:
                skipped.setdefault(Path(item.path.split(" > ")[0]), item)

        began = time.monotonic()
        client.scan(self._worker, [folder], take)
        self._time(began, len(lot), "a scan")
        if sound not in images:
            self.tally.faults.append(f"the sound file beside {next(iter(lot.values()))} was lost")
        for path, name in lot.items():
            if path in images:
                self.tally.counts[self._decoded(images[path], name)] += 1
            elif path in skipped:
                self.tally.counts[self._refused(skipped[path].reason, name)] += 1
            else:
                self.tally.faults.append(f"{name} was passed over in silence")

    def _refused(self, reason: str, name: str) -> str:
        self.tally.reasons[reason[:60]] += 1
        self._check(reason, name)
        if "decoding process" in reason or "of computing" in reason:
            return self._ended(reason, name)
        return "refused by the scan"

    def _ended(self, reason: str, name: str) -> str:
        self.tally.ended.append(f"{name}: {reason}")
        return "child process died" if "stopped unexpectedly" in reason else "child process hung"

    def _decoded(self, images: list[Image], name: str) -> str:
        outcome = "opened"
        for image in [*images[: FRAMES - 1], *images[FRAMES - 1 :][-1:]]:
            if not image.kind.has_picture:
                continue
            began = time.monotonic()
            try:
                frame = client.decode_frame(self._worker, image)
                voi.picture(frame, voi.default_voi(frame))
                voi.tone_curve(frame)
                if frame.incomplete:
                    outcome = "opened, marked incomplete"
            except InputError as error:
                self.tally.reasons[str(error)[:60]] += 1
                self._check(str(error), name)
                return "refused by the decoder"
            except WorkerError as error:
                return self._ended(str(error), name)
            except Exception as error:
                self.tally.faults.append(f"{name}: {type(error).__name__} {error}")
            finally:
                self._time(began, 1, name)
        return outcome

    def _check(self, reason: str, name: str) -> None:
        if "unexpected error" in reason or not reason.endswith("."):
            self.tally.faults.append(f"{name}: {reason}")

    def _time(self, began: float, files: int, name: str) -> None:
        seconds = time.monotonic() - began
        if files == 1:
            self.tally.slowest = max(self.tally.slowest, seconds)
        if seconds > SECONDS * files:
            self.tally.faults.append(f"{name} took {seconds:.1f} s")


def corpus_in(folder: Path) -> list[Path]:
    """The files to damage, in an order that does not depend on the disk."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if 0 < path.stat().st_size <= LARGEST]


def main(arguments: Sequence[str]) -> int:
    here = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=here.parent / "shared" / "data" / "dicom")
    options = parser.parse_args(arguments)
    corpus = corpus_in(options.data)
    if not corpus:
        print(f"no files to damage in {options.data}", file=sys.stderr)
        return 2
    began = time.monotonic()
    with closing(Worker("decode")) as worker:
        tally = Fuzz(corpus, options.seed, worker).run(options.files)
    print(f"seed {options.seed}: {options.files} damaged copies of {len(corpus)} files")
    for outcome in OUTCOMES:
        print(f"{outcome:28}{tally.counts[outcome]:>6}")
    print(f"slowest decode {tally.slowest:.1f} s, all {time.monotonic() - began:.0f} s")
    for reason, count in tally.reasons.most_common(12):
        print(f"{count:>6}  {reason}")
    for ended in tally.ended:
        print(f"ended the child process: {ended}")
    for fault in tally.faults:
        print(f"FAULT: {fault}")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
