"""`sapwood.root.RDataLoader` in place of ROOT's. What fits into its 1 GB is not read again in later epochs."""

import torch  # noqa: F401 - imported before the clock starts

import sapwood
from sapwood.root import RDataLoader


def epochs(files, case, batches, _threads):
    loader = RDataLoader(
        sapwood.open(files, case.table),
        batch_size=batches.batch_size,
        batches_in_memory=batches.batches_in_memory,
        columns=batches.columns,
        max_vec_sizes=dict.fromkeys(batches.lists, batches.length),
        target=batches.target,
        set_seed=1,
        drop_remainder=False,
    )
    while True:
        yield (([features], target) for features, target in loader.as_torch())
