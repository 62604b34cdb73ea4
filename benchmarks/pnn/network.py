"""The parameterised network, and how it learns: the same start for a seed, on one thread, by deterministic steps."""

import task
import torch

HIDDEN = 60
LAYERS = 3
LEARNING_RATE = 1e-3


class Scaling(torch.nn.Module):
    """Inputs of mean 0 and standard deviation 1."""

    def __init__(self, means, scales):
        super().__init__()
        self.register_buffer("means", torch.tensor(means))
        self.register_buffer("scales", torch.tensor(scales))

    def forward(self, inputs):
        return (inputs - self.means) / self.scales


def make(training):
    """The model and its optimizer."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(training.seed)
    layers, width = [Scaling(training.means, training.scales)], len(task.INPUTS)
    for _ in range(LAYERS):
        layers += [torch.nn.Linear(width, HIDDEN), torch.nn.ReLU()]
        width = HIDDEN
    model = torch.nn.Sequential(*layers, torch.nn.Linear(width, 1))
    return model, torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


def step(model, optimizer, inputs, target):
    """Learns from a batch, and gives its loss."""
    loss = torch.nn.functional.binary_cross_entropy_with_logits(model(inputs)[:, 0], target.reshape(-1).float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def scores(model, inputs):
    """The probability of signal, [N]."""
    with torch.no_grad():
        return torch.sigmoid(model(torch.from_numpy(inputs)))[:, 0].numpy()
