#!/usr/bin/env python3
"""The whole way: trains a jet tagger, bundles it, starts the server, and asks it about jets it has not seen.

python examples/jet_tagger/demo.py --output demo-output
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sapwood.train import TrainConfig, train
from sapwood.train.metrics import roc

import sapwood as sw

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "data"
JETS_PER_REQUEST = 100


def main() -> None:
    options = parse_arguments()
    torch.set_num_threads(max(1, torch.get_num_threads() // 2))  # the other half reads

    step("Training on TTree files")
    config = TrainConfig.load(HERE / "train.yaml")
    config.output = options.output
    config.training.epochs = options.epochs
    result = train(config)
    (curve,) = result.metrics.curves
    print(f"\non {result.metrics.rows:,} test jets: accuracy {result.metrics.accuracy:.1%}, AUC {curve.auc:.4f}")
    print(f"background rejection at 50 % signal efficiency: {curve.rejection():.1f}")
    waited = result.history.waited / result.history.seconds
    print(f"share of the training spent waiting for data: {waited:.1%}")

    step("Serving the bundle, and asking about jets of RNTuple files that it has not seen")
    unseen = sw.open({"QCD": DATA / "QCD_rntuple.root", "top": DATA / "Tbqq_rntuple.root"})
    begin = time.perf_counter()
    with server(result.bundle) as address:
        served = ask(address, config.name, unseen)
    seconds = time.perf_counter() - begin
    print(f"{len(served):,} jets in {seconds:.1f} s, the server's start and stop included")

    trained = scores_of_training(result, unseen)
    labels = unseen.arrays("sample_label", library="np")["sample_label"]
    difference = np.abs(served - trained).max()
    print(f"AUC {roc('top', served, labels == 1).auc:.4f}; largest difference to PyTorch's scores: {difference:.1e}")
    if difference > 1e-5:
        sys.exit("the server's answers are not those of the training")

    command = Path(sys.executable).with_name("sapwood")
    print(f"\nReport:  {result.report.resolve()}")
    print(f"Bundle:  {result.bundle.resolve()}")
    print(f"Serve:   {command} serve --bundle {result.bundle}")
    print(f"Predict: {command} predict {result.bundle} {DATA / 'QCD_rntuple.root'} --output scores.root")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains, bundles, serves and asks a jet tagger.")
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder for report and bundle")
    parser.add_argument("--epochs", type=int, default=20)
    return parser.parse_args()


def step(title: str) -> None:
    print(f"\n=== {title}", flush=True)


@contextmanager
def server(bundle: Path) -> Iterator[str]:
    """The address of a server of one bundle on a free port; stopped at the end."""
    command = [sys.executable, "-m", "sapwood", "serve", "--bundle", str(bundle), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            if "http://" not in line:
                sys.exit(f"the server did not start: {line}")
            print(line.strip())
            yield line[line.index("http://") :].split()[0]
        finally:
            process.terminate()
    if process.returncode != 0:
        sys.exit(f"the server ended with {process.returncode}")


def ask(address: str, model: str, jets: sw.Dataset) -> np.ndarray:
    """The probability of a top for every jet: raw columns over HTTP, lists of particles as JSON lists."""
    columns = [name for name in jets.columns if name.startswith("part_")]
    scores = []
    for start in range(0, jets.num_entries, JETS_PER_REQUEST):
        arrays = jets.arrays(columns, start, start + JETS_PER_REQUEST)
        body = json.dumps({"columns": {name: array.to_pylist() for name, array in arrays.items()}})
        request = urllib.request.Request(  # noqa: S310 - to our own server
            f"{address}/v1/models/{model}:predict", body.encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310
            answer = json.load(response)
        (probabilities,) = answer["outputs"].values()
        scores += [of_class[1] for of_class in probabilities]
    return np.array(scores)


def scores_of_training(result: Any, jets: sw.Dataset) -> np.ndarray:
    """The same from PyTorch, fed by the loader."""
    model = result.model.cpu().eval()
    loader = jets.loader(result.features, shuffle=False, batch_size=500)
    with torch.no_grad():
        logits = [model(batch["part"], batch["part_mask"]) for batch in loader.torch()]
    return torch.softmax(torch.cat(logits), 1)[:, 1].numpy()


if __name__ == "__main__":
    main()
