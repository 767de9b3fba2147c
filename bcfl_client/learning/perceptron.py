"""Training of multi-layer perceptrons without autograd: the same steps, several times faster on one core.

The gradient of a layer's weights goes straight into the weights (one matrix product that accumulates), so it is never
stored, and every buffer is allocated once per epoch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from bcfl_client.learning.manifest import Hyperparameters

__all__ = ["descend", "fits"]


def fits(model: nn.Module, hyper: Hyperparameters) -> bool:
    """Whether `descend` can train this: Flatten, then Linear and ReLU in turn up to a Linear, none shared or frozen."""
    if type(model) is not nn.Sequential or hyper.momentum:
        return False
    kinds = [type(layer) for layer in model]
    flatten = next(iter(model), None)
    if not isinstance(flatten, nn.Flatten) or (flatten.start_dim, flatten.end_dim) != (1, -1):
        return False
    if kinds != [nn.Flatten, *[nn.Linear, nn.ReLU] * (len(kinds) // 2 - 1), nn.Linear]:
        return False
    parameters = list(model.parameters())  # each once
    return len(parameters) == len(kinds) and all(parameter.requires_grad for parameter in parameters)


def descend(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    epochs: list[torch.Tensor],
    hyper: Hyperparameters,
    rate: float,
) -> None:
    """Gradient descent over `inputs` [n, ...], in place. `epochs` holds the order of the samples in each."""
    linear = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    flat = inputs.view(len(inputs), -1)
    targets = nn.functional.one_hot(labels, linear[-1].out_features).to(flat.dtype)
    with torch.inference_mode():
        for size, batches in (group for order in epochs for group in _by_size(order, hyper.batch_size)):
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
    groups = [(size, torch.split(permutation[:cut], size))] if cut else []
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
    for layer, below in zip(reversed(layers), reversed([None, *layers[:-1]])):
        if below is not None:  # before the weights change
            torch.mm(layer.delta, layer.weight, out=below.delta)
            torch.ops.aten.threshold_backward.grad_input(below.delta, below.output, 0, grad_input=below.delta)
        layer.weight.addmm_(layer.delta_t, layer.input, alpha=step)
        layer.bias.addmv_(layer.delta_t, layer.ones, alpha=step)
