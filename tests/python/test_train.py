"""Training: the same from Python and the shell, resumed or not; early stopping; user models; clear errors."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sapwood.cli import main

import sapwood as sw

torch = pytest.importorskip("torch")
from sapwood.train import TrainConfig, train  # noqa: E402 - only where PyTorch is
from sapwood.train.models import ParticleFlowNetwork  # noqa: E402

FEATURES = {
    "inputs": [
        {
            "name": "jet",
            "variables": [
                {"name": n, "expression": n, "transforms": ["standard"]}
                for n in ("jet_sdmass", "jet_nparticles", "jet_tau2", "jet_tau3")
            ],
        },
    ]
}


@pytest.fixture
def config(examples: Path, tmp_path: Path) -> dict[str, Any]:
    """A quick training on the sample jets."""
    return {
        "name": "tagger",
        "data": {"files": {"QCD": str(examples / "QCD_ttree.root"), "top": str(examples / "Tbqq_ttree.root")}},
        "features": FEATURES,
        "model": {"type": "mlp", "hidden": [32, 16]},
        "training": {"epochs": 3, "batch_size": 64, "learning_rate": 4e-3, "seed": 3, "device": "cpu"},
        "output": str(tmp_path / "out"),
        "bundle": False,
    }


def test_a_network_learns_to_tell_jets(config: dict[str, Any], tmp_path: Path) -> None:
    result = train(config)
    assert result.metrics.auc > 0.9
    assert result.metrics.rows == pytest.approx(5600 * 0.2, rel=0.1)
    assert len(result.history.val_loss) == 3
    assert sw.FeatureSpec.load(tmp_path / "out" / "features.json") == result.features
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["auc"] == result.metrics.auc
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    assert f"{result.metrics.auc:.4f}" in page


def test_a_resumed_training_is_the_uninterrupted_one(config: dict[str, Any], tmp_path: Path) -> None:
    whole = train({**config, "output": str(tmp_path / "whole")})

    class StopTrainingError(Exception):
        pass

    from sapwood.train import loop

    write = loop.Checkpoint.write

    def write_then_stop(self: Any, *arguments: Any, **options: Any) -> None:
        write(self, *arguments, **options)
        raise StopTrainingError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Checkpoint, "write", write_then_stop)
        with pytest.raises(StopTrainingError):
            train(config)
    resumed = train(config, resume=True)
    assert resumed.history.val_loss == whole.history.val_loss
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


SLOW = """
import json, sys, time
from sapwood.train import _torch, train

step = _torch.TorchTrainer.step

def slow(self, batch):
    time.sleep(0.02)
    return step(self, batch)

