"""The same in the two worker processes of a `torch.utils.data.DataLoader`, half of the files and of the buffer each."""

import torch
import uproot_torch

WORKERS = 2


class Chunks(torch.utils.data.IterableDataset):
    def __init__(self, files, case, batches):
        self.files, self.case, self.batches = files, case, batches

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        files = self.files[worker.id :: worker.num_workers]
        return uproot_torch.epoch(files, self.case, self.batches, self.batches.buffer_rows // worker.num_workers)


def epochs(files, case, batches, _threads):
    loader = torch.utils.data.DataLoader(Chunks(files, case, batches), batch_size=None, num_workers=WORKERS)
    while True:
        yield iter(loader)
