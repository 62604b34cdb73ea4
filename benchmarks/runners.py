"""Who runs in each task, on how many processors, and what is aimed at."""

from __future__ import annotations

import dataclasses

from cases import Case


@dataclasses.dataclass(frozen=True)
class Runner:
    """An implementation with its number of threads (processors, for those that take no number)."""

    implementation: str
    threads: int
    #: How many times longer than sapwood it shall take, by kind of data (padded); "" is any kind.
    targets: dict[str, float] = dataclasses.field(default_factory=dict, hash=False)
    #: What it can read: parts of the names of cases.
    only: tuple[str, ...] = ("",)
    packs: bool = True  # whether it gives packed batches

    @property
    def label(self) -> str:
        return f"{self.implementation.replace('_', ' ')}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def reads(self, case: Case) -> bool:
        return any(part in case.name for part in self.only) and (self.packs or not case.packed)

    def target(self, case: Case) -> float | None:
        return None if case.packed else self.targets.get(case.kind, self.targets.get(""))


#: Cases whose columns RDataFrame adds up as they are.
ADDABLE = ("flat", "jets", "events", "NanoAOD")
OURS = ("sapwood", "sapwood_stream")
CEILINGS = ("ceiling", "ceiling_gather")
COUNTERPARTS = {"root_readspeed": "sapwood_stream"}  # of those that are not to be compared with `sapwood`

RUNNERS = {
    "read": [
        Runner("sapwood", 1),
        Runner("sapwood", 2),
        Runner("sapwood_stream", 1),
        Runner("sapwood_stream", 2),
        Runner("ceiling", 1),
        Runner("ceiling", 2),
        Runner("uproot", 1, {"": 3, "jets": 4}, only=(*ADDABLE, "vectors of vectors")),
        Runner("root_rdataframe", 1, {"": 2}, only=ADDABLE),
        Runner("root_rdataframe", 2, only=ADDABLE),
        Runner("root_readspeed", 1, {"": 2, "flat": 6, "jets": 2.8}, only=("TTree",)),
    ],
    "load": [
        Runner("sapwood", 1),
        Runner("sapwood", 2),
        Runner("sapwood_eager", 2),
        Runner("sapwood_root", 2, packs=False),
        Runner("sapwood_frame", 2),
        Runner("ceiling", 1),
        Runner("ceiling", 2),
        Runner("ceiling_gather", 1, only=("flat",)),
        Runner("ceiling_gather", 2, only=("flat",)),
        Runner("root_rdataloader", 2, {"flat": 20, "jets": 5}, packs=False),
        Runner("root_rdataloader_eager", 2, {"": 3}, packs=False),
        Runner("uproot_torch", 2, {"flat": 6, "jets": 13}),
        Runner("uproot_torch_workers", 2),
        Runner("weaver", 2, only=("jets, TTree", "events, TTree"), packs=False),
        Runner("weaver_worker", 2, {"jets": 30}, only=("jets, TTree", "events, TTree"), packs=False),
    ],
}


@dataclasses.dataclass(frozen=True)
class Ceiling:
    """Whose speed is the most that can be reached, and the share of it that is aimed at."""

    implementation: str
    target: float | None


def ceiling_of(task: str, case: Case) -> Ceiling:
    if task == "read":
        if case.kind == "shapes":
            return Ceiling("ceiling", 0.5)
        aim = 0.8 if "Zstandard" in case.name else 0.7
        return Ceiling(
            "ceiling", aim if case.kind in ("flat", "jets") else None
        )  # else opening small files counts most
    if case.kind == "flat" and "LZ4" in case.name:  # whose decompression is nearly free
        return Ceiling("ceiling_gather", 0.5)
    return Ceiling("ceiling", {"flat": 0.65, "jets": 0.6}.get(case.kind))