_torch.TorchTrainer.step = slow
train(json.loads(sys.argv[1]), resume=True)
"""


def assert_same_training(result: Any, whole: Any) -> None:
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, result.model.state_dict()[name]), name
    for losses in ("train_loss", "val_loss", "val_auc", "rows", "best_epoch"):
        assert getattr(result.history, losses) == getattr(whole.history, losses)
    assert result.metrics.auc == whole.metrics.auc


@pytest.mark.slow
def test_killed_within_epochs_and_resumed(config: dict[str, Any], tmp_path: Path) -> None:
    config["model"] |= {"dropout": 0.2}
    config["training"] |= {"epochs": 2, "threads": 8}
    whole = train({**config, "output": str(tmp_path / "whole")})
    config["training"] |= {"checkpoint_batches": 5, "checkpoint_minutes": None}
    state = tmp_path / "out" / "checkpoint" / "state.json"

    def place() -> tuple[int, int]:
        content = json.loads(state.read_text()) if state.exists() else {"loader": {"epoch": 0, "batches": 0}}
        return content["loader"]["epoch"], content["loader"]["batches"]

    stopped_at = []
    for wanted in ((0, 10), (0, 35), (1, 20)):
        with subprocess.Popen([sys.executable, "-c", SLOW, json.dumps(config)], stderr=subprocess.PIPE) as process:
            while place() < wanted and process.poll() is None:
                time.sleep(0.005)
            process.kill()
        assert process.returncode == -signal.SIGKILL, process.stderr
        stopped_at.append(place())
    assert [epoch for epoch, _ in stopped_at] == [0, 0, 1]
    assert all(batches > 0 for _, batches in stopped_at)
    assert_same_training(train(config, resume=True), whole)


@pytest.mark.slow
def test_ended_at_any_moment_of_writing(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each time some steps further into the writing of checkpoints."""
    monkeypatch.setattr("sapwood.train._report.write_report", lambda *_, **__: None)
    config["model"] |= {"dropout": 0.2}
    config["training"] |= {"epochs": 2, "batch_size": 128}
    whole = train({**config, "output": str(tmp_path / "whole")})
    config["training"] |= {"checkpoint_batches": 8, "checkpoint_minutes": None}

    class KilledError(BaseException):
        pass

    from sapwood.train import loop

    to_disk = loop._to_disk
    left = 0

    def some_to_disk(path: Path) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            if path.suffix == ".new":
                path.write_bytes(path.read_bytes()[:50])
            raise KilledError
        to_disk(path)

    monkeypatch.setattr(loop, "_to_disk", some_to_disk)
    interruptions = 0
    for steps in (2, 5, 6, 7, 9, 11, 12, 13, 100):
        left = steps
        try:
            result = train(config, resume=True)
        except KilledError:
            interruptions += 1
    assert interruptions >= 5
    assert_same_training(result, whole)
    folder = tmp_path / "out" / "checkpoint"
    best = f"best-{whole.history.best_epoch + 1}.model"
    assert sorted(path.name for path in folder.iterdir()) == [best, "last-2.model", "state.json"]


def test_checkpoints_come_after_minutes(config: dict[str, Any]) -> None:
    from sapwood.train import loop

    written = []
    write = loop.Checkpoint.write

    def note(self: Any, trainer: Any, history: Any, loader: Any, within: Any, **options: Any) -> None:
        written.append(within.batches)
        write(self, trainer, history, loader, within, **options)

    config["training"] |= {"epochs": 1, "batch_size": 512}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Checkpoint, "write", note)
        train({**config, "training": {**config["training"], "checkpoint_minutes": 0}})
        assert written == [1, 2, 3, 4, 5, 6, 7, 0]
        written.clear()
        train({**config, "training": {**config["training"], "checkpoint_minutes": None}})
        assert written == [0]


def test_a_checkpoint_of_another_training_is_refused(config: dict[str, Any]) -> None:
    train({**config, "training": {**config["training"], "epochs": 1}})
    with pytest.raises(sw.ConfigError, match="another training: model: MLP"):
        train({**config, "model": {"type": "mlp", "hidden": [8]}}, resume=True)
    with pytest.raises(sw.ConfigError, match="another training: seed: 3, here 4"):
        train({**config, "training": {**config["training"], "seed": 4}}, resume=True)
    with pytest.raises(sw.ConfigError, match="another training: split"):
        train({**config, "split": {"validation": 0.3, "test": 0.3}}, resume=True)
    with pytest.raises(sw.ConfigError, match="another training: model's options"):
        train({**config, "model": {**config["model"], "dropout": 0.2}}, resume=True)


def test_more_epochs_go_on_with_the_longer_schedule(config: dict[str, Any]) -> None:
    config["training"] |= {"patience": None}
    first = train({**config, "training": {**config["training"], "epochs": 2}})
    longer = train({**config, "training": {**config["training"], "epochs": 6}}, resume=True)
    assert longer.history.val_loss[:2] == first.history.val_loss
    assert len(longer.history.val_loss) == 6
    assert len(set(longer.history.val_loss)) == 6
    assert min(longer.history.val_loss[2:]) < first.history.val_loss[-1]


