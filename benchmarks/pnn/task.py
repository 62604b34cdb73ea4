"""What all implementations train: the inputs, and a parameterised network of three hidden layers of 60."""

from __future__ import annotations

import dataclasses
from pathlib import Path

TREE = "events"
BATCH = 512
TARGET = "is_signal"
MISSING = "px(met_pt, met_phi), py(met_pt, met_phi)"
MUONS = "0, px(mu1_pt, mu1_phi), py(mu1_pt, mu1_phi), 0, px(mu2_pt, mu2_phi), py(mu2_pt, mu2_phi)"
#: In float32, so that a file of them holds what a batch does.
DEFINITIONS = {
    "m_mumu": "float32(invariant_masses(mu1_pt, mu1_eta, mu1_phi, 0, mu2_pt, mu2_eta, mu2_phi, 0))",
    "m_t": "float32(m_t(mu1_pt, mu1_phi, met_pt, met_phi))",
    "m_t2": f"float32(m_t2({MUONS}, {MISSING}, 0, 0))",
}
INPUTS = ["m_mumu", "m_t", "met_pt", "m_t2", "n_jets", "mass_smuon", "mass_unseen"]
COLUMNS = [*INPUTS, TARGET]


@dataclasses.dataclass(frozen=True)
class Training:
    """What an implementation is asked for."""

    files: list[str]
    folder: str  # of what it exports
    seed: int
    epochs: int
    means: list[float]
    scales: list[float]

    @property
    def orders(self) -> Path:
        """An array [epochs, N] of event numbers: the order of sapwood's loader for the seed."""
        return Path(self.folder) / f"orders_{self.seed}.npy"
