"""One selection by one implementation, the second time in a process of its own: prints JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from selections import SELECTIONS, Selection

Sums = dict[str, float]


def sapwood(selection: Selection, files: list[str], table: str, threads: int) -> Callable[[], Sums]:
    import sapwood as sw

    filters, definitions, wanted = selection.ours

    def run() -> Sums:
        data = sw.open(files, table).define(**definitions)
        for condition in filters:
            data = data.filter(condition)
        found = data.scan(list(wanted), threads=threads)
        return {statistics.expression: statistics.mean * statistics.values for statistics in found}

    return run


def root(selection: Selection, files: list[str], table: str, threads: int) -> Callable[[], Sums]:
    import ROOT

    if threads > 1:
        ROOT.EnableImplicitMT(threads)
    filters, definitions, wanted = selection.root

    def run() -> Sums:
        frame = ROOT.RDataFrame(table, files)
        for condition in filters:
            frame = frame.Filter(condition)
        for name, formula in definitions.items():
            frame = frame.Define(name, formula)
        sums = {name: frame.Sum(name) for name in wanted}
        return {name: float(value.GetValue()) for name, value in sums.items()}

    return run


def awkward(selection: Selection, files: list[str], table: str, _threads: int) -> Callable[[], Sums]:
    import awkward as ak
    import numpy as np
    import uproot

    def run() -> Sums:
        sums = dict.fromkeys(selection.ours[2], 0.0)
        for file in files:
            with uproot.open(file) as opened:
                columns = opened[table].arrays(selection.columns)
            for name, values in selection.awkward(columns).items():
                sums[name] += float(np.sum(ak.to_numpy(ak.flatten(values, axis=None)), dtype=np.float64))
        return sums

    return run


def main() -> None:
    name, place, threads, table, *files = sys.argv[1:]
    implementation = {"sapwood": sapwood, "root": root, "awkward": awkward}[name]
    run = implementation(SELECTIONS[int(place)], files, table, int(threads))
    run()  # compiles, and maps memory
    start, cpu = time.perf_counter(), time.process_time()
    sums = run()
    print(json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "sums": sums}))


if __name__ == "__main__":
    main()
