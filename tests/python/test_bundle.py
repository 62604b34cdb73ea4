"""Bundles: models of each framework exported, compared, read back; and what goes wrong."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pytest

import sapwood as sw
from sapwood import bundle, cli

ENTRIES = 40
FLAT = sw.FeatureSpec(
    inputs=[
        sw.FeatureGroup(
            "jet",
            [sw.Variable("log(pt)", "log_pt"), "eta", sw.Variable("mass", transforms={"clip": {"min": 0, "max": 90}})],
        )
    ],
    labels={"target": "eta > 0"},
)
PADDED = sw.FeatureSpec(inputs=[FLAT.inputs[0], sw.FeatureGroup("part", ["part_pt", "part_eta"], pad=5)])


@pytest.fixture(scope="module")
def columns() -> dict[str, Any]:
    """Raw columns of jets."""
    random = np.random.default_rng(1)
    counts = random.integers(0, 8, ENTRIES)
    return {
        "pt": random.uniform(20, 500, ENTRIES).astype(np.float32),
        "eta": random.normal(size=ENTRIES).astype(np.float32),
        "mass": random.uniform(0, 120, ENTRIES),
        "part_pt": ak.unflatten(random.uniform(1, 9, counts.sum()).astype(np.float32), counts),
        "part_eta": ak.unflatten(random.normal(size=counts.sum()).astype(np.float32), counts),
        "unused": np.arange(ENTRIES),
    }


def flat_tensor(columns: dict[str, Any]) -> np.ndarray:
    """The features of FLAT. Not computed by NumPy: a last bit decides at a tree's threshold."""
    return sw.make_tensors(sw.FeatureSpec(inputs=FLAT.inputs), columns)["jet"]


def classes(columns: dict[str, Any]) -> np.ndarray:
    return (columns["eta"] > 0).astype(int)


def torch_model() -> Any:
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.jet = torch.nn.Linear(3, 8)
            self.part = torch.nn.Linear(2, 8)
            self.out = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(8, 3))

        def forward(self, part: Any, part_mask: Any, jet: Any) -> Any:
            parts = self.part(part.transpose(1, 2)) * part_mask.transpose(1, 2)
            return torch.softmax(self.out(self.jet(jet) + parts.sum(1)), 1)

    return Model().train()


