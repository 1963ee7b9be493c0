"""TFRecord, by the tfrecord package and field by field."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.exchange.journeys import (
    COLUMNS,
    ODD,
    ROWS,
    export,
)
from viewer.review.store import Store


class TestTfrecord:
    def test_the_tfrecord_package_reads_every_field(
        self, store: Store, odd_labels: Path, tmp_path: Path
    ) -> None:
        """In a process of its own: it loads torch."""
        out = tmp_path / "out"
        export(store, out, "tfrecord")
        records = {
            name: read_records(out / f"{name}.tfrecord", tmp_path) for name in ("train", "partial")
        }
        assert {name: len(found) for name, found in records.items()} == {"train": 2, "partial": 2}
        most = max(records["train"], key=lambda record: len(record["label"]))
        texts = bytes.fromhex(most["text"]).decode()
        assert len(most["label"]) == len(ODD) + 4
        assert (most["height"], most["width"]) == ([ROWS], [COLUMNS])
        assert bytes.fromhex(most["format"]) == b"png"
        assert most["filename"] == most["source_id"]
        place = most["xmax"].index(1.0)
        assert (most["xmin"][place], most["ymin"][place], most["ymax"][place]) == (0.0, 0.0, 1.0)
        assert texts.split("|")[place] == "opacity"
        assert most["label"][place] == 1
        assert all(category in texts for category in ODD)
        picture = cv2.imdecode(
            np.frombuffer(bytes.fromhex(most["encoded"]), np.uint8), cv2.IMREAD_UNCHANGED
        )
        assert picture.shape == (ROWS, COLUMNS)
        assert picture.dtype == np.uint8
        empty = min(records["train"], key=lambda record: len(record["label"]))
        assert empty["label"] == empty["xmin"] == []
        label_map = (out / "label_map.pbtxt").read_text("utf-8")
        assert 'name: "opacity"\n  id: 1\n' in label_map
        assert "Ödem ＝ 肺" in label_map

    def test_the_frame_around_each_record(
        self, store: Store, odd_labels: Path, tmp_path: Path
    ) -> None:
        """Against another implementation of CRC-32C."""
        export(store, tmp_path / "out", "tfrecord")
        content = (tmp_path / "out" / "train.tfrecord").read_bytes()
        count = place = 0
        while place < len(content):
            (length,) = struct.unpack_from("<Q", content, place)
            (of_length,) = struct.unpack_from("<I", content, place + 8)
            data = content[place + 12 : place + 12 + length]
            (of_data,) = struct.unpack_from("<I", content, place + 12 + length)
            for part, crc in ((content[place : place + 8], of_length), (data, of_data)):
                plain_crc = slow_crc32c(part)
                assert crc == ((plain_crc >> 15 | plain_crc << 17) + 0xA282EAD8) % 2**32
            place += 16 + length
            count += 1
        assert count == 2


def slow_crc32c(content: bytes) -> int:
    """Bit by bit, by the polynomial of RFC 3720, B.4."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


_READER = """
import json, sys, warnings
warnings.simplefilter("ignore")
from tfrecord.reader import tfrecord_loader
result = []
for record in tfrecord_loader(sys.argv[1], None, None):
    fields = {}
    for name, value in record.items():
        short = name.split("/")[-1]
        if isinstance(value, bytes):
            fields[short] = value.hex()
        elif short == "text":
            fields[short] = b"|".join(value.tolist()).hex()
        else:
            fields[short] = value.tolist()
    result.append(fields)
print(json.dumps(result))
"""


def read_records(path: Path, folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", _READER, str(path)], capture_output=True, text=True, check=True,
        cwd=folder,
    )  # fmt: skip
    return json.loads(done.stdout)  # type: ignore[no-any-return]
