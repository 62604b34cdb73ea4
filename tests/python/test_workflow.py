"""MLaaS4HEP's workflow: tensors as an independent preparation gives them, and the same model from the same rows."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sapwood.cli import main

import sapwood as sw

pytest.importorskip("torch")
from sapwood.workflow import Parameters, workflow

ROOT = Path(__file__).resolve().parents[2]
IDENTIFIER = ["run", "event"]
EPOCHS, BATCH, SEED = 3, 100, 5
Files = list[tuple[Path, int]]


def module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = made
    spec.loader.exec_module(made)
    return made


outside = module(ROOT / "benchmarks" / "workflow" / "outside.py")

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
    "subclass": "import keras\n"
    "class Model(keras.Model):\n"
    "    def __init__(self):\n        super().__init__()\n"
    "        self.hidden = keras.layers.Dense(32, activation='relu')\n"
    "        self.out = keras.layers.Dense(1, activation='sigmoid')\n"
    "    def call(self, x):\n        return self.out(self.hidden(x))\n"
    "def model(idim):\n"
    "    keras.utils.set_random_seed(1)\n    m = Model()\n"
    "    m.compile(optimizer='adam', loss='binary_crossentropy')\n    return m\n",
}


PACKAGES = {
    "sklearn": "skl2onnx",
    "xgboost": "onnxmltools",
    "torch": "onnxscript",
    "keras": "keras",
    "subclass": "keras",
}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Nine files of 6,000 events in the proportions of the reference's validation."""
    files: Files = module(ROOT / "scripts" / "make_mlaas_events.py").make(tmp_path_factory.mktemp("events"), 6000)
    return files


def run(files: Files, folder: Path, kind: str, tree: str = "events", **parameters: Any) -> Any:
    model = folder / "model.py"
    model.write_text(MODELS[kind])
    given = {"branch": tree, "identifier": IDENTIFIER, "batch_size": BATCH, "epochs": EPOCHS, "seed": SEED}
    params = Parameters(**{**given, **parameters})
    paths, labels = [str(path) for path, _ in files], [label for _, label in files]
    return workflow(paths, labels, str(model), params, fout=str(folder / "out"))


def by_class(files: Files, tree: str = "events") -> sw.Dataset:
    return sw.open({str(k): [str(path) for path, label in files if label == k] for k in (0, 1)}, tree)


def test_tensors_are_those_of_an_independent_preparation(events: Files, tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx")
    result = run(events, tmp_path, "sklearn")
    prepared = outside.prepare(events, "events", IDENTIFIER)
    assert prepared.jagged == ["jet_btag", "jet_eta", "jet_mass", "jet_phi", "jet_pt"]
    loader = by_class(events).loader(result.features, shuffle=False, batch_size=1000)
    batches = list(loader.numpy())
    ours = np.concatenate([np.concatenate([b["branches"], b["branches_mask"].astype(np.float32)], 1) for b in batches])
    np.testing.assert_array_equal(ours.view(np.uint32), prepared.inputs.view(np.uint32))
    np.testing.assert_array_equal(np.concatenate([b["target"] for b in batches]), prepared.labels)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(MODELS))
