"""docs/tools.md shows what the commands print: each console block is run, and gives itself.

python tests/python/test_cli_page.py --write    renews what the page shows
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tools.md"
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def run_again(page: str, folder: Path) -> str:
    """The page with what its blocks print now, in a folder with the repository's data and what earlier blocks left.

    Times are all the same.
    """
    for name in ("examples", "tests"):
        (folder / name).symlink_to(ROOT / name)
    environment = {**os.environ, "COLUMNS": "100"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"

    def run(block: re.Match[str]) -> str:
        lines = [line for line in block[0].splitlines() if line.startswith("$ ")]
        # Each is printed before it runs, and finds the exit status of the one before.
        script = "".join(f"s=$?; echo {shlex.quote(line)}; (exit $s)\n{line[2:]}\n" for line in lines)
        done = subprocess.run(
            ["/bin/bash", "-c", script],
            cwd=folder,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return re.sub(r"read in [\d.e+-]+ s", "read in 0.01 s", done.stdout)

    return BLOCK.sub(run, page)


def test_page(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(BLOCK.findall(page)) > 5
    assert run_again(page, tmp_path) == page, "python tests/python/test_cli_page.py --write renews it"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        renewed = run_again(PAGE.read_text(encoding="utf-8"), Path(folder))
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(renewed, encoding="utf-8")
    else:
        print(renewed)
