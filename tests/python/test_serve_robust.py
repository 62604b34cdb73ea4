"""Slow, broken and hostile clients, and changes under traffic."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import TOKEN, Server, add_version, make_bundle, running

PREDICT = json.dumps({"values": [1, 2, 3], "model": "sums"}).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("repository")
    add_version(root, "sums", 1, make_bundle())
    with running("--repository", root, "--request-timeout", "0.5", "--idle-timeout", "3") as server:
        yield server


def exchange(server: Server, data: bytes, *, seconds: float = 10) -> bytes:
    """All that the server answers until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), seconds) as client:
        client.sendall(data)
        answer = b""
        while part := client.recv(65536):
            answer += part
    return answer


def still_serves(server: Server) -> None:
    assert server.json("POST", "/json", PREDICT) == (200, [3, 3])


def post(body: bytes, *fields: str) -> bytes:
    head = "\r\n".join(["POST /json HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *fields])
    return head.encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 431),
        (b"POST /json HTTP/1.1\r\nContent-Length: 104857600\r\n\r\n", 413),
        (b"POST /json HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /json HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"POST /json HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST /json HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /json HTTP/1.1\r\nContent-Length: 100\r\n\r\n{", 408),
        (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 200),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    ],
)
def test_wrong_http(server: Server, data: bytes, status: int) -> None:
    answer = exchange(server, data)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer
    still_serves(server)


def test_large_body(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/json", b" " * (100 << 20))
    response = connection.getresponse()
    assert response.status == 413
    assert "larger than" in json.loads(response.read())["error"]
    still_serves(server)


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    bodies = [json.dumps({"values": [i, 0, i], "model": "sums"}).encode() for i in range(50)]
    requests = b"".join(post(body) for body in bodies[:-1]) + post(bodies[-1], "Connection: close")
    answer = exchange(server, requests).decode()
    assert re.findall(r"\[\d+,\d+\]", answer) == [f"[{i},{i}]" for i in range(50)]


def test_chunked_body_and_expectation(server: Server) -> None:
    head = b"POST /json HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    half = len(PREDICT) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (PREDICT[:half], PREDICT[half:]))
    assert exchange(server, head + chunks + b"0\r\n\r\n").endswith(b"[3,3]")
    with socket.create_connection(("127.0.0.1", server.port), 10) as client:
        client.sendall(post(PREDICT, "Expect: 100-continue")[: -len(PREDICT)])
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(PREDICT)
        assert client.recv(1000).endswith(b"[3,3]")


def test_headers_of_chunks_and_trailers_are_bounded(server: Server) -> None:
    head = b"POST /json HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    for endless in (b"5;" + b"a" * 100_000, b"0\r\nX: " + b"a" * 100_000):
        assert exchange(server, head + endless).startswith(b"HTTP/1.1 431 ")
    still_serves(server)


def test_trailers_are_no_headers(server: Server) -> None:
    data = b"POST /json HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    data += b"%x\r\n%s\r\n0\r\nContent-Encoding: gzip\r\n\r\n" % (len(PREDICT), PREDICT)
    assert exchange(server, data).endswith(b"[3,3]")


def test_a_client_that_sends_no_more_gets_its_answer(server: Server) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port), 10) as client:
            client.sendall(post(PREDICT))
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1000).endswith(b"[3,3]")


def test_targets_with_the_servers_name(server: Server) -> None:
    data = b"GET http://%s/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % server.address.encode()
    assert exchange(server, data).endswith(b"ok\n")


