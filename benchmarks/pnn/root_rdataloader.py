"""ROOT's RDataLoader, with all rows in memory as everyone has them here, on a ROOT file that holds the inputs."""

import ROOT
import task

NAME = "events.root"


def export(dataset, folder):
    dataset.to_root(folder / NAME, columns=task.COLUMNS)


def epochs(training):
    loader = ROOT.Experimental.ML.RDataLoader(
        ROOT.RDataFrame(task.TREE, f"{training.folder}/{NAME}"),
        batch_size=task.BATCH,
        columns=task.COLUMNS,
        target=task.TARGET,
        set_seed=training.seed,
        load_eager=True,
        drop_remainder=False,
    )
    while True:
        yield loader.as_torch()
