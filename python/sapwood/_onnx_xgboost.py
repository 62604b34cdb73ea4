"""XGBoost models as ONNX."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._onnx_export import Exported, failed, only_flat_tensor, require
from ._onnx_sklearn import answers_of, finish

if TYPE_CHECKING:
    from ._onnx_export import Tensors


def export(model: Any, tensors: Tensors, opset: int | None) -> Exported:
    """See `export_onnx`. Classifiers and regressors; a bare Booster does not say which it is."""
    xgboost = require("xgboost", "xgboost", "an XGBoost model")
    onnxmltools = require("onnxmltools", "onnxmltools", "an XGBoost model")
    types = require("onnxmltools.convert.common.data_types", "onnxmltools", "an XGBoost model")
    what = f"a {type(model).__name__}"
    if not isinstance(model, xgboost.XGBModel):
        raise _core.ModelError(f"{what} does not say what it predicts: export an XGBClassifier or XGBRegressor")
    name, tensor = only_flat_tensor(tensors, what)
    if tensor.dtype != np.float32:
        raise _core.ModelError(f"{what} computes in float32, the features give {tensor.dtype}")
    classifier = isinstance(model, xgboost.XGBClassifier)

    def answers(tensors: Tensors) -> Tensors:
        return answers_of(model, tensors[name], classifier)

    # The converter knows features by their number alone.
    numbered = copy.deepcopy(model)
    numbered.get_booster().feature_names = None
    try:
        proto = onnxmltools.convert_xgboost(
            numbered, initial_types=[(name, types.FloatTensorType([None, tensor.shape[1]]))], target_opset=opset
        )
    except Exception as error:  # of all kinds that the converter may raise
        raise failed(what, error) from error
    labels = [str(label) for label in model.classes_] if classifier else []
    return Exported(finish(proto, name, classifier), f"XGBoost {xgboost.__version__}", answers, labels)
