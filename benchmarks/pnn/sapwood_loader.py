"""`Dataset.loader` on the events as they are: the inputs are formulas."""

import task

import sapwood as sw


def epochs(training):
    events = sw.open(training.files, task.TREE).define(**task.DEFINITIONS)
    loader = events.loader(task.INPUTS, task.TARGET, batch_size=task.BATCH, seed=training.seed)
    while True:
        yield ((batch["features"], batch["target"]) for batch in loader.torch())
