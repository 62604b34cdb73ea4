"""weaver's SimpleIterDataset in its form for training (events of all files mixed), in worker processes. The YAML is
JetClass's with the columns that are asked for, as they are: no new variables, no standardisation, no weights.
"""

import tempfile
from pathlib import Path

import torch
import uproot
import yaml
from weaver.utils.dataset import SimpleIterDataset


def configuration(case, batches):
    def inputs(names, length):
        return {"length": length, "pad_mode": "constant", "vars": [[name, None] for name in names]}

    return {
        "treename": case.table,
        "selection": None,
        "new_variables": {},
        "preprocess": {"method": "manual"},
        "inputs": {"padded": inputs(batches.lists, batches.length), "scalars": inputs(batches.scalars, None)},
        "labels": {"type": "custom", "value": {"target": batches.target}},
        "weights": None,
    }


def epochs(files, case, batches, workers):
    rows = sum(entries for _, _, entries in uproot.num_entries([f"{path}:{case.table}" for path in files]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.yaml"
        path.write_text(yaml.safe_dump(configuration(case, batches)))
        dataset = SimpleIterDataset(
            {"all": files},
            str(path),
            for_training=True,
            fetch_step=min(1.0, batches.buffer_rows / rows),
            name="train",
        )
    loader = torch.utils.data.DataLoader(dataset, batch_size=batches.batch_size, num_workers=workers)
    while True:
        yield (([x["padded"], x["scalars"]], y["target"]) for x, y, _ in loader)
