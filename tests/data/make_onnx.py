"""Writes the small ONNX models that the tests load: python make_onnx.py, in this folder.

affine.onnx        x [N, 3], scale [N] (float32) -> y [N, 2] = (x W + b) scale, sum [N] = the sum of x over its row
types.onnx         identities of bool, int32, int64, float32 and float64, each [N]
texts.onnx         an input of strings
mapped.onnx        an output that is a sequence of maps, as ZipMap gives
external.onnx      weights that lie in a file elsewhere, /etc/hostname
affine.tar.gz      an archive with affine.onnx, as model.onnx
"""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]


def save(name: str, graph: onnx.GraphProto) -> None:
    """Writes a model that ONNX Runtime 1.15 and newer load."""
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=8, producer_name="sapwood")
    onnx.checker.check_model(model)
    Path(name).write_bytes(model.SerializeToString(deterministic=True))


def tensor(name: str, element: int, *shape: str | int) -> onnx.ValueInfoProto:
    """A named input or output."""
    return helper.make_tensor_value_info(name, element, list(shape))


def main() -> None:
    """Writes all of them."""
    real = TensorProto.FLOAT
    weights = numpy_helper.from_array(np.array([[1, 2], [3, 4], [5, 6]], np.float32), "w")
    bias = numpy_helper.from_array(np.array([0.5, -0.5], np.float32), "b")
    axis = numpy_helper.from_array(np.array([1], np.int64), "axis")
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["linear"]),
        helper.make_node("Unsqueeze", ["scale", "axis"], ["column"]),
        helper.make_node("Mul", ["linear", "column"], ["y"]),
        helper.make_node("ReduceSum", ["x", "axis"], ["sum"], keepdims=0),
    ]
    inputs = [tensor("x", real, "N", 3), tensor("scale", real, "N")]
    outputs = [tensor("y", real, "N", 2), tensor("sum", real, "N")]
    save("affine.onnx", helper.make_graph(nodes, "affine", inputs, outputs, [weights, bias, axis]))

    elements = ("BOOL", "INT32", "INT64", "FLOAT", "DOUBLE")
    types = {name.lower(): getattr(TensorProto, name) for name in elements}
    nodes = [helper.make_node("Identity", [name], [name + "_out"]) for name in types]
    inputs = [tensor(name, element, "N") for name, element in types.items()]
    outputs = [tensor(name + "_out", element, "N") for name, element in types.items()]
    save("types.onnx", helper.make_graph(nodes, "types", inputs, outputs))

    text = TensorProto.STRING
    nodes = [helper.make_node("Identity", ["text"], ["same"])]
    save("texts.onnx", helper.make_graph(nodes, "texts", [tensor("text", text, "N")], [tensor("same", text, "N")]))

    nodes = [helper.make_node("ZipMap", ["p"], ["z"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])]
    of_class = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(real, []))
    mapped = helper.make_value_info("z", helper.make_sequence_type_proto(of_class))
    save("mapped.onnx", helper.make_graph(nodes, "mapped", [tensor("p", real, "N", 2)], [mapped]))

    elsewhere = TensorProto(name="w", data_type=TensorProto.UINT8, dims=[1], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "../" * 20 + "etc/hostname"), ("length", "1")):
        elsewhere.external_data.add(key=key, value=value)
    nodes = [helper.make_node("Cast", ["w"], ["y"], to=TensorProto.INT32)]
    graph = helper.make_graph(nodes, "external", [], [tensor("y", TensorProto.INT32, 1)], [elsewhere])
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=8, producer_name="sapwood")
    Path("external.onnx").write_bytes(model.SerializeToString(deterministic=True))

    content = Path("affine.onnx").read_bytes()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("model.onnx")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    Path("affine.tar.gz").write_bytes(gzip.compress(archive.getvalue(), mtime=0))


if __name__ == "__main__":
    main()
