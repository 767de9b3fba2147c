"""Training of multi-layer perceptrons without autograd: the same steps, several times faster on one core.

The gradient of a layer's weights goes straight into the weights (one matrix product that accumulates), so it is never
stored, and every buffer is allocated once per epoch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from bcfl_client.learning.manifest import Hyperparameters

__all__ = ["fits", "train_epoch"]


def fits(model: nn.Module, hyper: Hyperparameters) -> bool:
    """Whether `train_epoch` can train this: an optional Flatten, then Linear and ReLU in turn, Linear last."""
    if type(model) is not nn.Sequential or hyper.momentum:
        return False
    layers = list(model)
    if layers and type(layers[0]) is nn.Flatten and (layers[0].start_dim, layers[0].end_dim) == (1, -1):
        layers = layers[1:]
    expected = [nn.Linear, nn.ReLU] * (len(layers) // 2) + [nn.Linear]
    if [type(layer) for layer in layers] != expected:
        return False
    return all(layer.bias is not None for layer in layers[::2]) and all(p.requires_grad for p in model.parameters())


def train_epoch(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    permutation: torch.Tensor,
    hyper: Hyperparameters,
    rate: float,
) -> None:
    """One pass of gradient descent over `inputs` [n, ...] in the order of `permutation`, in place."""
    linear = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    flat = inputs.view(len(inputs), -1)
    targets = nn.functional.one_hot(labels, linear[-1].out_features).to(flat.dtype)
    with torch.inference_mode():
        for size, batches in _by_size(permutation, hyper.batch_size):
            target = flat.new_empty(size, linear[-1].out_features)
            layers = _layers(linear, flat.new_empty(size, flat.shape[1]))
            for batch in batches:
                torch.index_select(flat, 0, batch, out=layers[0].input)
                torch.index_select(targets, 0, batch, out=target)
                _step(layers, target, -rate / size)


@dataclass(frozen=True)
class _Layer:
    """Views and buffers of one linear layer. `delta` is the loss's gradient by its output, times the batch size."""

    weight: torch.Tensor  # [out, in]
    weight_t: torch.Tensor
    bias: torch.Tensor
    input: torch.Tensor  # [batch, in]
    output: torch.Tensor  # [batch, out], the next layer's input
    delta: torch.Tensor  # [batch, out]
    delta_t: torch.Tensor
    ones: torch.Tensor  # [batch]


def _by_size(permutation: torch.Tensor, size: int) -> list[tuple[int, tuple[torch.Tensor, ...]]]:
    """Returns the full batches and, apart from them, the shorter last one."""
    cut = len(permutation) // size * size
    groups = [(size, permutation[:cut].split(size))] if cut else []
    return [*groups, (len(permutation) - cut, (permutation[cut:],))] if cut < len(permutation) else groups


def _layers(linear: list[nn.Linear], inputs: torch.Tensor) -> list[_Layer]:
    layers = []
    ones = torch.ones_like(inputs[:, 0])
    for layer in linear:
        weight, output = layer.weight.data, inputs.new_empty(len(inputs), layer.out_features)
        delta = torch.empty_like(output)
        layers.append(_Layer(weight, weight.t(), layer.bias.data, inputs, output, delta, delta.t(), ones))
        inputs = output
    return layers


def _step(layers: list[_Layer], target: torch.Tensor, step: float) -> None:
    last = layers[-1]
    for layer in layers:
        torch.addmm(layer.bias, layer.input, layer.weight_t, out=layer.output)
        if layer is not last:
            layer.output.relu_()
    # The gradient of the cross-entropy by the logits is softmax - one-hot.
    torch.softmax(last.output, 1, out=last.delta)
    last.delta.sub_(target)
    for below, layer in zip([None, *layers][-2::-1], layers[::-1]):
        if below is not None:  # before the weights change
            torch.mm(layer.delta, layer.weight, out=below.delta)
            torch.ops.aten.threshold_backward.grad_input(below.delta, below.output, 0, grad_input=below.delta)
        layer.weight.addmm_(layer.delta_t, layer.input, alpha=step)
        layer.bias.addmv_(layer.delta_t, layer.ones, alpha=step)
