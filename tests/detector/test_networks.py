"""Every architecture on every backbone answers in one form and learns only what somebody saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from detector import model_store
from detector.networks.architectures import build
from detector.networks.backbone import Backbone
from detector.networks.faster_rcnn import PROPOSALS, FasterRcnn
from detector.networks.fcos import Fcos
from detector.networks.network import DetectionNetwork, ProposalNetwork, Target
from detector.types import ModelError
from tests.detector.labelled_images import model_card

CATEGORIES = ("opacity", "effusion")
ON_BACKBONES = ["faster_rcnn", "fcos", "retinanet", "ssdlite"]
NAN = float("nan")

combinations = pytest.mark.parametrize("backbone", ["resnet18", "mobilenet_v3"])
architectures = pytest.mark.parametrize("architecture", ON_BACKBONES)


def network(architecture: str, backbone: str = "mobilenet_v3", **options: Any) -> DetectionNetwork:
    torch.manual_seed(0)
    options = {"backbone": backbone, "image_classes": ["Mass", "Nodule"], **options}
    return build(architecture, options, CATEGORIES)


def target(
    boxes: list[list[float]], categories: list[int], complete: list[float],
    rejected: list[list[float]] | None = None,
) -> Target:  # fmt: skip
    return Target(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(categories, dtype=torch.int64),
        torch.tensor(rejected or [], dtype=torch.float32).reshape(-1, 4),
        torch.zeros(len(rejected or []), dtype=torch.int64),
        torch.tensor(complete), torch.tensor([1.0, NAN]),
    )  # fmt: skip


def total(losses: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(losses.values())).sum()


def category_gradient(net: DetectionNetwork) -> torch.Tensor:
    """(2,) how strongly the last layer of each category was pulled, in any direction."""
    if isinstance(net, FasterRcnn):
        layers = [net.category]
    elif isinstance(net, Fcos):
        layers = [net.category_head.cls_logits]
    else:
        head: Any = net.head.classification_head  # type: ignore[union-attr]
        layers = [block[1] for block in head.module_list] if hasattr(head, "module_list") else [
            head.cls_logits
        ]  # fmt: skip
    return sum((layer.bias.grad.reshape(-1, 2).abs().sum(0) for layer in layers), torch.zeros(2))


@architectures
@combinations
def test_an_answer_has_one_form(architecture: str, backbone: str) -> None:
    net = network(architecture, backbone).eval()
    with torch.inference_mode():
        output = net(torch.rand(2, 1, 96, 96))
    places = output.boxes.shape[1]
    assert output.boxes.shape == (2, places, 4)
    assert output.logits.shape == (2, places, 2)
    assert output.image_logits.shape == (2, 2)
    assert all(part.isfinite().all() and part.dtype == torch.float32 for part in output[:3])
    assert output.logits.sigmoid().max() < 0.2  # an untrained network marks nothing


@architectures
@combinations
def test_every_weight_is_trained(architecture: str, backbone: str) -> None:
    net = network(architecture, backbone).train()
    # One finding in the middle of a place of each level, so that each has a box to learn.
    boxes = [[4.2, 4.2, 7.8, 7.8], [41, 41, 47, 47], [17, 17, 31, 31], [14, 14, 82, 82]]
    truth = target(boxes, [1, 0, 1, 0], [1.0, 1.0])
    losses = net(torch.rand(1, 1, 96, 96), [truth])
    assert all(loss.isfinite() and loss.ndim == 0 for loss in losses.values())
    total(losses).backward()
    idle = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


@architectures
def test_an_unread_category_teaches_nothing(architecture: str) -> None:
    net = network(architecture)
    total(net(torch.rand(2, 1, 64, 64), [target([], [], [1.0, 0.0])] * 2)).backward()
    gradient = category_gradient(net)
    assert gradient[0] > 0
    assert gradient[1] == 0


@architectures
def test_a_rejected_box_of_an_unread_category_teaches(architecture: str) -> None:
    net = network(architecture)
    truth = target([], [], [0.0, 0.0], rejected=[[8, 8, 56, 56]])
    total(net(torch.rand(1, 1, 64, 64), [truth])).backward()
    gradient = category_gradient(net)
    assert gradient[0] > 0
    assert gradient[1] == 0


@architectures
def test_a_finding_of_an_unread_image_is_learnt(architecture: str) -> None:
    net = network(architecture)
    truth = target([[8, 8, 56, 56]], [1], [0.0, 0.0])
    losses = net(torch.rand(1, 1, 64, 64), [truth])
    assert losses["box"] > 0
    total(losses).backward()
    gradient = category_gradient(net)
    assert gradient[0] == 0
    assert gradient[1] > 0


@architectures
def test_an_image_of_which_nothing_is_known_trains_nothing(architecture: str) -> None:
    net = network(architecture)
    blank = target([], [], [0.0, 0.0])
    blank.image_classes.fill_(NAN)
    loss = total(net(torch.rand(1, 1, 64, 64), [blank]))
    loss.backward()
    assert loss == 0
    assert not any(p.grad.any() for p in net.parameters() if p.grad is not None)


@architectures
def test_a_weak_report_weighs_less_than_a_reading(architecture: str) -> None:
    def pull(complete: float) -> float:
        net = network(architecture).eval()
        torch.manual_seed(1)
        total(net(torch.ones(1, 1, 64, 64) / 2, [target([], [], [complete, complete])])).backward()
        return float(category_gradient(net)[0])

    assert pull(0.25) == pytest.approx(0.25 * pull(1.0), rel=1e-3)


@pytest.mark.parametrize("architecture", ["csp_nano", *ON_BACKBONES])
def test_colour_images_run_and_train(architecture: str) -> None:
    torch.manual_seed(0)
    net = build(architecture, {"channels": 3}, CATEGORIES)
    losses = net(torch.rand(2, 3, 64, 64), [target([[8, 8, 56, 56]], [0], [1.0, 1.0])] * 2)
    total({k: v for k, v in losses.items() if k != "image"}).backward()
    assert losses["image"] == 0  # it was built without image-level classes
    with torch.inference_mode():
        assert net.eval()(torch.rand(1, 3, 64, 64)).image_logits.shape == (1, 0)


@architectures
def test_batch_norm_is_a_choice(architecture: str) -> None:
    kinds = {"group": torch.nn.GroupNorm, "batch": torch.nn.BatchNorm2d}
    for norm, kind in kinds.items():
        net = network(architecture, norm=norm)
        layers = [m for m in net.modules() if "Norm" in type(m).__name__]
        assert layers
        assert all(isinstance(m, kind) for m in layers if "Activation" not in type(m).__name__)


@architectures
def test_bfloat16_answers_in_float32(architecture: str) -> None:
    net = network(architecture).eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        output = net(torch.rand(1, 1, 64, 64))
    assert all(part.dtype == torch.float32 and part.isfinite().all() for part in output[:3])


@architectures
def test_coarse_and_fine_levels_can_be_asked_for(architecture: str) -> None:
    net = network(architecture, levels=[4, 8, 16, 32, 64]).eval()
    with torch.inference_mode():
        output = net(torch.rand(1, 1, 64, 64))
    places = sum((64 // s) ** 2 for s in (4, 8, 16, 32, 64))
    answers = {"fcos": places, "faster_rcnn": PROPOSALS}
    assert output.boxes.shape[1] == answers.get(architecture, 9 * places)


@combinations
def test_a_backbone_moves_between_architectures(backbone: str) -> None:
    donor = network("retinanet", backbone)
    images = torch.rand(1, 1, 64, 64)
    for architecture in ON_BACKBONES:
        heir = build(architecture, {"backbone": backbone}, CATEGORIES)
        assert isinstance(heir.backbone, Backbone)
        heir.backbone.load_state_dict(donor.backbone.state_dict())  # type: ignore[union-attr]
        with torch.inference_mode():
            theirs = donor.backbone(images)  # type: ignore[operator]
            for stride, features in heir.backbone(images).items():
                assert torch.equal(features, theirs[stride])


@combinations
def test_the_backbone_has_the_strides_it_says(backbone: str) -> None:
    body = network("retinanet", backbone).backbone
    assert isinstance(body, Backbone)
    with torch.inference_mode():
        for stride, features in body(torch.rand(1, 1, 128, 128)).items():
            assert features.shape == (1, body.widths[stride], 128 // stride, 128 // stride)


def test_proposals_come_best_first() -> None:
    net = network("faster_rcnn").eval()
    assert isinstance(net, ProposalNetwork)
    with torch.inference_mode():
        first, second = net.proposals(torch.rand(2, 1, 96, 96), 20)
    for boxes, objectness in (first, second):
        assert boxes.shape == (20, 4)
        assert objectness.shape == (20,)
        assert (objectness.diff() <= 0).all()
        assert ((boxes >= 0) & (boxes <= 96)).all()


def test_other_architectures_have_no_proposals() -> None:
    assert not isinstance(network("retinanet"), ProposalNetwork)


def test_fewer_proposals_are_filled_up_with_boxes_that_score_nothing() -> None:
    net = network("faster_rcnn", levels=[32]).eval()
    images = torch.rand(1, 1, 32, 32)  # one place with nine anchors
    with torch.inference_mode():
        found = len(net.proposals(images, PROPOSALS)[0][0])
        output = net(images)
    assert 0 < found < PROPOSALS
    assert output.boxes.shape == (1, PROPOSALS, 4)
    assert output.logits[0, found:].sigmoid().max() < 1e-9
    assert output.logits[0, :found].sigmoid().min() > 1e-4


def test_the_first_stage_learns_background_only_where_all_was_read() -> None:
    def objectness(complete: list[float]) -> float:
        net = network("faster_rcnn")
        losses = net(torch.rand(1, 1, 64, 64), [target([], [], complete)])
        return float(losses["objectness"].detach())

    assert objectness([1.0, 0.0]) == 0
    assert objectness([1.0, 1.0]) > 0.1
    assert objectness([1.0, 0.5]) == pytest.approx(0.5 * objectness([1.0, 1.0]), rel=0.05)


@architectures
@combinations
def test_what_is_saved_is_what_answers(
    architecture: str, backbone: str, tmp_path: Path
) -> None:  # fmt: skip
    options = {"backbone": backbone, "norm": "batch", "image_classes": ["Mass", "Nodule"]}
    card = model_card(architecture=architecture, architecture_options=options)
    net = network(architecture, backbone, norm="batch").eval()
    model_store.save(card, net, tmp_path / "m")
    loaded = model_store.load(tmp_path / "m").network
    images = torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        for mine, theirs in zip(net(images)[:3], loaded(images)[:3], strict=True):
            assert torch.allclose(mine, theirs, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"backbone": "vgg"}, "backbone is 'vgg'; it can be resnet18 or mobilenet_v3"),
        ({"norm": None}, "norm is None; it can be group or batch"),
        ({"channels": 2}, "channels is 2; it can be 1 or 3"),
        ({"image_classes": "Mass"}, "image_classes is not a list of names"),
        ({"levels": [8, 32]}, "neighbours out of 4, 8, 16, 32, 64"),
        ({"levels": [8, 16]}, "with 32 among them"),
        ({"levels": 32}, "levels is 32"),
        ({"width": 100}, "a multiple of 32"),
        ({"depth": 4}, "option 'depth' is not known; known are backbone, norm"),
    ],
)
def test_an_impossible_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        build("retinanet", options, CATEGORIES)


@pytest.mark.parametrize("options", [{"levels": [4]}, {"levels": 8}, {"backbone": "resnet18"}])
def test_an_impossible_option_of_csp_nano_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="option"):
        build("csp_nano", options, CATEGORIES)
