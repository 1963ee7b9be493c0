"""The loss counts what somebody looked at, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor

from detector.networks.dense_loss import detection_loss
from detector.networks.network import NetworkOutput, Target

STRIDE = 16.0


def output(seed: int = 0) -> NetworkOutput:
    """An 8 x 8 grid of places over 128 pixels, two categories, three image classes."""
    torch.manual_seed(seed)
    ys, xs = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    points = (torch.stack([xs, ys], -1).reshape(-1, 2) + 0.5) * STRIDE
    half = torch.rand(64, 2) * 20 + 10
    boxes = torch.cat([points - half, points + half], 1)[None].requires_grad_()
    logits = (torch.randn(1, 64, 2) * 0.1 - 3).requires_grad_()
    image_logits = torch.zeros(1, 3, requires_grad=True)
    return NetworkOutput(boxes, logits, image_logits, points, torch.full((64,), STRIDE))


def target(
    boxes: list[list[float]], categories: list[int], complete: list[float],
    rejected: list[list[float]] | None = None, image_classes: list[float] | None = None,
) -> Target:  # fmt: skip
    nan = float("nan")
    return Target(
        torch.tensor(boxes).reshape(-1, 4), torch.tensor(categories, dtype=torch.int64),
        torch.tensor(rejected or []).reshape(-1, 4),
        torch.zeros(len(rejected or []), dtype=torch.int64),
        torch.tensor(complete, dtype=torch.float32), torch.tensor(image_classes or [nan, nan, nan]),
    )  # fmt: skip


def score_gradient(truth: Target) -> Tensor:
    answer = output()
    torch.stack(list(detection_loss(answer, [truth]).values())).sum().backward()
    assert answer.logits.grad is not None
    return answer.logits.grad[0]


def inside(x_min: float, y_min: float, x_max: float, y_max: float) -> Tensor:
    x, y = output().points.T
    return (x > x_min) & (x < x_max) & (y > y_min) & (y < y_max)


def test_an_unread_category_teaches_nothing() -> None:
    gradient = score_gradient(target([], [], [1, 0]))
    assert (gradient[:, 0] > 0).all()  # a negative image pushes every score down
    assert not gradient[:, 1].any()


def test_of_a_partial_image_only_decided_places_count() -> None:
    truth = target([[20, 20, 60, 60]], [0], [0, 0], rejected=[[80, 80, 128, 128]])
    gradient = score_gradient(truth)[:, 0]
    decided = inside(20, 20, 60, 60) | inside(80, 80, 128, 128)
    assert gradient[decided].ne(0).all()
    assert not gradient[~decided].any()
    assert (gradient[inside(80, 80, 128, 128)] > 0).all()


def test_a_rejected_box_counts_twice_the_background() -> None:
    plain = score_gradient(target([], [], [1, 1]))[:, 0]
    hard = score_gradient(target([], [], [1, 1], rejected=[[0, 0, 64, 64]]))[:, 0]
    ratio = hard / plain
    assert torch.allclose(ratio[inside(0, 0, 64, 64)], torch.tensor(2.0))
    assert torch.allclose(ratio[~inside(0, 0, 64, 64)], torch.tensor(1.0))


def test_places_inside_a_finding_are_drawn_up_and_their_boxes_towards_it() -> None:
    answer = output()
    truth = target([[30, 30, 90, 90]], [1], [1, 1])
    before = detection_loss(answer, [truth])
    torch.stack(list(before.values())).sum().backward()
    assert answer.logits.grad is not None
    assert answer.boxes.grad is not None
    assert (answer.logits.grad[0, :, 1] < 0).any()
    moved = answer._replace(boxes=(answer.boxes - 30.0 * answer.boxes.grad).detach())
    assert detection_loss(moved, [truth])["box"] < before["box"]


def test_a_finding_between_all_places_still_has_one() -> None:
    loss = detection_loss(output(), [target([[9.0, 9, 14, 14]], [0], [1, 1])])
    assert loss["box"] > 0


def test_unknown_image_classes_teach_nothing() -> None:
    answer = output()
    nan = float("nan")
    detection_loss(answer, [target([], [], [0, 0], image_classes=[1, nan, 0])])["image"].backward()
    assert answer.image_logits.grad is not None
    gradient = answer.image_logits.grad[0]
    assert gradient[0] < 0
    assert gradient[1] == 0
    assert gradient[2] > 0
