"""Scores of a bundle for every entry, in order, into files that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from sapwood.cli import main

import sapwood as sw

pytest.importorskip("skl2onnx")
pytest.importorskip("onnxruntime")
from sapwood import bundle, predict

FILES = ("QCD_ttree.root", "Tbqq_rntuple.root")
SPEC = sw.FeatureSpec(inputs={"jet": ["jet_sdmass / 100", "jet_tau3 / jet_tau2", "size(part_px)"]})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a logistic regression."""
    from sklearn.linear_model import LogisticRegression

    data = Path(__file__).resolve().parents[2] / "examples" / "data"
    jets = sw.open({"QCD": data / "QCD_ttree.root", "top": data / "Tbqq_ttree.root"})
    arrays = jets.arrays(SPEC.columns(jets))
    labels = jets.arrays("sample_label", library="np")["sample_label"]
    classifier = LogisticRegression().fit(sw.make_tensors(SPEC, arrays)["jet"], labels)
    path = tmp_path_factory.mktemp("bundle") / "tagger.tar"
    bundle.export(classifier, path, features=SPEC, sample=jets, labels=["QCD", "top"])
    return path


def expected(model: Path, paths: list[str]) -> Any:
    jets = sw.open(paths)
    return bundle.open(model).predict(jets.arrays(SPEC.columns(jets)))["probabilities"]


def test_a_friend_tree_in_the_order_of_the_entries(
    model: Path, examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "ROWS", 700)  # several pieces, one over the end of a file
    paths = [str(examples / name) for name in FILES]
    output = tmp_path / "scores.root"
    assert predict.predict(model, paths, output, copy=["jet_pt", "part_px"]) == 4800
    assert list(tmp_path.iterdir()) == [output]
    with uproot.open(output) as file:
        tree = file["scores"]
        assert tree.num_entries == 4800
        scores = expected(model, paths)
        np.testing.assert_array_equal(tree["score_QCD"].array(library="np"), scores[:, 0])
        np.testing.assert_array_equal(tree["score_top"].array(library="np"), scores[:, 1])
        jets = sw.open(paths).arrays(["jet_pt", "part_px"], library="ak")
        assert ak.array_equal(tree["jet_pt"].array(), jets["jet_pt"])
        assert ak.array_equal(tree["part_px"].array(), jets["part_px"])


def test_parquet_and_the_command(model: Path, examples: Path, tmp_path: Path, capsys: Any) -> None:
    import pyarrow.parquet

    paths = [str(examples / name) for name in FILES]
    output = tmp_path / "scores.parquet"
    arguments = ["predict", str(model), *paths, "-o", str(output), "--copy", "jet_pt,part_px"]
    assert main(arguments) == 0
    assert "4,800 entries scored" in capsys.readouterr().out
    table = pyarrow.parquet.read_table(output)
    np.testing.assert_array_equal(table["score_top"].to_numpy(), expected(model, paths)[:, 1])
    assert table["part_px"].to_pylist() == sw.open(paths).arrays("part_px")["part_px"].to_pylist()


def test_what_is_wrong_leaves_nothing(model: Path, examples: Path, test_files: Path, tmp_path: Path) -> None:
    jets = str(examples / FILES[0])
    with pytest.raises(sw.ConfigError, match=r"'.root' and '.parquet'"):
        predict.predict(model, jets, tmp_path / "scores.csv")
    with pytest.raises(sw.SchemaError, match="jet_ptt"):
        predict.predict(model, jets, tmp_path / "scores.root", copy=["jet_ptt"])
    (tmp_path / "file").touch()
    with pytest.raises(sw.IoError):
        predict.predict(model, jets, tmp_path / "file" / "scores.parquet")
    (tmp_path / "file").unlink()
    with pytest.raises(sw.IoError):
        predict.predict(model, str(test_files / "nowhere.root"), tmp_path / "scores.root")
    assert list(tmp_path.iterdir()) == []


def test_inputs_are_not_overwritten(model: Path, examples: Path, tmp_path: Path) -> None:
    copy = tmp_path / "jets.root"
    copy.write_bytes((examples / FILES[0]).read_bytes())
    before = copy.read_bytes()
    for name in (copy, tmp_path / "." / "jets.root"):
        with pytest.raises(sw.ConfigError, match="is read: give the scores another name"):
            predict.predict(model, str(copy), name)
    assert copy.read_bytes() == before
    predict.predict(model, str(copy), tmp_path / "new" / "scores.parquet")
    assert (tmp_path / "new" / "scores.parquet").exists()
