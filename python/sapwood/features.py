"""Feature specifications: what goes into a batch, the same in training and in serving."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import _core, _html, _tensors, _yaml
from ._arrays import to_column

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np

    from .dataset import Dataset

    Transform: TypeAlias = str | Mapping[str, Any]
    Variables: TypeAlias = "str | Variable | Sequence[str | Variable]"
    Groups: TypeAlias = "Mapping[str, Variables] | Sequence[FeatureGroup]"

_ROLES = ("inputs", "labels", "weights", "observers")


@dataclass(init=False)
class Variable:
    """A column or a formula, and what is done with its values before they become tensor elements.

    expression
        A column, or a formula over columns such as ``"log(part_energy)"``.
    name
        Of the channel; the expression when not given.
    transforms
        Steps, each computed in float64: ``"log"``; ``{"affine": {"subtract": a, "multiply": b}}`` for (x - a) * b;
        ``{"clip": {"min": a, "max": b}}``, either of which may be left out; ``{"replace_nan": a}``; ``"standard"`` for
        (x - mean) / standard deviation and ``"min_max"`` for (x - min) / (max - min), learnt by `Dataset.fit`, or with
        their numbers: ``{"standard": {"mean": a, "standard_deviation": b}}``, ``{"min_max": {"min": a, "max": b}}``.
    slots
        Of a flat group: a list in each entry as so many channels ``name_0``, ``name_1``, ..., cut or filled up with the
        group's `pad_value`; ``"fit"``: the largest multiplicity, learnt by `Dataset.fit`.
    """

    expression: str
    name: str
    transforms: list[Transform]
    slots: int | Literal["fit"]

    def __init__(
        self,
        expression: str,
        name: str | None = None,
        transforms: Transform | Sequence[Transform] = (),
        slots: int | Literal["fit"] = 0,
    ) -> None:
        self.expression = expression
        self.name = expression if name is None else name
        self.transforms = [transforms] if isinstance(transforms, (str, Mapping)) else list(transforms)
        self.slots = slots

    def _to_dict(self) -> Any:
        if self.name == self.expression and not self.transforms and not self.slots:
            return self.expression
        slots = {"slots": self.slots} if self.slots else {}
        return {"name": self.name, "expression": self.expression, "transforms": self.transforms, **slots}


@dataclass(init=False)
class FeatureGroup:
    """Variables that become one tensor of a batch, or two: padded groups, and flat ones with slots, have a mask.

    The mask's tensor is ``"<name>_mask"``; of a flat group it is ``[N, C]``, bool. A packed group becomes three: see
    `packed`.

    variables
        Columns, formulas or `Variable`.
    pad
        0: flat, ``[N, C]``, from numbers and fixed arrays. Else jagged variables of equal multiplicity, padded and cut
        to this length: ``[N, C, P]``. ``"fit"``: the largest multiplicity in the data, learnt by `Dataset.fit`. Packed
        groups are cut to it; 0: not at all.
    packed
        Jagged variables without padding: ``[T, C]``, the values of all rows of the batch, row after row, with
        ``"<name>_cu_seqlens"``, int32 ``[N + 1]``, where each row's values begin and the last one's end, and
        ``"<name>_max_seqlen"``, an int32 ``[]``, the largest multiplicity in the batch: what variable-length attention
        takes. `channels`, `pad_value` and `mask` are not for these.
    channels
        ``"last"``: a padded group is ``[N, P, C]`` and its mask ``[N, P]`` instead of ``[N, 1, P]``.
    dtype
        ``"float32"``, ``"float64"``, ``"float16"``, ``"bfloat16"``, ``"int32"``, ``"int64"`` or ``"bool"``.
    pad_value
        What padded slots hold, whatever the transforms.
    squeeze
        A flat group of one channel is ``[N]`` instead of ``[N, 1]``.
    mask
        ``"values"``: true at values; ``"padding"``: true at padding; ``"none"``: there is no mask.
    """

    name: str
    variables: list[Variable]
    pad: int | Literal["fit"]
    packed: bool
    channels: Literal["first", "last"]
    dtype: str
    pad_value: float
    squeeze: bool
    mask: Literal["values", "padding", "none"]

    def __init__(
        self,
        name: str,
        variables: Variables,
        pad: int | Literal["fit"] = 0,
        channels: Literal["first", "last"] = "first",
        dtype: str = "float32",
        pad_value: float = 0.0,
        squeeze: bool = False,
        mask: Literal["values", "padding", "none"] = "values",
        packed: bool = False,
    ) -> None:
        if channels not in ("first", "last"):
            raise _core.ConfigError(f"channels is '{channels}', must be 'first' or 'last'")
        if packed and (channels != "first" or pad_value != 0 or mask == "padding"):
            raise _core.ConfigError(
                f"the packed group '{name}' is [T, C] and has no padding: leave channels, pad_value and mask out"
            )
        listed = [variables] if isinstance(variables, (str, Variable)) else variables
        self.name = name
        self.variables = [v if isinstance(v, Variable) else Variable(v) for v in listed]
        self.pad = pad
        self.packed = packed
        self.channels = channels
        self.dtype = dtype
        self.pad_value = pad_value
        self.squeeze = squeeze
        self.mask = mask

    def _to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "variables": [variable._to_dict() for variable in self.variables],
            "pad": self.pad,
            "layout": "packed" if self.packed else f"channels_{self.channels}",
            "mask": self.mask,
            "pad_value": _pad_value(self.pad_value),
            "dtype": self.dtype,
            "squeeze": self.squeeze,
        }

    @staticmethod
    def _from_dict(group: Mapping[str, Any]) -> FeatureGroup:
        return FeatureGroup(
            group["name"],
            [Variable(**v) if isinstance(v, Mapping) else Variable(v) for v in group["variables"]],
            pad=group.get("pad", 0),
            channels="last" if group.get("layout") == "channels_last" else "first",
            dtype=group["dtype"],
            pad_value=float(group.get("pad_value", 0.0)),
            squeeze=group.get("squeeze", False),
            mask=group.get("mask", "values"),
            packed=group.get("layout") == "packed",
        )


class FeatureSpec:
    """What goes into a batch: groups of variables by role, each group a tensor. Immutable.

    inputs, labels, weights, observers
        Lists of `FeatureGroup`, or mappings of tensor name to variables for flat float32 groups. In mappings a label,
        weight or observer that is not in a list is squeezed: ``labels={"target": "is_top"}`` is ``[N]``. A model is
        served with its inputs alone. Tensors come in this order.
    definitions
        Columns that the data has not, by name: their formulas, which may use one another. `Dataset.fit` and
        `Loader.features` add those of the data set.

    Raises ConfigError, which names the place, such as ``inputs[0].variables[2]``.
    """

    def __init__(
        self,
        inputs: Groups = (),
        labels: Groups = (),
        weights: Groups = (),
        observers: Groups = (),
        *,
        definitions: Mapping[str, str] | None = None,
    ) -> None:
        lists = {
            "inputs": _group_list(inputs, squeeze=False),
            "labels": _group_list(labels, squeeze=True),
            "weights": _group_list(weights, squeeze=True),
            "observers": _group_list(observers, squeeze=True),
        }
        content: dict[str, Any] = {role: [group._to_dict() for group in listed] for role, listed in lists.items()}
        if definitions:
            content["definitions"] = [{"name": name, "formula": formula} for name, formula in definitions.items()]
        self._core = _parsed({"format": "sapwood-features", "version": 2 if definitions else 1, **content})

    @classmethod
    def _of(cls, core: _core.FeatureSpec) -> FeatureSpec:
        spec = cls.__new__(cls)
        spec._core = core
        return spec

    @classmethod
    def from_json(cls, text: str) -> FeatureSpec:
        """The specification that `to_json` wrote."""
        return cls._of(_core.FeatureSpec.from_json(text))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> FeatureSpec:
        """The same from what JSON or YAML was read to."""
        return cls._of(_parsed(content))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FeatureSpec:
        """Reads a ``.json``, ``.yaml`` or ``.yml`` file. Raises IoError, ConfigError."""
        yaml = _is_yaml(path)
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a path with a zero byte
            raise _core.IoError(f"can't read features from {os.fspath(path)}: {error}") from None
        try:
            return cls.from_dict(_yaml.read(text)) if yaml else cls.from_json(text)
        except _core.ConfigError as error:
            raise _core.ConfigError(f"{os.fspath(path)}: {error}") from None

    def to_json(self) -> str:
        """JSON (docs/formats/feature-spec.md); numbers keep all their bits. Raises ConfigError where formulas call
        functions of a data set's own (`Dataset.with_function`).
        """
        _core.check_portable(self._core)
        return self._core.to_json()

    def to_dict(self) -> dict[str, Any]:
        """What the JSON holds. Raises as `to_json`."""
        _core.check_portable(self._core)
        return self._content()

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._core.to_json())
        return content

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a ``.json``, ``.yaml`` or ``.yml`` file. Raises IoError, and as `to_json`."""
        text = _yaml.write(self.to_dict()) if _is_yaml(path) else self.to_json() + "\n"
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise _core.IoError(f"can't write features to {os.fspath(path)}: {error}") from None

    @property
    def is_fitted(self) -> bool:
        """Whether nothing is left to be learnt from data (`Dataset.fit`)."""
        return self._core.is_fitted

    @property
    def inputs(self) -> list[FeatureGroup]:
        """Groups that a model takes."""
        return self._groups("inputs")

    @property
    def labels(self) -> list[FeatureGroup]:
        """Groups that a model is to tell."""
        return self._groups("labels")

    @property
    def weights(self) -> list[FeatureGroup]:
        """Groups that weigh rows."""
        return self._groups("weights")

    @property
    def observers(self) -> list[FeatureGroup]:
        """Groups that come along."""
        return self._groups("observers")

    @property
    def definitions(self) -> dict[str, str]:
        """Columns that the data has not, and their formulas."""
        return {entry["name"]: entry["formula"] for entry in self._content().get("definitions", [])}

    def columns(self, dataset: Dataset) -> list[str]:
        """The columns that are read of a data set, each once."""
        return dataset._core.columns_read(self._core)

    def _groups(self, role: str) -> list[FeatureGroup]:
        return [FeatureGroup._from_dict(group) for group in self._content().get(role, [])]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeatureSpec) and self._core.to_json() == other._core.to_json()

    def __hash__(self) -> int:
        return hash(self._core.to_json())

    def __reduce__(self) -> tuple[Any, ...]:
        return FeatureSpec.from_json, (self._core.to_json(),)

    def __repr__(self) -> str:
        parts = []
        for role in _ROLES:
            groups = self._groups(role)
            if groups:
                parts.append(f"{role} " + ", ".join(f"{group.name} {_shape(group)}" for group in groups))
        return f"<FeatureSpec: {'; '.join(parts) or 'empty'}{'' if self.is_fitted else '; to be fitted'}>"

    def _repr_html_(self) -> str:
        rows = []
        for role in _ROLES:
            for group in self._groups(role):
                first = (role, group.name, f"{_shape(group)} {group.dtype}")
                for variable in group.variables:
                    steps = ", ".join(_step_text(step) for step in variable.transforms)
                    formula = "" if variable.expression == variable.name else variable.expression
                    rows.append((*first, variable.name, formula, steps))
                    first = ("", "", "")
        title = "Features" if self.is_fitted else "Features, to be fitted"
        return _html.table(title, ("role", "tensor", "shape", "variable", "formula", "transforms"), rows)


