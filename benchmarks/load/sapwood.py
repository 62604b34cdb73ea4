"""`Dataset.loader`. Every epoch reads and decompresses all there is of its columns."""

from sapwood_batches import epochs as any_epochs


def epochs(files, case, batches, threads):
    options = {"buffer_rows": batches.buffer_rows, "cache": False}
    return any_epochs(files, case, batches, threads, all_is_read=True, **options)