def test_a_new_training_forgets_the_old_one(config: dict[str, Any], tmp_path: Path) -> None:
    train(config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sapwood.train._torch.TorchTrainer.step", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(config)
    assert not (tmp_path / "out" / "checkpoint" / "state.json").exists()


def interrupt(*_: Any) -> float:
    raise KeyboardInterrupt


def test_damaged_checkpoints_say_so(config: dict[str, Any], tmp_path: Path) -> None:
    config["training"] |= {"epochs": 1}
    train(config)
    folder = tmp_path / "out" / "checkpoint"
    (model,) = folder.glob("last-*.model")
    whole = model.read_bytes()
    model.write_bytes(whole[:100])
    with pytest.raises(sw.FormatError, match=r"last-1.model can't be loaded"):
        train(config, resume=True)
    (folder / "state.json").write_text((folder / "state.json").read_text()[:50])
    with pytest.raises(sw.FormatError, match=r"state.json is damaged"):
        train(config, resume=True)


def test_training_ends_when_validation_gets_no_better(config: dict[str, Any]) -> None:
    config["training"] |= {"epochs": 40, "patience": 2, "learning_rate": 0.1}
    history = train(config).history
    assert history.stopped_early
    assert len(history.val_loss) - 1 == history.best_epoch + 2
    assert history.val_loss[history.best_epoch] == min(history.val_loss)


def test_the_weights_are_those_of_the_best_epoch(config: dict[str, Any]) -> None:
    config["training"] |= {"epochs": 8, "patience": None, "learning_rate": 0.2}
    result = train(config)
    assert result.history.best_epoch < 7
    dataset = sw.open(config["data"]["files"])
    loader = dataset.loader(
        sw.FeatureSpec.from_dict({**result.features.to_dict(), "labels": [TARGET]}), batch_size=256, seed=3
    )
    _, val, _ = loader.split(validation=0.16, test=0.2)
    losses = []
    with torch.no_grad():
        for batch in val.torch():
            loss = torch.nn.functional.cross_entropy(result.model(batch["jet"]), batch["target"], reduction="none")
            losses.append(loss)
    assert float(torch.cat(losses).mean()) == pytest.approx(min(result.history.val_loss), rel=1e-5)


TARGET = {"name": "target", "variables": ["sample_label"], "dtype": "int64", "squeeze": True}


def test_padding_does_not_change_what_the_particle_network_says() -> None:
    tensors = [Info("part", (3, 10)), Info("part_mask", (1, 10)), Info("jet", (2,))]
    torch.manual_seed(1)
    network = ParticleFlowNetwork(tensors, 2).eval()
    part, jet = torch.rand(4, 3, 10), torch.rand(4, 2)
    mask = (torch.arange(10).expand(4, 10) < torch.tensor([[10], [4], [1], [0]])).unsqueeze(1)
    filled = torch.where(mask, part, torch.tensor(1e3))
    with torch.no_grad():
        assert torch.allclose(network(part * mask, mask, jet), network(filled, mask, jet), atol=1e-6)


class Info:
    """What models look at of a tensor's description."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.name = name
        self.shape = shape


def test_scikit_learn_and_user_files(config: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    model = tmp_path / "model.py"
    model.write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "def model(idim, C=1.0):\n    assert idim == 4\n    return LogisticRegression(C=C)\n"
    )
    result = train({**config, "model": {"file": str(model), "C": 0.5}})
    assert result.model.C == 0.5
    assert result.metrics.auc > 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modle": "mlp"}, "no key 'modle' .nearest: model"),
        ({"training": {"epoch": 3}}, "training has no key 'epoch' .nearest: epochs"),
        ({"model": "transformer"}, "no model 'transformer': 'mlp', 'pfn'"),
        ({"model": {"type": "mlp", "widths": [3]}}, "model 'mlp': .*widths"),
        ({"model": {"type": "pfn"}}, "wants one padded group with its mask, not 0"),
        ({"model": {"file": "nowhere.py"}}, "no Python file"),
        ({"model": object()}, "can't be trained"),
        ({"split": {"validation": 0.5, "test": 1.5}}, "must be between 0 and 1"),
        ({"training": {"epochs_per": "chunk"}}, "'chunk' with a chunk_size"),
        ({"training": {"checkpoint_batches": 0}}, "checkpoint_batches is 0, must be at least 1"),
        ({"training": {"checkpoint_minutes": -1}}, "checkpoint_minutes is -1"),
        ({"training": {"epochs_per": "chunk", "chunk_size": 9, "checkpoint_batches": 3}}, "for models taught in steps"),
        ({"training": {"epochs": "ten"}}, "training.epochs is 'ten', must be a whole number"),
        ({"training": {"epochs": 0}}, "training.epochs is 0, must be at least 1"),
        ({"training": {"batch_size": 12.5}}, "training.batch_size is 12.5"),
        ({"training": {"learning_rate": -1}}, "learning_rate is -1, must be above 0"),
        ({"training": {"learning_rate": float("nan")}}, "learning_rate is nan, must be a number"),
        ({"training": {"shuffle": "no"}}, "shuffle is 'no', must be true or false"),
        ({"training": {"patience": -1}}, "patience is -1"),
        ({"training": {"seed": None}}, "training.seed is None"),
        ({"training": {"device": "gpu"}}, "device 'gpu'"),
        ({"split": {"validation": "a"}}, "split.validation is 'a'"),
        ({"data": {"files": None}}, "data.files has None"),
        ({"data": {"files": {"a": None}}}, "data.files has None"),
        ({"data": {"files": {0: "a.root", 1: "b.root"}}}, "class name 0 must be text"),
        ({"data": {"files": "a.root", "classes": "ab"}}, "data.classes is 'ab'"),
        ({"features": None}, "features is None"),
        ({"features": 4}, "features is 4"),
        ({"model": {"file": 3}}, "model.file is 3"),
        ({"model": {"type": "mlp", "dropout": 2}}, "model 'mlp': .*dropout"),
        ({"model": {"type": "mlp", "hidden": [-3]}}, "model 'mlp'"),
        ({"output": 3}, "output is 3"),
        ({"name": None}, "name is None"),
        ({"bundle": "no"}, "bundle is 'no'"),
    ],
)
def test_wrong_configurations_say_what_is_wrong(config: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(sw.ConfigError, match=message):
        train({**config, **change})


def test_users_code_that_fails_is_named_with_its_line(config: dict[str, Any], tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    model.write_text("def model(idim):\n    return 1 / 0\n")
    with pytest.raises(sw.ConfigError, match=r"model.py: line 2: ZeroDivisionError"):
        train({**config, "model": {"file": str(model)}})


def test_users_models_begin_from_the_seed(config: dict[str, Any], tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    model.write_text(
        "from torch import nn\n"
        "def model(idim):\n"
        "    return nn.Sequential(nn.Linear(idim, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 2))\n"
    )
    config |= {"model": {"file": str(model)}}
    config["training"] |= {"epochs": 1}
    assert train(config).history.val_loss == train(config).history.val_loss


def test_classes_without_entries_or_with_other_names(config: dict[str, Any], examples: Path) -> None:
    files = config["data"]["files"]
    with pytest.raises(sw.ConfigError, match="leave it out"):
        train({**config, "data": {"files": files, "classes": ["top", "QCD"]}})
    with pytest.raises(sw.ConfigError, match="class 'top' has no entries"):
        train({**config, "data": {"files": files, "limit": 1000}})
    target = {"name": "target", "variables": ["label_QCD"], "dtype": "int64", "squeeze": True}
    one = {"data": {"files": str(examples / "QCD_ttree.root")}, "features": {**FEATURES, "labels": [target]}}
    with pytest.raises(sw.ConfigError, match="none is of class '0'"):
        train({**config, **one})
    one["features"]["labels"] = [{**target, "variables": ["jet_nparticles"]}]
    with pytest.raises(sw.ConfigError, match=r"the target holds \d+ to \d+, where 2 classes have the labels 0 to 1"):
        train({**config, **one})
    one["features"]["labels"] = [{**target, "squeeze": False}]
    with pytest.raises(sw.ConfigError, match="one number for each entry"):
        train({**config, **one})


def test_inputs_that_are_no_numbers_end_the_training(config: dict[str, Any]) -> None:
    config["features"] = {"inputs": [{"name": "jet", "variables": ["jet_sdmass", "log(jet_eta)"]}]}
    with pytest.raises(sw.ModelError, match=r"NaN or infinities in jet; .*replace_nan"):
        train(config)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"name": "w", "squeeze": True}, "called 'weights', not 'w'"),
        ({"name": "weights"}, "one number for each entry"),
        ({"name": "weights", "squeeze": True, "variables": ["jet_pt - jet_pt"]}, "sum to 0"),
        ({"name": "weights", "squeeze": True, "variables": ["log(-jet_pt)"]}, "sum to nan"),
    ],
)
def test_weights_that_are_none(config: dict[str, Any], weights: dict[str, Any], message: str) -> None:
    with pytest.raises(sw.ConfigError, match=message):
        train({**config, "features": {**FEATURES, "weights": [{"variables": ["jet_pt"], **weights}]}})


def test_metrics_are_json_for_strict_parsers(config: dict[str, Any], tmp_path: Path) -> None:
    config["training"] |= {"epochs": 1}
    config["split"] = {"validation": 0.1, "test": 0.002}

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    train(config)
    for path in ("metrics.json", "checkpoint/state.json"):
        json.loads((tmp_path / "out" / path).read_text(), parse_constant=refuse)


def test_labels_must_come_from_somewhere(config: dict[str, Any], examples: Path) -> None:
    with pytest.raises(sw.ConfigError, match="no labels: give the files by class name"):
        train({**config, "data": {"files": str(examples / "QCD_ttree.root")}})


def test_the_command_trains_from_yaml(
    config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yaml = pytest.importorskip("yaml")
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    assert main(["train", str(path), "--epochs", "1", "--output", str(tmp_path / "other")]) == 0
    assert "AUC" in capsys.readouterr().out
    assert main(["train", str(path), "--checkpoint-batches", "0"]) == 1
    assert "checkpoint_batches is 0" in capsys.readouterr().err
    assert main(["train", str(path), "--checkpoint-minutes", "-3"]) == 1
    assert "checkpoint_minutes is -3" in capsys.readouterr().err
    assert (tmp_path / "other" / "report.html").exists()
    path.write_text("data: [")
    assert main(["train", str(path)]) == 1
    assert "not YAML" in capsys.readouterr().err
    path.write_bytes(b"\xff\xfe\x00")
    assert main(["train", str(path)]) == 1
    assert "no UTF-8" in capsys.readouterr().err
    path.write_text("data: {files: a}\nfeatures: b\nfeatures: c\n")
    assert main(["train", str(path)]) == 1
    assert "'features' is there twice" in capsys.readouterr().err
    path.write_text(yaml.safe_dump(config).replace("learning_rate: 0.004", "learning_rate: 4e-3"))
    assert TrainConfig.load(path).training.learning_rate == 4e-3
    assert main(["train", str(path), "--epochs", "0"]) == 1
    assert "epochs is 0" in capsys.readouterr().err
    assert main(["train", str(tmp_path / "no.yaml")]) == 1


def test_chunks_are_learnt_several_times_in_a_row(config: dict[str, Any]) -> None:
    config["training"] |= {"epochs": 4, "epochs_per": "chunk", "chunk_size": 1000}
    history = train(config).history
    assert len(history.val_loss) == 1
    rows = history.rows / 4
    assert rows == pytest.approx(5600 * 0.64, rel=0.1)


def test_paths_are_relative_to_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("data: {files: {a: x/*.root, b: [/abs/y.root, root://host//z.root]}}\nfeatures: f.yaml\n")
    config = TrainConfig.load(path)
    assert config.data.files == {"a": f"{tmp_path}/x/*.root", "b": ["/abs/y.root", "root://host//z.root"]}
    assert config.features == f"{tmp_path}/f.yaml"


def test_weights_enter_loss_and_metrics(config: dict[str, Any]) -> None:
    features = {**FEATURES, "weights": [{"name": "weights", "variables": ["jet_pt / 500"], "squeeze": True}]}
    result = train({**config, "features": features})
    assert result.metrics.auc > 0.9
    assert not np.isnan(result.metrics.loss)


KERAS = """
import keras
def model(idim, outputs=2, logits=False, last="softmax", dropout=0.0):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Input((idim,)), keras.layers.Dense(16, "relu"), keras.layers.Dropout(dropout)]
    net = keras.Sequential([*layers, keras.layers.Dense(outputs, last)])
    kind = keras.losses.SparseCategoricalCrossentropy if outputs == 2 else keras.losses.BinaryCrossentropy
    net.compile("adam", kind(from_logits=logits))
    return net
