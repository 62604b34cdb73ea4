"""ROOT files (TTree, RNTuple) as columns and machine-learning batches, read natively and in parallel.

>>> import sapwood as sw
>>> jets = sw.open("jets_*.root", tree="tree")
>>> loader = jets.loader(features={"part": ["part_px", "part_py"]}, pad={"part": 128}, target="label_QCD")
>>> for batch in loader.torch(): ...
"""

from importlib.metadata import version

from . import bundle
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
    ModelError,
    SchemaError,
    SkippedRange,
    Statistics,
    TensorInfo,
    UnsupportedError,
)
from .dataset import Dataset, open
from .features import FeatureGroup, FeatureSpec, Variable, make_tensors
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
    "FeatureGroup",
    "FeatureSpec",
    "FileInfo",
    "FormatError",
    "IoError",
    "Loader",
    "LoaderStats",
    "ModelError",
    "SchemaError",
    "SkippedRange",
    "Statistics",
    "TensorInfo",
    "UnsupportedError",
    "Variable",
    "__version__",
    "bundle",
    "make_tensors",
    "open",
]
