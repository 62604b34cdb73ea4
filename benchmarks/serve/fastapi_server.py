"""The peer: FastAPI with onnxruntime, a session for each model, one thread within a run.

uvicorn fastapi_server:app, with MODELS naming the folder of the .onnx files.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import orjson
from fastapi import FastAPI, Request
from fastapi.responses import ORJSONResponse

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
models = {path.stem: onnxruntime.InferenceSession(path, options) for path in Path(os.environ["MODELS"]).glob("*.onnx")}
app = FastAPI(default_response_class=ORJSONResponse)


@app.post("/json")
async def predict(request: Request) -> Any:
    row = orjson.loads(await request.body())
    outputs = models[row["model"]].run(None, {"x": np.array([row["values"]], np.float32)})
    return ORJSONResponse(outputs[0][0].tolist())