def test_methods_that_are_allowed_are_told(server: Server) -> None:
    answer = exchange(server, b"GET /json HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: POST\r\n" in answer


def test_pages_from_elsewhere_change_nothing(server: Server) -> None:
    for headers in ({"Origin": "https://example.org"}, {"Host": "example.org"}):
        status, answer = server.json("POST", "/v2/repository/models/sums/unload", b"", headers)
        assert (status, "programs on this machine" in answer["error"]) == (403, True)
    still_serves(server)


def test_compressed_bodies_are_read_to_their_end(server: Server) -> None:
    half = len(PREDICT) // 2
    members = gzip.compress(PREDICT[:half]) + gzip.compress(PREDICT[half:])
    for coding in ("gzip", "GZIP", "x-gzip"):
        assert server.json("POST", "/json", members, {"Content-Encoding": coding}) == (200, [3, 3])
    status, answer = server.json("POST", "/json", gzip.compress(PREDICT) + b"tail", {"Content-Encoding": "gzip"})
    assert (status, "damaged" in answer["error"]) == (400, True)


def peak_memory(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1000  # type: ignore[index]


def test_small_requests_get_no_large_answers(tmp_path: Path) -> None:
    """What a client has to pay for bounds what it makes the server do."""
    wide = make_bundle("wide", columns={"pt": "list<float32>"}, pad=128)
    add_version(tmp_path, "wide", 1, wide)
    add_version(tmp_path, "sums", 1, make_bundle())
    with running("--repository", tmp_path) as server:
        before = peak_memory(server)
        begin = time.monotonic()
        lists = json.dumps({"columns": {"pt": [[]] * 1_000_000}}).encode()
        status, answer = server.json("POST", "/v1/models/wide:predict", lists)
        assert (status, "bytes of tensors" in answer["error"]) == (413, True)
        status, answer = server.json(
            "POST", "/v1/models/wide:predict", json.dumps({"columns": {"x" + "a" * 1_000_000: []}}).encode()
        )
        assert status == 400
        assert len(answer["error"]) < 3000
        many = json.dumps({"columns": {f"p{i}": [] for i in range(300_000)}}).encode()
        assert server.json("POST", "/v1/models/wide:predict", many)[0] == 400
        rows = {
            "name": "x",
            "datatype": "FP32",
            "shape": [2_000_000, 3],
            "parameters": {"binary_data_size": 24_000_000},
        }
        head = json.dumps({"inputs": [rows]}).encode()
        headers = {"Inference-Header-Content-Length": str(len(head))}
        status, answer = server.json("POST", "/v2/models/sums/infer", head + bytes(24_000_000), headers)
        assert (status, "rows in one request" in answer["error"]) == (413, True)
        assert time.monotonic() - begin < 30
        assert peak_memory(server) - before < 500_000_000
        still_serves(server)


def test_memory_of_large_requests_is_given_back(tmp_path: Path) -> None:
    add_version(tmp_path, "sums", 1, make_bundle())
    with running("--repository", tmp_path) as server:
        still_serves(server)
        before = resident_memory(server)
        large = gzip.compress(b'{"values":[' + b"1," * 25_000_000 + b'1],"model":"sums"}', 1)
        assert server.json("POST", "/json", large, {"Content-Encoding": "gzip"})[0] == 400
        deadline = time.monotonic() + 10
        while resident_memory(server) - before > 150_000_000:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def resident_memory(server: Server) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_unfinished_bodies_share_what_memory_there_is(tmp_path: Path) -> None:
    add_version(tmp_path, "sums", 1, make_bundle())
    size = 60 << 20
    with running("--repository", tmp_path, "--max-body", "64") as server:
        clients = []
        for _ in range(20):
            client = socket.create_connection(("127.0.0.1", server.port), 30)
            client.sendall(b"POST /json HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size)
            clients.append(client)
            try:
                client.sendall(b" " * (size - 1))
            except OSError:  # refused
                continue
        assert resident_memory(server) < 1_500_000_000
        refused = 0
        for client in clients:
            client.settimeout(0.2)
            try:
                refused += client.recv(100).startswith(b"HTTP/1.1 503 ")
            except OSError:
                continue
            finally:
                client.close()
        assert refused > 0
        still_serves(server)


def test_models_that_cannot_be_warmed_up_keep_nobody_from_serving(tmp_path: Path) -> None:
    add_version(tmp_path, "sums", 1, make_bundle())
    for name, width in (("huge", 2**40), ("overflowing", 2**31)):
        add_version(tmp_path, name, 1, make_bundle(name, input_shape=[-1, width, width]))
    (tmp_path / "loop").symlink_to("loop")
    with running("--repository", tmp_path) as server:
        still_serves(server)
        assert server.request("GET", "/v2/health/ready")[0] in (200, 503)


def test_ready_tells_that_a_model_did_not_load(tmp_path: Path) -> None:
    add_version(tmp_path, "sums", 1, make_bundle())
    add_version(tmp_path, "broken", 1, b"no bundle")
    with running("--repository", tmp_path) as server:
        status, answer = server.json("GET", "/v2/health/ready")
        assert (status, answer["ready"]) == (503, False)
        add_version(tmp_path, "broken", 2, make_bundle("broken"))
        assert server.json("POST", "/v2/repository/models/broken/load")[0] == 200
        assert server.json("GET", "/v2/health/ready") == (200, {"ready": True})


def test_stopping_with_loads_under_way(tmp_path: Path) -> None:
    for i in range(3):
        add_version(tmp_path, f"m{i}", 1, make_bundle(f"m{i}"))
    with running("--repository", tmp_path, "--drain-timeout", "0.5") as server:
        clients = []
        for i in range(30):
            client = socket.create_connection(("127.0.0.1", server.port), 10)
            client.sendall(b"POST /v2/repository/models/m%d/load HTTP/1.1\r\nContent-Length: 0\r\n\r\n" % (i % 3))
            clients.append(client)
        server.process.terminate()
        assert server.process.wait(timeout=10) == 0
        for client in clients:
            client.close()


def test_slow_and_vanishing_clients(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as slow:
        start = time.monotonic()
        for byte in b"GET /heal":
            slow.sendall(bytes([byte]))
            time.sleep(0.1)
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - start < 5
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", server.port), 10) as client:
            client.sendall(post(PREDICT))
    with socket.create_connection(("127.0.0.1", server.port), 10) as idle:
        assert idle.recv(1) == b""
    still_serves(server)


def test_too_many_connections(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(make_bundle())
    with running("--bundle", bundle, "--max-connections", "2") as server:
        kept = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(2)]
        for client in kept:
            client.sendall(post(PREDICT))
            assert client.recv(1000).endswith(b"[3,3]")
        assert exchange(server, b"").startswith(b"HTTP/1.1 503 ")
        for client in kept:
            client.close()


class Traffic:
    """Clients that ask all the time, and what they were answered."""

    def __init__(self, server: Server, clients: int = 4) -> None:
        self.server = server
        self.stop = threading.Event()
        self.answers: list[tuple[int, bytes]] = []
        self.failures: list[Exception] = []
        self.threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self) -> Traffic:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            while not self.stop.is_set():
                connection.request("POST", "/json", PREDICT)
                response = connection.getresponse()
                self.answers.append((response.status, response.read()))
        except Exception as error:
            self.failures.append(error)
        finally:
            connection.close()


def test_versions_change_under_traffic_without_a_lost_answer(tmp_path: Path) -> None:
    add_version(tmp_path, "sums", 1, make_bundle(scale=1))
    with running("--repository", tmp_path) as server, Traffic(server) as traffic:
        for version in range(2, 8):
            time.sleep(0.1)
            add_version(tmp_path, "sums", version, make_bundle(scale=version))
            assert server.json("POST", "/v2/repository/models/sums/load")[0] == 200
            assert server.json("POST", "/json", PREDICT) == (200, [3 * version, 3 * version])
        traffic.stop.set()
        for thread in traffic.threads:
            thread.join()
    assert not traffic.failures
    assert {status for status, _ in traffic.answers} == {200}
    assert {answer for _, answer in traffic.answers} <= {b"[%d,%d]" % (3 * v, 3 * v) for v in range(1, 8)}
    assert len({answer for _, answer in traffic.answers}) > 2


def test_load_and_unload_under_traffic(tmp_path: Path) -> None:
    add_version(tmp_path, "sums", 1, make_bundle())
    with running("--repository", tmp_path) as server, Traffic(server) as traffic:
        for _ in range(10):
            assert server.json("POST", "/v2/repository/models/sums/unload")[0] == 200
            assert server.json("POST", "/v2/repository/models/sums/load")[0] == 200
    assert not traffic.failures
    assert {status for status, _ in traffic.answers} <= {200, 404}


def test_a_bad_new_version_leaves_the_old_one(tmp_path: Path) -> None:
    add_version(tmp_path, "sums", 1, make_bundle())
    with running("--repository", tmp_path, token=TOKEN) as server:
        bundle = make_bundle(scale=5)
        at = bundle.index(b"MatMul")
        broken = bundle[:at] + b"matmul" + bundle[at + 6 :]
        body = (
            b'--e\r\nContent-Disposition: form-data; name="name"\r\n\r\nsums\r\n'
            b'--e\r\nContent-Disposition: form-data; name="model"\r\n\r\n' + broken + b"\r\n--e--\r\n"
        )
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "multipart/form-data; boundary=e"}
        assert server.json("POST", "/upload", body, headers)[0] == 400
        still_serves(server)
        assert sorted(p.name for p in (tmp_path / "sums").iterdir()) == ["1"]


def test_kill_during_uploads_leaves_the_repository_whole(tmp_path: Path) -> None:
    add_version(tmp_path, "sums", 1, make_bundle())
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for delay in (0.02, 0.05, 0.1, 0.2):
        with running("--repository", tmp_path, token=TOKEN) as server:

            def upload(server: Server = server) -> None:
                while True:
                    try:
                        server.request("POST", "/upload", make_bundle(), headers)
                    except OSError:
                        return

            threads = [threading.Thread(target=upload) for _ in range(2)]
            for thread in threads:
                thread.start()
            time.sleep(delay)
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
            for thread in threads:
                thread.join()
    half_written = tmp_path / "sums" / ".unfinished-999999"
    half_written.mkdir()
    (half_written / "bundle.tar").write_bytes(b"half")
    with running("--repository", tmp_path) as server:
        still_serves(server)
        assert all(p.name.isdigit() for p in (tmp_path / "sums").iterdir())
        for version in (tmp_path / "sums").iterdir():
            assert (version / "bundle.tar").read_bytes() == make_bundle()


def test_stopping_answers_what_was_asked(tmp_path: Path) -> None:
    add_version(tmp_path, "sums", 1, make_bundle())
    with running("--repository", tmp_path) as server:
        with Traffic(server) as traffic:
            time.sleep(0.2)
            server.process.terminate()
            assert server.process.wait(timeout=30) == 0
        # A connection may be closed between two requests, never within an answer.
        assert {status for status, _ in traffic.answers} == {200}
        expected = (ConnectionError, http.client.RemoteDisconnected, http.client.BadStatusLine)
        assert all(isinstance(error, expected) for error in traffic.failures), traffic.failures
