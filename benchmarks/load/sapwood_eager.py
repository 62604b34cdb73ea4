"""`Dataset.loader` that keeps all rows in memory: from the second epoch on it reads nothing."""

from sapwood_batches import epochs as any_epochs


def epochs(files, case, batches, threads):
    return any_epochs(files, case, batches, threads, all_is_read=False, memory=None)
