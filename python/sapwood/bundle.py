"""Bundles: a trained model with all that is needed to use it, in one archive (docs/formats/bundle.md).

>>> sw.bundle.export(model, "tagger.tar", features=spec, sample=jets, labels=["QCD", "top"])
>>> sw.bundle.open("tagger.tar").predict(columns)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import _bundle_export, _core, _onnxruntime
from ._arrays import to_column
from .features import FeatureSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from .dataset import Dataset

    Array = np.ndarray[Any, np.dtype[Any]]
    Path = str | os.PathLike[str]

__all__ = ["Bundle", "export", "open"]


def export(
    model: Any,
    path: Path,
    *,
    features: FeatureSpec | None,
    sample: Dataset | Mapping[str, Any],
    name: str | None = None,
    description: str = "",
    labels: Sequence[str] | None = None,
    card: str | Mapping[str, Any] | None = None,
    framework: str | None = None,
    opset: int | None = None,
    golden_entries: int = 16,
    absolute_tolerance: float = 1e-5,
    relative_tolerance: float = 1e-4,
) -> Bundle:
    """Write a trained model as a bundle, compared with its framework on the sample; the bundle, opened, is returned.

    model
        A PyTorch module, a Keras model, a scikit-learn classifier, regressor or pipeline, an XGBoost model, or the
        bytes of an ONNX model. PyTorch modules take the tensors as arguments of the same names, or else in the order
        of the features; scikit-learn, XGBoost and Keras models of one input take them side by side, [N, F].
    path
        The archive to write; compressed when it ends with ``.gz`` or ``.tgz``.
    features
        The fitted specification that the model was trained with, of which the inputs are kept. None: clients will send
        the model's own tensors.
    sample
        Raw columns of some entries: a data set (its first entries are read) or arrays by column name; without
        `features` the model's tensors by name. The first `golden_entries` are kept in the bundle with the model's
        answers: every server compares them when it loads the model.
    labels
        Names of the classes that the columns of the first output stand for; a classifier's own when not given.
    card
        Markdown in place of the model card, or sections to be added to it: title to text, or title to a mapping, which
        becomes a table. "Training data" and "Metrics" are what readers look for.
    framework
        ``"pytorch"``, ``"keras"``, ``"scikit-learn"``, ``"xgboost"`` or ``"onnx"``; found out when not given.
    opset
        Version of ONNX's operators; the framework's own choice when not given.
    absolute_tolerance, relative_tolerance
        The answers of the exported model may differ by absolute + relative * value.

    Raises ModelError (can't be exported; gives other answers, with the largest difference), ConfigError, SchemaError,
    IoError, UnsupportedError (groups that are packed or of float16 or bfloat16), and ImportError that names the package
    to install.
    """
    _onnxruntime.require_built()
    _bundle_export.export(
        model,
        os.fspath(path),
        features=features,
        sample=sample,
        name=name,
        description=description,
        labels=labels,
        card=card,
        framework=framework,
        opset=opset,
        golden_entries=golden_entries,
        tolerances=(absolute_tolerance, relative_tolerance),
    )
    return open(path)


def open(path: Path) -> Bundle:
    """Open a bundle and check its members' hashes. Raises IoError, FormatError, UnsupportedError."""
    _onnxruntime.require_built()
    return Bundle(_core.Bundle.open(os.fspath(path)))


class Bundle:
    """An opened bundle. Its model is loaded, and compared with the golden sample, when it is first used."""

    def __init__(self, core: _core.Bundle) -> None:
        self._core = core
        self._predictor: _core.Predictor | None = None

    @property
    def name(self) -> str:
        """What the model is called."""
        return self._core.name

    @property
    def description(self) -> str:
        """What it is for."""
        return self._core.description

    @property
    def framework(self) -> str:
        """What it was trained in, with its version."""
        return self._core.framework

    @property
    def created(self) -> str:
        """When it was exported: ISO 8601, UTC."""
        return self._core.created

    @property
    def sapwood_version(self) -> str:
        """Of the sapwood that exported it."""
        return self._core.sapwood_version

    @property
    def labels(self) -> list[str]:
        """Of the classes that the columns of the first output stand for."""
        return self._core.labels

    @property
    def features(self) -> FeatureSpec | None:
        """The specification of the model's inputs; None when it takes tensors."""
        return None if self._core.features is None else FeatureSpec._of(self._core.features)

    @property
    def columns(self) -> dict[str, str]:
        """The raw columns that the features read, with their types."""
        return dict(self._core.columns)

    @property
    def inputs(self) -> list[_core.TensorSpec]:
        """The model's."""
        return self._core.inputs

    @property
    def outputs(self) -> list[_core.TensorSpec]:
        """The model's."""
        return self._core.outputs

    @property
    def onnx(self) -> bytes:
        """The model."""
        return self._core.onnx

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return self._core.card

    @property
    def members(self) -> dict[str, tuple[int, str]]:
        """Size and SHA-256 of each file but the manifest."""
        return self._core.members

    @property
    def has_golden(self) -> bool:
        """Whether there is a golden sample."""
        return self._core.has_golden

    def load(self, threads: int = 1) -> None:
        """Load the model, with so many threads within one run, and compare it with the golden sample.

        Raises ModelError (other answers, with the largest difference), UnsupportedError (no ONNX Runtime).
        """
        self._predictor = _core.Predictor(self._core, threads, _onnxruntime.library(), True)

    def verify(self) -> None:
        """Compare the model's answers with the golden sample. Raises ModelError with the largest difference."""
        self._loaded().verify()

    def predict(self, columns: Mapping[str, Any]) -> dict[str, Array]:
        """The model's outputs by name, for raw columns: arrays by name, of the bundle's types; others are ignored.

        Raises SchemaError (a column is missing or of another type), ConfigError (the bundle has no features).
        """
        predictor = self._loaded()
        if self._core.features is None:
            raise _core.ConfigError(f"bundle '{self.name}' has no features: run() takes the model's tensors")
        missing = [name for name in self.columns if name not in columns]
        if missing:
            raise _core.SchemaError(f"the bundle takes a column '{missing[0]}', which is not given")
        return predictor.predict([to_column(columns[name], name) for name in self.columns])

    def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """The model's outputs by name, for its own input tensors. Raises ModelError."""
        return _bundle_export.run(self._loaded().model, tensors)

    def _loaded(self) -> _core.Predictor:
        if self._predictor is None:
            self.load()
        assert self._predictor is not None
        return self._predictor

    def __repr__(self) -> str:
        takes = f"{len(self.columns)} columns" if self.features else f"{len(self.inputs)} tensors"
        return f"<Bundle '{self.name}' ({self.framework}): {takes} to {', '.join(map(str, self.outputs))}>"
