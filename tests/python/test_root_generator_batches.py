"""The batches of `CreateNumPyGenerators` and its like, of files, and of RDataFrames where ROOT is installed.

ROOT's public tests (bindings/pyroot/pythonizations/test/rbatchgenerator_completeness.py) in the classes
RBatchGeneratorMultipleFiles (the way "chunks" here), RBatchGeneratorEagerLoading ("eager") and
RBatchGeneratorEagerLoadingMultipleDataframes ("frames"), and the tests here that hold us to the same; those of its
classes for sampling are in test_root_generator_sampling.py:

01 each_element_is_generated_unshuffled    test_rows_in_order
02 each_element_is_generated_shuffled      test_rows_shuffled
03 chunk_input_smaller_than_batch_size     test_small_chunks
04 dropping_remainder                      test_remainder_is_dropped
05 more_than_one_file                      test_more_than_one_file
06 multiple_target_columns                 test_targets_and_weights
07 multiple_input_columns                  test_several_features
08 filtered                                test_filtered
09 filtered_last_chunk                     test_filtered_to_the_end
10 two_epochs_shuffled                     test_epochs
11 number_of_..._batches_remainder         test_number_of_batches
12 PyTorch                                 test_torch
13 TensorFlow                              test_tensorflow
14 big_data                                test_many_rows
15 two_runs_set_seed                       test_seed
16 vector_padding                          test_lists

What differs: TensorFlow's last batch is not filled up with zeros, and unshuffled rows come in the order of the files
whatever the chunks, where ROOT's come chunk by chunk (before 6.36 split chunk by chunk, too).
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Columns, Source
from root_rows import ids, lists, numbers, rows_of, weighted_ids, whole

from sapwood.root import CreateNumPyGenerators, CreatePyTorchGenerators, CreateTFDatasets

WAYS: dict[str, dict[str, Any]] = {
    "chunks": {"chunk_size": 5, "block_size": 2},
    "eager": {"load_eager": True},
    "frames": {"load_eager": True},
}

ways = pytest.mark.parametrize("way", WAYS)


def ten_rows(source: Source, way: str, columns: Callable[[int, int], Columns] = numbers, **options: Any) -> Any:
    """From 0 on, in one data frame or in two."""
    if way == "frames":
        return [source(columns(0, 5), **options), source(columns(5, 10), **options)]
    return source(columns(0, 10), **options)


def generators(data: Any, way: str, create: Callable[..., Any] = CreateNumPyGenerators, **options: Any) -> Any:
    wanted = {"columns": ["b1", "b2"], "target": "b2", "validation_split": 0.4}
    return create(
        data, **{"batch_size": 3, "shuffle": False, "drop_remainder": False, **wanted, **WAYS[way], **options}
    )


def in_order(way: str) -> tuple[list[int], list[int]]:
    """The rows of the two parts: data frames are split one by one."""
    return ([0, 1, 2, 5, 6, 7], [3, 4, 8, 9]) if way == "frames" else ([*range(6)], [*range(6, 10)])


@ways
def test_rows_in_order(source: Source, way: str) -> None:
    data = ten_rows(source, way)
    before = rows_of(data)
    train, val = generators(data, way)
    first = next(val)  # before any of the training
    in_train, in_val = ids(train), ids([first, next(val)])
    assert (in_train, in_val) == in_order(way)
    with pytest.raises(StopIteration):
        next(val)
    assert rows_of(data) == before


@ways
def test_rows_shuffled(source: Source, way: str) -> None:
    train, val = generators(ten_rows(source, way), way, shuffle=True)
    for _ in range(3):
        in_train, in_val = ids(train), ids(val)
        assert (len(in_train), len(in_val)) == (6, 4)
        assert sorted(in_train + in_val) == [*range(10)]


@pytest.mark.parametrize("options", [{"chunk_size": 3}, {"chunk_size": 1}, {"chunk_size": 3, "block_size": 2}])
def test_small_chunks(source: Source, options: dict[str, int]) -> None:
    train, val = generators(source(numbers(0, 10)), "chunks", **options)
    assert ids([next(iter(train))]) == [0, 1, 2]
    assert (ids(train), ids(val)) == ([*range(6)], [*range(6, 10)])


@ways
def test_remainder_is_dropped(source: Source, way: str) -> None:
    parts = generators(ten_rows(source, way), way, drop_remainder=True)
    assert [[(x.shape, y.shape) for x, y in part] for part in parts] == [[((3, 1), (3, 1))] * 2, [((3, 1), (3, 1))]]


@ways
def test_more_than_one_file(source: Source, way: str) -> None:
    if way == "frames":
        data = [source(numbers(0, 5), numbers(5, 10)), source(numbers(10, 15))]
        wanted = [0, 1, 2, 3, 4, 5, 10, 11, 12], [6, 7, 8, 9, 13, 14]
    else:
        data = source(numbers(0, 10), numbers(10, 15))
        wanted = [*range(9)], [*range(9, 15)]
    train, val = generators(data, way)
    assert (ids(train), ids(val)) == wanted


@ways
def test_targets_and_weights(source: Source, way: str) -> None:
    options = {"columns": [], "target": ["b2", "b4"], "weights": "b3"}
    train, val = generators(ten_rows(source, way), way, **options)
    assert (weighted_ids(train), weighted_ids(val)) == in_order(way)


@ways
def test_several_features(source: Source, way: str) -> None:
    for part, rows in zip(
        generators(ten_rows(source, way), way, columns=["b1", "b2", "b3"]), in_order(way), strict=True
    ):
        x, y = whole(part)
        assert np.array_equal(x, np.outer(rows, [1, 10]))
        assert np.array_equal(y[:, 0], np.square(rows))


@ways
def test_filtered(source: Source, way: str) -> None:
    if way == "frames":
        odd = source(numbers(5, 10), filter="b1 % 2 != 0")
        data, wanted = [source(numbers(0, 5), filter="b1 % 2 == 0"), odd], ([0, 2, 5, 7], [4, 9])
    else:
        data, wanted = source(numbers(0, 10), filter="b1 % 2 == 0"), ([0, 2, 4], [6, 8])
    before = rows_of(data)
    train, val = generators(data, way)
    assert (ids(train), ids(val)) == wanted
    assert rows_of(data) == before


@ways
def test_filtered_to_the_end(source: Source, way: str) -> None:
    edges = [0, 10, 20] if way == "frames" else [0, 20]
    data = [source(numbers(*ends), filter="b1 % 2 == 0") for ends in pairwise(edges)]
    batches, validation = generators(data, way, validation_split=0)
    assert validation is None
    assert [len(x) for x, _ in batches] == [3, 3, 3, 1]
    assert ids(batches) == [*range(0, 20, 2)]


@ways
def test_epochs(source: Source, way: str) -> None:
    for part, rows in zip(generators(ten_rows(source, way), way), in_order(way), strict=True):
        assert [ids(part), ids(part)] == [rows, rows]


@ways
def test_number_of_batches(source: Source, way: str) -> None:
    train, val = generators(ten_rows(source, way), way)
    assert (train.number_of_batches, val.number_of_batches) == (len(list(train)), len(list(val))) == (2, 2)
    assert (train.last_batch_no_of_rows, val.last_batch_no_of_rows) == (0, 1)


@ways
def test_torch(source: Source, way: str) -> None:
    options = {"columns": [], "target": ["b2", "b4"], "weights": "b3"}
    for part, rows in zip(
        generators(ten_rows(source, way), way, CreatePyTorchGenerators, **options), in_order(way), strict=True
    ):
        batches = list(part)
        assert {tensor.dtype for batch in batches for tensor in batch} == {torch.float32}
        assert weighted_ids(batches) == rows


@pytest.mark.alone
@pytest.mark.usefixtures("tensorflow")
@ways
def test_tensorflow(source: Source, way: str) -> None:
    options = {"columns": [], "target": ["b2", "b4"], "weights": "b3"}
    for part, rows in zip(
        generators(ten_rows(source, way), way, CreateTFDatasets, **options), in_order(way), strict=True
    ):
        assert weighted_ids([tensor.numpy() for tensor in batch] for batch in part) == rows


@ways
def test_many_rows(source: Source, way: str) -> None:
    count = np.arange(20_011, dtype=np.int32)
    columns = {"b1": count, "b2": count * 2.0, "b3": count + 10192, "b4": -count, "b5": -count - 10192.0}
    data = [source(columns), source(columns)] if way == "frames" else source(columns)
    options = {"columns": [], "target": ["b3", "b5"], "weights": "b2", "validation_split": 0.3, "batch_size": 257}
    rows = []
    for part in generators(data, way, **{"chunk_size": 2000, **options}):
        sizes = [(len(x), len(y), len(w)) for x, y, w in part]
        assert len(sizes) == part.number_of_batches
        assert sizes == [(257,) * 3] * (len(sizes) - 1) + [(part.last_batch_no_of_rows,) * 3]
        x, y, w = whole(part)
        assert np.array_equal(x[:, 1], -x[:, 0])
        assert np.array_equal(y, np.outer(x[:, 0] + 10192, [1, -1]))
        assert np.array_equal(w[:, 0], 2 * x[:, 0])
        rows += x[:, 0].tolist()
    assert sorted(rows) == sorted(count.tolist() * (2 if way == "frames" else 1))


@ways
def test_seed(source: Source, way: str) -> None:
    halves = [source(numbers(0, 50)), source(numbers(50, 100))]

    def epochs(seed: int) -> list[list[int]]:
        return [ids(part) for part in generators(halves, way, shuffle=True, set_seed=seed)]

    assert epochs(42) == epochs(42)
    assert epochs(0) != epochs(0)  # drawn anew


@ways
def test_lists(source: Source, way: str) -> None:
    data = ten_rows(source, way, lists, format="RNTuple")
    options = {"columns": [], "target": "b1", "max_vec_sizes": {"v1": 3, "v2": 2}}
    for part, rows in zip(generators(data, way, **options), in_order(way), strict=True):
        x, y = whole(part)
        assert y[:, 0].tolist() == rows
        assert np.array_equal(x, y * [1, 10, 0, 100, 1000])
