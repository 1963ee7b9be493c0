"""Starts a csp_nano network from the published YOLOX-nano ONNX file, without an ONNX runtime."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from detector.networks.csp_nano import CspDetector, LevelHead
from detector.types import ModelError

_GRAPH, _NODE, _INITIALIZER = 7, 1, 5  # field numbers of onnx.proto: ModelProto, GraphProto
_LEVELS = (8, 16, 32)
_HEAD_CONVS = 12
"""Convolutions of one head in the file: stem, 4 category, category, 4 box, box, objectness."""


def load_yolox_nano(network: CspDetector, path: Path, calibration: Tensor) -> None:
    """Copy the convolutions of a YOLOX-nano ONNX file into `network`, in place.

    The file has its batch norm folded into the convolutions. The norms are put back so that,
    on the calibration images, each of them does nothing but add the folded bias: the network
    then computes what the file computes, and trains as one that never was folded. The category
    layers stay fresh, since the file's 80 categories mean nothing on a radiograph.

    Parameters
    ----------
    calibration : (B, 1, S, S) float32 in 0..1, a batch of real training images.

    Raises
    ------
    ModelError
        Where the file is not a YOLOX-nano of 80 categories.
    """
    convolutions = _convolutions(path)
    body = len(convolutions) - _HEAD_CONVS * len(_LEVELS)
    targets = [m for m in _without_heads(network) if isinstance(m, nn.Conv2d)]
    if body != len(targets):
        raise ModelError(f"{path.name} is not the YOLOX-nano network that can start a csp_nano.")
    biases: dict[nn.Module, Tensor] = {}
    stem, bias = convolutions[0]
    # The file reads blue, green, red as top-left, bottom-left, top-right, bottom-right patches;
    # grey is the same value thrice, and pixel_unshuffle gives top-right before bottom-left.
    grey = stem.reshape(16, 4, 3, 3, 3).sum(axis=2)[:, [0, 2, 1, 3]]
    _assign(targets[0], grey, bias, biases)
    for target, (weight, bias) in zip(targets[1:], convolutions[1:body], strict=True):
        _assign(target, weight, bias, biases)
    for stride, head in zip(network.levels, network.heads, strict=True):
        assert isinstance(head, LevelHead)
        start = body + _HEAD_CONVS * _LEVELS.index(stride)
        _assign_head(head, convolutions[start : start + _HEAD_CONVS], biases)
    _restore_norms(network, biases, calibration)


def _without_heads(network: CspDetector) -> Iterator[nn.Module]:
    for name, child in network.named_children():
        if name not in ("heads", "image_head"):
            yield from child.modules()


def _assign_head(
    head: LevelHead, convolutions: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]],
    biases: dict[nn.Module, Tensor],
) -> None:  # fmt: skip
    modules = {name: [m for m in getattr(head, name).modules() if isinstance(m, nn.Conv2d)]
               for name in ("stem", "category_tower", "box_tower", "box")}  # fmt: skip
    order = modules["stem"] + modules["category_tower"]
    for target, (weight, bias) in zip(order, convolutions[:5], strict=True):
        _assign(target, weight, bias, biases)
    order = modules["box_tower"] + modules["box"]
    for target, (weight, bias) in zip(order, convolutions[6:11], strict=True):
        _assign(target, weight, bias, biases)


def _assign(
    conv: nn.Module, weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32],
    biases: dict[nn.Module, Tensor],
) -> None:  # fmt: skip
    assert isinstance(conv, nn.Conv2d)
    if tuple(conv.weight.shape) != weight.shape:
        raise ModelError("The starting network has layers of another shape than csp_nano.")
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(weight.copy()))
        if conv.bias is not None:
            conv.bias.copy_(torch.from_numpy(bias.copy()))
        else:
            biases[conv] = torch.from_numpy(bias.copy())


def _restore_norms(network: nn.Module, biases: dict[nn.Module, Tensor], images: Tensor) -> None:
    """Give each batch norm the statistics of what reaches it, and undo them by its affine part."""
    hooks = []
    for sequence in network.modules():
        if not isinstance(sequence, nn.Sequential) or len(sequence) != 3:
            continue
        conv, norm = sequence[0], sequence[1]
        if not isinstance(norm, nn.BatchNorm2d) or conv not in biases:
            continue

        def undo(norm: nn.Module, inputs: tuple[Tensor, ...], bias: Tensor = biases[conv]) -> None:
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            mean, var = inputs[0].mean(dim=(0, 2, 3)), inputs[0].var(dim=(0, 2, 3))
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(var)
            norm.weight.copy_(torch.sqrt(var + norm.eps))
            norm.bias.copy_(mean + bias)

        hooks.append(norm.register_forward_pre_hook(undo))
    was_training = network.training
    network.eval()
    with torch.no_grad():
        network(images)
    network.train(was_training)
    for hook in hooks:
        hook.remove()


def _convolutions(
    path: Path,
) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Weight and bias of each Conv node, in the order in which they run."""
    try:
        content = path.read_bytes()
        graph = next(value for number, value in _fields(content) if number == _GRAPH)
        assert isinstance(graph, bytes)
        tensors: dict[str, npt.NDArray[np.float32]] = {}
        nodes: list[list[str]] = []
        for number, value in _fields(graph):
            if number == _INITIALIZER and isinstance(value, bytes):
                name, tensor = _tensor(value)
                if tensor is not None:
                    tensors[name] = tensor
            elif number == _NODE and isinstance(value, bytes):
                fields = list(_fields(value))
                if (4, b"Conv") in fields:
                    nodes.append([v.decode() for n, v in fields if n == 1 and isinstance(v, bytes)])
        return [(tensors[names[1]], tensors[names[2]]) for names in nodes]
    except (OSError, StopIteration, IndexError, KeyError, ValueError) as e:
        raise ModelError(f"The starting network {path.name} cannot be read.") from e


def _tensor(content: bytes) -> tuple[str, npt.NDArray[np.float32] | None]:
    """Name and values of a TensorProto; None where it does not hold float32."""
    shape: list[int] = []
    name, kind, raw = "", 0, b""
    for number, value in _fields(content):
        if number == 1 and isinstance(value, int):
            shape.append(value)
        elif number == 1 and isinstance(value, bytes):  # packed
            position = 0
            while position < len(value):
                size, position = _varint(value, position)
                shape.append(size)
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8 and isinstance(value, bytes):
            name = value.decode()
        elif number == 9 and isinstance(value, bytes):
            raw = value
    if kind != 1 or len(raw) != 4 * math.prod(shape):
        return name, None
    return name, np.frombuffer(raw, dtype="<f4").reshape(shape)


def _varint(content: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = content[position]
        position += 1
        result |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return result, position


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field number and value of each entry of a protocol buffer message."""
    position = 0
    while position < len(content):
        key, position = _varint(content, position)
        if key & 7 == 0:
            number, position = _varint(content, position)
            yield key >> 3, number
            continue
        if key & 7 == 2:
            size, position = _varint(content, position)
        elif key & 7 in (1, 5):
            size = 8 if key & 7 == 1 else 4
        else:
            raise ValueError("not a protocol buffer")
        yield key >> 3, content[position : position + size]
        position += size
