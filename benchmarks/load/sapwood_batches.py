"""Epochs of `Dataset.loader`, shuffled, as PyTorch tensors."""

import torch  # noqa: F401 - imported before the clock starts

import sapwood


def epochs(files, case, batches, threads, *, all_is_read, open_data=sapwood.open, **options):
    features, layout = {"scalars": batches.scalars}, {}
    if batches.lists:
        features = {"lists": batches.lists, **features}
        layout = {"pad": {"lists": batches.length}} if batches.length else {"packed": "lists"}
    loader = open_data(files, case.table).loader(
        features,
        batches.target,
        batch_size=batches.batch_size,
        threads=threads,
        seed=1,
        **layout,
        **options,
    )
    while True:
        yield epoch(loader, list(features), all_is_read=all_is_read)


def epoch(loader, features, *, all_is_read):
    for batch in loader.torch():
        tensors = [batch[name] for name in features]
        if "lists_cu_seqlens" in batch:
            tensors.append(batch["lists_cu_seqlens"].diff())
        yield tensors, batch["target"]
    read, planned = loader.stats().stored_bytes, loader.explain().stored_bytes
    if all_is_read and read != planned:
        raise AssertionError(f"the epoch read {read} bytes of {planned}")
