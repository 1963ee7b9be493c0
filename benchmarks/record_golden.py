"""What the shipped model marks on 20 phantoms, recorded for the golden test.

    python -m benchmarks.record_golden

To be run once whenever the weights of the shipped model or the preprocessing change on purpose.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.phantom_check import MODEL, WINDOW
from detector.inference.predictor import Predictor
from detector.types import ImageInput
from resources.chest_phantom import chest_radiograph

GOLDEN = Path(__file__).parent.parent / "tests" / "detector" / "golden_phantoms.json"
SEEDS = range(1, 21)
SIZE = 512
LEAST_SCORE = 0.05


def marks(predictor: Predictor, seed: int) -> list[list[Any]]:
    """Category, score and corners of each box of 0.05 or more on the phantom of a seed."""
    pixels, _ = chest_radiograph(seed, True, SIZE)
    found = predictor.predict(ImageInput(pixels, WINDOW), LEAST_SCORE).detections
    return [
        [d.category, round(d.score, 6),
         *(round(v, 4) for v in (d.box.x_min, d.box.y_min, d.box.x_max, d.box.y_max))]
        for d in found
    ]  # fmt: skip


def main() -> None:
    predictor = Predictor(MODEL, "cpu", "fp32")
    recorded = {
        "weights_sha256": predictor.card.weights_sha256,
        "size": SIZE,
        "marks": {str(seed): marks(predictor, seed) for seed in SEEDS},
    }
    GOLDEN.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
    marked = sum(bool(found) for found in recorded["marks"].values())
    print(f"{marked} of {len(SEEDS)} phantoms have a box scoring {LEAST_SCORE} or more: {GOLDEN}")


if __name__ == "__main__":
    main()
