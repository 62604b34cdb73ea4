"""Objects that a TTree holds whole or split: tests/data/objects.root, which write_objects.py wrote with ROOT, and
versions.root of write_versions.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sapwood

ak = pytest.importorskip("awkward")

DATA = Path(__file__).resolve().parents[1] / "data"
FILE = DATA / "objects.root"
EVENTS = 40


def point(i: int) -> dict[str, Any]:
    return {"x": i / 4, "y": -i}


def hit(i: int) -> dict[str, Any]:
    return {**point(i), "id": 7 * i, "energies": [i + k / 2 for k in range(i % 4)], "name": "h" * (i % 3)}


def event(i: int) -> dict[str, Any]:
    """What `Event::fill` puts into event `i`."""
    some = range(i % 3)
    return {
        "number": i,
        "vertex": point(i),
        "best": hit(i + 1),
        "hits": [hit(i + k) for k in range(i % 5)],
        "nested": [[point(10 * k + j) for j in range(k + i % 2)] for k in some],
        "lists": [[i + k] * ((i + k) % 3) for k in range(2)],
        "corners": [point(100 + i + k) for k in range(3)],
        "matrix": [[6 * i + 3 * row + column for column in range(3)] for row in range(2)],
        "n": i % 4,
        "values": [i + 10 * k for k in range(i % 4)],
        "names": sorted(({"first": k - i, "second": "n" * (k + 1)} for k in some), key=lambda pair: pair["first"]),
        "sets": [{"first": "s" * (k + 1), "second": [i] * k} for k in some],
        "places": [{"first": k, "second": point(i + k)} for k in some],
        "pair": {"first": i, "second": i / 8},
        "pairs": [{"first": k, "second": i / 2} for k in some],
        "pointers": [point(i - k) for k in some],
        "maybe": [point(-i)] if i % 2 else [],
        "bits": [(i * 37 >> bit) % 2 == 1 for bit in range(12)],
        "triple": [i, i + 1, i + 2],
        "codes": sorted({k * i for k in range(i % 4)}),
        "flags": [i % 2 == 1] * (i % 5),
        "words": ["w" * (i % 7)] * (i % 3),
        "title": "t" * (i % 5 if i % 300 else 280),
        "text": "x" * (i % 4 if i % 11 else 300),
        "limited": i % 16,
        "direction": {"fX": i, "fY": i / 2, "fZ": -i},
    }


EXPECTED = [event(i) for i in range(EVENTS)]


def read(tree: str, column: str) -> Any:
    return ak.to_list(sapwood.open(FILE, tree).arrays([column], library="ak")[column])


def member(value: Any, path: list[str]) -> Any:
    if not path:
        return value
    return [member(item, path) for item in value] if isinstance(value, list) else member(value[path[0]], path[1:])


def members_of(tree: str, column: str) -> list[str]:
    schema = sapwood.open(FILE, tree).schema
    return [
        info.name for info in schema if info.is_member and not info.unsupported and info.name.startswith(f"{column}.")
    ]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("event", EXPECTED),
        ("hits", [each["hits"] for each in EXPECTED]),
        ("best", [each["best"] for each in EXPECTED]),
    ],
)
def test_whole_objects_are_records(column: str, values: list[Any]) -> None:
    assert read("whole", column) == values


@pytest.mark.parametrize("name", [*members_of("whole", "event"), *members_of("whole", "hits")])
def test_members_are_columns(name: str) -> None:
    column, *path = name.split(".")
    values = EXPECTED if column == "event" else [each["hits"] for each in EXPECTED]
    assert read("whole", name) == [member(value, path) for value in values]


@pytest.mark.parametrize(
    "name", ["nested", "pointers", "maybe", "bits", "codes", "flags", "words", "title", "text", "limited", "direction"]
)
def test_what_split_trees_keep_whole(name: str) -> None:
    assert read("split", name) == [each[name] for each in EXPECTED]


@pytest.mark.parametrize("name", ["lists[2]", "corners[3]", "matrix[2][3]", "triple[3]"])
def test_arrays_of_split_trees(name: str) -> None:
    assert read("split", name) == [each[name.partition("[")[0]] for each in EXPECTED]


@pytest.mark.parametrize(
    "name",
    [
        *("number", "vertex.x", "best.energies", "best.name", "n", "values", "pair.first", "pair.second"),
        *("names.first", "names.second", "sets.second", "places.second.y", "pairs.second"),
        *("event/hits/hits.x", "event/hits/hits.energies", "event/hits/hits.name"),
    ],
)
def test_members_of_split_trees(name: str) -> None:
    path = name.rpartition("/")[2].split(".")
    assert read("split", name) == [member(each, path) for each in EXPECTED]


def test_objects_of_a_branch_of_old_are_records() -> None:
    assert read("old", "vector") == [{"fX": i, "fY": 2 * i, "fZ": 3 * i} for i in range(EVENTS)]


def test_numpy_has_records_as_dicts_at_any_depth() -> None:
    data = sapwood.open(FILE, "whole")
    event = data.arrays(["event"], library="np")["event"]
    np.testing.assert_array_equal(event["best"]["x"], [each["best"]["x"] for each in EXPECTED])
    assert event["places"][5]["second"]["y"].tolist() == [point(5 + k)["y"] for k in range(2)]
    assert [part["x"].tolist() for part in event["nested"][5]] == [[0.0], [2.5, 2.75]]


@pytest.mark.parametrize(("tree", "column"), [("whole", "event.any"), ("split", "any")])
def test_containers_of_any_objects_are_left_out(tree: str, column: str) -> None:
    data = sapwood.open(FILE, tree)
    assert column not in data.columns
    with pytest.raises(sapwood.UnsupportedError, match=f"column {column}.*TObjArray|TObjArray.*column {column}"):
        data.arrays([column])


def test_any_range_is_that_of_the_whole() -> None:
    data = sapwood.open(FILE, "whole")
    for start, stop in ((0, 1), (7, 23), (39, 40), (12, 12)):
        part = data.arrays(["event.hits", "best"], entry_start=start, entry_stop=stop, library="ak")
        assert ak.to_list(part["event.hits"]) == [each["hits"] for each in EXPECTED[start:stop]]
        assert ak.to_list(part["best"]) == [each["best"] for each in EXPECTED[start:stop]]


def test_members_are_features_and_stand_in_formulas() -> None:
    data = sapwood.open(FILE, "whole").define("energy", "sum(flatten(event.hits.energies))").filter("event.number > 5")
    rows = [each for each in EXPECTED if each["number"] > 5]
    energies = [sum(sum(hit["energies"]) for hit in each["hits"]) for each in rows]
    assert data.arrays(["energy"])["energy"].tolist() == energies
    loader = data.loader(
        {"hits": ["event.hits.x", "event.hits.id"], "event": ["event.vertex.y"]}, shuffle=False, pad={"hits": 4}
    )
    batch = next(iter(loader))
    np.testing.assert_array_equal(batch["event"][:, 0], [each["vertex"]["y"] for each in rows][: len(batch["event"])])
    np.testing.assert_array_equal(batch["hits"][1, 0, :2], [each["x"] for each in rows[1]["hits"]][:2])


def versioned(i: int, version: int) -> dict[str, Any]:
    """What `One::fill` puts into object `i`; what version 1 lacks is 0 or empty."""
    new = version == 2
    return {
        "added": [i / 2, i] if new else [0, 0],
        "a": i,
        "words": ["w"] * (i % 3) if new else [],
        "inner": {"y": i / 4 if new else 0, "x": 2 * i},
    }


def test_members_that_older_objects_lack_are_0_or_empty() -> None:
    data = sapwood.open(DATA / "versions.root")
    entries = [(version, i) for version in (1, 2) for i in range(10)]
    some = [[versioned(i + k, version) for k in range(i % 3)] for version, i in entries]
    assert ak.to_list(data.arrays(["some"], library="ak")["some"]) == some
    assert ak.to_list(data.arrays(["some.inner.y"], library="ak")["some.inner.y"]) == member(some, ["inner", "y"])
    derived = [[{"b0": i, "b1": i / 2, "last": -i}] * (i % 3) for _, i in entries]
    assert ak.to_list(data.arrays(["derived"], library="ak")["derived"]) == derived
    single = [[versioned(i, version)] for version, i in entries]
    assert ak.to_list(data.arrays(["single"], library="ak", entry_start=5)["single"]) == single[5:]


TYPES = {"whole": DATA / "types_whole.root", "split": DATA / "types_split.root"}


def typed_member(how: str, branch: str, name: str) -> list[Any]:
    """Of objects of root_types.C, stored whole or split."""
    data = sapwood.open(TYPES[how])
    column = f"{branch}.{name}" if how == "split" else f"{branch}."
    values = data.arrays([column], library="arrow")[column].to_pylist()
    return values if how == "split" else [value[name] for value in values]


def typed_point(i: int) -> dict[str, float]:
    return {"x": i / 4, "y": -float(i)}


@pytest.mark.parametrize("how", TYPES)
def test_pointers_loops_and_clones(how: str) -> None:
    entries = range(24)
    # An object of a derived class is what its base has.
    derived = [[typed_point(e)] if e % 3 == 1 else [] for e in entries]
    assert typed_member(how, "objects", "derived") == derived
    assert typed_member(how, "objects", "mixed") == [[typed_point(e)] * (e % 3) for e in entries]
    # Two pointers to one object.
    for name in ("first", "second"):
        assert typed_member(how, "objects", name) == [[typed_point(2 * e)] for e in entries]
    assert typed_member(how, "objects", "loop") == [[typed_point(e + k) for k in range(e % 3)] for e in entries]
    assert typed_member(how, "collections", "flavours") == [[5] * (e % 2) for e in entries]
    data = sapwood.open(TYPES[how])
    names = {"whole": "clones.name", "split": "clones.name"}[how]
    assert ak.to_list(data.arrays([names])[names]) == [["k" * ((e + k) % 3) for k in range(e % 4)] for e in entries]
    # Arrays of variable length in each object; a TBits has as many bytes as it needs.
    counts = [[[10 * i + k for k in range(i % 3)] for i in range(e, e + e % 4)] for e in entries]
    assert ak.to_list(data.arrays(["clones.counts"])["clones.counts"]) == counts
    assert ak.to_list(data.arrays(["clones.counts"], entry_start=7)["clones.counts"]) == counts[7:]
    bits = ak.to_list(data.arrays(["clones.bits.fAllBits"])["clones.bits.fAllBits"])
    for entry, tracks in enumerate(bits):
        assert [int.from_bytes(bytes(track), "little") for track in tracks] == [
            1 << (entry + k) for k in range(entry % 4)
        ]


def test_what_is_split_is_as_what_is_whole() -> None:
    whole = sapwood.open(TYPES["whole"])
    split = {column.name for column in sapwood.open(TYPES["split"]).schema}
    compared = 0
    for branch in ("numbers", "strings", "collections", "objects"):
        records = whole.arrays([f"{branch}."], library="arrow")[f"{branch}."].to_pylist()
        for name in records[0]:
            if f"{branch}.{name}" in split:
                assert typed_member("split", branch, name) == [record[name] for record in records], name
                compared += 1
    assert compared > 50


def triangle(entry: int, rows: int) -> list[float]:
    """What tests/data/write_matrices.py puts into a symmetric matrix: the diagonal and what is right of it."""
    return [100.0 * entry + 10 * i + j for i in range(rows) for j in range(i, rows)]


def test_symmetric_matrices() -> None:
    data = sapwood.open(DATA / "matrices.root")
    columns = {name: values.to_pylist() for name, values in data.arrays(library="arrow").items()}
    for entry in range(5):
        row = {name: values[entry] for name, values in columns.items()}
        rows = 3 + entry % 2
        assert (row["covariance"]["fNrows"], row["covariance"]["fElements"]) == (rows, triangle(entry, rows))
        assert [matrix["fElements"] for matrix in row["several"]] == [triangle(entry, rows)] * entry
        assert (row["fit"]["id"], row["fit"]["weight"]) == (entry, entry / 2)
        assert row["fit"]["matrix"]["fElements"] == row["split.matrix"]["fElements"] == triangle(entry, 2)
    # Passing over one reads as many bytes.
    assert ak.to_list(data.arrays(["fit.weight"])["fit.weight"]) == [entry / 2 for entry in range(5)]
    assert ak.to_list(data.arrays(["several.fNrows"])["several.fNrows"])[3] == [4, 4, 4]
