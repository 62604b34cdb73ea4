"""`Dataset.loader` of a live RDataFrame, whose event loop reads all columns in every epoch."""

import ROOT
from sapwood_batches import epochs as any_epochs

import sapwood


def epochs(files, case, batches, threads):
    def open_frame(files, tree):
        return sapwood.open(ROOT.RDataFrame(tree, files))

    options = {"buffer_rows": batches.buffer_rows, "cache": False, "open_data": open_frame}
    return any_epochs(files, case, batches, threads, all_is_read=True, **options)
