"""Feature specifications in short: columns and formulas, with the options that `Dataset.loader` takes for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

from . import _core
from .features import FeatureGroup, FeatureSpec, Variable

if TYPE_CHECKING:
    from .features import Variables

# Of what a FeatureSpec says: target, weights, pad, packed, pad_value, channels, dtype.
SHORT_DEFAULTS = (None, None, None, False, 0.0, "first", "float32")


def short_spec(
    core: _core.Dataset,
    features: Variables | Mapping[str, Variables],
    target: Variables | None,
    weights: str | Variable | None,
    pad: int | Mapping[str, int] | None,
    packed: bool | str | Collection[str],
    pad_value: float,
    channels: Literal["first", "last"],
    dtype: str | Mapping[str, str],
) -> FeatureSpec:
    inputs = _feature_groups(features, pad, packed, pad_value, channels, dtype)
    labels = []
    if target is not None:
        labels = [_target_group(core, target, dtype if isinstance(dtype, str) else "float32")]
    weight_groups = [] if weights is None else [FeatureGroup("weights", weights, squeeze=True)]
    return FeatureSpec(inputs, labels, weight_groups)


def _target_group(core: _core.Dataset, target: Variables, dtype: str) -> FeatureGroup:
    variables = [target] if isinstance(target, (str, Variable)) else list(target)
    plain = [v if isinstance(v, Variable) else Variable(v) for v in variables]
    types = [core.expression_type(variable.expression) for variable in plain if not variable.transforms]
    whole = len(types) == len(plain) and all(
        type_.split("[")[0].lstrip("u").startswith(("int", "bool")) for type_ in types
    )
    return FeatureGroup("target", plain, dtype="int64" if whole else dtype, squeeze=isinstance(target, (str, Variable)))


def _feature_groups(
    features: Variables | Mapping[str, Variables],
    pad: int | Mapping[str, int] | None,
    packed: bool | str | Collection[str],
    pad_value: float,
    channels: Literal["first", "last"],
    dtype: str | Mapping[str, str],
) -> list[FeatureGroup]:
    named = features if isinstance(features, Mapping) else {"features": features}
    if isinstance(packed, bool):
        packed = list(named) if packed else []
    packed_names = {packed} if isinstance(packed, str) else set(packed)
    for option, value in (("pad", pad), ("dtype", dtype), ("packed", dict.fromkeys(packed_names))):
        unknown = set(value) - set(named) if isinstance(value, Mapping) else set()
        if unknown:
            raise _core.ConfigError(f"{option} names no feature group: {', '.join(sorted(unknown))}")
    # What is said of padding is for the other groups, where there are others.
    padding: dict[str, Any] = {"pad_value": pad_value, "channels": channels}
    of_packed = padding if packed_names.issuperset(named) else {}
    groups = []
    for name, variables in named.items():
        length = pad.get(name) if isinstance(pad, Mapping) else pad
        if length is not None and not isinstance(length, int):
            raise _core.ConfigError(f"pad is {length!r} for group '{name}', must be a number")
        if length is not None and length < 1:
            raise _core.ConfigError(f"pad is {length} for group '{name}', must be at least 1")
        groups.append(
            FeatureGroup(
                name,
                variables,
                pad=length or 0,
                packed=name in packed_names,
                dtype=dtype.get(name, "float32") if isinstance(dtype, Mapping) else dtype,
                **(of_packed if name in packed_names else padding),
            )
        )
    return groups
