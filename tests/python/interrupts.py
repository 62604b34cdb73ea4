"""Ctrl-C for programs in processes of their own."""

import signal
import subprocess
import sys
import time
from pathlib import Path

# Background jobs of a shell ignore it.
PROGRAM = """
import signal, sys, sapwood as sw
signal.signal(signal.SIGINT, signal.default_int_handler)
{begin}
print("ready", flush=True)
while True:
    {step}
"""


def interrupt(begin: str, step: str, path: Path) -> float:
    """How many seconds a program takes to end that does `begin`, with `path` in ``sys.argv[1]``, and then `step` again
    and again.
    """
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(begin=begin, step=step), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            interrupted = time.monotonic()
            _, errors = process.communicate(timeout=20)
            seconds = time.monotonic() - interrupted
        finally:
            process.kill()
    assert errors.strip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT
    return seconds
