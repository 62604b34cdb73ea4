"""Models for PyTorch that `sapwood train` builds from a feature specification.

Each takes a batch's input tensors by name and gives logits, [N, K]; padded groups have shape [N, C, P].
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from .. import _core

if TYPE_CHECKING:
    from collections.abc import Sequence


def layers(widths: Sequence[int], dropout: float = 0.0) -> list[nn.Module]:
    """Linear layers of these widths, each with its non-linearity."""
    modules: list[nn.Module] = []
    for before, after in pairwise(widths):
        modules += [nn.Linear(before, after), nn.ReLU()]
        modules += [nn.Dropout(dropout)] if dropout else []
    return modules


class MLP(nn.Module):
    """Dense layers over all inputs side by side; padded groups and masks enter flattened.

    hidden
        Widths of the hidden layers.
    dropout
        Share of the units that are dropped after each of them, in training.
    """

    def __init__(
        self,
        tensors: Sequence[_core.TensorInfo],
        num_classes: int,
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.names = [tensor.name for tensor in tensors]
        size = sum(int(torch.Size(tensor.shape).numel()) for tensor in tensors)
        self.network = nn.Sequential(*layers([size, *hidden], dropout), nn.Linear([size, *hidden][-1], num_classes))

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        flat = [tensor.float().flatten(1) if tensor.ndim > 1 else tensor.float().unsqueeze(1) for tensor in inputs]
        logits: torch.Tensor = self.network(torch.cat(flat, 1))
        return logits


class ParticleFlowNetwork(nn.Module):
    """One network over every particle, a sum over particles, one network over the sum and the flat groups.

    After Komiske, Metodiev and Thaler, "Energy Flow Networks", https://arxiv.org/abs/1810.05165.

    width, latent
        Of the hidden layers, and of the sum.
    dropout
        In the second network.
    scale
        What the sum is divided by: about the usual number of particles.
    """

    def __init__(
        self,
        tensors: Sequence[_core.TensorInfo],
        num_classes: int,
        width: int = 64,
        latent: int = 64,
        dropout: float = 0.1,
        scale: float = 32.0,
    ) -> None:
        super().__init__()
        self.names = [tensor.name for tensor in tensors]
        self.scale = scale
        padded = [i for i, name in enumerate(self.names) if f"{name}_mask" in self.names]
        if len(padded) != 1:
            raise _core.ConfigError(f"a Particle-Flow Network wants one padded group with its mask, not {len(padded)}")
        self.particles = padded[0]
        self.mask = self.names.index(f"{self.names[self.particles]}_mask")
        shape, mask_shape = tensors[self.particles].shape, tensors[self.mask].shape
        self.channels_last = len(mask_shape) == 1
        channels = shape[1] if self.channels_last else shape[0]
        flat = sum(
            int(torch.Size(tensor.shape).numel())
            for i, tensor in enumerate(tensors)
            if i not in (self.particles, self.mask)
        )
        self.per_particle = nn.Sequential(*layers([channels, width, width, latent]))
        self.per_entry = nn.Sequential(*layers([latent + flat, width, width], dropout), nn.Linear(width, num_classes))

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        particles, mask = inputs[self.particles], inputs[self.mask]
        if not self.channels_last:
            particles, mask = particles.transpose(1, 2), mask.squeeze(1)
        # The padding adds nothing to the sum.
        summed = (self.per_particle(particles) * mask.unsqueeze(-1).float()).sum(1) / self.scale
        rest = [
            tensor.float().flatten(1) if tensor.ndim > 1 else tensor.float().unsqueeze(1)
            for i, tensor in enumerate(inputs)
            if i not in (self.particles, self.mask)
        ]
        logits: torch.Tensor = self.per_entry(torch.cat([summed, *rest], 1))
        return logits


BUILT_IN: dict[str, Any] = {"mlp": MLP, "pfn": ParticleFlowNetwork}
