"""Each architecture can learn two pictures by heart and finds the finding through the predictor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from detector import model_store
from detector.inference.predictor import Predictor
from detector.networks.architectures import build
from detector.networks.network import DetectionNetwork, Target
from detector.types import Box, ImageInput
from tests.detector.labelled_images import model_card, radiograph

SIDE = 128
BOXES = ((30, 20, 40, 36), (70, 60, 34, 44))  # x, y, width, height


def learn(net: DetectionNetwork, pictures: list[np.ndarray], steps: int) -> list[float]:
    """The loss of each step over two pictures with a finding of their own category."""
    images = torch.from_numpy(np.stack(pictures))[:, None].float() / 255.0
    none = torch.zeros(0, 4)
    targets = [
        Target(
            torch.tensor([[x, y, x + w, y + h]], dtype=torch.float32), torch.tensor([category]),
            none, none[:, 0].long(), torch.ones(2), torch.tensor([float(category)]),
        )
        for category, (x, y, w, h) in enumerate(BOXES)
    ]  # fmt: skip
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    course = []
    net.train()
    for _ in range(steps):
        loss = torch.stack(list(net(images, targets).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        course.append(float(loss.detach()))
    return course


@pytest.mark.parametrize("architecture", ["faster_rcnn", "fcos", "retinanet", "ssdlite"])
def test_two_pictures_are_learnt_by_heart(architecture: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    options = {"backbone": "mobilenet_v3", "image_classes": ["Mass"]}
    card = model_card(architecture=architecture, architecture_options=options)
    net = build(architecture, options, card.categories)
    pictures = [radiograph(seed, box) for seed, box in enumerate(BOXES)]
    course = learn(net, pictures, steps=40)
    assert np.mean(course[-5:]) < 0.5 * np.mean(course[:5])
    model_store.save(card, net, tmp_path / "m")
    predictor = Predictor(tmp_path / "m", "cpu")
    for category, (picture, box) in enumerate(zip(pictures, BOXES, strict=True)):
        found = predictor.predict(ImageInput(picture)).detections[0]
        assert found.category == card.categories[category]
        assert found.score > 0.2
        assert found.box.iou(Box.from_xywh(*box)) > 0.5
