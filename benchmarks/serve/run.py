"""Requests per second of the server and its peers: single rows as TFaaS's JSON, on this machine.

    benchmarks/serve/run.py [--server build/release/sapwood-serve] [--seconds 5] [--output FILE]

For the network of TFaaS's published test (`small`) and one of 1024 x 1024 (`large`) it starts sapwood-serve, then
FastAPI with onnxruntime (one uvicorn worker for each processor), compares their answers, and asks each with wrk at
1, 100 and 200 connections and with hey as TFaaS's test did (1,000 requests of 100 clients, 5,000 of 200). nginx
with a static answer under the same hey is what hey itself can do. Rows/s of the bare runtime, 256 rows a run with
one thread, stand beside. Needs wrk, hey and nginx (Debian's packages), and fastapi, uvicorn, orjson, onnx and
onnxruntime in this Python. Server and client share the processors, whose load at the start is told.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONNECTIONS = (1, 100, 200)
HEY = ((1000, 100), (5000, 200))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def process(command: list[str], url: str, **environment: str) -> Iterator[None]:
    """Runs a server while it is needed; it is ready when `url` answers."""
    child = subprocess.Popen(
        command, env={**os.environ, **environment}, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(url, timeout=1)  # noqa: S310
                break
            except urllib.error.HTTPError:
                break  # It answers.
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        child.terminate()
        child.wait()


def body_for(model: str) -> str:
    values = [round(0.1 * i - 2, 3) for i in range(42)]
    return json.dumps({"keys": [f"f{i}" for i in range(42)], "values": values, "model": model})


def ask(url: str, body: str) -> list[float]:
    with urllib.request.urlopen(url, body.encode(), timeout=10) as response:  # noqa: S310
        return json.loads(response.read())


def wrk(url: str, body: str, connections: int, seconds: float) -> dict[str, object]:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.body = [[{body}]]\n")
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", script.name, url]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1])  # type: ignore[index]
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {
        "tool": "wrk",
        "connections": connections,
        "requests_per_second": rate,
        "p50": re.search(r"^ +50% +(\S+)", text, re.M)[1],  # type: ignore[index]
        "p99": re.search(r"^ +99% +(\S+)", text, re.M)[1],  # type: ignore[index]
        "failed": int(failed[1]) if failed else 0,
    }


def hey(url: str, body: str | None, requests: int, clients: int) -> dict[str, object]:
    method = ["-m", "POST", "-T", "application/json", "-d", body] if body else []
    command = ["hey", "-n", str(requests), "-c", str(clients), *method, url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1])  # type: ignore[index]
    return {"tool": "hey", "connections": clients, "requests": requests, "requests_per_second": rate}


def bare_runtime(model: Path, rows: int = 256) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)
    x = np.random.default_rng(0).normal(size=(rows, 42)).astype(np.float32)
    runs, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < 1:
        session.run(None, {"x": x})
        runs += 1
    return rows * runs / passed


def measure(url: str, model: str, seconds: float) -> Iterator[dict[str, object]]:
    body = body_for(model)
    for connections in CONNECTIONS:
        yield wrk(url, body, connections, seconds)
    for requests, clients in HEY:
        yield hey(url, body, requests, clients)


def nginx_limits(folder: Path) -> Iterator[dict[str, object]]:
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes auto;\n"
        "events {}\nhttp { access_log off; keepalive_requests 1000000000; server { "
        f"listen 127.0.0.1:{port}; location / {{ return 200 '[0.5]'; }} }} }}\n"
    )
    url = f"http://127.0.0.1:{port}/"
    with process(["nginx", "-c", str(config), "-p", str(folder)], url):
        for requests, clients in HEY:
            yield hey(url, None, requests, clients)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", type=Path, default=ROOT / "build" / "release" / "sapwood-serve")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    arguments = parser.parse_args()
    for tool in ("wrk", "hey", "nginx"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing")
    library = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so*"))
    results: list[dict[str, object]] = []

    def tell(**result: object) -> None:
        results.append(result)
        print(
            "  ".join(
                f"{key} {value:,.0f}" if isinstance(value, float) else f"{key} {value}" for key, value in result.items()
            ),
            flush=True,
        )

    tell(processors=os.cpu_count(), load=str(os.getloadavg()[0]))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        subprocess.run([sys.executable, str(HERE / "make_model.py"), str(folder)], check=True)
        ours, peer = free_port(), free_port()
        servers = {
            "sapwood-serve": (
                [
                    str(arguments.server.resolve()),
                    "--bundle",
                    f"{folder}/small.tar",
                    "--bundle",
                    f"{folder}/large.tar",
                    "--port",
                    str(ours),
                ],
                f"http://127.0.0.1:{ours}",
            ),
            "fastapi": (
                [
                    sys.executable,
                    "-m",
                    "uvicorn",
                    "fastapi_server:app",
                    "--port",
                    str(peer),
                    "--workers",
                    str(os.cpu_count()),
                    "--no-access-log",
                ],
                f"http://127.0.0.1:{peer}",
            ),
        }
        answers: dict[str, list[float]] = {}
        for server, (command, url) in servers.items():
            with process(command, url + "/models", SAPWOOD_ONNXRUNTIME=str(library), MODELS=str(folder)):
                for model in ("small", "large"):
                    answer = ask(url + "/json", body_for(model))
                    np.testing.assert_allclose(answer, answers.setdefault(model, answer), rtol=1e-5)
                    for result in measure(url + "/json", model, arguments.seconds):
                        tell(server=server, model=model, **result)
        for result in nginx_limits(folder):
            tell(server="nginx", model="none", **result)
        for model in ("small", "large"):
            tell(server="bare runtime", model=model, rows_per_second=bare_runtime(folder / f"{model}.onnx"))
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