def test_plain_loops_over_the_same_rows_give_the_same_model(kind: str, events: Files, tmp_path: Path) -> None:
    pytest.importorskip(PACKAGES[kind])
    result = run(events, tmp_path, kind)
    prepared = outside.prepare(events, "events", IDENTIFIER)
    data = by_class(events)
    order = outside.Order(data, result.features, prepared, IDENTIFIER, batch_size=BATCH, seed=SEED)
    model = module(tmp_path / "model.py").model(prepared.inputs.shape[1])
    alone = outside.trained(model, prepared, order, EPOCHS, SEED)
    auc = outside.auc(alone, prepared, order)
    assert auc > 0.6
    assert result.metrics.auc == pytest.approx(auc, abs=1e-3)

    arrays = data.arrays(result.features.columns(data))
    (answers,) = sw.bundle.open(result.bundle).predict(arrays).values()
    second = answers.reshape(6000, -1)[:, -1]
    np.testing.assert_allclose(second, alone.probability(prepared.inputs), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sklearn", "torch", "keras", "xgboost"])
def test_real_events(
    kind: str,
    shared_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """ttH against tt + QCD, from files of both formats."""
    pytest.importorskip(PACKAGES[kind])
    folder = shared_data / "events"
    files = [(folder / "ttH_ttree.root", 1), (folder / "tt_rntuple.root", 0), (folder / "qcd_ttree.root", 0)]
    truth = ["is_signal", "genWeight", "Jet_hadronFlavour"]
    identifier = ["run", "luminosityBlock", "event"]
    result = run(files, tmp_path, kind, "Events", identifier=identifier, exclude_branches=truth)
    assert "left out, neither numbers nor lists of numbers: Jet_constituentPt" in capsys.readouterr().err
    assert result.metrics.auc > 0.75


@pytest.mark.parametrize("events_wanted", [-1, 900])
def test_so_many_events_in_the_proportions_of_the_files(events_wanted: int, events: Files, tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx")
    result = run(events, tmp_path, "sklearn", nevts=events_wanted)
    prepared = outside.prepare(events, "events", IDENTIFIER, events_wanted)
    specs = json.loads((tmp_path / "out" / "specs.json").read_text())
    assert specs["events"] == len(prepared.labels)
    assert result.history.rows + result.metrics.rows < len(prepared.labels)
    sizes = [max(1, round(file.num_entries / 6000 * events_wanted)) for file in by_class(events).files]
    data = by_class(events) if events_wanted < 0 else by_class(events).limit(sizes)
    (batch,) = data.loader(result.features, shuffle=False, batch_size=6000).numpy()
    ours = np.concatenate([batch["branches"], batch["branches_mask"].astype(np.float32)], 1)
    np.testing.assert_array_equal(ours.view(np.uint32), prepared.inputs.view(np.uint32))


def test_the_command_and_its_specs(events: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    assert len(specs["fkeys"]) == 20

    again = [*arguments, "--fout", str(tmp_path / "again"), "--specs", str(tmp_path / "first" / "specs.json")]
    assert main(again) == 0
    first = sw.FeatureSpec.load(tmp_path / "first" / "features.json")
    assert sw.FeatureSpec.load(tmp_path / "again" / "features.json") == first
    specs["events"] = 5
    (tmp_path / "stale.json").write_text(json.dumps(specs))
    assert main([*arguments, "--fout", str(tmp_path / "third"), "--specs", str(tmp_path / "stale.json")]) == 1
    assert "made of other files?" in capsys.readouterr().err


def test_wrong_arguments_say_what_is_wrong(events: Files, tmp_path: Path) -> None:
    files = [str(path) for path, _ in events]
    with pytest.raises(sw.ConfigError, match="2 labels for 9 files"):
        workflow(files, [0, 1], "model.py")
    with pytest.raises(sw.ConfigError, match="without gaps"):
        workflow(files, [0] * 8 + [2], "model.py")
    with pytest.raises(sw.UnsupportedError, match="only root"):
        workflow(files, [0] * 8 + [1], "model.py", dtype="parquet")
    with pytest.raises(sw.IoError, match=r"no such file: nofile.txt"):
        workflow("nofile.txt", [0, 1], "model.py")
    for content, message in (
        ('{"nevts": "all"}', "nevts is 'all', must be a whole number"),
        ('{"split": "a"}', "split is 'a', must be a number or a list"),
        ('{"split": [0, 0, 0]}', "split is"),
        ('{"batch_size": "x"}', "batch_size is 'x'"),
        ('{"selected_branches": 3}', "3 is no list"),
        ("[1]", "a JSON object"),
    ):
        (tmp_path / "params.json").write_text(content)
        with pytest.raises(sw.ConfigError, match=message):
            workflow(files, [0] * 8 + [1], "model.py", str(tmp_path / "params.json"))
    (tmp_path / "params.json").write_text('{"epoch": 3}')
    with pytest.raises(sw.ConfigError, match="unknown parameters epoch"):
        workflow(files, [0] * 8 + [1], "model.py", str(tmp_path / "params.json"))
    with pytest.raises(sw.ConfigError, match="of 9 rows the split leaves none"):
        run(events, tmp_path, "sklearn", nevts=0, split=[0.001, 0.001])
    with pytest.raises(sw.UnsupportedError, match="root://"):
        workflow(["/nowhere.root"], [0], "model.py", Parameters(redirector="root://xrootd.site/"))
