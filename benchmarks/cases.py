"""What is measured: the data of each task, and what loaders take from them."""

from __future__ import annotations

import dataclasses

PARTICLE = ["part_px", "part_py", "part_pz", "part_energy", "part_deta", "part_dphi", "part_charge"]
PARTICLE += ["part_d0val", "part_d0err", "part_dzval", "part_dzerr"]
JET = ["jet_pt", "jet_sdmass", "jet_tau1", "jet_tau2"]
FLAT = [f"f{i:02d}" for i in range(28)]


@dataclasses.dataclass(frozen=True)
class Case:
    """Files of one kind and format."""

    name: str
    patterns: tuple[str, ...]  # within the data directory
    table: str
    jagged: bool = False


CASES = [
    Case("flat, TTree Zstandard", ("flat/ttree_zstd_*.root",), "Events"),
    Case("flat, TTree LZ4", ("flat/ttree_lz4_*.root",), "Events"),
    Case("flat, RNTuple Zstandard", ("flat/rntuple_zstd_*.root",), "Events"),
    Case("jets, TTree Zstandard", ("jets/ttree_*.root",), "tree", jagged=True),
    Case("jets, RNTuple Zstandard", ("jets/rntuple_*.root",), "tree", jagged=True),
    Case("events, TTree LZ4", ("events/ttree_*.root",), "Events", jagged=True),
    Case("events, RNTuple Zstandard", ("events/rntuple_*.root",), "Events", jagged=True),
]

MEMORY_CASES = [
    Case("RNTuple of one cluster of 1.2 GB", ("memory/rntuple_one_cluster.root",), "Events"),
    Case("TTree without cluster flushes", ("memory/ttree_no_flush.root",), "Events"),
    Case("all of it and the flat data", ("memory/*.root", "flat/*.root"), "Events"),
]


@dataclasses.dataclass(frozen=True)
class Batches:
    """What a loader is asked for."""

    scalars: list[str]
    target: str
    batch_size: int
    padded: list[str] = dataclasses.field(default_factory=list)
    length: int = 0
    batches_in_memory: int = 0  # for loaders that shuffle so many at a time


FLAT_BATCHES = Batches(FLAT, "label", batch_size=1024, batches_in_memory=100)
JET_BATCHES = Batches(JET, "label_QCD", batch_size=512, padded=PARTICLE, length=128, batches_in_memory=20)


def batches_of(case: Case) -> Batches:
    return JET_BATCHES if case.jagged else FLAT_BATCHES
