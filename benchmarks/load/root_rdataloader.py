"""ROOT's RDataLoader, lazy, as PyTorch tensors."""

import ROOT


def epochs(files, case, batches, _threads, load_eager=False):
    frame = ROOT.RDataFrame(case.table, files)
    loader = ROOT.Experimental.ML.RDataLoader(
        frame,
        batch_size=batches.batch_size,
        batches_in_memory=batches.batches_in_memory,
        columns=batches.columns,
        max_vec_sizes=dict.fromkeys(batches.lists, batches.length),
        target=batches.target,
        set_seed=1,
        load_eager=load_eager,
        drop_remainder=False,
    )
    while True:
        yield (([features], target) for features, target in loader.as_torch())
