"""`sapwood.root.RDataLoader` in place of ROOT's, on the events as they are: the inputs are formulas."""

import task

import sapwood as sw
from sapwood.root import RDataLoader


def epochs(training):
    loader = RDataLoader(
        sw.open(training.files, task.TREE).define(**task.DEFINITIONS),
        batch_size=task.BATCH,
        columns=task.COLUMNS,
        target=task.TARGET,
        set_seed=training.seed,
        drop_remainder=False,
    )
    while True:
        yield loader.as_torch()
