"""The network that a training goes on from: a model that is there, or a part of one."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from detector.model_store import LoadedModel
from detector.networks.architectures import build
from detector.networks.network import DetectionNetwork
from detector.types import ModelError

_BACKBONE = "backbone."


def extended(base: LoadedModel, categories: Sequence[str]) -> DetectionNetwork:
    """The base's network, with a fresh output for each category that it does not know yet.

    Parameters
    ----------
    categories : those of the base first, in its order.
    """
    card = base.card
    network = build(card.architecture, card.architecture_options, categories)
    state, old = network.state_dict(), base.network.state_dict()
    for name, value in old.items():
        if state[name].shape == value.shape:
            state[name] = value
        else:
            _by_category(state[name], len(categories))[:, : len(card.categories)] = _by_category(
                value, len(card.categories)
            )
    network.load_state_dict(state)
    return network


def take_backbone(network: DetectionNetwork, base: LoadedModel) -> int:
    """Copy the backbone of a model of another architecture, in place; the number of tensors.

    Raises
    ------
    ModelError
        Where the two have no backbone in common.
    """
    state, old = network.state_dict(), base.network.state_dict()
    mine = {name for name in state if name.startswith(_BACKBONE)}
    taken = {n: old[n] for n in mine if n in old and old[n].shape == state[n].shape}
    if not taken:
        raise ModelError(
            f"The model {base.card.name} is a {base.card.architecture} and has no backbone that "
            "this architecture could take over; name another one with --init, or --init none."
        )
    network.load_state_dict(state | taken)
    return len(taken)


def _by_category(value: Tensor, categories: int) -> Tensor:
    """(anchors, categories, ...) of a layer with one output for each anchor and category.

    All heads count through the categories of one anchor before the next anchor, as torchvision's.
    """
    return value.view(-1, categories, *value.shape[1:])