"""


@pytest.fixture
def keras_config(config: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    if importlib.util.find_spec("keras") is None:
        pytest.skip("no Keras")
    (tmp_path / "net.py").write_text(KERAS)
    return {**config, "model": {"file": str(tmp_path / "net.py")}}


def test_keras_models_must_give_probabilities(keras_config: dict[str, Any]) -> None:
    with pytest.raises(sw.ConfigError, match="gives logits"):
        train({**keras_config, "model": {**keras_config["model"], "logits": True, "last": None}})
    with pytest.raises(sw.ModelError, match="no probabilities"):
        train({**keras_config, "model": {**keras_config["model"], "last": None}})


def test_a_keras_output_of_one_column_is_labelled_as_the_second_class(keras_config: dict[str, Any]) -> None:
    pytest.importorskip("onnxruntime")
    model = {**keras_config["model"], "outputs": 1, "last": "sigmoid"}
    result = train({**keras_config, "model": model, "bundle": True})
    assert result.bundle is not None
    assert sw.bundle.open(result.bundle).labels == ["top"]


def test_keras_with_dropout_goes_on_as_if_uninterrupted(keras_config: dict[str, Any], tmp_path: Path) -> None:
    keras_config["model"]["dropout"] = 0.3
    keras_config["training"]["epochs"] = 4
    whole = train({**keras_config, "output": str(tmp_path / "whole")})
    train({**keras_config, "training": {**keras_config["training"], "epochs": 2}})
    resumed = train(keras_config, resume=True)
    assert resumed.history.val_loss == whole.history.val_loss
    assert resumed.history.train_loss == whole.history.train_loss


def test_keras_goes_on_within_an_epoch(keras_config: dict[str, Any], tmp_path: Path) -> None:
    keras_config["model"]["dropout"] = 0.3
    keras_config["training"] |= {"epochs": 2, "batch_size": 256, "checkpoint_batches": 5}
    whole = train({**keras_config, "output": str(tmp_path / "whole")})
    from sapwood.train import loop

    write = loop.Checkpoint.write

    def write_then_stop(self: Any, *arguments: Any, **options: Any) -> None:
        write(self, *arguments, **options)
        if arguments[3].batches == 10:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Checkpoint, "write", write_then_stop)
        with pytest.raises(KeyboardInterrupt):
            train(keras_config)
    resumed = train(keras_config, resume=True)
    assert resumed.history.val_loss == whole.history.val_loss
    assert resumed.history.train_loss == whole.history.train_loss