class TestPyTorch:
    def test_predicts_from_raw_columns_what_the_module_gives(self, columns: dict[str, Any], tmp_path: Path) -> None:
        import torch

        model = torch_model()
        path = tmp_path / "tagger.tar"
        opened = bundle.export(
            model, path, features=PADDED, sample=columns, labels=["a", "b", "c"], description="Tags."
        )
        tensors = {name: torch.from_numpy(array) for name, array in sw.make_tensors(PADDED, columns).items()}
        with torch.no_grad():
            expected = model.eval()(**tensors).numpy()
        np.testing.assert_allclose(opened.predict(columns)["output"], expected, atol=1e-6)
        one = opened.predict({name: array[3:4] for name, array in columns.items()})["output"]
        np.testing.assert_allclose(one, expected[3:4], atol=1e-6)
        none = opened.predict({name: array[:0] for name, array in columns.items()})["output"]
        assert none.shape == (0, 3)

        assert opened.name == "tagger"
        assert opened.description == "Tags."
        assert opened.labels == ["a", "b", "c"]
        assert opened.framework == f"PyTorch {torch.__version__.split('+')[0]}"
        assert opened.features == PADDED
        assert opened.columns == {
            "pt": "float32",
            "eta": "float32",
            "mass": "float64",
            "part_pt": "list<float32>",
            "part_eta": "list<float32>",
        }
        assert [str(spec) for spec in opened.outputs] == ["float32 [N, 3]"]
        assert b"test_bundle.py" not in opened.onnx

    def test_gives_tensors_in_order_where_names_are_others(self, columns: dict[str, Any], tmp_path: Path) -> None:
        import torch

        spec = sw.FeatureSpec(inputs={"x": ["pt", "eta"], "y": ["mass"]})

        class Model(torch.nn.Module):
            def forward(self, first: Any, second: Any, scale: float = 2.0) -> Any:
                return {"sum": first.sum(1) + second.sum(1), "scaled": first * scale}

        opened = bundle.export(Model(), tmp_path / "m.tar", features=spec, sample=columns)
        outputs = opened.predict(columns)
        assert list(outputs) == ["sum", "scaled"]
        np.testing.assert_allclose(outputs["sum"], columns["pt"] + columns["eta"] + columns["mass"], rtol=1e-5)
        assert [spec.name for spec in opened.inputs] == ["x", "y"]

    def test_without_features_takes_tensors(self, tmp_path: Path) -> None:
        import torch

        tensors = {"input": np.linspace(-1, 1, 30, dtype=np.float32).reshape(10, 3)}
        model = torch.nn.Linear(3, 2)
        opened = bundle.export(model, tmp_path / "m.tar", features=None, sample=tensors)
        with torch.no_grad():
            expected = model(torch.from_numpy(tensors["input"])).numpy()
        np.testing.assert_allclose(opened.run(tensors)["output"], expected, atol=1e-6)
        with pytest.raises(sw.ConfigError, match="has no features"):
            opened.predict({"pt": [1.0]})
        opened.verify()

    def test_a_module_that_cannot_be_exported_is_a_model_error(self, columns: dict[str, Any], tmp_path: Path) -> None:
        import torch

        class Model(torch.nn.Module):
            def forward(self, jet: Any) -> Any:
                return jet * 2 if float(jet.sum()) > 0 else jet

        with pytest.raises(sw.ModelError, match="can't be exported to ONNX"):
            bundle.export(Model(), tmp_path / "m.tar", features=FLAT, sample=columns)
        assert not (tmp_path / "m.tar").exists()


@pytest.mark.slow
class TestKeras:
    @pytest.mark.parametrize("backend", ["torch", "tensorflow"])
    def test_predicts_what_the_model_gives(self, backend: str, columns: dict[str, Any], tmp_path: Path) -> None:
        # A backend is chosen for the whole process.
        code = (
            "import numpy as np, keras, sapwood as sw, sys, test_bundle\n"
            "keras.utils.set_random_seed(1)\n"
            "jet, part = keras.Input((3,), name='jet'), keras.Input((2, 5), name='particles')\n"
            "hidden = keras.layers.Dense(8, activation='relu')(jet)\n"
            "both = keras.layers.Concatenate()([hidden, keras.layers.Flatten()(part)])\n"
            "model = keras.Model([part, jet], keras.layers.Dense(2, activation='softmax')(both))\n"
            "columns = np.load(sys.argv[1], allow_pickle=True).item()\n"
            "spec = sw.FeatureSpec(inputs=[sw.FeatureGroup('part', ['part_pt', 'part_eta'], pad=5, mask='none'),"
            " *test_bundle.FLAT.inputs])\n"
            "opened = sw.bundle.export(model, sys.argv[2], features=spec, sample=columns)\n"
            "tensors = sw.make_tensors(spec, columns)\n"
            "expected = keras.ops.convert_to_numpy(model([tensors['part'], tensors['jet']]))\n"
            "np.testing.assert_allclose(opened.predict(columns)['output'], expected, atol=1e-6)\n"
            "assert opened.framework.startswith('Keras 3'), opened.framework\n"
            "assert [s.name for s in opened.inputs] == ['part', 'jet']\n"
        )
        for package in ("keras", *(["tensorflow", "tf2onnx"] if backend == "tensorflow" else [])):
            if importlib.util.find_spec(package) is None:
                pytest.skip(f"{package} is not installed")
        np.save(tmp_path / "columns.npy", columns, allow_pickle=True)  # type: ignore[arg-type]
        arguments = [sys.executable, "-c", code, str(tmp_path / "columns.npy"), str(tmp_path / "m.tar")]
        environment = {
            "KERAS_BACKEND": backend,
            "PYTHONPATH": str(Path(__file__).parent),
            "PATH": "",
            "HOME": str(tmp_path),
        }
        subprocess.run(arguments, env=environment, check=True, capture_output=True, text=True)


