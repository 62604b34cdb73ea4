"""Over- and undersampling by `CreateNumPyGenerators` and its like, of files; test_root_sampling.py has RDataFrames too.

ROOT's public tests (bindings/pyroot/pythonizations/test/rbatchgenerator_completeness.py) in the classes
RBatchGeneratorRandomUndersampling and RBatchGeneratorRandomOversampling, and ours:

01 each_element_is_generated_unshuffled              test_rows_in_order
01 each_element_is_generated_unshuffled_replacement  test_replacement
02 each_element_is_generated_shuffled                test_both_classes
04 dropping_remainder                                test_remainder
05 more_than_one_file                                test_more_than_one_file
06 multiple_target_columns                           test_targets_and_weights
07 multiple_input_columns                            test_several_features
08 filtered                                          test_filtered
10 two_epochs_shuffled                               test_epochs
11 number_of_..._batches_remainder                   test_number_of_batches
12 PyTorch                                           test_torch
13 TensorFlow                                        test_torch: ROOT's calls CreatePyTorchGenerators
14 big_data_replacement_false, _true                 test_many_rows
15 two_runs_set_seed                                 test_epochs
16 vector_padding                                    test_lists

What differs, as for RDataLoader (test_root_sampling.py): copies come beside the row that they are of, where ROOT's come
after the last row.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import Source
from root_rows import alternate, ids, lists, of_classes, weighted_ids, whole

from sapwood.root import CreateNumPyGenerators, CreatePyTorchGenerators

pytestmark = pytest.mark.parametrize("source", ["files"], indirect=True)
both = pytest.mark.parametrize("kind", ["undersampling", "oversampling"])

# Of the two parts: with a ratio of 0.5, and two rows in a batch.
SIZES = ((6, 3), (4, 2))
ROWS = {
    "undersampling": ([0, 2, 4, 6, 8, 10, 1, 3, 5], [24, 26, 28, 30, 7, 9]),
    "oversampling": ([1, 1, 3, 0, 2, 4, 6, 8, 10], [5, 5, 12, 14, 16, 18]),
}


def classes(source: Source, kind: str) -> list[Any]:
    """Many even numbers and few odd ones."""
    many, few = (40, 11) if kind == "undersampling" else (20, 7)
    return [source(alternate(0, many)), source(alternate(1, few))]


def generators(frames: list[Any], kind: str, create: Callable[..., Any] = CreateNumPyGenerators, **options: Any) -> Any:
    wanted = {"columns": ["b1", "b2"], "target": "b2", "validation_split": 0.4, "sampling_ratio": 0.5}
    ordered = {"batch_size": 2, "shuffle": False, "drop_remainder": False}
    return create(frames, load_eager=True, sampling_type=kind, **{**wanted, **ordered, **options})


@both
@pytest.mark.parametrize("turned", [False, True])
def test_rows_in_order(source: Source, kind: str, turned: bool) -> None:
    frames = classes(source, kind)
    train, val = generators(frames[::-1] if turned else frames, kind)
    assert (ids(train), ids(val)) == ROWS[kind]


def test_replacement(source: Source) -> None:
    frames = classes(source, "undersampling")
    parts = generators(frames, "undersampling", sampling_ratio=0.2, replacement=True)
    for part, sizes in zip(parts, [(15, 3), (10, 2)], strict=True):
        rows = ids(part)
        assert of_classes(rows) == sizes
        assert set(Counter(rows).values()) == {1, 2}


@both
@pytest.mark.parametrize("shuffle", [False, True])
def test_both_classes(source: Source, kind: str, shuffle: bool) -> None:
    for part, sizes in zip(generators(classes(source, kind), kind, shuffle=shuffle), SIZES, strict=True):
        rows = ids(part)
        if kind == "undersampling":
            assert len(set(rows)) == len(rows)
        assert of_classes(rows) == sizes


@both
@pytest.mark.parametrize("drop_remainder", [False, True])
def test_remainder(source: Source, kind: str, drop_remainder: bool) -> None:
    train, val = generators(classes(source, kind), kind, drop_remainder=drop_remainder)
    assert [x.shape for x, _ in train] == [(2, 1)] * 4 + [(1, 1)] * (not drop_remainder)
    assert [x.shape for x, _ in val] == [(2, 1)] * 3


def test_more_than_one_file(source: Source) -> None:
    many, few = source(alternate(0, 40), alternate(40, 50)), source(alternate(1, 11))
    train, val = generators([many, few], "undersampling")
    assert (ids(train), ids(val)) == ([0, 2, 4, 6, 8, 10, 1, 3, 5], [30, 32, 34, 36, 7, 9])
    many, few = source(alternate(0, 20)), source(alternate(1, 7), alternate(7, 9))
    train, val = generators([many, few], "oversampling")
    assert (ids(train), ids(val)) == ([1, 3, 5, 0, 2, 4, 6, 8, 10], [7, 7, 12, 14, 16, 18])


@both
def test_targets_and_weights(source: Source, kind: str) -> None:
    train, val = generators(classes(source, kind), kind, columns=[], target=["b2", "b4"], weights="b3")
    assert (weighted_ids(train), weighted_ids(val)) == ROWS[kind]


@both
def test_several_features(source: Source, kind: str) -> None:
    for part, rows in zip(generators(classes(source, kind), kind, columns=["b1", "b2", "b3"]), ROWS[kind], strict=True):
        x, y = whole(part)
        assert np.array_equal(x, np.outer(rows, [1, 10]))
        assert np.array_equal(y[:, 0], np.square(rows))


def test_filtered(source: Source) -> None:
    frames = [source(alternate(0, 40), filter="b1 % 8 != 0"), source(alternate(1, 11))]
    train, val = generators(frames, "undersampling")
    assert (ids(train), ids(val)) == ([2, 4, 6, 10, 12, 14, 1, 3, 5], [26, 28, 30, 34, 7, 9])
    frames = [source(alternate(0, 20)), source(alternate(1, 31), filter="b1 < 7")]
    train, val = generators(frames, "oversampling")
    assert (ids(train), ids(val)) == ROWS["oversampling"]


@both
def test_epochs(source: Source, kind: str) -> None:
    """Not shuffled, all epochs and all runs are alike."""
    frames = classes(source, kind)
    for _ in range(2):
        train, val = generators(frames, kind)
        assert [(ids(train), ids(val)) for _ in range(2)] == [ROWS[kind]] * 2


@both
def test_number_of_batches(source: Source, kind: str) -> None:
    train, val = generators(classes(source, kind), kind)
    assert (train.number_of_batches, val.number_of_batches) == (len(list(train)), len(list(val))) == (5, 3)
    assert (train.last_batch_no_of_rows, val.last_batch_no_of_rows) == (1, 0)


@both
def test_torch(source: Source, kind: str) -> None:
    options = {"columns": [], "target": ["b2", "b4"], "weights": "b3"}
    train, val = generators(classes(source, kind), kind, CreatePyTorchGenerators, **options)
    assert (weighted_ids(train), weighted_ids(val)) == ROWS[kind]


@pytest.mark.parametrize(
    ("kind", "ratio", "replacement"),
    [
        ("undersampling", 0.83, False),
        ("undersampling", 1.6, False),
        ("undersampling", 0.21, True),
        ("oversampling", 1.37, False),
        ("oversampling", 0.55, False),
    ],
)
def test_many_rows(source: Source, kind: str, ratio: float, replacement: bool) -> None:
    frames = [source(alternate(0, 40_000)), source(alternate(1, 18_001))]
    options = {"sampling_ratio": ratio, "replacement": replacement, "validation_split": 0.3, "batch_size": 257}
    for part in generators(frames, kind, **options):
        rows = ids(part)
        even, odd = of_classes(rows)
        assert round(odd / even, 2) == ratio
        assert (max(Counter(rows).values()) > 1) == (replacement or kind == "oversampling")
        assert len(list(part)) == part.number_of_batches
        assert len(rows) % 257 == part.last_batch_no_of_rows


@both
def test_lists(source: Source, kind: str) -> None:
    many, few = (20, 25) if kind == "undersampling" else (10, 13)
    frames = [source(lists(0, many), format="RNTuple"), source(lists(many, few), format="RNTuple")]
    parts = generators(frames, kind, columns=[], target="b1", max_vec_sizes={"v1": 3, "v2": 2})
    for part, sizes in zip(parts, SIZES, strict=True):
        x, y = whole(part)
        assert np.array_equal(x, y * [1, 10, 0, 100, 1000])
        assert ((y < many).sum(), (y >= many).sum()) == sizes
