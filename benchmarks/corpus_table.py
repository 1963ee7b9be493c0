"""The corpus of real files, group by group: opened, equal to an independent rendering, refused.

    python -m benchmarks.corpus_table [FOLDER]

The rendering beside ours is pydicom's: modality LUT, VOI, MONOCHROME1, palette and colour spaces;
what its plug-ins do not decode is decoded by dcmtk's ``dcmdjpeg``, which must be installed.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

from tests.dicom.corpus_oracle import Judgement, corpus_files, judge

FOLDER = Path(__file__).parent.parent.parent / "shared" / "data" / "dicom"
_RESULTS = ("equal", "within 1", "differs", "no oracle", "incomplete", "refused")
COLUMNS = ("files", "opened", *_RESULTS, "no image")


def count(judgements: list[Judgement]) -> Counter[str]:
    """The figures of one line of the table."""
    found: Counter[str] = Counter(files=len(judgements))
    for judgement in judgements:
        found[judgement.result if judgement.result in _RESULTS else "no image"] += 1
        found["opened"] += judgement.result != "refused"
    return found


def line(name: str, figures: Counter[str]) -> str:
    return f"{name:30}" + "".join(f"{figures[column]:>11}" for column in COLUMNS)


def main(folder: Path) -> None:
    groups: dict[str, list[Judgement]] = defaultdict(list)
    for name in corpus_files(folder):
        judgement = judge(folder, name)
        groups[judgement.group].append(judgement)
    print(f"{'group':30}" + "".join(f"{column:>11}" for column in COLUMNS))
    for group, judgements in groups.items():
        print(line(group, count(judgements)))
    everything = [judgement for judgements in groups.values() for judgement in judgements]
    print(line("all", count(everything)))
    print("\nnot equal, and why")
    for judgement in everything:
        if judgement.result != "equal":
            words = (judgement.name, judgement.result, judgement.detail)
            print("  " + ": ".join(word for word in words if word))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
