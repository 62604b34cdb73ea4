"""Slow, broken and hostile clients, and changes under traffic."""

from __future__ import annotations

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
    half_written = tmp_path / "sums" / ".unfinished-99"
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
