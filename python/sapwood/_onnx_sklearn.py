"""scikit-learn classifiers, regressors and pipelines as ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._onnx_export import Exported, failed, finished, only_flat_tensor, require

if TYPE_CHECKING:
    from ._onnx_export import Tensors


def export(model: Any, tensors: Tensors, opset: int | None) -> Exported:
    """See `export_onnx`. Of a classifier the probabilities alone are kept."""
    sklearn = require("sklearn", "scikit-learn", "a scikit-learn model")
    skl2onnx = require("skl2onnx", "skl2onnx", "a scikit-learn model")
    types = require("skl2onnx.common.data_types", "skl2onnx", "a scikit-learn model")
    what = f"a {type(model).__name__}"
    name, tensor = only_flat_tensor(tensors, what)
    classifier = sklearn.base.is_classifier(model)
    if classifier and not hasattr(model, "predict_proba"):
        raise _core.ModelError(f"{what} gives no probabilities: it has no predict_proba")
    if not classifier and not sklearn.base.is_regressor(model):
        raise _core.ModelError(f"{what} is neither a classifier nor a regressor")

    def answers(tensors: Tensors) -> Tensors:
        return answers_of(model, tensors[name], classifier)

    kind = types.FloatTensorType if tensor.dtype == np.float32 else types.DoubleTensorType
    try:
        proto = skl2onnx.convert_sklearn(
            model,
            initial_types=[(name, kind([None, tensor.shape[1]]))],
            options={id(model): {"zipmap": False}} if classifier else None,
            target_opset=opset,
        )
    except Exception as error:  # of all kinds that the converter may raise
        raise failed(what, error) from error
    labels = [str(label) for label in model.classes_] if classifier else []
    return Exported(finish(proto, name, classifier), f"scikit-learn {sklearn.__version__}", answers, labels)


def answers_of(model: Any, tensor: Any, classifier: bool) -> Tensors:
    """Of an estimator, as its exported form gives them."""
    if classifier:
        return {"probabilities": np.asarray(model.predict_proba(tensor)).astype(tensor.dtype)}
    predicted = np.asarray(model.predict(tensor)).astype(tensor.dtype)
    return {"prediction": predicted.reshape(len(tensor), -1)}


def finish(proto: Any, input_name: str, classifier: bool) -> bytes:
    """A converted estimator with the outputs of `answers_of`; a classifier's first output, the label, is left out."""
    output = proto.graph.output[1 if classifier else 0].name
    return finished(proto, [input_name], {output: "probabilities" if classifier else "prediction"})