class TestScikitLearn:
    def test_classifier_gives_its_probabilities_and_labels(self, columns: dict[str, Any], tmp_path: Path) -> None:
        ensemble = pytest.importorskip("sklearn.ensemble")
        pytest.importorskip("skl2onnx")
        names = np.array(["background", "signal"])[classes(columns)]
        model = ensemble.RandomForestClassifier(5, random_state=1).fit(flat_tensor(columns), names)
        opened = bundle.export(model, tmp_path / "m.tar.gz", features=FLAT, sample=columns)
        expected = model.predict_proba(flat_tensor(columns))
        np.testing.assert_allclose(opened.predict(columns)["probabilities"], expected, atol=1e-5)
        assert opened.labels == ["background", "signal"]
        assert (tmp_path / "m.tar.gz").read_bytes()[:2] == b"\x1f\x8b"

    def test_pipeline_and_regressor(self, columns: dict[str, Any], tmp_path: Path) -> None:
        pytest.importorskip("skl2onnx")
        from sklearn.linear_model import LinearRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        model = make_pipeline(StandardScaler(), LinearRegression()).fit(flat_tensor(columns), columns["pt"])
        opened = bundle.export(model, tmp_path / "m.tar", features=FLAT, sample=columns, relative_tolerance=1e-3)
        expected = model.predict(flat_tensor(columns))[:, None]
        np.testing.assert_allclose(opened.predict(columns)["prediction"], expected, rtol=1e-3)

    def test_takes_several_tensors_side_by_side(self, columns: dict[str, Any], tmp_path: Path) -> None:
        pytest.importorskip("skl2onnx")
        from sklearn.linear_model import LinearRegression

        tensors = sw.make_tensors(PADDED, columns)
        assert len(tensors) > 1
        matrix = np.concatenate([t.reshape(len(t), -1).astype(np.float32) for t in tensors.values()], 1)
        model = LinearRegression().fit(matrix, columns["pt"])
        opened = bundle.export(model, tmp_path / "m.tar", features=PADDED, sample=columns)
        predicted = opened.predict(columns)["prediction"][:, 0]
        np.testing.assert_allclose(predicted, model.predict(matrix), rtol=1e-3, atol=1e-3)


class TestXGBoost:
    def test_classifier(self, columns: dict[str, Any], tmp_path: Path) -> None:
        xgboost = pytest.importorskip("xgboost")
        pytest.importorskip("onnxmltools")
        model = xgboost.XGBClassifier(n_estimators=10, max_depth=3, random_state=1)
        model.fit(flat_tensor(columns), classes(columns))
        opened = bundle.export(model, tmp_path / "m.tar", features=FLAT, sample=columns)
        expected = model.predict_proba(flat_tensor(columns))
        np.testing.assert_allclose(opened.predict(columns)["probabilities"], expected, atol=1e-5)
        assert opened.labels == ["0", "1"]

    def test_regressor_with_named_features(self, columns: dict[str, Any], tmp_path: Path) -> None:
        xgboost = pytest.importorskip("xgboost")
        pytest.importorskip("onnxmltools")
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(flat_tensor(columns), columns=["log_pt", "eta", "mass"])
        model = xgboost.XGBRegressor(n_estimators=10, random_state=1).fit(frame, columns["pt"])
        opened = bundle.export(model, tmp_path / "m.tar", features=FLAT, sample=columns, relative_tolerance=1e-3)
        expected = model.predict(frame)[:, None]
        np.testing.assert_allclose(opened.predict(columns)["prediction"], expected, rtol=1e-3)


@pytest.fixture(scope="module")
def linear_content(tmp_path_factory: pytest.TempPathFactory, columns: dict[str, Any]) -> bytes:
    """A small bundle."""
    import torch

    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("bundle") / "linear.tar"
    card = {"Training data": "Made up.", "Metrics": {"AUC": 0.5}}
    bundle.export(torch.nn.Linear(3, 2), path, features=FLAT, sample=columns, labels=["no", "yes"], card=card)
    return path.read_bytes()


