"""What ROOT's tutorials do (tutorials/machine_learning/ml_dataloader_*.py) works with our loader in place of theirs, on
data of the same columns: files, and RDataFrames where ROOT is installed.
"""

from typing import Any

import awkward as ak
import numpy as np
import pytest
import torch
from conftest import Columns, Source

from sapwood.root import RDataLoader

FEATURES = ["jet1_phi", "jet1_eta", "jet2_pt", "m_jj", "m_jjj", "m_bb", "m_wbb"]


def higgs(rows: int = 600) -> Columns:
    """Columns as in ROOT's Higgs_data.root, with a type that some of them tell."""
    rng = np.random.default_rng(1)
    columns = {name: rng.normal(1, 0.5, rows).astype(np.float32) for name in FEATURES}
    return {"Type": (columns["m_bb"] + columns["m_wbb"] > 2).astype(np.float32), **columns}


def test_numpy(source: Source) -> None:
    """ml_dataloader_NumPy.py"""
    loader = RDataLoader(source(higgs()), 128, target="Type", shuffle=True, drop_remainder=True)
    gen_train, gen_validation = loader.train_test_split(test_size=0.3)
    for _ in range(2):
        for batches, count in ((gen_train.as_numpy(), 3), (gen_validation.as_numpy(), 1)):
            shapes = [(x.shape, y.shape) for x, y in batches]
            assert shapes == [((128, 7), (128, 1))] * count


def test_pytorch(source: Source) -> None:
    """ml_dataloader_PyTorch.py"""
    loader = RDataLoader(source(higgs()), 64, target="Type", shuffle=True, drop_remainder=True, set_seed=3)
    gen_train, gen_validation = loader.train_test_split(test_size=0.3)
    num_features = len(gen_train.train_columns)
    torch.manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Linear(num_features, 30), torch.nn.Tanh(), torch.nn.Linear(30, 1), torch.nn.Sigmoid()
    )
    loss_fn = torch.nn.MSELoss(reduction="mean")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(20):
        model.train()
        for x_train, y_train in gen_train.as_torch():
            loss = loss_fn(model(x_train), y_train)
            model.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    right = [(y_val == model(x_val).round()).float().mean() for x_val, y_val in gen_validation.as_torch()]
    assert float(torch.stack(right).mean()) > 0.85


