"""`CreateNumPyGenerators`, `CreatePyTorchGenerators` and `CreateTFDatasets`, which ROOT had before RDataLoader: how
they are called. What comes of it is in test_root_generator_batches.py and test_root_generator_sampling.py.
"""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import torch
from conftest import Source, write_tree
from root_rows import numbers

import sapwood as sw
from sapwood.root import CreateNumPyGenerators, CreatePyTorchGenerators, CreateTFDatasets

ORDERED = {"shuffle": False, "drop_remainder": False}


def first_of(batches: Any) -> list[int]:
    return [int(row[0]) for batch in batches for row in (batch[0] if isinstance(batch, tuple) else batch)]


def test_the_papers_spelling(source: Source) -> None:
    train, val = CreateNumPyGenerators(
        source(numbers(0, 10)), 3, 6, ["b1", "b2"], {}, 0, "b2", "", 0.4, 0, False, False
    )
    assert (first_of(train), first_of(val)) == ([*range(6)], [*range(6, 10)])
    assert (train.columns, train.train_columns) == (["b1", "b2"], ["b1"])
    assert (train.target_columns, train.weights_column) == (["b2"], "")
    assert (train.number_of_batches, val.number_of_batches, len(val)) == (2, 2, 2)
    assert (train.last_batch_no_of_rows, val.last_batch_no_of_rows) == (0, 1)


def test_the_later_spelling(source: Source) -> None:
    frames = [source(numbers(0, 20)), source(numbers(20, 24))]
    generator, validation = CreateNumPyGenerators(
        frames, 3, 6, 2, ["b1", "b2"], {}, 0, ["b2"], "", 0.0, 0, False, False, 7, True, "undersampling", 0.5, False
    )
    assert validation is None
    assert first_of(generator) == [*range(8), *range(20, 24)]
    by_name, _ = CreateNumPyGenerators(
        rdataframes=frames, batch_size=3, chunk_size=6, block_size=2, columns=["b1"], **ORDERED
    )
    assert first_of(by_name) == [*range(24)]


def test_generators_are_iterators_and_functions(source: Source) -> None:
    generator, _ = CreateNumPyGenerators(source(numbers(0, 10)), 4, 8, columns=["b1"], **ORDERED)
    assert next(generator).tolist() == [[0], [1], [2], [3]]
    assert first_of(generator) == [*range(10)]  # a loop begins anew
    assert first_of(generator()) == [*range(10)]
    with pytest.raises(StopIteration):
        next(generator)


def test_tree_and_file(tmp_path: Path) -> None:
    path = tmp_path / "lists.root"
    write_tree(path, {"b1": np.arange(4), "v": ak.Array([[1], [2, 3], [], [4, 5, 6]])}, tree="events", format="RNTuple")
    rows = [[0, 1, -1], [1, 2, 3], [2, -1, -1], [3, 4, 5]]
    for generator, _ in (
        CreateNumPyGenerators("events", str(path), 4, 8, ["b1", "v"], 2, -1, **ORDERED),
        CreateNumPyGenerators(
            tree_name="events", file_name=str(path), batch_size=4, chunk_size=8, max_vec_sizes=2, vec_padding=-1
        ),
    ):
        (batch,) = generator
        assert sorted(batch.tolist()) == rows
    filtered, _ = CreateNumPyGenerators("events", str(path), 4, 8, ["b1"], ["b1 > 0", "b1 < 3"], **ORDERED)
    assert first_of(filtered) == [1, 2]
    later, _ = CreateNumPyGenerators("events", str(path), 4, 8, 2, ["b1"], **ORDERED)
    assert first_of(later) == [0, 1, 2, 3]


def test_chunks_at_most(source: Source) -> None:
    generator, _ = CreateNumPyGenerators(source(numbers(0, 10)), 2, 4, columns=["b1"], max_chunks=2, **ORDERED)
    assert first_of(generator) == [*range(8)]


def test_all_rows_alone(source: Source) -> None:
    """As ROOT has it: CreateNumPyGenerators alone gives two without a validation part."""
    assert first_of(CreatePyTorchGenerators(source(numbers(0, 10)), 3, columns=["b1", "b2"], **ORDERED)) == [*range(10)]


def test_torch(source: Source) -> None:
    train, val = CreatePyTorchGenerators(
        source(numbers(0, 10)), 3, 6, ["b1", "b2", "b3"], target="b2", weights="b3", validation_split=0.4, set_seed=2
    )
    for _ in range(2):
        for part, batches in ((train, 2), (val, 1)):
            every = list(part)
            assert len(every) == batches
            assert all(tensor.dtype == torch.float32 for batch in every for tensor in batch)
            assert all(torch.equal(x**2, y) and torch.equal(x * 10, w) for x, y, w in every)


@pytest.mark.alone
@pytest.mark.usefixtures("tensorflow")
def test_tensorflow(source: Source) -> None:
    train, val = CreateTFDatasets(
        source(numbers(0, 10)), 3, 6, columns=["b1", "b2"], target="b2", validation_split=0.4, **ORDERED
    )
    assert first_of((x.numpy(), y.numpy()) for x, y in train) == [*range(6)]
    assert (train.train_columns, train.target_column, val.number_of_batches) == (["b1"], ["b2"], 2)


def test_wrong_arguments(source: Source) -> None:
    data = source(numbers(0, 10))
    with pytest.raises(TypeError, match=r"missing: \['batch_size'\]; unknown: \['chunks'\]"):
        CreateNumPyGenerators(data, chunks=6)
    with pytest.raises(TypeError, match=r"missing: \['chunk_size'\]"):
        CreateNumPyGenerators(data, 3, max_chunks=2)
    with pytest.raises(TypeError, match="'batch_size' is given twice"):
        CreateNumPyGenerators(data, 3, 6, batch_size=3)
    with pytest.raises(TypeError, match="at most"):
        CreateNumPyGenerators(data, 3, 6, *range(30))
    with pytest.raises(ValueError, match="test_size is 2"):
        CreateNumPyGenerators(data, 3, 6, validation_split=2)
    with pytest.raises(sw.Error):
        CreateNumPyGenerators("events", "missing.root", 3, 6)
