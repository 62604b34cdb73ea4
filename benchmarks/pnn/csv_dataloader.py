"""A CSV file, and PyTorch's DataLoader over the tensors that pandas reads from it."""

import numpy as np
import pandas as pd
import task
import torch
from torch.utils.data import DataLoader, TensorDataset

NAME = "events.csv"


def export(dataset, folder):
    """With the nine digits that float32 needs to come back as it was."""
    with (folder / NAME).open("w") as file:
        for number, piece in enumerate(dataset.iterate(task.COLUMNS, library="pd")):
            piece.to_csv(file, header=number == 0, index=False, float_format="%.9g")


def epochs(training):
    # pandas is off by the last bit now and then, unless told.
    table = pd.read_csv(f"{training.folder}/{NAME}", dtype=np.float32, float_precision="round_trip")
    inputs, target = table[task.INPUTS].to_numpy(), table[[task.TARGET]].to_numpy()
    rows = TensorDataset(torch.from_numpy(inputs), torch.from_numpy(target))
    for order in np.load(training.orders, mmap_mode="r"):
        yield DataLoader(rows, batch_size=task.BATCH, sampler=order.tolist())
