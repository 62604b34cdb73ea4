"""What ROOT's loaders are given, as one data set."""

from __future__ import annotations

from typing import Any

from ..dataset import Dataset, open
from ._errors import OptionError


def open_source(frames: Any, *, apart: bool = False) -> Dataset:
    """A data set, an RDataFrame, or a list of either, as one data set.

    apart
        Each of the list becomes a sample of its own, ``"0"``, ``"1"``, and so on; data sets that differ in filters or
        definitions do in any case.
    """
    if isinstance(frames, Dataset):
        return frames
    if not isinstance(frames, (list, tuple)):
        return open(frames)
    if not frames:
        raise OptionError("the list of data sets or data frames is empty")
    if all(isinstance(frame, Dataset) for frame in frames):
        return _joined(list(frames), apart)
    return open({str(i): frame for i, frame in enumerate(frames)} if apart else list(frames))


def _joined(datasets: list[Dataset], apart: bool) -> Dataset:
    first, *others = datasets
    if any(dataset.friends for dataset in datasets):
        raise OptionError("data sets with friends can't be put together: concat first, then take `friend` of the whole")
    steps = [(_definitions(dataset), _conditions(dataset)) for dataset in datasets]
    if not apart and all(step == steps[0] for step in steps):
        return first.concat(*others)
    if any(dataset.labels for dataset in datasets):
        raise OptionError("data sets in a list that differ, or are sampled, must have no labels of their own")
    whole = open({str(i): [file.path for file in dataset.files] for i, dataset in enumerate(datasets)}, first.tree)
    whole = whole.limit([file.num_entries for dataset in datasets for file in dataset.files])
    for name in dict.fromkeys(name for dataset in datasets for name in _definitions(dataset)):
        whole = whole.define(name, _of_each([_definitions(dataset).get(name, f"`{name}`") for dataset in datasets]))
    if any(dataset.filters for dataset in datasets):
        whole = whole.filter(_of_each([_conditions(dataset) for dataset in datasets]))
    return whole


def _definitions(dataset: Dataset) -> dict[str, str]:
    return {column.name: column.definition for column in dataset.schema if column.definition}


def _conditions(dataset: Dataset) -> str:
    return " && ".join(f"({filter_.condition})" for filter_ in dataset.filters) or "true"


def _of_each(formulas: list[str]) -> str:
    """The formula of the sample that an entry is of."""
    *others, last = formulas
    if all(formula == last for formula in others):
        return last
    return "".join(f"sample_label == {i} ? ({formula}) : " for i, formula in enumerate(others)) + f"({last})"
