"""TFaaS's routes, raw columns, and what people look at."""

from __future__ import annotations

import gzip
import importlib
import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import ROOT, TOKEN, Server, add_version, make_bundle, make_tar, running

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    add_version(root, "sums", 1, make_bundle("sums"))
    columns = {"pt": "float32", "eta": "float32", "jets": "list<float32>"}
    add_version(root, "columns", 1, make_bundle("columns", columns=columns))
    return root


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[Server]:
    with running("--repository", repository, token=TOKEN) as server:
        yield server


def proto_row(values: list[float], model: str, *, packed: bool) -> bytes:
    floats = struct.pack(f"<{len(values)}f", *values)
    if packed:
        field = b"\x12" + bytes([len(floats)]) + floats
    else:
        field = b"".join(b"\x15" + floats[i : i + 4] for i in range(0, len(floats), 4))
    return field + b"\x1a" + bytes([len(model)]) + model.encode()


@pytest.mark.parametrize("route", ["/json", "/predict/json"])
def test_json(server: Server, route: str) -> None:
    assert server.json("POST", route, {"values": [1, 2, 3.5], "model": "sums"}) == (200, [3, 3.5])
    keys = {"keys": ["a", "b", "c"], "values": [1, 2, 3], "model": "sums"}
    assert server.json("POST", route, keys) == (200, [3, 3])


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "not JSON"),
        ({"model": "sums"}, 400, "no 'values'"),
        ({"values": [1, 2, 3]}, 400, "name a model"),
        ({"values": [1, 2, 3], "model": "sum"}, 404, "nearest: sums"),
        ({"values": [1, 2], "model": "sums"}, 400, "takes 3 values, not 2"),
        ({"values": [1, 2, "x"], "model": "sums"}, 400, "position 2"),
        ({"keys": ["a"], "values": [1, 2, 3], "model": "sums"}, 400, "1 keys, but 3 values"),
        ({"values": [1, 2, 3], "model": "columns"}, 400, "column 'jets' is list<float32>"),
    ],
)
def test_wrong_json(server: Server, body: object, status: int, message: str) -> None:
    code, answer = server.json("POST", "/json", body)
    assert code == status
    assert message in answer["error"]


@pytest.mark.parametrize("packed", [True, False])
def test_proto(server: Server, packed: bool) -> None:
    status, answer = server.request("POST", "/proto", proto_row([1, 2, 3], "sums", packed=packed))
    assert status == 200
    first = b"\x0a\x05first" + b"\x15" + struct.pack("<f", 3)
    second = b"\x0a\x06second" + b"\x15" + struct.pack("<f", 3)
    assert answer == b"\x0a" + bytes([len(first)]) + first + b"\x0a" + bytes([len(second)]) + second
    assert server.json("POST", "/proto", b"\x12\xff")[0] == 400


