"""Networks with random weights, as bundles for the server and as plain ONNX files for its peers.

    make_model.py FOLDER

writes `small` (42-128-128-128-64-64-1-1, TFaaS's published test) and `large` (42-1024-1024-1) as `NAME.onnx` and
`NAME.tar`.
"""

import argparse
import hashlib
import io
import itertools
import json
import tarfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NETWORKS = {"small": [42, 128, 128, 128, 64, 64, 1, 1], "large": [42, 1024, 1024, 1]}


def make_onnx(widths: list[int], seed: int = 1) -> bytes:
    """Dense layers with ReLU between them and a sigmoid behind the last."""
    random = np.random.default_rng(seed)
    nodes, weights, value = [], [], "x"
    for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        matrix = random.normal(0, (2 / inputs) ** 0.5, (inputs, outputs)).astype(np.float32)
        weights += [
            numpy_helper.from_array(matrix, f"w{i}"),
            numpy_helper.from_array(np.zeros(outputs, np.float32), f"b{i}"),
        ]
        last = i == len(widths) - 2
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"z{i}"]))
        nodes.append(helper.make_node("Sigmoid" if last else "Relu", [f"z{i}"], ["y" if last else f"a{i}"]))
        value = f"a{i}"
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", widths[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", widths[-1]])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def make_bundle(name: str, model: bytes, inputs: list[dict], outputs: list[dict], **more: object) -> bytes:
    """An archive as docs/formats/bundle.md has it; `more` may hold columns, labels, and `files` of further members."""
    files = {"model.onnx": model, **more.pop("files", {})}  # type: ignore[dict-item]
    manifest = {
        "format": "sapwood-bundle",
        "version": 1,
        "name": name,
        "description": "random weights",
        "framework": "none",
        "created": "2026-01-01T00:00:00Z",
        "inputs": inputs,
        "outputs": outputs,
        "columns": [],
        "files": {key: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for key, data in files.items()},
        **more,
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for member, data in {"bundle.json": json.dumps(manifest).encode(), **files}.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return archive.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, widths in NETWORKS.items():
        model = make_onnx(widths)
        onnx.checker.check_model(onnx.load_from_string(model))
        inputs = [{"name": "x", "dtype": "float32", "shape": [-1, widths[0]]}]
        outputs = [{"name": "y", "dtype": "float32", "shape": [-1, widths[-1]]}]
        (folder / f"{name}.onnx").write_bytes(model)
        (folder / f"{name}.tar").write_bytes(make_bundle(name, model, inputs, outputs))


if __name__ == "__main__":
    main()