def make_tensors(spec: FeatureSpec, columns: Mapping[str, Any]) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
    """The tensors of events in memory, bit for bit what a loader makes of the same events in a file.

    columns
        Arrays by column name, of equal length: pyarrow or Awkward arrays, anything with ``__arrow_c_array__``, NumPy
        arrays or lists. Those that are not read are ignored.

    Raises SchemaError (no such column, wrong type, differing lengths), UnsupportedError, ConfigError (not fitted;
    bfloat16 without the package ``ml_dtypes``).
    """
    adapters = {
        group.name: _tensors.to_numpy(group.dtype)
        for role in _ROLES
        for group in spec._groups(role)
        if group.dtype == "bfloat16"
    }
    converted: dict[str, _core.Column] = {}
    failed: list[_core.Error] = []
    for name, array in columns.items():
        try:
            converted[name] = to_column(array, name)
        except (_core.SchemaError, _core.UnsupportedError) as error:  # matters only where the column is read
            failed.append(error)
    try:
        tensors = _core.make_tensors(spec._core, converted)
    except _core.SchemaError:
        if failed:
            raise failed[0] from None
        raise
    return {name: adapters[name](tensor) if name in adapters else tensor for name, tensor in tensors.items()}


def _group_list(groups: Groups, squeeze: bool) -> list[FeatureGroup]:
    if not isinstance(groups, Mapping):
        return list(groups)
    return [
        FeatureGroup(name, variables, squeeze=squeeze and isinstance(variables, (str, Variable)))
        for name, variables in groups.items()
    ]


