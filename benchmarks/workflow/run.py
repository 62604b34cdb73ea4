"""MLaaS4HEP's validation: nine files of 350,000 events and 27 branches, its network for 5 epochs in batches of 100.

    benchmarks/workflow/run.py [--events 350000] [--data FOLDER] [--output FILE]

`sapwood workflow` trains models of Keras, PyTorch, scikit-learn and XGBoost on generated files; plain loops train them
from the same start on the same rows in the same order, prepared with uproot and NumPy, and the tensors are compared bit
by bit on the way. It tells the AUC of each on the same test rows (they must differ by less than 0.001), and how many
events/s each preparation takes. MLaaS4HEP's own figures, from its papers: 13.4 k events/s for reading with specs, 1.1 k
events/s for chunks.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import outside
from sapwood.workflow import Parameters, workflow

import sapwood as sw

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
IDENTIFIER = ["run", "event"]
EPOCHS, BATCH, SEED = 5, 100, 5
MODELS = {
    "keras": "Keras network",
    "pytorch": "PyTorch network",
    "sklearn": "scikit-learn logistic regression",
    "xgboost": "XGBoost trees",
}


def module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def events(folder: Path, count: int) -> list[tuple[Path, int]]:
    done = folder / "files.json"  # written last
    if not done.exists():
        files = module(ROOT / "scripts" / "make_mlaas_events.py").make(folder, count)
        done.write_text(json.dumps([[str(path), label] for path, label in files]))
    return [(Path(path), label) for path, label in json.loads(done.read_text())]


def run_workflow(files: list[tuple[Path, int]], kind: str, output: Path) -> Any:
    params = Parameters(
        branch="events", identifier=IDENTIFIER, batch_size=BATCH, epochs=EPOCHS, split=0.2, seed=SEED, nan=0.0
    )
    paths, labels = [str(path) for path, _ in files], [label for _, label in files]
    return workflow(paths, labels, str(HERE / f"model_{kind}.py"), params, fout=str(output))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=350_000)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "bench-data" / "mlaas4hep")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    options = parser.parse_args()
    options.data /= str(options.events)
    files = events(options.data, options.events)
    data = sw.open({str(k): [path for path, label in files if label == k] for k in (0, 1)}, "events")
    results: dict[str, float] = {"events": data.num_entries, "load_before": os.getloadavg()[0]}

    def tell(name: str, value: float) -> None:
        results[name] = value
        print(f"{name:62} {value:14,.4f}" if value < 10 else f"{name:62} {value:14,.0f}", flush=True)

    def timed(name: str, call: Any) -> Any:
        begin = time.perf_counter()
        result = call()
        tell(name, data.num_entries / (time.perf_counter() - begin))
        return result

    tell("events", data.num_entries)
    result = run_workflow(files, "keras", options.data / "keras")
    history = result.history
    tell("Keras: events/s of the training, with the model", history.rows / history.seconds)
    tell("Keras: share of the training spent waiting for data", history.waited / history.seconds)
    plain = result.features.to_dict()
    for variable in plain["inputs"][0]["variables"]:
        variable["transforms"] = ["min_max" if "min_max" in step else step for step in variable["transforms"]]
        if variable.get("slots"):
            variable["slots"] = "fit"
    timed("sapwood: events/s of reading with specs", lambda: data.fit(sw.FeatureSpec.from_dict(plain)))
    loader = data.loader(result.features, batch_size=BATCH, seed=SEED)
    timed("sapwood: events/s of batches of tensors", lambda: sum(1 for _ in loader.numpy()))
    prepared = timed("uproot and NumPy: events/s of both", lambda: outside.prepare(files, "events", IDENTIFIER))

    def order() -> outside.Order:
        return outside.Order(data, result.features, prepared, IDENTIFIER, batch_size=BATCH, seed=SEED)

    for kind, name in MODELS.items():
        ours = (result if kind == "keras" else run_workflow(files, kind, options.data / kind)).metrics.auc
        rows = outside.Order(data, result.features, prepared, IDENTIFIER, batch_size=BATCH, seed=SEED)
        model = module(HERE / f"model_{kind}.py").model(prepared.inputs.shape[1])
        theirs = outside.auc(outside.trained(model, prepared, rows, EPOCHS, SEED), prepared, rows)
        tell(f"{name}: AUC of sapwood workflow", ours)
        tell(f"{name}: AUC of a plain loop", theirs)
        if abs(ours - theirs) >= 1e-3:
            sys.exit(f"the AUC of the {name} differs: {ours} and {theirs}")
    if options.output:
        options.output.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