@pytest.mark.alone
def test_tensorflow(source: Source, tensorflow: Any) -> None:
    """ml_dataloader_TensorFlow.py"""
    loader = RDataLoader(source(higgs()), 64, 50, target=["Type"], shuffle=True, drop_remainder=True)
    ds_train, ds_valid = loader.train_test_split(test_size=0.3)
    epochs = 2
    model = tensorflow.keras.Sequential(
        [
            tensorflow.keras.layers.Input(shape=(len(ds_train.train_columns),)),
            tensorflow.keras.layers.Dense(30, activation="tanh"),
            tensorflow.keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        ds_train.as_tensorflow().repeat(epochs),
        steps_per_epoch=ds_train.num_batches,
        validation_data=ds_valid.as_tensorflow().repeat(epochs),
        validation_steps=ds_valid.num_batches,
        epochs=epochs,
        verbose=0,
    )
    assert len(history.history["val_loss"]) == epochs


def test_xgboost(source: Source) -> None:
    """ml_dataloader_XGBoost.py: target and weight are not among the columns, and there is one batch."""
    xgboost = pytest.importorskip("xgboost")
    from sklearn.metrics import roc_auc_score

    variables = ["Muon_pt_1", "Muon_pt_2"]

    def sample(rows: int, label: int, weight: float, filter: str) -> Any:
        rng = np.random.default_rng(label)
        columns: Columns = {name: rng.exponential(20 + 20 * label, rows).astype(np.float32) for name in variables}
        columns |= {"label": np.full(rows, float(label)), "weight": np.full(rows, weight)}
        return source(columns, filter=filter)

    rdf_sig, rdf_bkg = sample(300, 1, 3.0, "Muon_pt_1 > 5"), sample(600, 0, 1.5, "Muon_pt_1 > 6")
    options: dict[str, Any] = {"columns": variables, "target": "label", "weights": "weight", "batch_size": 900}
    loader = RDataLoader([rdf_sig, rdf_bkg], **options, drop_remainder=False, set_seed=42)
    train, test = loader.train_test_split(test_size=0.5)
    x_train, y_train, w_train = next(iter(train.as_numpy()))
    x_test, y_test, w_test = next(iter(test.as_numpy()))
    assert 700 < len(x_train) + len(x_test) < 900
    assert all((w == np.where(y == 1, 3, 1.5)).all() for y, w in ((y_train, w_train), (y_test, w_test)))
    model = xgboost.XGBClassifier(max_depth=3, n_estimators=20)
    model.fit(x_train, y_train.ravel(), sample_weight=w_train.ravel())
    assert roc_auc_score(y_test.ravel(), model.predict_proba(x_test)[:, 1]) > 0.6


def test_filters_and_vectors(source: Source) -> None:
    """ml_dataloader_filters_vectors.py"""
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 5, 100)
    columns: Columns = {name: rng.integers(0, 100, 100).astype(np.int32) for name in ("f1", "f2")}
    columns["f3"] = rng.integers(0, 2, 100).astype(bool)
    for name in ("f4", "f5", "f6"):
        columns[name] = ak.unflatten(rng.normal(0, 1, counts.sum()), counts)
    filtered = source(columns, filter="f1 > 30 && f2 < 70 && f3 == true", format="RNTuple")
    loader = RDataLoader(filtered, 5, max_vec_sizes={"f4": 3, "f5": 2, "f6": 1}, shuffle=False)
    ds_train, ds_validation = loader.train_test_split(test_size=0.3)
    assert ds_train.columns == ["f1", "f2", "f3", "f4_0", "f4_1", "f4_2", "f5_0", "f5_1", "f6_0"]
    passing = int(((columns["f1"] > 30) & (columns["f2"] < 70) & columns["f3"]).sum())
    for part, rows in ((ds_train, passing - int(0.3 * passing)), (ds_validation, int(0.3 * passing))):
        shapes = [batch.shape for batch in part.as_numpy()]
        assert shapes == [(5, 9)] * (rows // 5)


def test_resampling(source: Source) -> None:
    """ml_dataloader_resampling.py"""

    def numbers(start: int, rows: int) -> Columns:
        count = np.arange(rows, dtype=np.int32) * 2 + start
        return {"b1": count, "b2": count % 2}

    loader = RDataLoader(
        [source(numbers(0, 10_000)), source(numbers(1, 100))],
        batch_size=256,
        target="b2",
        set_seed=42,
        load_eager=True,
        sampling_type="oversampling",
        sampling_ratio=0.1,
    )
    train, val = loader.train_test_split(test_size=0.2)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.Adam(model.parameters())
    rare = []
    for x, y in train.as_torch():
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x / 20_000), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rare.append(float(y.mean()))
    assert len(rare) == train.num_batches == 8800 // 256
    assert np.mean(rare) == pytest.approx(1 / 11, abs=0.005)
    assert sum(len(y) for _, y in val.as_torch()) == 2200 // 256 * 256


def test_higgs_classification(source: Source) -> None:
    """ml_dataloader_Higgs_Classification.py: three data frames, lists of four leptons each."""
    vectors = ["goodlep_E", "goodlep_eta", "goodlep_phi", "goodlep_pt", "goodlep_type"]
    columns = ["m4l", *vectors, "isHiggsRef"]

    def leptons(rows: int, seed: int) -> Columns:
        rng = np.random.default_rng(seed)
        is_higgs = rng.integers(0, 2, rows)
        each = {name: ak.Array(rng.normal(0, 1, (rows, 4)).tolist()) for name in vectors}
        return {"m4l": rng.normal(is_higgs * 2 - 1, 0.5, rows), **each, "isHiggsRef": is_higgs.astype(np.int32)}

    options: dict[str, Any] = {
        "batch_size": 50,
        "batches_in_memory": 1000,
        "drop_remainder": True,
        "columns": columns,
        "target": "isHiggsRef",
        "max_vec_sizes": dict.fromkeys(vectors, 4),
        "shuffle": True,
        "set_seed": 42,
    }
    train, val, test = (
        RDataLoader(source(leptons(rows, seed), format="RNTuple"), **options)
        for seed, rows in enumerate((400, 100, 100))
    )
    assert train.feature_columns == ["m4l", *(f"{name}_{i}" for name in vectors for i in range(4))]
    torch.manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Linear(len(train.feature_columns), 30),
        torch.nn.BatchNorm1d(30),
        torch.nn.ReLU(),
        torch.nn.Linear(30, 1),
        torch.nn.Sigmoid(),
    )
    loss_fn = torch.nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(5):
        model.train()
        for x_train, y_train in train.as_torch():
            loss = loss_fn(model(x_train), y_train)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            losses.append(np.mean([loss_fn(model(x_val), y_val) for x_val, y_val in val.as_torch()]))
    assert losses[-1] < losses[0]
    with torch.no_grad():
        right = [((model(x_test) > 0.5) == y_test).float().mean() for x_test, y_test in test.as_torch()]
    assert float(torch.stack(right).mean()) > 0.9
