"""Chains of files of which some lack columns."""

import pickle
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

import sapwood as sw


@pytest.fixture(scope="module", params=["TTree", "RNTuple"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Ten entries each: x in all, w in the first and the last, y and jets in the second and the last."""
    folder = tmp_path_factory.mktemp("defaults")
    jets = ak.Array([[1.0, 2.0]] * 10)
    y = np.arange(10, dtype="float32")
    w = np.arange(10, dtype="int32")
    columns = [{"w": w}, {"y": y, "jets": jets}, {"w": w, "y": y, "jets": jets}]
    paths = []
    for number, more in enumerate(columns):
        path = folder / f"{number}.root"
        with uproot.recreate(path) as file:
            data = {"x": np.arange(10.0) + 10 * number, **more}
            if request.param == "TTree":
                file.mktree("t", {name: ak.type(values).content for name, values in data.items()}).extend(data)
            else:
                file.mkrntuple("t", data)
        paths.append(path)
    return paths


DEFAULTS = {"w": -1, "y": 2.5, "jets": 0}


def test_without_a_default_a_missing_column_is_an_error(files: list[Path]) -> None:
    with pytest.raises(sw.SchemaError, match=r"no column 'w' here, which .*0.root has.*1.root"):
        sw.open(files, "t").arrays(["w"])
    with pytest.raises(sw.SchemaError, match="no column 'y'"):
        sw.open(files, "t").arrays(["y"])


def test_defaults_stand_for_what_is_missing(files: list[Path]) -> None:
    data = sw.open(files, "t", defaults=DEFAULTS)
    assert {"x", "w", "y", "jets"} <= set(data.columns)
    arrays = data.arrays(["x", "w", "y", "jets"], library="np")
    assert arrays["x"].tolist() == list(range(30))
    assert arrays["w"].tolist() == [*range(10), *[-1] * 10, *range(10)]
    assert arrays["w"].dtype == np.int32
    assert arrays["y"].tolist() == [*[2.5] * 10, *range(10), *range(10)]
    assert [len(entry) for entry in arrays["jets"]] == [*[0] * 10, *[2] * 20]


def test_formulas_filters_and_copies_use_them(files: list[Path]) -> None:
    data = sw.open(files, "t", defaults=DEFAULTS).define("z", "w + y").filter("z > 2")
    w, y = [*range(10), *[-1] * 10, *range(10)], [*[2.5] * 10, *range(10), *range(10)]
    expected = [sum(pair) for pair in zip(w, y, strict=True)]
    for copy in (data, pickle.loads(pickle.dumps(data))):  # noqa: S301
        assert ak.to_list(copy.arrays(["z"])["z"]) == [z for z in expected if z > 2]


def test_loaders_use_them(files: list[Path]) -> None:
    data = sw.open(files, "t", defaults=DEFAULTS)
    rows = np.concatenate(
        [batch["features"] for batch in data.loader(features=["x", "w"], batch_size=7, seed=1).numpy()]
    )
    rows = rows[np.argsort(rows[:, 0])]
    assert rows[:, 1].tolist() == [*range(10), *[-1] * 10, *range(10)]


@pytest.mark.parametrize(
    ("defaults", "error"),
    [
        ({"w": 1.5}, sw.ConfigError),
        ({"w": 1e12}, sw.ConfigError),
        ({"w": float("nan")}, sw.ConfigError),
        ({"jets": 1}, sw.ConfigError),
        ({"q": 0}, sw.SchemaError),
    ],
)
def test_what_does_not_fit_is_refused(files: list[Path], defaults: dict[str, float], error: type[sw.Error]) -> None:
    with pytest.raises(error, match=next(iter(defaults))):
        sw.open(files, "t", defaults=defaults)
