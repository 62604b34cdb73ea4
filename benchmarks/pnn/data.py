"""Events with two muons: pairs of smuons, each of which decays to a muon and an unseen particle, at each point of a
grid of the two masses; and background of W pairs, top-like events and Z bosons.

    <part>/signal_<smuon>_<unseen>.root, <part>/background.root    for the parts train and test

Tree `events`. Background has masses drawn from the grid, so that they tell nothing about the class. Kinematics are two-
body decays of boosted particles, with momenta that are made up; they are plausible, and not a simulation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import uproot

GRID = [(smuon, unseen) for smuon in (150, 200, 250, 300) for unseen in (25, 75, 125)]  # GeV
W_MASS, Z_MASS, Z_WIDTH = 80.4, 91.19, 2.5
PARTS = {"train": (1, 1.0), "test": (2, 0.5)}  # seed, and size over that of the training's
SIGNAL_SHARE = 0.4
Array = np.ndarray[Any, np.dtype[Any]]
Rng = np.random.Generator


def make(directory: Path, events: int) -> dict[str, list[str]]:
    """The files of each part, made where they are missing: the training part has about so many events."""
    return {part: _make_part(directory / part, seed, round(events * size)) for part, (seed, size) in PARTS.items()}


def _make_part(directory: Path, seed: int, events: int) -> list[str]:
    directory.mkdir(parents=True, exist_ok=True)
    each = round(events * SIGNAL_SHARE) // len(GRID)
    rng = np.random.default_rng(seed)
    paths, first = [], 0
    for smuon, unseen in GRID:
        columns = _pairs(rng, each, smuon, unseen, jets=0.8)
        columns |= {"mass_smuon": np.full(each, smuon, np.float32), "mass_unseen": np.full(each, unseen, np.float32)}
        paths.append(_write(directory / f"signal_{smuon}_{unseen}.root", columns, 1, first))
        first += each
    paths.append(_write(directory / "background.root", _background(rng, events - first), 0, first))
    return paths


def _write(path: Path, columns: dict[str, Array], label: int, first: int) -> str:
    if not path.exists():
        rows = len(columns["n_jets"])
        partial = path.with_suffix(".partial")
        with uproot.recreate(partial) as file:
            numbers = {"is_signal": np.full(rows, label, np.int32), "event": np.arange(first, first + rows)}
            file["events"] = columns | numbers
        partial.rename(path)
    return str(path)


def _background(rng: Rng, events: int) -> dict[str, Array]:
    w_pairs, tops = int(0.4 * events), int(0.4 * events)
    kinds = [
        _pairs(rng, w_pairs, W_MASS, 0, jets=0.6),
        _pairs(rng, tops, W_MASS, 0, jets=2.5),
        _z_bosons(rng, events - w_pairs - tops),
    ]
    order = rng.permutation(events)
    columns = {name: np.concatenate([kind[name] for kind in kinds])[order] for name in kinds[0]}
    masses = np.array(GRID, np.float32)[rng.integers(len(GRID), size=events)]
    return columns | {"mass_smuon": masses[:, 0], "mass_unseen": masses[:, 1]}


def _pairs(rng: Rng, events: int, parent: float, unseen: float, jets: float) -> dict[str, Array]:
    """Two of `parent`, back to back but for the recoil of jets, that decay to a muon and `unseen` each."""
    n_jets = rng.poisson(jets, events)
    apart = _vectors(rng, events, rng.exponential(0.4 * parent, events))
    along = rng.normal(0, 2 * parent, events)  # of the beam
    recoil = _recoil(rng, n_jets)
    parents = [sign * apart + recoil / 2 for sign in (1, -1)]
    for momentum in parents:
        momentum[:, 2] += along / 2
    energy = (parent**2 - unseen**2) / (2 * parent)  # of the muon, at rest
    muons = [_boosted(_vectors(rng, events, np.full(events, energy)), momentum, parent) for momentum in parents]
    missing = sum(parents) - sum(muons)
    return _columns(rng, muons, missing, n_jets)


def _z_bosons(rng: Rng, events: int) -> dict[str, Array]:
    """Z bosons that decay to two muons: nothing is missing but what the resolution takes."""
    n_jets = rng.poisson(0.6, events)
    masses = np.clip(Z_MASS + Z_WIDTH / 2 * rng.standard_cauchy(events), 40, 200)
    momentum = _recoil(rng, n_jets) + _vectors(rng, events, rng.exponential(10, events))
    momentum[:, 2] += rng.normal(0, 150, events)
    at_rest = _vectors(rng, events, masses / 2)
    muons = [_boosted(sign * at_rest, momentum, masses) for sign in (1, -1)]
    return _columns(rng, muons, np.zeros_like(momentum), n_jets)


def _recoil(rng: Rng, n_jets: Array) -> Array:
    momentum = _vectors(rng, len(n_jets), rng.gamma(np.maximum(n_jets, 0.2), 35))
    momentum[:, 2] = 0
    return momentum


def _vectors(rng: Rng, events: int, lengths: Array) -> Array:
    """[N, 3], in directions at random."""
    vectors = rng.normal(size=(events, 3))
    return vectors * (lengths / np.linalg.norm(vectors, axis=1))[:, None]


def _boosted(at_rest: Array, momentum: Array, mass: float | Array) -> Array:
    """The momentum of a massless particle from the decay of one with this momentum and mass."""
    mass = np.broadcast_to(mass, len(momentum))
    energy = np.sqrt(mass**2 + (momentum**2).sum(1))
    along = (at_rest * momentum).sum(1) / (mass * (energy + mass)) + np.linalg.norm(at_rest, axis=1) / mass
    return at_rest + along[:, None] * momentum


def _columns(rng: Rng, muons: list[Array], missing: Array, n_jets: Array) -> dict[str, Array]:
    """Muons with the larger transverse momentum first, and with their resolution, as the missing momentum has one."""
    transverse = [np.hypot(muon[:, 0], muon[:, 1]) for muon in muons]
    swapped = (transverse[1] > transverse[0])[:, None]
    ordered = [np.where(swapped, muons[1 - i], muons[i]) for i in (0, 1)]
    resolution = (8 + 4 * np.sqrt(n_jets))[:, None]
    missing = missing[:, :2] + resolution * rng.normal(size=(len(missing), 2))
    columns = {"met_pt": np.hypot(*missing.T), "met_phi": np.arctan2(missing[:, 1], missing[:, 0])}
    for i, muon in enumerate(ordered, start=1):
        pt = np.hypot(muon[:, 0], muon[:, 1])
        columns[f"mu{i}_pt"] = pt * rng.normal(1, 0.02, len(pt))
        columns[f"mu{i}_eta"] = np.arcsinh(muon[:, 2] / pt)
        columns[f"mu{i}_phi"] = np.arctan2(muon[:, 1], muon[:, 0])
    return {name: values.astype(np.float32) for name, values in columns.items()} | {"n_jets": n_jets.astype(np.int32)}
