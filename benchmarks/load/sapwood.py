"""`Dataset.loader`, shuffled, as PyTorch tensors."""

import torch  # noqa: F401 - imported before the clock starts

import sapwood


def epochs(files, case, batches, threads):
    features, pad = {"scalars": batches.scalars}, None
    if batches.padded:
        features, pad = {"padded": batches.padded, **features}, {"padded": batches.length}
    loader = sapwood.open(files, case.table).loader(
        features, batches.target, pad=pad, batch_size=batches.batch_size, threads=threads, seed=1
    )
    while True:
        yield (([batch[name] for name in features], batch["target"]) for batch in loader.torch())
