"""Loaders with the signatures of ROOT's: a training script changes its import, and nothing else.

>>> from sapwood.root import RDataLoader  # was: RDataLoader = ROOT.Experimental.ML.RDataLoader
>>> train, test = RDataLoader(frame, batch_size=1000, target="label").train_test_split(0.2)
>>> for x, y in train.as_torch(): ...

docs/guide/from-root.md tells what differs.
"""

from ._errors import OptionError
from ._generators import CreateNumPyGenerators, CreatePyTorchGenerators, CreateTFDatasets
from ._loader import FormattedLoader, RDataLoader

__all__ = [
    "CreateNumPyGenerators",
    "CreatePyTorchGenerators",
    "CreateTFDatasets",
    "FormattedLoader",
    "OptionError",
    "RDataLoader",
]
