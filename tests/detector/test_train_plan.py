"""Wishes become a recipe, and one model starts another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from detector.dataset.sample import Sample
from detector.model_store import LoadedModel
from detector.networks.architectures import build
from detector.training.plan import Wish, recipe_for
from detector.training.starting import extended, take_backbone
from detector.types import DatasetError, ModelError
from tests.detector.labelled_images import model_card

SAMPLES = [Sample(Path(f"{i}.png"), str(i), complete=frozenset({"opacity"})) for i in range(20)]


def loaded(architecture: str, **options: object) -> LoadedModel:
    torch.manual_seed(5)
    levels = [16, 32] if architecture == "csp_nano" else [8, 16, 32]
    card = model_card(
        architecture=architecture,
        architecture_options={"levels": levels, "image_classes": ["Mass"], **options},
    )
    return LoadedModel(card, build(architecture, card.architecture_options, card.categories))


def test_without_a_wish_the_start_decides() -> None:
    recipe = recipe_for(Wish(), loaded("csp_nano"), SAMPLES)
    assert (recipe.architecture, recipe.levels, recipe.input_size) == ("csp_nano", (16, 32), 128)
    assert (recipe.epochs, recipe.frozen_norms) == (6, True)
    fresh = recipe_for(Wish(), None, SAMPLES)
    assert (fresh.architecture, fresh.epochs, fresh.frozen_norms) == ("csp_nano", 12, False)


def test_each_wish_reaches_the_recipe() -> None:
    wish = Wish("fcos", "mobilenet_v3", 3, 256, 7, 0, 4, 11)
    recipe = recipe_for(wish, None, SAMPLES)
    assert (recipe.architecture, recipe.backbone, recipe.channels) == ("fcos", "mobilenet_v3", 3)
    assert (recipe.input_size, recipe.epochs, recipe.batch, recipe.seed) == (256, 7, 4, 11)
    assert recipe.norm == "group"  # few images in a step
    assert recipe_for(Wish("fcos"), None, SAMPLES).norm == "batch"
    assert recipe_for(Wish("fcos"), None, SAMPLES, 2).norm == "group"


@pytest.mark.parametrize(("count", "shown"), [(3, 16), (20, 40), (400, 640), (5000, 5000)])
def test_an_epoch_shows_everything_once_and_a_little_twice(count: int, shown: int) -> None:
    assert recipe_for(Wish(), None, SAMPLES[:1] * count).images_per_epoch == shown


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (Wish(backbone="resnet18"), "its own as backbone, not resnet18"),
        (Wish(channels=3), "has 1 as channels, not 3"),
        (Wish(input_size=100), "multiple of 32, not 100"),
    ],
)
def test_what_the_start_cannot_become_is_a_sentence(wish: Wish, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        recipe_for(wish, loaded("csp_nano"), SAMPLES)


def test_labels_can_be_pretrained_on_only_where_there_are_any() -> None:
    with pytest.raises(DatasetError, match="no image-level classes"):
        recipe_for(Wish(label_epochs=2), None, SAMPLES)


@pytest.mark.parametrize("architecture", ["csp_nano", "retinanet", "ssdlite", "faster_rcnn"])
def test_a_new_category_leaves_the_answers_for_the_known_ones(architecture: str) -> None:
    options = {} if architecture == "csp_nano" else {"backbone": "mobilenet_v3"}
    base = loaded(architecture, **options)
    network = extended(base, (*base.card.categories, "nodule")).eval()
    images = torch.rand(1, 1, 128, 128)
    with torch.inference_mode():
        before, after = base.network.eval()(images), network(images)
    assert after.logits.shape[-1] == 3
    if architecture != "faster_rcnn":  # which keeps the best regions, of any category
        assert torch.allclose(after.logits[..., :2], before.logits, atol=1e-5)
        assert torch.allclose(after.boxes, before.boxes, atol=1e-3)


def test_a_backbone_moves_between_architectures() -> None:
    base = loaded("retinanet", backbone="mobilenet_v3")
    other = loaded("fcos", backbone="mobilenet_v3").network
    with torch.no_grad():
        for value in other.parameters():
            value.zero_()
    taken = take_backbone(other, base)  # type: ignore[arg-type]
    names = [n for n in other.state_dict() if n.startswith("backbone.")]
    assert taken == len(names) > 100
    state = base.network.state_dict()
    assert all(torch.equal(other.state_dict()[name], state[name]) for name in names)
    with pytest.raises(ModelError, match="has no backbone that this architecture could take"):
        take_backbone(other, loaded("csp_nano"))  # type: ignore[arg-type]
