"""Epochs of `Dataset.loader`, shuffled, as PyTorch tensors."""

import torch  # noqa: F401 - imported before the clock starts

import sapwood


def epochs(files, case, batches, threads, *, all_is_read, **options):
    features, pad = {"scalars": batches.scalars}, None
    if batches.padded:
        features, pad = {"padded": batches.padded, **features}, {"padded": batches.length}
    loader = sapwood.open(files, case.table).loader(
        features,
        batches.target,
        pad=pad,
        batch_size=batches.batch_size,
        threads=threads,
        seed=1,
        **options,
    )
    while True:
        yield epoch(loader, list(features), all_is_read=all_is_read)


def epoch(loader, features, *, all_is_read):
    for batch in loader.torch():
        yield [batch[name] for name in features], batch["target"]
    read, planned = loader.stats().stored_bytes, loader.explain().stored_bytes
    if all_is_read and read != planned:
        raise AssertionError(f"the epoch read {read} bytes of {planned}")
