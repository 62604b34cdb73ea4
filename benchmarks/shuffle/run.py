"""How well loaders shuffle, for buffers of 1, 5 and 20 % of the data: ./dev bench shuffle [--quick]

1,000,000 events in 200 files of one class each (10 classes) and 5 clusters each, in batches of 512, two epochs. Three
figures (metrics.py), all of them 1 for a full permutation: the variance inflation of a class's count in a batch (VIF),
how much likelier than at random two rows of a batch are of one cluster (lift), and how much likelier two rows that
share a batch do so again in the next epoch (repeat). First of the orders of several programs, simulated (orders.py);
then of sapwood, beside what its explain() expects: with the classes as labels, without labels, and where clusters are
so large that it reads them one by one, not a whole file at once; then of ROOT's RDataLoader. Needs ROOT, which writes
the files. The figures depend on neither load nor machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import loaders
import metrics
import numpy as np
from layout import FULL, QUICK, Layout, with_large_clusters
from make_files import make_files
from orders import ORDERS

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import provenance  # noqa: E402

SHARES = (0.01, 0.05, 0.2)  # of the rows that the buffer holds
SEED = 1
Figures = dict[str, float | None]


def figures_of(orders: Any, layout: Layout) -> Figures:
    """Of two epochs."""
    first, second = next(orders), next(orders)
    size = layout.batch_size
    return {
        "vif": float(np.mean([metrics.variance_inflation(layout.class_of(rows), size) for rows in (first, second)])),
        "lift": float(np.mean([metrics.cluster_lift(layout.cluster_of(rows), size) for rows in (first, second)])),
        "repeat": metrics.repeat(first, second, size),
    }


def simulated(name: str, layout: Layout, buffer: int) -> Figures:
    rng = np.random.default_rng(SEED)
    return figures_of((ORDERS[name](layout, buffer, rng) for _ in range(2)), layout)


def measured(data: Path, layout: Layout, buffer: int) -> dict[str, Figures]:
    figures: dict[str, Figures] = {}
    for name, labelled, made in (
        ("sapwood, classes as labels", True, layout),
        ("sapwood, without labels", False, layout),
        ("sapwood, clusters of 8 MB, classes as labels", True, with_large_clusters(layout)),
    ):
        loader = loaders.sapwood_loader(files_of(data, made), made, buffer, labelled)
        figures[name] = figures_of(loaders.sapwood_orders(loader, made), made)
        plan = loader.explain()
        figures[f"{name}: expected"] = {
            "vif": getattr(plan, "expected_vif", None),
            "lift": plan.expected_lift,
            "repeat": plan.expected_repeat,
            "units": plan.units,
        }
    figures["ROOT RDataLoader"] = figures_of(loaders.root_orders(files_of(data, layout), layout, buffer), layout)
    return figures


def files_of(data: Path, layout: Layout) -> list[str]:
    return [str(path) for path in make_files(data / "shuffle", layout)]


def table(results: dict[str, dict[str, Figures]]) -> list[str]:
    """A row for each order, three columns for each buffer."""
    names = list(next(iter(results.values())))
    heads = [f"{figure}, {share}" for share in results for figure in ("VIF", "lift", "repeat")]
    lines = [f"| order | {' | '.join(heads)} |", f"| --- |{' ---: |' * len(heads)}"]
    for name in names:
        cells = [results[share][name][figure] for share in results for figure in ("vif", "lift", "repeat")]
        lines.append(f"| {name} | {' | '.join('' if cell is None else f'{cell:.3g}' for cell in cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="40,000 events in 40 files, batches of 128")
    parser.add_argument("--data", type=Path, help="where data are made and kept (build/bench-data)")
    parser.add_argument("--output", type=Path, help="JSON and table (build/bench-shuffle.json, .md)")
    options = parser.parse_args()
    layout = QUICK if options.quick else FULL
    build = HERE.parents[1] / "build"
    data = options.data or build / ("bench-data-quick" if options.quick else "bench-data")
    output = options.output or build / "bench-shuffle.json"

    results: dict[str, dict[str, Figures]] = {}
    for share in SHARES:
        buffer = round(share * layout.rows)
        found = {f"{name} (simulated)": simulated(name, layout, buffer) for name in ORDERS}
        results[f"{share:.0%}"] = found | measured(data, layout, buffer)
    lines = table(results)
    print("\n".join(lines))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({**provenance.of_run("shuffle"), "shuffle": results}, indent=1))
    output.with_suffix(".md").write_text("\n".join(lines) + "\n")
    print(f"written: {output}, {output.with_suffix('.md')}")


if __name__ == "__main__":
    main()
