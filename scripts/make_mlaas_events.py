#!/usr/bin/env python3
"""Writes events in the proportions of MLaaS4HEP's validation: nine files, one of signal, 27 branches.

python scripts/make_mlaas_events.py --output FOLDER [--events 350000]

Eight background files and one of signal, 10.8 signal events to 100 of background: toy kinematics of ttH(bb) against
tt + jets, the same for the same number of events. 22 branches hold a number for each event, 5 a list of its njet jets.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

SIGNAL_TO_BACKGROUND = 0.108
BACKGROUNDS = 8
BATCH = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--events", type=int, default=350_000)
    options = parser.parse_args()
    make(options.output, options.events)


def make(folder: Path, events: int) -> list[tuple[Path, int]]:
    """Writes the files; (path, label) of each."""
    folder.mkdir(parents=True, exist_ok=True)
    signal = round(events * SIGNAL_TO_BACKGROUND / (1 + SIGNAL_TO_BACKGROUND))
    shares = np.arange(BACKGROUNDS, 0, -1) / np.arange(1, BACKGROUNDS + 1).sum()
    edges = np.round(np.append(0, np.cumsum(shares)) * (events - signal)).astype(int)
    files = [(folder / f"background_{i}.root", 0, int(n)) for i, n in enumerate(np.diff(edges))]
    files.append((folder / "signal.root", 1, signal))
    for number, (path, label, count) in enumerate(files):
        random = np.random.default_rng(number)
        with uproot.recreate(path) as file:
            for start in range(0, count, BATCH):
                columns = event_columns(random, min(BATCH, count - start), label, number)
                columns["event"] += start
                if start == 0:
                    jets = columns["jet"].type.content
                    file.mktree("events", {name: getattr(v, "dtype", jets) for name, v in columns.items()})
                file["events"].extend(columns)
    return [(path, label) for path, label, _ in files]


def event_columns(random: np.random.Generator, count: int, label: int, process: int) -> dict:
    """Branches of `count` events, numbered from 0; "jet" becomes six.

    Signal has harder, more central, more b-like jets.
    """
    multiplicity = 4 + random.poisson(2.0 + 0.7 * label + 0.05 * process, count)
    jets = int(multiplicity.sum())
    scale = np.repeat(random.gamma(4, 18 + 4 * label, count), multiplicity)
    pt = 25 + random.exponential(1, jets) * scale
    jagged = {
        "pt": pt,
        "eta": random.normal(0, 1.5 - 0.2 * label, jets),
        "phi": random.uniform(-np.pi, np.pi, jets),
        "mass": 0.12 * pt * random.uniform(0.5, 1.5, jets),
        "btag": random.beta(1 + 0.8 * label, 1.6, jets),
    }
    jet = ak.zip({name: ak.unflatten(values.astype(np.float32), multiplicity) for name, values in jagged.items()})
    flat = {
        "nBJets": np.asarray(ak.sum(jet.btag > 0.6, axis=1), dtype=np.int32),
        "ht": np.asarray(ak.sum(jet.pt, axis=1), dtype=np.float32),
        "met": random.gamma(3, 20 + 5 * label, count).astype(np.float32),
        "jetPtMax": np.asarray(ak.max(jet.pt, axis=1), dtype=np.float32),
        "btagMax": np.asarray(ak.max(jet.btag, axis=1), dtype=np.float32),
        "centrality": np.clip(random.normal(0.55 + 0.06 * label, 0.15, count), 0, 1).astype(np.float32),
        "leptonPt": (30 + random.exponential(35, count)).astype(np.float32),
        "leptonEta": random.normal(0, 1.1, count).astype(np.float32),
        "nLeptons": random.integers(1, 3, count).astype(np.int32),
        "higgsMass": random.normal(125 if label else 110, 18 if label else 45, count).astype(np.float32),
        "run": np.full(count, 300_000 + process, np.int32),
        "event": np.arange(count, dtype=np.int64),
    }
    shapes = {f"shape{i}": random.normal(0.25 * label * (i % 3), 1, count) for i in range(9)}
    return {**flat, **{name: values.astype(np.float64) for name, values in shapes.items()}, "jet": jet}


if __name__ == "__main__":
    main()
