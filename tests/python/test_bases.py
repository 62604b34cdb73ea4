"""Collections of objects with bases that stream themselves, and other members that are seldom split
(tests/data/write_bases.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sapwood as sw

DATA = Path(__file__).parents[1] / "data"
NUMBERS = [[10 * entry + k for k in range(entry)] for entry in range(5)]


def values(name: str, column: str) -> list[Any]:
    """A column's values, the same when only the last entries are read."""
    data = sw.open(DATA / f"bases_{name}.root")
    read: list[Any] = data.arrays([column], library="arrow")[column].to_pylist()
    assert data.arrays([column], library="arrow", entry_start=3)[column].to_pylist() == read[3:]
    return read


def lorentz(n: int) -> dict[str, Any]:
    return {"fP": {"fX": n, "fY": n + 1, "fZ": n + 2}, "fE": n + 3}


@pytest.mark.parametrize("collection", ["jets", "jet_clones"])
def test_base_that_streams_itself(collection: str) -> None:
    whole = [[{**lorentz(n), "score": n / 2} for n in entry] for entry in NUMBERS]
    assert values("whole", collection) == whole
    base = collection + ".TLorentzVector"
    assert values("split", base) == [[lorentz(n) for n in entry] for entry in NUMBERS]
    assert values("split", base + ".fE") == values("whole", collection + ".fE")
    assert values("split", base + ".fP.fY") == values("whole", collection + ".fP.fY")


@pytest.mark.parametrize("collection", ["named", "named_clones"])
def test_names_of_objects_stored_together(collection: str) -> None:
    whole = [[{"fName": f"name {n}", "fTitle": "title", "id": n} for n in entry] for entry in NUMBERS]
    assert values("whole", collection) == whole
    assert values("split", collection + ".fName") == values("whole", collection + ".fName")


def test_base_without_members() -> None:
    assert values("whole", "tagged") == [[{"id": n} for n in entry] for entry in NUMBERS]
    assert values("split", "tagged.Tag") == [[{} for _ in entry] for entry in NUMBERS]
    assert values("split", "tagged.id") == NUMBERS
    assert values("whole", "empty") == values("split", "empty") == [[{} for _ in entry] for entry in NUMBERS]


def test_arrays_of_collections_of_objects() -> None:
    items = [[[[{"n": n, "i": i}] * (n % 10 % 2 + i) for i in (0, 1)] for n in entry] for entry in NUMBERS]
    maps = [[[[{"first": n, "second": i}] for i in (0, 1)] for n in entry] for entry in NUMBERS]
    assert values("split", "arrays.items[2]") == values("whole", "arrays.items") == items
    assert values("split", "arrays.maps[2]") == values("whole", "arrays.maps") == maps


def test_members_that_the_file_does_not_describe_are_left_out() -> None:
    assert values("whole", "hidden") == [[{"before": n, "after": -n} for n in entry] for entry in NUMBERS]
    with pytest.raises(sw.UnsupportedError, match="does not describe class Kind"):
        values("whole", "hidden.kinds")
    assert values("split", "hidden.after") == values("whole", "hidden.after")


def test_arrays_of_variable_length_of_objects() -> None:
    items = [[[{"n": n, "i": 0}] * (n % 3) for n in entry] for entry in NUMBERS]
    assert values("split", "sized.items") == values("whole", "sized.items") == items
    assert values("split", "sized.items.n") == values("whole", "sized.items.n")
    labels = [[str(n) for n in entry] for entry in NUMBERS]
    assert values("split", "sized.label") == values("whole", "sized.label") == labels
