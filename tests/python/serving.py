"""Bundles for the server's tests, and the server as a process."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVER = Path(os.environ.get("SAPWOOD_SERVE", ROOT / "build" / "release" / "sapwood-serve"))
TOKEN = "open sesame"  # noqa: S105


SUMS = ((1, 0), (1, 0), (0, 1))  #: x [N, 3] to y [N, 2] = (x0 + x1, x2)


def make_onnx(matrix: Any) -> bytes:
    """x to y = x @ matrix"""
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    weights = np.array(matrix, np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "sums",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", weights.shape[0]])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["N", weights.shape[1]])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def make_identity(shape: Sequence[int]) -> bytes:
    """x to y = x; sizes of -1 are free."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    sizes = ["N" if size < 0 else size for size in shape]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "same",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, sizes)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def make_bundle(
    name: str = "sums",
    *,
    scale: float = 1.0,
    matrix: Any = SUMS,
    labels: Sequence[str] = ("first", "second"),
    columns: dict[str, str] | None = None,
    pad: int = 0,
    input_shape: Sequence[int] | None = None,
) -> bytes:
    """A product with a matrix. With columns (name to type), x is made of those, of jagged ones of their sums.

    With `pad` x is padded, and the model gives it back; with `input_shape` the model is of that shape.
    """
    if pad or input_shape:
        shape = list(input_shape or [-1, len(columns or ()), pad])
        matrix, onnx = [[0]], make_identity(shape)
    else:
        shape, onnx = [-1, len(matrix)], make_onnx(scale * np.array(matrix))
    files = {"model.onnx": onnx}
    if columns:
        variables = [f"sum({c})" if "list" in type_ and not pad else c for c, type_ in columns.items()]
        group = {"name": "x", "variables": variables, "pad": pad}
        spec = {"format": "sapwood-features", "version": 1, "inputs": [group]}
        files["features.json"] = json.dumps(spec).encode()
    manifest = {
        "format": "sapwood-bundle",
        "version": 1,
        "name": name,
        "labels": list(labels),
        "inputs": [{"name": "x", "dtype": "float32", "shape": shape}],
        "outputs": [{"name": "y", "dtype": "float32", "shape": shape if len(shape) > 2 else [-1, len(matrix[0])]}],
        "columns": [{"name": column, "type": type_} for column, type_ in (columns or {}).items()],
        "files": {key: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for key, data in files.items()},
    }
    return make_tar({"bundle.json": json.dumps(manifest).encode(), **files})


def make_tar(members: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for member, data in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return archive.getvalue()


def add_version(repository: Path, name: str, version: int, bundle: bytes) -> None:
    folder = repository / name / str(version)
    folder.mkdir(parents=True)
    (folder / "bundle.tar").write_bytes(bundle)


class Server:
    """A running server; its address is host:port."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        request = urllib.request.Request(f"http://{self.address}{path}", body, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def json(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        status, answer = self.request(method, path, data, headers)
        return status, json.loads(answer)


@contextlib.contextmanager
def running(*arguments: str | Path, token: str | None = None) -> Iterator[Server]:
    """Starts the server on any free port; it is to end well when asked to."""
    capi = Path(pytest.importorskip("onnxruntime").__file__).parent / "capi"
    if not SERVER.exists():
        pytest.skip(f"no {SERVER}: ./dev build makes it")
    environment = dict(os.environ)
    environment.setdefault("SAPWOOD_ONNXRUNTIME", str(next(capi.glob("libonnxruntime.so*"))))
    if token:
        environment["SAPWOOD_UPLOAD_TOKEN"] = token
    command = [str(SERVER), "--port", "0", "--threads", "2", *map(str, arguments)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.search(r"ready on http://(\S+)", line)
        assert match, f"the server said {line!r}"
        yield Server(process, match[1])
        if process.poll() is None:
            process.terminate()
            assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
