"""MLaaS4HEP's validation: nine files of 350,000 events and 27 branches, its network for 5 epochs in batches of 100.

    benchmarks/workflow/run.py [--events 350000] [--data FOLDER] [--output FILE]

`sapwood workflow` trains the Keras network on generated files, then a plain loop trains it from the same start on the
same rows in the same order, prepared with uproot and NumPy; boosted decision trees learn from them in both ways too. It
tells the AUC of each on the same test rows, and how many events/s each preparation takes. MLaaS4HEP's own figures, from
its papers: 13.4 k events/s for reading with specs, 1.1 k events/s for chunks.
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


def module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def events(folder: Path, count: int) -> list[tuple[Path, int]]:
    done = folder / f"{count}.json"
    if not done.exists():
        files = module(ROOT / "scripts" / "make_mlaas_events.py").make(folder, count)
        done.write_text(json.dumps([[str(path), label] for path, label in files]))
    return [(Path(path), label) for path, label in json.loads(done.read_text())]


def run_workflow(files: list[tuple[Path, int]], model: Path, output: Path) -> Any:
    params = Parameters(
        branch="events", identifier=IDENTIFIER, batch_size=BATCH, epochs=EPOCHS, split=0.2, seed=SEED, nan=0.0
    )
    paths, labels = [str(path) for path, _ in files], [label for _, label in files]
    return workflow(paths, labels, str(model), params, fout=str(output))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=350_000)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "bench-data" / "mlaas4hep")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    options = parser.parse_args()
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
    result = run_workflow(files, HERE / "model_keras.py", options.data / "keras")
    history = result.history
    tell("sapwood workflow, network: AUC", result.metrics.auc)
    tell("  events/s of the training, with the model", history.rows / history.seconds)
    tell("  share of the training spent waiting for data", history.waited / history.seconds)
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

    begin = time.perf_counter()
    network = outside.keras_model(module(HERE / "model_keras.py").model(prepared.inputs.shape[1]))
    rows = order()
    outside.train(network, prepared, rows, EPOCHS)
    tell("plain loop, network: AUC", outside.auc(network, prepared, rows))
    print(f"  ({time.perf_counter() - begin:.0f} s)")

    trees = run_workflow(files, HERE / "model_xgboost.py", options.data / "xgboost")
    tell("sapwood workflow, boosted decision trees: AUC", trees.metrics.auc)
    rows = order()
    ordered = rows.rows(rows.train)
    boosted = module(HERE / "model_xgboost.py").model(prepared.inputs.shape[1])
    boosted.fit(prepared.inputs[ordered], prepared.labels[ordered])
    alone = outside.Model(None, lambda x: boosted.predict_proba(x)[:, 1], None, None)  # type: ignore[arg-type]
    tell("plain fit, boosted decision trees: AUC", outside.auc(alone, prepared, rows))
    if options.output:
        options.output.write_text(json.dumps(results, indent=1))
    for kind in ("network", "boosted decision trees"):
        ours = results[f"sapwood workflow, {kind}: AUC"]
        theirs = next(value for name, value in results.items() if name.startswith("plain") and kind in name)
        if abs(ours - theirs) >= 1e-3:
            sys.exit(f"the AUC of the {kind} differs: {ours} and {theirs}")


if __name__ == "__main__":
    main()
