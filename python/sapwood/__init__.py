"""ROOT files (TTree, RNTuple) as columns and machine-learning batches, read natively and in parallel.

>>> import sapwood as sw
>>> jets = sw.open("jets_*.root", tree="tree")
>>> loader = jets.loader(features={"part": ["part_px", "part_py"]}, pad={"part": 128}, target="label_QCD")
>>> for batch in loader.torch(): ...
"""

from importlib.metadata import version

from ._core import (
    CancelledError,
    Column,
    ColumnInfo,
    ConfigError,
    Error,
    Explanation,
    FileInfo,
    FormatError,
    IoError,
    LoaderStats,
    SchemaError,
    TensorInfo,
    UnsupportedError,
)
from .dataset import Dataset, open
from .loader import Loader

__version__ = version("sapwood")

__all__ = [
    "CancelledError",
    "Column",
    "ColumnInfo",
    "ConfigError",
    "Dataset",
    "Error",
    "Explanation",
    "FileInfo",
    "FormatError",
    "IoError",
    "Loader",
    "LoaderStats",
    "SchemaError",
    "TensorInfo",
    "UnsupportedError",
    "__version__",
    "open",
]
