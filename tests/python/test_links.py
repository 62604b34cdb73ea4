"""What a TTree names beside its branches (tests/data/write_links.py)."""

from pathlib import Path

import pytest

import sapwood as sw

FILE = Path(__file__).parents[1] / "data" / "links.root"


def test_aliases_are_formulas() -> None:
    data = sw.open(FILE, "t")
    assert data.aliases == {"sum": "x + y", "far": "sqrt(x*x + y*y) > 10"}
    assert set(data.columns) == {"x", "y"}
    arrays = data.define_aliases().filter("far").arrays(["x", "sum"], library="np")
    assert arrays["sum"].tolist() == [3.0 * x for x in range(5, 10)]
    assert sw.open(FILE, "f").aliases == {}


def test_friends_are_listed_and_can_be_joined() -> None:
    data = sw.open(FILE, "t")
    same, elsewhere = data.friend_trees
    assert (same.name, same.tree) == ("other", "f")
    assert (elsewhere.name, elsewhere.tree, elsewhere.file) == ("more", "g", "elsewhere.root")
    joined = data.friend(sw.open(FILE, same.tree), prefix=same.name)
    assert joined.arrays(["other.v"], library="np")["other.v"].tolist() == [-float(x) for x in range(10)]


def test_ntuples_name_none() -> None:
    data = sw.open(FILE.with_name("reals_rntuple.root"))
    assert (data.aliases, data.friend_trees) == ({}, [])


def test_aliases_that_are_no_formulas_here_are_told() -> None:
    with pytest.raises(sw.ConfigError, match="sum"):
        sw.open(FILE, "t").define("sum", "x").define_aliases()
