"""A Particle-Flow Network: one small network over every particle, a sum over particles, one network over the sum.

After Komiske, Metodiev and Thaler, "Energy Flow Networks", https://arxiv.org/abs/1810.05165.
"""

from itertools import pairwise

import torch
from torch import nn

# The columns of a particle that the model takes, in this order.
FOUR_MOMENTUM = ("part_px", "part_py", "part_pz", "part_energy")
DIRECTION = ("part_deta", "part_dphi")
TRACK = ("part_charge", "part_d0val", "part_dzval")
KIND = ("part_isChargedHadron", "part_isNeutralHadron", "part_isPhoton", "part_isElectron", "part_isMuon")
COLUMNS = (*FOUR_MOMENTUM, *DIRECTION, *TRACK, *KIND)


class ParticleFeatures(nn.Module):
    """From the columns as they are in the file to features of order one; has no parameters.

    `part` [N, P, len(COLUMNS)] and `mask` [N, P], bool, true at particles, give [N, P, count].
    """

    count = 10 + len(KIND)

    def forward(self, part: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        px, py, _, energy, deta, dphi, charge, d0, dz = part[..., : -len(KIND)].unbind(-1)
        pt = torch.hypot(px, py)
        jet_pt = (pt * mask).sum(1, keepdim=True)
        jet_energy = (energy * mask).sum(1, keepdim=True)
        # The constants bring means near 0 and spreads near 1.
        features = [
            0.7 * (log_where(mask, pt) - 1.7),
            0.7 * (log_where(mask, energy) - 2.0),
            0.7 * (log_where(mask, pt / jet_pt) + 4.7),
            0.7 * (log_where(mask, energy / jet_energy) + 4.7),
            4.0 * torch.hypot(deta, dphi) - 0.8,
            4.0 * deta,
            4.0 * dphi,
            charge,
            torch.tanh(10.0 * d0),
            torch.tanh(10.0 * dz),
        ]
        return torch.cat([torch.stack(features, -1), part[..., -len(KIND) :]], -1)


def log_where(mask: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The logarithm where `mask` is true, 0 elsewhere."""
    return values.clamp_min(1e-6).masked_fill(~mask, 1.0).log()


def layers(*widths: int, dropout: float = 0.0) -> list[nn.Module]:
    """Linear layers of these widths, each with its non-linearity."""
    modules: list[nn.Module] = []
    for before, after in pairwise(widths):
        modules += [nn.Linear(before, after), nn.ReLU()]
        modules += [nn.Dropout(dropout)] if dropout else []
    return modules


class ParticleFlowNetwork(nn.Module):
    """The logit that a jet is of the class with label 1."""

    def __init__(self, width: int = 64, latent: int = 64) -> None:
        super().__init__()
        self.features = ParticleFeatures()
        self.per_particle = nn.Sequential(*layers(ParticleFeatures.count, width, width, latent))
        self.per_jet = nn.Sequential(*layers(latent, width, width, dropout=0.1), nn.Linear(width, 1))

    def forward(self, part: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        per_particle = self.per_particle(self.features(part, mask))
        # A sum, scaled to order one at a typical number of particles; the padding adds nothing to it.
        per_jet = (per_particle * mask.unsqueeze(-1)).sum(1) / 32.0
        return self.per_jet(per_jet).squeeze(-1)
