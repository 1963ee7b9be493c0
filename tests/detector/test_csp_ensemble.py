"""Members side by side answer as each would alone, and train as each would alone."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from detector.networks.architectures import build
from detector.networks.csp_ensemble import CspEnsemble, places
from detector.networks.network import Target
from detector.types import ModelError

OPTIONS = {"sizes": [64, 96], "levels": [16, 32], "places": [20, 45], "image_classes": ["a"]}
CATEGORIES = ("opacity", "effusion")


def ensemble() -> CspEnsemble:
    torch.manual_seed(0)
    network = build("csp_ensemble", OPTIONS, CATEGORIES)
    assert isinstance(network, CspEnsemble)
    return network.eval()


def target() -> Target:
    return Target(
        torch.tensor([[20.0, 20, 60, 70]]), torch.tensor([0]), torch.zeros(0, 4),
        torch.zeros(0, dtype=torch.int64), torch.ones(2), torch.tensor([1.0]),
    )  # fmt: skip


def test_each_member_answers_as_alone_in_pixels_of_the_input() -> None:
    network, images = ensemble(), torch.rand(2, 1, 96, 96)
    with torch.no_grad():
        together = network(images)
        small = functional.interpolate(images, (64, 64), mode="bilinear", align_corners=False)
        first, second = network.members[0](small), network.members[1](images)
    assert places([64, 96], [16, 32]) == [20, 45]
    assert together.boxes.shape == (2, 65, 4)
    torch.testing.assert_close(together.boxes[:, :20], first.boxes * 1.5)
    torch.testing.assert_close(together.boxes[:, 20:], second.boxes)
    torch.testing.assert_close(together.logits[:, :20], first.logits)
    mean = (first.image_logits.sigmoid() + second.image_logits.sigmoid()) / 2
    torch.testing.assert_close(together.image_logits.sigmoid(), mean)


def test_a_mirrored_ensemble_looks_at_the_mirrored_picture_too() -> None:
    plain = ensemble()
    options = OPTIONS | {"places": [20, 45, 20, 45], "mirrored": True}
    both = build("csp_ensemble", options, CATEGORIES).eval()
    both.load_state_dict(plain.state_dict())
    images = torch.rand(2, 1, 96, 96)
    with torch.no_grad():
        together, straight, turned = both(images), plain(images), plain(images.flip(-1))
    torch.testing.assert_close(together.boxes[:, :65], straight.boxes)
    torch.testing.assert_close(together.logits[:, 65:], turned.logits)
    left, right = together.boxes[:, 65:, 0], together.boxes[:, 65:, 2]
    torch.testing.assert_close(left, 96 - turned.boxes[..., 2])
    torch.testing.assert_close(right, 96 - turned.boxes[..., 0])
    mean = (straight.image_logits.sigmoid() + turned.image_logits.sigmoid()) / 2
    torch.testing.assert_close(together.image_logits.sigmoid(), mean)
    with pytest.raises(ModelError, match="places of csp_ensemble"):
        build("csp_ensemble", OPTIONS | {"mirrored": True}, CATEGORIES)
    with pytest.raises(ModelError, match="not true or false"):
        build("csp_ensemble", options | {"mirrored": "yes"}, CATEGORIES)


def test_the_loss_is_the_mean_of_the_members_with_the_truth_at_their_size() -> None:
    network, images = ensemble(), torch.rand(1, 1, 96, 96)
    losses = network(images, [target()])
    second = network.members[1](images, [target()])
    small = functional.interpolate(images, (64, 64), mode="bilinear", align_corners=False)
    first = network.members[0](small, [target().scaled(64 / 96)])
    for name, value in losses.items():
        torch.testing.assert_close(value, (first[name] + second[name]) / 2)
    sum(losses.values()).backward()
    missing = [n for n, p in network.named_parameters() if p.grad is None]
    assert not missing


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sizes": []}, "sizes of csp_ensemble"),
        ({"sizes": [60, 96]}, "not multiples of 32"),
        ({"places": [20, 44]}, "places of csp_ensemble"),
        ({"members": 2}, "members"),
    ],
)
def test_impossible_options_are_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        build("csp_ensemble", OPTIONS | change, CATEGORIES)
