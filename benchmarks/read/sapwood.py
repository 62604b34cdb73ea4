"""All columns through `Dataset.arrays`, as Arrow arrays over all files."""

import numpy as np
import pyarrow

import sapwood


def read(files, case, names, threads, clock):
    with clock:
        dataset = sapwood.open(files, case.table)
        arrays = dataset.arrays(names, library="arrow", threads=threads)
    return dataset.num_entries, {name: total(array) for name, array in arrays.items()}


def total(array):
    if pyarrow.types.is_struct(array.type):
        sums = [total(array.field(i)) for i in range(array.type.num_fields)]
        return sum(one for one, _ in sums), sum(one for _, one in sums)
    if pyarrow.types.is_string(array.type) or pyarrow.types.is_large_string(array.type):
        values = np.frombuffer(b"".join(array.cast("large_binary").to_pylist()), dtype=np.uint8).astype(np.float64)
        return float(values.sum()), float(values.sum())
    if hasattr(array, "offsets"):
        return total(array.values)
    values = array.to_numpy(zero_copy_only=False).astype(np.float64)
    return float(values.sum()), float(np.abs(values).sum())
