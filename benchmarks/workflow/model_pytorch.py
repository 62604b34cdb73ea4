"""The network of MLaaS4HEP's validation as a PyTorch module, which gives logits."""

import torch
from torch import nn


def model(idim):
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Linear(idim, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(64, 1),
    )
