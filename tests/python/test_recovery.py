"""Files that were not closed, or are cut short (tests/data/write_unclosed.py)."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import sapwood as sw

DATA = Path(__file__).parents[1] / "data"


def is_as_written(arrays: dict[str, np.ndarray], entries: int) -> bool:
    values = [[i + j for j in range(i % 4)] for i in range(entries)]
    return list(arrays["x"]) == list(range(entries)) and [list(entry) for entry in arrays["v"]] == values


def test_a_file_that_was_not_closed_gives_what_was_saved() -> None:
    with pytest.warns(RuntimeWarning, match="not closed cleanly; objects left in it: 3") as caught:
        data = sw.open(DATA / "unclosed.root")
    assert Path(caught[0].filename) == Path(__file__)
    assert data.tree == "dir/tree"
    assert "not closed" in data.files[0].warning
    assert is_as_written(data.arrays(library="np"), 200)


def test_what_is_left_of_a_truncated_file_is_read(tmp_path: Path) -> None:
    whole = (DATA / "autosaved.root").read_bytes()
    cut = tmp_path / "cut.root"
    found = set()
    for size in range(0, len(whole), 97):
        cut.write_bytes(whole[:size])
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                data = sw.open(cut)
        except sw.FormatError:
            continue
        assert "truncated" in str(caught[0].message)
        assert "tree as it was before it was last written" in data.files[0].warning
        assert is_as_written(data.arrays(library="np"), data.num_entries)
        found.add(data.num_entries)
    assert found == {600, 800}


def test_bytes_behind_the_end_of_a_closed_file_mean_nothing(tmp_path: Path) -> None:
    longer = tmp_path / "longer.root"
    longer.write_bytes((DATA / "autosaved.root").read_bytes() + b"\0" * 512)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = sw.open(longer)
    assert is_as_written(data.arrays(library="np"), 1000)


def test_of_many_files_the_first_is_named() -> None:
    with pytest.warns(RuntimeWarning, match=r"unclosed.root \(and 1 other files\)"):
        data = sw.open([DATA / "unclosed.root"] * 2, "dir/tree")
    assert data.num_entries == 400


def test_the_command_line_tells() -> None:
    command = [sys.executable, "-m", "sapwood", "inspect", str(DATA / "unclosed.root")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "not closed cleanly" in done.stdout + done.stderr
    assert "RuntimeWarning" not in done.stderr