def _parsed(content: Mapping[str, Any]) -> _core.FeatureSpec:
    try:
        return _core.FeatureSpec.from_json(json.dumps(content, allow_nan=False, default=_plain_number))
    except (ValueError, TypeError, RecursionError) as error:
        raise _core.ConfigError(f"features are made of names, lists and finite numbers: {error}") from None


def _pad_value(value: Any) -> Any:
    """As the specification's text has it."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return value  # which is refused with its place
    return number if math.isfinite(number) else str(number)


def _plain_number(value: Any) -> Any:
    """NumPy's numbers, as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{value!r} is none of these")


def _is_yaml(path: str | os.PathLike[str]) -> bool:
    suffix = Path(path).suffix.lower()
    if suffix not in (".json", ".yaml", ".yml"):
        raise _core.ConfigError(f"{os.fspath(path)}: features are kept in .json, .yaml or .yml files")
    return suffix != ".json"


def _shape(group: FeatureGroup) -> str:
    counts = [variable.slots or 1 for variable in group.variables]
    channels = "fit" if "fit" in counts else sum(int(count) for count in counts)
    if group.packed:
        return f"[T, {channels}]"
    if group.pad == 0:
        return "[N]" if group.squeeze and channels == 1 else f"[N, {channels}]"
    return f"[N, {group.pad}, {channels}]" if group.channels == "last" else f"[N, {channels}, {group.pad}]"


def _step_text(step: Transform) -> str:
    if isinstance(step, str):
        return step
    ((name, options),) = step.items()
    if not isinstance(options, Mapping):
        return f"{name} {options:g}"
    return f"{name} (" + ", ".join(f"{key} {value:g}" for key, value in options.items()) + ")"
