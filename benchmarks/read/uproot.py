"""All columns file by file on one thread: NumPy arrays of flat data, Awkward arrays of jagged data."""

import awkward as ak
import numpy as np
import uproot


def read(files, case, names, _threads, clock):
    library = "ak" if case.jagged else "np"
    chunks = []
    with clock:
        for path in files:
            with uproot.open(path) as file:
                chunks.append(file[case.table].arrays(names, library=library))
    rows = sum(len(chunk[names[0]]) for chunk in chunks)
    return rows, {name: total([chunk[name] for chunk in chunks]) for name in names}


def total(arrays):
    values = np.concatenate([np.asarray(ak.flatten(array, axis=None)).astype(np.float64) for array in arrays])
    return float(values.sum()), float(np.abs(values).sum())
