"""uproot.iterate, shuffled within chunks, padded or packed by Awkward Array, as PyTorch tensors: what people write by
hand.
"""

import awkward as ak
import numpy as np
import torch
import uproot


def epochs(files, case, batches, _threads):
    while True:
        yield epoch(files, case, batches, batches.buffer_rows)


def epoch(files, case, batches, buffer_rows):
    chunks = uproot.iterate(
        [f"{path}:{case.table}" for path in files],
        batches.columns,
        library="ak" if batches.lists else "np",
        step_size=buffer_rows,
    )
    for chunk in chunks:
        target = np.asarray(chunk[batches.target])
        order = np.random.permutation(len(target))
        scalars = torch.from_numpy(np.stack([np.asarray(chunk[name]) for name in batches.scalars], 1)[order])
        target = torch.from_numpy(target[order])
        if not batches.lists:
            lists = flat
        elif batches.length:
            lists = padded([chunk[name] for name in batches.lists], batches.length, order)
        else:
            lists = packed([chunk[name] for name in batches.lists], order)
        for i in range(0, len(target), batches.batch_size):
            rows = slice(i, min(i + batches.batch_size, len(target)))
            first, *rest = lists(rows)
            yield [*first, scalars[rows], *rest], target[rows]


def flat(_rows):
    """Nothing before the scalars, and nothing after them."""
    return ([],)


def padded(arrays, length, order):
    """Gives the tensor of some rows."""
    filled = [np.asarray(ak.fill_none(ak.pad_none(array, length, clip=True), 0)) for array in arrays]
    tensor = torch.from_numpy(np.stack(filled, 1)[order])
    return lambda rows: ([tensor[rows]],)


def packed(arrays, order):
    """Gives the values of some rows and how many each has."""
    arrays = [array[order] for array in arrays]
    values = torch.from_numpy(np.stack([np.asarray(ak.flatten(array)) for array in arrays], 1))
    lengths = torch.from_numpy(np.asarray(ak.num(arrays[0])))
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    return lambda rows: ([values[offsets[rows.start] : offsets[rows.stop]]], lengths[rows])
