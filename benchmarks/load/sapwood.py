"""`Dataset.loader`, shuffled, as PyTorch tensors. Every epoch reads and decompresses all there is of its columns."""

import torch  # noqa: F401 - imported before the clock starts

import sapwood


def epochs(files, case, batches, threads):
    features, pad = {"scalars": batches.scalars}, None
    if batches.padded:
        features, pad = {"padded": batches.padded, **features}, {"padded": batches.length}
    loader = sapwood.open(files, case.table).loader(
        features,
        batches.target,
        pad=pad,
        batch_size=batches.batch_size,
        buffer_rows=batches.buffer_rows,
        threads=threads,
        seed=1,
    )
    while True:
        yield epoch(loader, list(features))


def epoch(loader, features):
    for batch in loader.torch():
        yield [batch[name] for name in features], batch["target"]
    read, planned = loader.stats().stored_bytes, loader.explain().stored_bytes
    if read != planned:
        raise AssertionError(f"the epoch read {read} bytes of {planned}")
