"""uproot.iterate, shuffled within chunks, padded by Awkward Array, as PyTorch tensors: what people write by hand."""

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
        library="ak" if batches.padded else "np",
        step_size=buffer_rows,
    )
    for chunk in chunks:
        target = np.asarray(chunk[batches.target])
        order = np.random.permutation(len(target))
        tensors = [np.stack([np.asarray(chunk[name]) for name in batches.scalars], 1)]
        if batches.padded:
            tensors.append(np.stack([padded(chunk[name], batches.length) for name in batches.padded], 1))
        tensors = [torch.from_numpy(tensor[order]) for tensor in tensors]
        target = torch.from_numpy(target[order])
        for i in range(0, len(target), batches.batch_size):
            yield [tensor[i : i + batches.batch_size] for tensor in tensors], target[i : i + batches.batch_size]


def padded(array, length):
    return np.asarray(ak.fill_none(ak.pad_none(array, length, clip=True), 0))
