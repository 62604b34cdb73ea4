"""ROOT's own measure of how fast it reads every branch of TTrees; it does nothing with them, so no sums."""

import re
import subprocess
from pathlib import Path

import ROOT


def read(files, case, _names, threads, clock):
    program = Path(ROOT.__file__).parent / "bin" / "rootreadspeed"
    command = [str(program), "--files", *files, "--trees", case.table, "--all-branches"]
    command += ["--threads", str(threads)] if threads > 1 else []
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    clock.wall = float(re.search(r"Real time:\s*([0-9.e+-]+) s", printed)[1])
    clock.cpu = float(re.search(r"CPU time:\s*([0-9.e+-]+) s", printed)[1])
    return None, {}