@pytest.fixture
def linear(linear_content: bytes, tmp_path: Path) -> Path:
    """The same, in a file of its own."""
    path = tmp_path / "linear.tar"
    path.write_bytes(linear_content)
    return path


def rewritten(path: Path, name: str, content: bytes) -> Path:
    """The bundle with another member, its hash made to fit."""
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    files[name] = content
    manifest = json.loads(files["bundle.json"])
    manifest["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    files["bundle.json"] = json.dumps(manifest).encode()
    other = path.with_name("other.tar")
    with tarfile.open(other, "w") as archive:
        for member, data in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
    return other


class TestBundle:
    def test_golden_sample_is_compared_when_the_model_is_loaded(self, linear: Path) -> None:
        bundle.open(linear).verify()
        with tarfile.open(linear) as archive:
            golden = json.load(archive.extractfile("golden.json"))  # type: ignore[arg-type]
        assert len(golden["columns"]["pt"]) == 16
        golden["outputs"]["output"]["data"][3] += 0.5
        damaged = rewritten(linear, "golden.json", json.dumps(golden).encode())
        with pytest.raises(sw.ModelError, match=r"output 'output' is off by up to 0\.5"):
            bundle.open(damaged).load()

    def test_what_is_damaged_is_refused(self, linear: Path, tmp_path: Path) -> None:
        content = bytearray(linear.read_bytes())
        content[content.index(b"PyTorch")] ^= 1
        (tmp_path / "flipped.tar").write_bytes(content)
        assert bundle.open(tmp_path / "flipped.tar").framework.startswith("Q")
        content[content.index(b"sapwood-features")] ^= 1
        (tmp_path / "flipped.tar").write_bytes(content)
        with pytest.raises(sw.FormatError, match=r"SHA-256.*flipped\.tar") as caught:
            bundle.open(tmp_path / "flipped.tar")
        assert caught.value.object == "features.json"
        with pytest.raises(sw.IoError):
            bundle.open(tmp_path / "missing.tar")

    def test_the_same_model_gives_the_same_bytes(
        self, columns: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        import torch

        model = torch.nn.Linear(3, 2)
        for name in ("a.tar", "b.tar"):
            bundle.export(model, tmp_path / name, features=FLAT, sample=columns, name="same")
        assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
        assert bundle.open(tmp_path / "a.tar").created == "2023-11-14T22:13:20Z"

    def test_samples_may_be_data_sets(self, examples: Path, tmp_path: Path) -> None:
        import torch

        jets = sw.open(examples / "Tbqq_ttree.root")
        spec = sw.FeatureSpec(inputs=[sw.FeatureGroup("part", ["part_px", "part_py"], pad=8)])

        class Model(torch.nn.Module):
            def forward(self, part: Any) -> Any:
                return part.sum((1, 2)).unsqueeze(1)

        opened = bundle.export(Model(), tmp_path / "m.tar", features=spec, sample=jets, relative_tolerance=1e-3)
        arrays = jets.arrays(["part_px", "part_py"], 0, 50, library="ak")
        expected = ak.sum(arrays["part_px"][:, :8] + arrays["part_py"][:, :8], axis=1)
        given = opened.predict({name: arrays[name] for name in ("part_px", "part_py")})["output"][:, 0]
        np.testing.assert_allclose(given, ak.to_numpy(expected), rtol=1e-3, atol=1e-3)

    def test_columns_must_be_there_and_of_their_types(self, linear: Path, columns: dict[str, Any]) -> None:
        opened = bundle.open(linear)
        with pytest.raises(sw.SchemaError, match="takes a column 'mass'"):
            opened.predict({"pt": columns["pt"], "eta": columns["eta"]})
        with pytest.raises(sw.SchemaError, match="float32 is wanted, not float64"):
            opened.predict({**columns, "pt": columns["pt"].astype(np.float64)})
        with pytest.raises(sw.SchemaError, match="3 entries"):
            opened.predict({**columns, "eta": columns["eta"][:3]})

    def test_special_numbers_are_kept_in_the_golden_sample(self, tmp_path: Path) -> None:
        import torch

        values = np.array([1, np.nan, np.inf, -np.inf], np.float32)
        spec = sw.FeatureSpec(inputs={"x": ["a"]})
        opened = bundle.export(torch.nn.Identity(), tmp_path / "m.tar", features=spec, sample={"a": values})
        np.testing.assert_array_equal(opened.predict({"a": pa.array(values)})["output"][:, 0], values)

    def test_export_says_what_is_wrong(self, columns: dict[str, Any], tmp_path: Path) -> None:
        import torch

        model = torch.nn.Linear(3, 2)
        path = tmp_path / "m.tar"
        unfitted = sw.FeatureSpec(inputs=[sw.FeatureGroup("jet", [sw.Variable("pt", transforms="standard")])])
        with pytest.raises(sw.ConfigError, match="not fitted"):
            bundle.export(model, path, features=unfitted, sample=columns)
        with pytest.raises(sw.ConfigError, match="3 labels, but the output has 2 columns"):
            bundle.export(model, path, features=FLAT, sample=columns, labels=["a", "b", "c"])
        with pytest.raises(sw.ConfigError, match="no entries"):
            bundle.export(model, path, features=FLAT, sample={name: array[:0] for name, array in columns.items()})
        with pytest.raises(sw.ConfigError, match="no framework that is known"):
            bundle.export(object(), path, features=FLAT, sample=columns)
        with pytest.raises(sw.ConfigError, match="must be one of keras"):
            bundle.export(model, path, features=FLAT, sample=columns, framework="caffe")
        with pytest.raises(sw.IoError, match="can't write"):
            bundle.export(model, tmp_path / "no" / "m.tar", features=FLAT, sample=columns)

    def test_export_compares_with_the_framework(self, columns: dict[str, Any], tmp_path: Path) -> None:
        import torch

        class Model(torch.nn.Module):
            def forward(self, jet: Any) -> Any:
                return jet + (1 if torch.onnx.is_in_onnx_export() else 0)

        with pytest.raises(sw.ModelError, match="off by up to 1"):
            bundle.export(Model(), tmp_path / "m.tar", features=FLAT, sample=columns)

    def test_missing_packages_are_named(
        self, columns: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import torch

        monkeypatch.setitem(sys.modules, "onnxscript", None)
        with pytest.raises(ImportError, match="pip install onnxscript"):
            bundle.export(torch.nn.Linear(3, 2), tmp_path / "m.tar", features=FLAT, sample=columns)

    def test_card_says_what_the_model_is(self, linear: Path) -> None:
        card = bundle.open(linear).card
        for text in ("# linear", "| jet [N, 3] float32 | log_pt | `log(pt)` |", "clip (min 0, max 90)", "| 1 | yes |",
                     "## Training data\n\nMade up.", "| AUC | 0.5 |", "trained in | PyTorch"):  # fmt: skip
            assert text in card


class TestCommands:
    def test_inspect(self, linear: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["bundle", "inspect", str(linear)]) == 0
        shown = capsys.readouterr().out
        for text in (
            "linear (PyTorch",
            "mass",
            "float64",
            "log(pt)",
            "input jet",
            "float32 [N, 2]",
            "yes",
            "model.onnx",
        ):
            assert text in shown
        assert cli.main(["bundle", "inspect", str(linear), "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert facts["labels"] == ["no", "yes"]
        assert facts["features"]["inputs"][0]["name"] == "jet"
        assert cli.main(["bundle", "inspect", str(linear), "--card"]) == 0
        assert capsys.readouterr().out.startswith("# linear\n")

    def test_verify(self, linear: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["bundle", "verify", str(linear)]) == 0
        assert "gives the answers of the golden sample" in capsys.readouterr().out
        linear.write_bytes(linear.read_bytes()[:3000])
        assert cli.main(["bundle", "verify", str(linear)]) == 1
        assert "FormatError" in capsys.readouterr().err
