"""Feature specifications as JSON and YAML: what is written comes back, and what is wrong is told."""

from pathlib import Path

import numpy as np
import pytest

import sapwood as sw


def test_numbers_keep_all_their_bits() -> None:
    numbers = {"mean": 0.1 + 0.2, "standard_deviation": 5e-324}
    steps = [{"standard": numbers}, {"min_max": {"min": -1.7976931348623157e308, "max": np.float32(0.1)}}]
    spec = sw.FeatureSpec({"f": sw.Variable("x", transforms=steps)})
    (variable,) = spec.inputs[0].variables
    assert variable.transforms[0]["standard"] == numbers
    assert variable.transforms[1]["min_max"]["max"] == float(np.float32(0.1))


def test_yaml_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / "features.yaml"
    path.write_text("""
format: sapwood-features
version: 1
inputs:
  - name: part
    pad: 64
    layout: channels_last
    variables:
      - part_px
      - {expression: log(part_energy), name: log_e, transforms: [standard, {clip: {min: -5, max: 1e-3}}]}
labels:
  - {name: target, variables: [sample_label], dtype: int64, squeeze: true}
""")
    spec = sw.FeatureSpec.load(path)
    clip = {"clip": {"min": -5, "max": 1e-3}}
    variables = ["part_px", sw.Variable("log(part_energy)", "log_e", ["standard", clip])]
    assert spec == sw.FeatureSpec(
        [sw.FeatureGroup("part", variables, pad=64, channels="last")],
        [sw.FeatureGroup("target", "sample_label", dtype="int64", squeeze=True)],
    )


def test_yaml_is_as_strict_as_json(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    for text, words in (
        ("inputs: [{name: a, variables: [x], pad: 3, pad: 5}]", "'pad' is there twice"),
        ("inputs: []\ninputs: []", "'inputs' is there twice"),
        ("name: !!int abc", "not YAML"),
        ("[" * 5000, "not YAML"),
    ):
        path.write_text(f"format: sapwood-features\nversion: 1\n{text}")
        with pytest.raises(sw.ConfigError, match=words) as error:
            sw.FeatureSpec.load(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


def test_names_that_look_like_numbers_are_kept_in_yaml(tmp_path: Path) -> None:
    variables = [sw.Variable("x", name) for name in ("1e3", "2E5", "-1e-3", "1e+5", ".5e3", "12", "true", "~")]
    spec = sw.FeatureSpec([sw.FeatureGroup("1e4", variables)])
    spec.save(tmp_path / "spec.yaml")
    assert sw.FeatureSpec.load(tmp_path / "spec.yaml") == spec
