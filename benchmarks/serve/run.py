"""Requests per second of the server and its peers: single rows as TFaaS's JSON, on this machine.

    benchmarks/serve/run.py [--server build/release/sapwood-serve] [--seconds 4] [--rounds 3] [--output FILE]

For the network of TFaaS's published test (`small`) and one of 1024 x 1024 (`large`): sapwood-serve, and FastAPI with
onnxruntime (one uvicorn worker; one for each processor). Their answers are compared; then each is asked with wrk at 1,
100 and 200 connections and with hey as TFaaS's test did (1,000 requests of 100 clients, 5,000 of 200), in turns, and
the median of the rounds counts. nginx with a static answer under the same hey is what hey itself can do. Rows/s of the
bare runtime, 256 rows a run with one thread, stand beside. Needs wrk, hey and nginx (Debian's packages), and fastapi,
uvicorn, orjson, onnx and onnxruntime in this Python. Server and client share the processors.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
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


def wrk(url: str, body: str, connections: int, seconds: float) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.body = [[{body}]]\n")
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", script.name, url]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx or 3xx responses" in text:
        sys.exit(f"{url} failed:\n{text}")
    return float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1])  # type: ignore[index]


def hey(url: str, body: str | None, requests: int, clients: int) -> float:
    method = ["-m", "POST", "-T", "application/json", "-d", body] if body else []
    command = ["hey", "-n", str(requests), "-c", str(clients), *method, url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if not re.search(rf"\[200\]\s+{requests} responses", text):
        sys.exit(f"{url} failed:\n{text}")
    return float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1])  # type: ignore[index]


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


def loads(seconds: float) -> Iterator[tuple[str, Callable[[str, str], float]]]:
    for connections in CONNECTIONS:
        yield f"wrk, {connections}", lambda url, body, c=connections: wrk(url, body, c, seconds)
    for requests, clients in HEY:
        yield f"hey, {requests:,} of {clients}", lambda url, body, n=requests, c=clients: hey(url, body, n, c)


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes auto;\n"
        "events {}\nhttp { access_log off; keepalive_requests 1000000000; server { "
        f"listen 127.0.0.1:{port}; location / {{ return 200 '[0.5]'; }} }} }}\n"
    )
    url = f"http://127.0.0.1:{port}/"
    with process(["nginx", "-c", str(config), "-p", str(folder)], url):
        yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", type=Path, default=ROOT / "build" / "release" / "sapwood-serve")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    arguments = parser.parse_args()
    for tool in ("wrk", "hey", "nginx"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing")
    library = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so*"))
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before\n")
    names = [name for name, _ in loads(arguments.seconds)]
    print(f"| requests/s | {' | '.join(names)} |\n| --- |{' ---: |' * len(names)}", flush=True)
    results: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as running:
        folder = Path(temporary)
        subprocess.run([sys.executable, str(HERE / "make_model.py"), str(folder)], check=True)
        bundles = ["--bundle", f"{folder}/small.tar", "--bundle", f"{folder}/large.tar"]
        uvicorn = [sys.executable, "-m", "uvicorn", "fastapi_server:app", "--no-access-log", "--workers"]
        commands = {
            "sapwood-serve": [str(arguments.server.resolve()), *bundles],
            "FastAPI, 1 worker": [*uvicorn, "1"],
            f"FastAPI, {os.cpu_count()} workers": [*uvicorn, str(os.cpu_count())],
        }
        urls = {}
        for server, command in commands.items():
            port = free_port()
            urls[server] = f"http://127.0.0.1:{port}/json"
            environment = {"SAPWOOD_ONNXRUNTIME": str(library), "MODELS": str(folder)}
            running.enter_context(process([*command, "--port", str(port)], urls[server], **environment))
        for model in ("small", "large"):
            body = body_for(model)
            answers = [ask(url, body) for url in urls.values()]
            for answer in answers:
                np.testing.assert_allclose(answer, answers[0], rtol=1e-5)
            found: dict[str, dict[str, list[float]]] = {server: {name: [] for name in names} for server in urls}
            for name, load in loads(arguments.seconds):
                for _ in range(arguments.rounds):
                    for server, url in urls.items():
                        found[server][name].append(load(url, body))
            for server, rates in found.items():
                results[f"{server}, {model}"] = rates
                print(row(f"{server}, {model}", rates), flush=True)
        static = {name: [] for name in names}
        with nginx(folder) as url:
            for name, load in loads(arguments.seconds):
                if name.startswith("hey"):
                    static[name] = [load(url, None) for _ in range(arguments.rounds)]
        print(row("nginx, a static answer", static), flush=True)
        results["nginx"] = static
        for model in ("small", "large"):
            rate = bare_runtime(folder / f"{model}.onnx")
            results[f"bare runtime, {model}"] = {"rows": [rate]}
            print(f"\nbare runtime, {model}: {rate:,.0f} rows/s")
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1))


def row(title: str, rates: dict[str, list[float]]) -> str:
    cells = [f"{statistics.median(values):,.0f}" if values else "" for values in rates.values()]
    return f"| {title} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
