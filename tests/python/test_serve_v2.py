"""The Open Inference Protocol with its stock client."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from serving import Server, add_version, make_bundle, running

triton = pytest.importorskip("tritonclient.http")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    add_version(root, "sums", 1, make_bundle("sums"))
    add_version(root, "other", 3, make_bundle("other", scale=2))
    return root


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[Server]:
    with running("--repository", repository) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(server.address) as client:
        yield client


def infer(client: triton.InferenceServerClient, x: np.ndarray, model: str = "sums", *, binary: bool, **more: object):
    tensor = triton.InferInput("x", x.shape, "FP32")
    tensor.set_data_from_numpy(x, binary_data=binary)
    outputs = [triton.InferRequestedOutput("y", binary_data=binary)]
    return client.infer(model, [tensor], outputs=outputs, **more)


X = np.array([[1, 2, 3], [-0.5, 0.25, 1e-30]], np.float32)
Y = np.array([[3, 3], [-0.25, 1e-30]], np.float32)


def test_metadata(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("sums")
    assert not client.is_model_ready("none")
    assert client.get_server_metadata()["name"] == "sapwood"
    assert client.get_model_metadata("sums") == {
        "name": "sums",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
    }
    config = client.get_model_config("other", "3")
    assert config["input"] == [{"name": "x", "data_type": "TYPE_FP32", "dims": [3]}]
    assert config["max_batch_size"] > 1


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_infer(client: triton.InferenceServerClient, binary: bool, compression: str | None) -> None:
    result = infer(client, X, binary=binary, request_id="7", request_compression_algorithm=compression)
    np.testing.assert_array_equal(result.as_numpy("y"), Y)
    answer = result.get_response()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("7", "sums", "1")


def test_outputs_default_to_all_of_them(client: triton.InferenceServerClient) -> None:
    tensor = triton.InferInput("x", X.shape, "FP32")
    tensor.set_data_from_numpy(X)
    np.testing.assert_array_equal(client.infer("sums", [tensor]).as_numpy("y"), Y)
    np.testing.assert_array_equal(client.infer("other", [tensor], model_version="3").as_numpy("y"), 2 * Y)


def test_statistics(client: triton.InferenceServerClient) -> None:
    infer(client, X, binary=True)
    (stats,) = client.get_inference_statistics("sums")["model_stats"]
    assert stats["inference_count"] >= 2
    assert stats["inference_stats"]["success"]["count"] >= 1
    assert len(client.get_inference_statistics()["model_stats"]) == 2


def test_repository(client: triton.InferenceServerClient, repository: Path) -> None:
    assert {(m["name"], m["state"]) for m in client.get_model_repository_index()} == {
        ("sums", "READY"),
        ("other", "READY"),
    }
    client.unload_model("other")
    assert not client.is_model_ready("other")
    states = {m["name"]: m["state"] for m in client.get_model_repository_index()}
    assert states == {"sums": "READY", "other": "UNAVAILABLE"}
    with pytest.raises(triton.InferenceServerException, match="no model 'other'"):
        infer(client, X, "other", binary=True)
    add_version(repository, "other", 10, make_bundle("other", scale=4))
    client.load_model("other")
    np.testing.assert_array_equal(infer(client, X, "other", binary=True).as_numpy("y"), 4 * Y)
    with pytest.raises(triton.InferenceServerException, match="version 3"):
        infer(client, X, "other", binary=True, model_version="3")
    with pytest.raises(triton.InferenceServerException, match="no model 'none'"):
        client.load_model("none")


GOOD = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}


def wrong(**changes: object) -> bytes:
    return json.dumps({"inputs": [{**GOOD["inputs"][0], **changes}]}).encode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "no 'inputs'"),
        (b'{"inputs": [1]}', "not an object"),
        (b'{"inputs": []}', "input 'x' is missing"),
        (wrong(name="z"), "no input 'z'"),
        (wrong(datatype="FP64"), "input 'x'"),
        (wrong(datatype="BYTES"), "datatype BYTES"),
        (wrong(shape=[1, 2]), "input 'x' has 3 values"),
        (wrong(shape=[-1, 3]), "negative"),
        (wrong(shape=[2**62, 2**62]), "too large"),
        (wrong(shape=[3, 1]), "input 'x'"),
        (wrong(shape=[0, 3], data=[]), "no rows"),
        (wrong(data=[1, 2, "3"]), "input 'x'"),
        (wrong(data=[1, 2]), "input 'x' has 2 values"),
        (wrong(data=1), "input 'x'"),
        (wrong(parameters={"binary_data_size": 12}), "both"),
        (json.dumps({"inputs": GOOD["inputs"] * 2}).encode(), "twice"),
        (json.dumps({**GOOD, "outputs": [{"name": "z"}]}).encode(), "no output 'z'"),
        (json.dumps({**GOOD, "outputs": [{"name": "y"}] * 2}).encode(), "asked for twice"),
        (
            json.dumps({**GOOD, "outputs": [{"name": "y", "parameters": {"classification": 2}}]}).encode(),
            "classification",
        ),
        (wrong(data=None), "neither 'data' nor binary data"),
        (wrong(data=[1, 2, 1e39]), "something else than float32"),
        (b'{"inputs":' + b"[" * 5000, "not JSON"),
    ],
)
def test_wrong_requests_name_the_field(server: Server, body: bytes, message: str) -> None:
    status, answer = server.json("POST", "/v2/models/sums/infer", body)
    assert status == 400
    assert message in answer["error"]


@pytest.mark.parametrize(
    ("length", "size", "tail", "message"),
    [
        ("x", 12, b"", "Inference-Header-Content-Length"),
        ("99999", 12, b"", "Inference-Header-Content-Length"),
        (None, 12, b"\0" * 11, "12 bytes are announced"),
        (None, 12, b"\0" * 13, "1 bytes are left"),
        (None, 8, b"\0" * 8, "not those of its shape"),
    ],
)
def test_wrong_binary_requests(server: Server, length: str | None, size: int, tail: bytes, message: str) -> None:
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 3], "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Inference-Header-Content-Length": length or str(len(head))}
    status, answer = server.json("POST", "/v2/models/sums/infer", head + tail, headers)
    assert status == 400
    assert message in answer["error"]


def test_other_errors_are_told_as_json(server: Server) -> None:
    good = json.dumps(GOOD).encode()
    assert server.json("POST", "/v2/models/none/infer", good)[0] == 404
    assert server.json("POST", "/v2/models/sums/versions/9/infer", good)[0] == 404
    assert server.json("POST", "/v2/models/sums/versions/x/infer", good)[0] == 404
    assert server.json("GET", "/v2/models/sums/infer")[0] == 405
    assert server.json("GET", "/v2/nothing")[0] == 404
    assert server.json("POST", "/v2/repository/models/sums/load", {"parameters": {"config": "{}"}})[0] == 400
    status, answer = server.json("POST", "/v2/models/sums/infer", b"not gzip", {"Content-Encoding": "gzip"})
    assert status == 400
    assert "damaged" in answer["error"]
    assert server.json("POST", "/v2/models/sums/infer", good, {"Content-Encoding": "br"})[0] == 415
    bomb = gzip.compress(b" " * (200 << 20), 1)
    assert server.json("POST", "/v2/models/sums/infer", bomb, {"Content-Encoding": "gzip"})[0] == 413


def test_index_without_body(server: Server) -> None:
    status, models = server.json("POST", "/v2/repository/index")
    assert status == 200
    assert {"name": "sums", "version": "1", "state": "READY", "reason": ""} in models
    status, models = server.json("POST", "/v2/repository/index", {"ready": True})
    assert all(model["state"] == "READY" for model in models)