def test_a_client_made_by_protoc(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("grpc_tools")
    source = ROOT / "sapwood" / "serve"
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"-I{source}", f"--python_out={tmp_path}"]
    subprocess.run([*protoc, str(source / "tfaas.proto")], check=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    messages = importlib.import_module("tfaas_pb2")
    assert messages.DESCRIPTOR.package == "tfaaspb"
    row = messages.Row(key=["a", "b", "c"], value=[1, 2, 3.5], model="sums")
    for route in ("/proto", "/predict/proto"):
        status, answer = server.request("POST", route, row.SerializeToString())
        assert status == 200
        predictions = messages.Predictions.FromString(answer).prediction
        assert [(one.label, one.probability) for one in predictions] == [("first", 3), ("second", 3.5)]


def test_one_number_for_two_classes_is_the_second(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(make_bundle("m", matrix=((1,), (1,), (0,)), labels=["background", "signal"]))
    with running("--bundle", bundle) as server:
        answer = server.request("POST", "/proto", proto_row([0.25, 0.5, 3], "m", packed=True))[1]
    item = b"\x0a\x06signal" + b"\x15" + struct.pack("<f", 0.75)
    assert answer == b"\x0a" + bytes([len(item)]) + item


def test_raw_columns(server: Server) -> None:
    columns = {"pt": [1, 2], "eta": [0.5, 0], "jets": [[1, 2, 3], []]}
    assert server.json("POST", "/v1/models/columns:predict", {"columns": columns}) == (
        200,
        {"outputs": {"y": [[1.5, 6], [2, 0]]}, "model": "columns", "version": 1, "labels": ["first", "second"]},
    )


@pytest.mark.parametrize(
    ("model", "body", "status", "message"),
    [
        ("none", {"columns": {}}, 404, "no model"),
        ("sums", {"columns": {}}, 400, "no features"),
        ("columns", {"colums": {}}, 400, "'columns'"),
        (
            "columns",
            {"columns": {"pt": [1], "et": [1], "jets": [[]]}},
            400,
            "column 'eta' (float32) is missing (nearest",
        ),
        ("columns", {"columns": {"pt": [1], "eta": [1, 2], "jets": [[]]}}, 400, "2 entries"),
        ("columns", {"columns": {"pt": [1], "eta": [[1]], "jets": [[]]}}, 400, "eta"),
        ("columns", {"columns": {"pt": [], "eta": [], "jets": []}}, 400, "no rows"),
    ],
)
def test_wrong_columns(server: Server, model: str, body: object, status: int, message: str) -> None:
    code, answer = server.json("POST", f"/v1/models/{model}:predict", body)
    assert code == status
    assert message in answer["error"]


def test_what_there_is(server: Server) -> None:
    assert server.request("GET", "/healthz") == (200, b"ok\n")
    assert [model["name"] for model in server.json("GET", "/models")[1]] == ["columns", "sums"]
    params = server.json("GET", "/params/sums")[1]
    assert (params["inputNode"], params["output_name"], params["labels"]) == ("x", "y", ["first", "second"])
    assert server.json("GET", "/params")[0] == 400
    assert server.json("GET", "/status")[1]["models"] == ["columns", "sums"]
    assert server.json("POST", "/image", b"")[0] == 501
    assert server.json("GET", "/netron/sums")[0] == 501
    server.json("POST", "/json", {"values": [1, 2, 3], "model": "sums"})
    _status, text = server.request("GET", "/metrics")
    assert b'sapwood_http_requests_total{route="/json",status="200"}' in text
    assert b'sapwood_model_rows_total{model="sums",version="1"}' in text


def test_upload_and_delete(server: Server, repository: Path) -> None:
    bundle = make_bundle("new", scale=2)
    assert server.json("POST", "/upload", bundle)[0] == 401
    assert server.json("POST", "/upload", bundle, {"Authorization": "Bearer wrong"})[0] == 401
    assert server.json("POST", "/upload", bundle, AUTHORIZED) == (200, {"name": "new", "version": 1})
    assert server.json("POST", "/json", {"values": [1, 2, 3], "model": "new"}) == (200, [6, 6])
    packed = gzip.compress(make_bundle("new", scale=3))
    assert server.json("POST", "/upload", packed, AUTHORIZED) == (200, {"name": "new", "version": 2})
    encoded = {**AUTHORIZED, "Content-Encoding": "gzip"}
    assert server.json("POST", "/upload", packed, encoded) == (200, {"name": "new", "version": 3})
    assert server.json("POST", "/json", {"values": [1, 2, 3], "model": "new"}) == (200, [9, 9])
    assert server.json("DELETE", "/delete/new")[0] == 401
    assert server.json("DELETE", "/delete/new", headers=AUTHORIZED) == (200, {})
    assert server.json("POST", "/json", {"values": [1, 2, 3], "model": "new"})[0] == 404
    assert not (repository / "new").exists()
    assert server.json("DELETE", "/delete/new", headers=AUTHORIZED)[0] == 404


def form(parts: dict[str, bytes]) -> tuple[bytes, dict[str, str]]:
    body = b""
    for name, content in parts.items():
        body += f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--edge--\r\n", {**AUTHORIZED, "Content-Type": "multipart/form-data; boundary=edge"}


def test_upload_form(server: Server) -> None:
    body, headers = form({"name": b"renamed", "params": b"{}", "model": make_bundle("any"), "labels": b""})
    assert server.json("POST", "/upload", body, headers) == (200, {"name": "renamed", "version": 1})
    body, headers = form({"name": b"../evil", "model": make_bundle("any")})
    assert server.json("POST", "/upload", body, headers)[0] == 400
    body, headers = form({"name": b"bare", "model": b"\x08\x08"})
    assert server.json("POST", "/upload", body, headers)[0] == 415
    assert server.json("POST", "/upload", b"--edge", headers)[0] == 400
    assert server.json("DELETE", "/delete/renamed", headers=AUTHORIZED)[0] == 200


@pytest.mark.parametrize("member", ["../evil", "/tmp/evil", "a/../../evil"])  # noqa: S108
def test_archives_that_lead_out_are_refused(server: Server, repository: Path, member: str) -> None:
    archive = make_tar({member: b"evil", "bundle.json": b"{}"})
    status, answer = server.json("POST", "/upload", archive, AUTHORIZED)
    assert status == 400, answer
    body, headers = form({"name": b"evil", "model": archive})
    assert server.json("POST", "/upload", body, headers)[0] == 400
    assert not list(repository.parent.rglob("evil"))
    assert server.request("GET", "/healthz")[0] == 200


def test_nothing_can_be_changed_without_a_token(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(make_bundle())
    with running("--bundle", bundle) as server:
        assert server.json("POST", "/upload", bundle.read_bytes())[0] == 403
        assert server.json("DELETE", "/delete/sums")[0] == 403
        assert server.json("POST", "/json", {"values": [1, 2, 3]}) == (200, [3, 3])
        assert json.loads(server.request("GET", "/params")[1])["name"] == "sums"
    with running("--bundle", bundle, "--host", "0.0.0.0") as server:  # noqa: S104
        assert server.json("POST", "/v2/repository/models/sums/unload")[0] == 403
