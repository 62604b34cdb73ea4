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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVER = Path(os.environ.get("SAPWOOD_SERVE", ROOT / "build" / "release" / "sapwood-serve"))
TOKEN = "open sesame"  # noqa: S105


def make_onnx(scale: float = 1.0) -> bytes:
    """x [N, 3] to y [N, 2] = scale * (x0 + x1, x2)."""
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    matrix = scale * np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "sums",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(matrix.astype(np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def make_bundle(name: str = "sums", *, scale: float = 1.0, features: bool = False) -> bytes:
    """With features, x is made of the columns pt and eta, and the sum of the jagged column jets."""
    files = {"model.onnx": make_onnx(scale)}
    columns = []
    if features:
        variables = [
            {"name": "pt", "expression": "pt"},
            {"name": "eta", "expression": "eta"},
            {"name": "jets", "expression": "sum(jets)"},
        ]
        spec = {"format": "sapwood-features", "version": 1, "inputs": [{"name": "x", "variables": variables}]}
        files["features.json"] = json.dumps(spec).encode()
        columns = [
            {"name": "pt", "type": "float32"},
            {"name": "eta", "type": "float32"},
            {"name": "jets", "type": "list<float32>"},
        ]
    manifest = {
        "format": "sapwood-bundle",
        "version": 1,
        "name": name,
        "labels": ["first", "second"],
        "inputs": [{"name": "x", "dtype": "float32", "shape": [-1, 3]}],
        "outputs": [{"name": "y", "dtype": "float32", "shape": [-1, 2]}],
        "columns": columns,
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
