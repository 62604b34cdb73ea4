"""MLaaS4HEP's workflow: tensors as an independent preparation gives them, and the same model from the same rows."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from sapwood.cli import main

import sapwood as sw

pytest.importorskip("torch")
from sapwood.train.metrics import roc
from sapwood.workflow import Parameters, workflow

ROOT = Path(__file__).resolve().parents[2]
IDENTIFIER = ["run", "event"]

MODELS = {
    "sklearn": "from sklearn.linear_model import LogisticRegression\n"
    "def model(idim):\n    return LogisticRegression(max_iter=300)\n",
    "xgboost": "from xgboost import XGBClassifier\n"
    "def model(idim):\n    return XGBClassifier(n_estimators=20, max_depth=3, random_state=1, n_jobs=1)\n",
    "torch": "import torch\n"
    "def model(idim):\n    torch.manual_seed(1)\n"
    "    return torch.nn.Sequential(torch.nn.Linear(idim, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))\n",
    "keras": "import keras\n"
    "def model(idim):\n    keras.utils.set_random_seed(1)\n"
    "    m = keras.Sequential([keras.Input((idim,)), keras.layers.Dense(32, activation='relu'),\n"
    "                          keras.layers.Dense(1, activation='sigmoid')])\n"
    "    m.compile(optimizer='adam', loss='binary_crossentropy')\n    return m\n",
}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, int]]:
    """Nine files of 6,000 events in the proportions of the reference's validation."""
    spec = importlib.util.spec_from_file_location("make_mlaas_events", ROOT / "scripts" / "make_mlaas_events.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    files: list[tuple[Path, int]] = module.make(tmp_path_factory.mktemp("events"), 6000)
    return files


def prepared(files: list[tuple[Path, int]]) -> tuple[Any, Any, Any]:
    """(inputs and mask side by side, labels, run and event) from uproot and NumPy, in the order of the classes."""
    ordered = sorted(files, key=lambda file: file[1])
    trees = [uproot.open(path)["events"].arrays() for path, _ in ordered]
    arrays = ak.concatenate(trees)
    labels = np.concatenate([np.full(len(tree), label) for tree, (_, label) in zip(trees, ordered, strict=True)])
    names = sorted(set(arrays.fields) - set(IDENTIFIER))
    flat = [name for name in names if arrays[name].ndim == 1]
    parts, masks = [], []
    for name in [*flat, *(name for name in names if name not in flat)]:
        values = arrays[name]
        low, high = float(ak.min(values)), float(ak.max(values))
        if name in flat:
            matrix = ak.to_numpy(values).astype(np.float64)[:, None]
        else:
            width = int(ak.max(ak.num(values)))
            padded = ak.fill_none(ak.pad_none(ak.values_astype(values, np.float64), width, clip=True), np.nan)
            matrix = ak.to_numpy(padded)
        scaled = matrix if low == high else (matrix - low) / (high - low)
        masks.append(~np.isnan(matrix))
        parts.append(np.nan_to_num(scaled, nan=0.0))
    inputs = np.concatenate(parts, 1).astype(np.float32)
    mask = np.concatenate(masks, 1).astype(np.float32)
    identity = np.stack([ak.to_numpy(arrays[name]) for name in IDENTIFIER], 1)
    return np.concatenate([inputs, mask], 1), labels, identity


def run(events: list[tuple[Path, int]], folder: Path, kind: str, **parameters: Any) -> Any:
    model = folder / "model.py"
    model.write_text(MODELS[kind])
    params = Parameters(branch="events", identifier=IDENTIFIER, batch_size=100, epochs=3, seed=5, **parameters)
    return workflow(
        [str(path) for path, _ in events], [label for _, label in events], str(model), params, fout=str(folder / "out")
    )


def by_class(events: list[tuple[Path, int]]) -> sw.Dataset:
    classes = {str(k): [str(path) for path, label in events if label == k] for k in (0, 1)}
    return sw.open(classes, "events")


def test_tensors_are_those_of_an_independent_preparation(events: list[tuple[Path, int]], tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx")
    result = run(events, tmp_path, "sklearn")
    inputs, labels, _ = prepared(events)
    loader = by_class(events).loader(result.features, shuffle=False, batch_size=1000)
    batches = list(loader.numpy())
    ours = np.concatenate([np.concatenate([b["branches"], b["branches_mask"].astype(np.float32)], 1) for b in batches])
    np.testing.assert_array_equal(ours.view(np.uint32), inputs.view(np.uint32))
    np.testing.assert_array_equal(np.concatenate([b["target"] for b in batches]), labels)


def test_the_same_rows_give_the_same_model_outside(events: list[tuple[Path, int]], tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx")
    from sklearn.linear_model import LogisticRegression

    result = run(events, tmp_path, "sklearn")
    inputs, labels, identity = prepared(events)
    place = {tuple(row): i for i, row in enumerate(identity.tolist())}
    spec = sw.FeatureSpec.from_dict(
        {
            **result.features.to_dict(),
            "observers": [{"name": "id", "variables": IDENTIFIER, "dtype": "int64"}],
        }
    )
    train, _, test = by_class(events).loader(spec, batch_size=100, seed=5).split(validation=0.16, test=0.2)
    rows = {
        part: [place[tuple(row)] for batch in loader.numpy() for row in batch["id"].tolist()]
        for part, loader in (("train", train), ("test", test))
    }
    outside = LogisticRegression(max_iter=300).fit(inputs[rows["train"]], labels[rows["train"]])
    scores = outside.predict_proba(inputs[rows["test"]])[:, 1]
    auc = roc("1", scores, labels[rows["test"]] == 1).auc
    assert auc > 0.7
    assert result.metrics.auc == pytest.approx(auc, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["torch", "keras", "xgboost"])
def test_models_of_other_frameworks(
    kind: str, events: list[tuple[Path, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip(kind)
    result = run(events, tmp_path, kind)
    assert result.metrics.auc > 0.6
    data = by_class(events)
    arrays = data.arrays(result.features.columns(data))
    probabilities = next(iter(sw.bundle.open(result.bundle).predict(arrays).values()))
    assert len(probabilities) == 6000


def test_the_command_and_its_specs(
    events: list[tuple[Path, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("skl2onnx")
    (tmp_path / "files.txt").write_text("\n".join(str(path) for path, _ in events))
    (tmp_path / "labels.txt").write_text("\n".join(str(label) for _, label in events))
    (tmp_path / "model.py").write_text(MODELS["sklearn"])
    params = {"branch": "events", "identifier": "run,event", "batch_size": 500, "mask": False}
    (tmp_path / "params.json").write_text(json.dumps(params))
    arguments = ["workflow"]
    for option, name in (
        ("files", "files.txt"),
        ("labels", "labels.txt"),
        ("model", "model.py"),
        ("params", "params.json"),
    ):
        arguments += [f"--{option}", str(tmp_path / name)]
    assert main([*arguments, "--fout", str(tmp_path / "first")]) == 0
    assert "AUC" in capsys.readouterr().out
    specs = json.loads((tmp_path / "first" / "specs.json").read_text())
    assert specs["events"] == 6000
    assert specs["jkeys"] == ["jet_btag", "jet_eta", "jet_mass", "jet_phi", "jet_pt"]
    assert len(specs["fkeys"]) == 20 + 5  # and the counters of the lists

    again = [*arguments, "--fout", str(tmp_path / "again"), "--specs", str(tmp_path / "first" / "specs.json")]
    assert main(again) == 0
    first = sw.FeatureSpec.load(tmp_path / "first" / "features.json")
    assert sw.FeatureSpec.load(tmp_path / "again" / "features.json") == first
    specs["events"] = 5
    (tmp_path / "stale.json").write_text(json.dumps(specs))
    assert main([*arguments, "--fout", str(tmp_path / "third"), "--specs", str(tmp_path / "stale.json")]) == 1
    assert "made of other files?" in capsys.readouterr().err


def test_wrong_arguments_say_what_is_wrong(events: list[tuple[Path, int]], tmp_path: Path) -> None:
    files = [str(path) for path, _ in events]
    with pytest.raises(sw.ConfigError, match="2 labels for 9 files"):
        workflow(files, [0, 1], "model.py")
    with pytest.raises(sw.ConfigError, match="without gaps"):
        workflow(files, [0] * 8 + [2], "model.py")
    with pytest.raises(sw.UnsupportedError, match="only root"):
        workflow(files, [0] * 8 + [1], "model.py", dtype="parquet")
    (tmp_path / "params.json").write_text('{"epoch": 3}')
    with pytest.raises(sw.ConfigError, match="unknown parameters epoch"):
        workflow(files, [0] * 8 + [1], "model.py", str(tmp_path / "params.json"))
    with pytest.raises(sw.UnsupportedError, match="nevts"):
        workflow(files, [0] * 8 + [1], "model.py", Parameters(nevts=10))
