"""What is measured: the data of each task, and what loaders take from them."""

from __future__ import annotations

import dataclasses

PARTICLE = ["part_px", "part_py", "part_pz", "part_energy", "part_deta", "part_dphi", "part_charge"]
PARTICLE += ["part_d0val", "part_d0err", "part_dzval", "part_dzerr"]
JET = ["jet_pt", "jet_sdmass", "jet_tau1", "jet_tau2"]
FLAT = [f"f{i:02d}" for i in range(28)]
EVENT = ["HT", "MET_pt", "MET_phi", "nChargedTracks", "S_zz", "S_xxyy", "S_xy"]
EVENT_JETS = ["Jet_pt", "Jet_eta", "Jet_phi", "Jet_mass", "Jet_btag", "Jet_width"]


@dataclasses.dataclass(frozen=True)
class Case:
    """Files of one kind and format."""

    name: str
    patterns: tuple[str, ...]  # within the data directory
    table: str
    kind: str  # flat, jets, events, nano, shapes
    tasks: tuple[str, ...] = ("read", "load")
    packed: bool = False  # lists are loaded without padding, one after the other

    @property
    def jagged(self) -> bool:
        return self.kind != "flat"


CASES = [
    Case("flat, TTree Zstandard", ("flat/ttree_zstd_*.root",), "Events", "flat"),
    Case("flat, TTree LZ4", ("flat/ttree_lz4_*.root",), "Events", "flat"),
    Case("flat, TTree stored", ("flat/ttree_stored_*.root",), "Events", "flat", tasks=("read",)),
    Case("flat, RNTuple Zstandard", ("flat/rntuple_zstd_*.root",), "Events", "flat"),
    Case("flat, RNTuple LZ4", ("flat/rntuple_lz4_*.root",), "Events", "flat"),
    Case("flat, RNTuple stored", ("flat/rntuple_stored_*.root",), "Events", "flat", tasks=("read",)),
    Case("jets, TTree Zstandard", ("jets/ttree_*.root",), "tree", "jets"),
    Case("jets, RNTuple Zstandard", ("jets/rntuple_*.root",), "tree", "jets"),
    Case("jets packed, TTree Zstandard", ("jets/ttree_*.root",), "tree", "jets", tasks=("load",), packed=True),
    Case("jets packed, RNTuple Zstandard", ("jets/rntuple_*.root",), "tree", "jets", tasks=("load",), packed=True),
    Case("events, TTree LZ4", ("events/ttree_*.root",), "Events", "events"),
    Case("events, RNTuple Zstandard", ("events/rntuple_*.root",), "Events", "events"),
    Case("split classes, TTree Zstandard", ("shapes/split_*.root",), "Events", "shapes", tasks=("read",)),
    Case("classes stored whole, TTree Zstandard", ("shapes/whole_*.root",), "Events", "shapes", tasks=("read",)),
    Case("vectors of vectors, TTree Zstandard", ("shapes/nested_*.root",), "Events", "shapes", tasks=("read",)),
    Case("strings, TTree Zstandard", ("shapes/strings_*.root",), "Events", "shapes", tasks=("read",)),
    Case("like NanoAOD, TTree Zstandard", ("nano/ttree_*.root",), "Events", "nano", tasks=("read",)),
]

MEMORY_CASES = [
    Case("RNTuple of one cluster of 1.2 GB", ("memory/rntuple_one_cluster.root",), "Events", "flat"),
    Case("TTree without cluster flushes", ("memory/ttree_no_flush.root",), "Events", "flat"),
    Case("all of it and the flat data", ("memory/*.root", "flat/*.root"), "Events", "flat"),
]


@dataclasses.dataclass(frozen=True)
class Batches:
    """What a loader is asked for."""

    scalars: list[str]
    target: str
    batch_size: int
    batches_in_memory: int  # that loaders shuffle at a time
    lists: list[str] = dataclasses.field(default_factory=list)
    length: int = 0  # that lists are padded or cut to; 0: they are packed

    @property
    def buffer_rows(self) -> int:
        return self.batch_size * self.batches_in_memory

    @property
    def columns(self) -> list[str]:
        return [*self.lists, *self.scalars, self.target]


BATCHES = {
    "flat": Batches(FLAT, "label", batch_size=1024, batches_in_memory=100),
    "jets": Batches(JET, "label_QCD", batch_size=512, batches_in_memory=20, lists=PARTICLE, length=128),
    "events": Batches(EVENT, "is_signal", batch_size=512, batches_in_memory=20, lists=EVENT_JETS, length=12),
}


def batches_of(case: Case) -> Batches:
    batches = BATCHES[case.kind]
    return dataclasses.replace(batches, length=0) if case.packed else batches
