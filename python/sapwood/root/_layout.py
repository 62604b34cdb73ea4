"""Which columns go where in a batch, as ROOT's loaders lay them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..dataset import Dataset
from ..features import FeatureGroup, FeatureSpec, Variable
from ._errors import OptionError


@dataclass(frozen=True)
class Layout:
    """The columns of ``x``, ``y`` and ``w``. A list column ``v`` of k items stands as ``v_0``, ..., ``v_{k-1}``."""

    #: All, in order: those that were asked for, then targets and weights that were not among them.
    columns: list[str]
    train: list[str]
    target: list[str]
    weights: str
    features: FeatureSpec
    #: By column of the data what stands for it among `columns`: itself, or its items.
    items: dict[str, list[str]]


def plan_layout(
    dataset: Dataset,
    columns: Sequence[str],
    max_vec_sizes: Mapping[str, int] | int,
    padding: float,
    target: Sequence[str],
    weights: str,
) -> Layout:
    """Raises OptionError, and SchemaError: no such column."""
    if weights and not target:
        raise OptionError(f"weights is '{weights}', but weights can only be used with a target")
    others = [*target, weights] if weights else list(target)
    items = {column: _items(dataset, column, max_vec_sizes, padding) for column in columns}
    named = {variable.name: variable for of in items.values() for variable in of}
    for name in others:
        if name not in named:
            items[name] = _items(dataset, name, max_vec_sizes, padding)
            if items[name][0].name != name:
                raise OptionError(f"'{name}' is a list: targets and weights are its items, such as '{name}_0'")
            named[name] = items[name][0]
    inputs: list[Variable] = []
    for column, of in items.items():
        left = [item for item in of if item.name not in others]
        whole = left == of and of[0].name != column  # a list, which is faster at once than item by item
        inputs += [Variable(column, slots=len(of))] if whole else left
    if not inputs:
        raise OptionError("no columns are left for the features: all are targets or weights")
    groups = [FeatureGroup("x", inputs, pad_value=padding, mask="none")]
    labels = [FeatureGroup("y", [named[name] for name in target])] if target else []
    of_weights = [FeatureGroup("w", named[weights])] if weights else []
    return Layout(
        columns=list(named),
        train=[name for name in named if name not in others],
        target=list(target),
        weights=weights,
        features=FeatureSpec(groups, labels, of_weights),
        items={column: [item.name for item in of] for column, of in items.items()},
    )


def _items(dataset: Dataset, column: str, max_vec_sizes: Mapping[str, int] | int, padding: float) -> list[Variable]:
    """Of a list its first items, else the column."""
    type_ = dataset._core.expression_type(column)
    if not type_.startswith("list<") and "[" not in type_:
        return [Variable(column)]
    length = max_vec_sizes if isinstance(max_vec_sizes, int) else max_vec_sizes.get(column)
    if length is None:
        raise OptionError(f"'{column}' is {type_}: say in max_vec_sizes how many of its items to take")
    if length < 1:
        raise OptionError(f"max_vec_sizes of '{column}' is {length}, must be at least 1")
    return [Variable(f"`{column}`[{i}, {padding!r}]", f"{column}_{i}") for i in range(length)]
