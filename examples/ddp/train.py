"""Trains with DistributedDataParallel: ranks are found by themselves, and checkpoints hold the loader's state.

torchrun --standalone --nproc-per-node=2 examples/ddp/train.py
"""

import argparse
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

import sapwood as sw

FILES = Path(__file__).resolve().parents[1] / "data" / "*_ttree.root"


def total(value: float) -> float:
    """The sum over all processes."""
    tensor = torch.tensor(value, dtype=torch.float64)
    dist.all_reduce(tensor)
    return tensor.item()


def main() -> None:
    """Reads the arguments, and trains among the processes that torchrun started."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("ddp-output"))
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--stop-after", type=int, metavar="BATCHES", help="write a checkpoint and end there")
    arguments = parser.parse_args()
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    train(arguments)
    dist.barrier()
    dist.destroy_process_group()  # when nothing of the training is left that uses it


def train(arguments: argparse.Namespace) -> None:
    """Trains, from the checkpoint in the output folder when there is one."""
    checkpoint = arguments.output / "checkpoint.pt"
    device = torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")
    torch.manual_seed(1)
    features = {"jet": ["log(jet_pt)", "jet_eta", "jet_sdmass / 100", "jet_tau2 / jet_tau1", "jet_nparticles / 50"]}
    loader = sw.open(FILES).loader(features, target="label_Tbqq", batch_size=128, seed=7)
    network = torch.nn.Sequential(torch.nn.Linear(5, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)).to(device)
    model = DistributedDataParallel(network)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    rows = 0

    if checkpoint.exists():
        saved = torch.load(checkpoint)
        network.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        loader.load_state_dict(saved["loader"])  # of rank 0: it holds for all, and for another number of ranks
        rows = saved["rows"]
        if loader.rank == 0:
            print(f"goes on in epoch {loader.epoch} with {loader.world_size} processes")

    while loader.epoch < arguments.epochs:
        epoch = loader.epoch
        own_rows, loss_sum = 0, 0.0
        for number, batch in enumerate(loader.torch(device), start=1):
            logits = model(batch["jet"])[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, batch["target"].float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            own_rows += len(logits)
            loss_sum += loss.item() * len(logits)
            if number == arguments.stop_after:
                break
        here = total(own_rows)
        rows += int(here)
        mean = total(loss_sum) / max(here, 1)
        stopped = arguments.stop_after is not None
        if loader.rank == 0:
            print(f"epoch {epoch}: {rows} rows, loss {mean:.4f}" + (", stopped" if stopped else ""))
            arguments.output.mkdir(parents=True, exist_ok=True)
            states = {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "loader": loader.state_dict()}
            torch.save({**states, "rows": rows if stopped else 0}, checkpoint)
        if stopped:
            break
        rows = 0


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # in the interpreter's usual end, threads of PyTorch's gloo now and then abort the process
