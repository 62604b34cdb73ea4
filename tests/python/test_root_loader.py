"""`sapwood.root.RDataLoader` does what ROOT's does. All tests run on files, and on RDataFrames where ROOT is installed.

ROOT's public tests (bindings/pyroot/pythonizations/test/ml_dataloader.py), in the classes for one and several data
frames, eager and lazy, and the tests here that hold us to the same; those of its classes for sampling are in
test_root_sampling.py:

01 each_element_is_generated_unshuffled    test_rows_in_order
02 each_element_is_generated_shuffled      test_rows_shuffled
04 dropping_remainder                      test_remainder_is_dropped
05 more_than_one_file                      test_rows_in_order
06 multiple_target_columns                 test_targets_and_weights
07 multiple_input_columns                  test_several_features
08 filtered                                test_filtered, test_frames_with_filters_of_their_own
09 filtered_last_chunk                     test_filtered_to_the_end
10 two_epochs_shuffled                     test_epochs
11 number_of_..._batches_remainder         test_number_of_batches
12 PyTorch                                 test_torch
13 TensorFlow                              test_tensorflow
14 big_data                                test_many_rows
15 two_runs_set_seed                       test_seed
16 vector_padding                          test_lists
"""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import torch
from conftest import Source, write_tree
from root_rows import ids, lists, numbers, weighted_ids, whole

import sapwood as sw
from sapwood.root import OptionError, RDataLoader

eager = pytest.mark.parametrize("load_eager", [False, True], ids=["lazy", "eager"])


def loader_of(frames: Any, **options: Any) -> RDataLoader:
    wanted = {"batch_size": 3, "columns": ["b1", "b2"], "target": "b2", "shuffle": False, "drop_remainder": False}
    return RDataLoader(frames, **{**wanted, **options})


@eager
def test_rows_in_order(source: Source, load_eager: bool) -> None:
    def split(frames: Any) -> tuple[list[int], list[int]]:
        train, test = loader_of(frames, load_eager=load_eager).train_test_split(0.4)
        test_iterator, train_iterator = iter(test.as_numpy()), iter(train.as_numpy())
        first = next(test_iterator)  # before any of the training
        assert first[0].shape == first[1].shape == (3, 1)
        return ids(train_iterator), ids([first, *test_iterator])

    tens, fives = source(numbers(0, 10)), [source(numbers(0, 5)), source(numbers(5, 10))]
    assert split(tens) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])
    assert split(source(numbers(0, 10), numbers(10, 15))) == ([*range(9)], [*range(9, 15)])
    more = [source(numbers(0, 5), numbers(5, 10)), source(numbers(10, 15))]
    if load_eager:  # each data frame is split by itself
        assert split(fives) == ([0, 1, 2, 5, 6, 7], [3, 4, 8, 9])
        assert split(more) == ([0, 1, 2, 3, 4, 5, 10, 11, 12], [6, 7, 8, 9, 13, 14])
    else:
        assert split(fives) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])
        assert split(more) == ([*range(9)], [*range(9, 15)])


@eager
@pytest.mark.parametrize("frames", [1, 2])
def test_rows_shuffled(source: Source, load_eager: bool, frames: int) -> None:
    data = [source(numbers(start, start + 10 // frames)) for start in range(0, 10, 10 // frames)]
    train, test = loader_of(data, shuffle=True, load_eager=load_eager).train_test_split(0.4)
    for _ in range(3):
        in_train, in_test = ids(train.as_numpy()), ids(test.as_numpy())
        assert (len(in_train), len(in_test)) == (6, 4)
        assert sorted(in_train + in_test) == [*range(10)]


@eager
def test_remainder_is_dropped(source: Source, load_eager: bool) -> None:
    loader = loader_of(source(numbers(0, 10)), drop_remainder=True, load_eager=load_eager)
    parts = loader.train_test_split(0.4)
    assert [[x.shape for x, _ in part.as_numpy()] for part in parts] == [[(3, 1)] * 2, [(3, 1)]]
    assert [part.last_batch_no_of_rows for part in parts] == [0, 0]


@eager
def test_targets_and_weights(source: Source, load_eager: bool) -> None:
    options = {"columns": None, "target": ["b2", "b4"], "weights": "b3", "load_eager": load_eager}
    loader = loader_of([source(numbers(0, 5)), source(numbers(5, 10))], **options)
    assert loader.columns == ["b1", "b2", "b3", "b4"]
    assert loader.train_columns == loader.feature_columns == ["b1"]
    assert (loader.target_columns, loader.weights_column) == (["b2", "b4"], "b3")
    for part in (loader, *loader.train_test_split(0.4)):
        assert len(weighted_ids(part.as_numpy())) == part.loader.num_rows


@eager
def test_several_features(source: Source, load_eager: bool) -> None:
    loader = loader_of(source(numbers(0, 10)), columns=["b3", "b2", "b1"], load_eager=load_eager)
    x, y = whole(loader.as_numpy())
    assert loader.train_columns == ["b3", "b1"]
    assert np.array_equal(x, np.outer(np.arange(10), [10, 1]))
    assert np.array_equal(y[:, 0], np.arange(10) ** 2)
    (only_x,) = (batch for batch in loader_of(source(numbers(0, 3)), target=None).as_numpy())
    assert np.array_equal(only_x, [[0, 0], [1, 1], [2, 4]])


@eager
def test_filtered(source: Source, load_eager: bool) -> None:
    even = source(numbers(0, 10), filter="b1 % 2 == 0")
    train, test = loader_of(even, load_eager=load_eager).train_test_split(0.4)
    assert (ids(train.as_numpy()), ids(test.as_numpy())) == ([0, 2, 4], [6, 8])
    drawn = loader_of(even, load_eager=load_eager, shuffle=True, set_seed=3).train_test_split(0.4)
    assert sorted(ids([*drawn[1].as_numpy(), *drawn[0].as_numpy()])) == [0, 2, 4, 6, 8]  # the test part first


@eager
def test_frames_with_filters_of_their_own(source: Source, load_eager: bool) -> None:
    frames = [source(numbers(0, 5), filter="b1 % 2 == 0"), source(numbers(5, 10), filter="b1 % 2 != 0")]
    train, test = loader_of(frames, load_eager=load_eager).train_test_split(0.4)
    in_train, in_test = ids(train.as_numpy()), ids(test.as_numpy())
    assert (len(in_train), len(in_test)) == (4, 2)
    assert sorted(in_train + in_test) == [0, 2, 4, 5, 7, 9]
    if load_eager:
        assert (in_train, in_test) == ([0, 2, 5, 7], [4, 9])


@eager
def test_filtered_to_the_end(source: Source, load_eager: bool) -> None:
    for frames in (
        source(numbers(0, 20), filter="b1 % 2 == 0"),
        [source(numbers(0, 10), filter="b1 % 2 == 0"), source(numbers(10, 20), filter="b1 % 2 == 0")],
    ):
        batches = list(loader_of(frames, load_eager=load_eager).as_numpy())
        assert [len(x) for x, _ in batches] == [3, 3, 3, 1]
        assert ids(batches) == [*range(0, 20, 2)]


@eager
def test_epochs(source: Source, load_eager: bool) -> None:
    data = source(numbers(0, 100))
    for part in loader_of(data, load_eager=load_eager).train_test_split(0.4):
        assert ids(part.as_numpy()) == ids(part.as_numpy())
    batches = loader_of(data, load_eager=load_eager, shuffle=True, set_seed=5).as_numpy()
    first, second = ids(batches), ids(batches)
    assert first != second
    assert sorted(first) == sorted(second) == [*range(100)]


@eager
def test_number_of_batches(source: Source, load_eager: bool) -> None:
    train, test = loader_of(source(numbers(0, 10)), load_eager=load_eager).train_test_split(0.4)
    assert [part.num_batches for part in (train, test)] == [2, 2]
    assert [len(part.as_numpy()) for part in (train, test)] == [len(list(part.as_numpy())) for part in (train, test)]
    assert [part.last_batch_no_of_rows for part in (train, test)] == [0, 1]


@eager
def test_torch(source: Source, load_eager: bool) -> None:
    options = {"columns": None, "target": ["b2", "b4"], "weights": "b3", "load_eager": load_eager}
    train, test = loader_of(source(numbers(0, 10)), **options).train_test_split(0.4)
    for part, batches in ((train, train.as_torch(device="cpu")), (test, test.as_torch())):
        for tensors, arrays in zip(batches, part.as_numpy(), strict=True):
            assert [tensor.dtype for tensor in tensors] == [torch.float32] * 3
            assert all(np.array_equal(t.numpy(), a) for t, a in zip(tensors, arrays, strict=True))


@pytest.mark.alone
@pytest.mark.parametrize("drop_remainder", [False, True])
def test_tensorflow(source: Source, tensorflow: Any, drop_remainder: bool) -> None:
    """But for rows of zeros that fill the last batch up, which we don't add."""
    options = {"columns": None, "target": ["b2", "b4"], "weights": "b3", "drop_remainder": drop_remainder}
    loader = loader_of(source(numbers(0, 10)), **options)
    dataset = loader.as_tensorflow()
    assert [spec.shape[1] for spec in dataset.element_spec] == [1, 2, 1]
    batches = [[tensor.numpy() for tensor in batch] for batch in dataset.repeat(2)]
    assert len(batches) == 2 * loader.num_batches
    for (x, y, w), arrays in zip(batches, [*loader.as_numpy()] * 2, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip((x, y, w), arrays, strict=True))
    (x,) = loader_of(source(numbers(0, 3)), target=None).as_tensorflow()
    assert x.shape == (3, 2)
    assert x.dtype == tensorflow.float32


@pytest.mark.alone
def test_jax(source: Source) -> None:
    jax = pytest.importorskip("jax")
    loader = loader_of(source(numbers(0, 10)))
    batches = list(loader.as_jax(jax.devices("cpu")[0]))
    assert all(isinstance(array, jax.Array) for batch in batches for array in batch)
    assert ids(batches) == [*range(10)]


@eager
@pytest.mark.parametrize("frames", [1, 2])
def test_many_rows(source: Source, load_eager: bool, frames: int) -> None:
    count = np.arange(20_011)
    columns = {
        "b1": count.astype(np.int32),
        "b2": count * 2.0,
        "b3": (count + 10192).astype(np.int32),
        "b4": -1.0 * count,
    }
    data = [source(columns) for _ in range(frames)]
    options = {"columns": None, "target": ["b3", "b4"], "weights": "b2", "load_eager": load_eager}
    parts = loader_of(data, batch_size=257, **options).train_test_split(0.3)
    rows = []
    for part in parts:
        sizes = [len(x) for x, _, _ in part.as_numpy()]
        assert len(sizes) == part.num_batches
        assert set(sizes[:-1]) == {257}
        assert sizes[-1] == part.last_batch_no_of_rows
        x, y, w = whole(part.as_numpy())
        assert np.array_equal(y, np.hstack([x + 10192, -x]))
        assert np.array_equal(w, 2 * x)
        rows += x[:, 0].astype(int).tolist()
    assert sorted(rows) == sorted([*range(20_011)] * frames)


@eager
def test_seed(source: Source, load_eager: bool) -> None:
    data = source(numbers(0, 100))

    def epochs(seed: int) -> list[list[int]]:
        parts = loader_of(data, shuffle=True, set_seed=seed, load_eager=load_eager).train_test_split(0.4)
        return [ids(part.as_numpy()) for part in parts for _ in range(2)]

    assert epochs(42) == epochs(42)
    assert epochs(0) != epochs(0)


@eager
def test_lists(source: Source, load_eager: bool) -> None:
    frames = [source(lists(0, 5), format="RNTuple"), source(lists(5, 10), format="RNTuple")]
    sizes = {"v1": 3, "v2": 2}
    options = {"columns": None, "target": "b1", "max_vec_sizes": sizes, "load_eager": load_eager}
    loader = loader_of(frames, **options)
    assert loader.columns == ["b1", "v1_0", "v1_1", "v1_2", "v2_0", "v2_1"]
    for part in loader.train_test_split(0.4):
        x, y = whole(part.as_numpy())
        assert np.array_equal(x, y * [1, 10, 0, 100, 1000])
    x, _ = whole(loader_of(frames[0], **{**options, "vec_padding": -7.5}).as_numpy())
    assert (x[:, 2] == -7.5).all()
    cut = loader_of(frames[0], **{**options, "columns": ["v2", "b1", "v1"], "max_vec_sizes": 1})
    assert cut.columns == ["v2_0", "b1", "v1_0"]
    assert np.array_equal(whole(cut.as_numpy())[0], np.outer(np.arange(5), [100, 1]))
    item = loader_of(frames[0], **{**options, "target": "v1_1", "weights": "v1_2", "vec_padding": 3})
    x, y, w = whole(item.as_numpy())
    assert item.train_columns == ["b1", "v1_0", "v2_0", "v2_1"]
    assert np.array_equal(x, np.outer(np.arange(5), [1, 1, 100, 1000]))
    assert np.array_equal(y[:, 0], np.arange(5) * 10)
    assert (w == 3).all()


def test_targets_besides_the_columns(source: Source) -> None:
    """As ROOT's later releases have it."""
    loader = loader_of(source(numbers(0, 10)), columns=["b1"], target="b3", weights="b4")
    assert loader.columns == ["b1", "b3", "b4"]
    x, y, w = whole(loader.as_numpy())
    assert np.array_equal(np.hstack([y, w]), x * [10, 100])


def test_parts_of_parts(source: Source) -> None:
    rest, test = loader_of(source(numbers(0, 100)), shuffle=True).train_test_split(0.2)
    train, val = rest.train_test_split(0.25)
    parts = [ids(part.as_numpy()) for part in (train, val, test)]
    assert [len(part) for part in parts] == [60, 20, 20]
    assert sorted(row for part in parts for row in part) == [*range(100)]


def test_data_sets_that_differ(tmp_path: Path) -> None:
    for name, start in (("a", 0), ("b", 5)):
        write_tree(tmp_path / f"{name}.root", numbers(start, start + 5))
    one, two = (sw.open(tmp_path / f"{name}.root") for name in "ab")
    loader = loader_of(
        [one.define(label="1.0", half="b1 / 2").filter("b1 > 1"), two.define(label="0.0", half="b1 / 2").limit(2)],
        columns=["b1", "half", "label"],
        target="label",
    )
    x, y = whole(loader.as_numpy())
    assert x.tolist() == [[2, 1], [3, 1.5], [4, 2], [5, 2.5], [6, 3]]
    assert y[:, 0].tolist() == [1, 1, 1, 0, 0]


@eager
@pytest.mark.parametrize("drop_remainder", [False, True])
def test_batches_are_those_of_root(cern_root: Any, tmp_path: Path, load_eager: bool, drop_remainder: bool) -> None:
    count = np.arange(103, dtype=np.int32)
    hits = ak.unflatten(np.arange((count % 5).sum()) * 0.5, count % 5)
    write_tree(tmp_path / "data.root", {"id": count, "hit": hits, "x": count / 3, "kind": count % 4}, format="RNTuple")
    options: dict[str, Any] = {
        "columns": ["hit", "kind", "x", "id"],
        "max_vec_sizes": {"hit": 3},
        "vec_padding": 2,  # eager, ROOT takes -2 for a large number
        "target": ["kind", "hit_1"],
        "weights": "x",
        "batch_size": 7,
        "shuffle": False,
        "drop_remainder": drop_remainder,
        "load_eager": load_eager,
    }
    root_loader = cern_root.Experimental.ML.RDataLoader
    theirs = root_loader(cern_root.RDataFrame("tree", str(tmp_path / "data.root")), **options)
    ours = RDataLoader(sw.open(tmp_path / "data.root"), **options)
    for our_part, their_part in zip(ours.train_test_split(0.3), theirs.train_test_split(0.3), strict=True):
        for name in ("columns", "train_columns", "target_columns", "weights_column", "num_batches"):
            assert getattr(our_part, name) == getattr(their_part, name), name
        for our_batch, their_batch in zip(our_part.as_numpy(), their_part.as_numpy(), strict=True):
            assert [array.dtype for array in our_batch] == [array.dtype for array in their_batch]
            assert all(np.array_equal(a, b) for a, b in zip(our_batch, their_batch, strict=True))
        assert our_part.last_batch_no_of_rows == (0 if drop_remainder else their_part.last_batch_no_of_rows)


@pytest.mark.parametrize("output_format", ["ttree", "rntuple"])
def test_save(source: Source, tmp_path: Path, output_format: Any) -> None:
    sizes = {"v1": 3, "v2": 2}
    options = {"columns": None, "max_vec_sizes": sizes, "target": "b1", "shuffle": True, "set_seed": 2}
    train, _ = loader_of(source(lists(0, 10), format="RNTuple"), **options).train_test_split(0.4)
    train.save("saved", tmp_path / "saved.root", output_format)
    train.loader.epoch = 0
    again = loader_of(sw.open(tmp_path / "saved.root", "saved"), **{**options, "shuffle": False})
    assert again.columns == train.columns
    for ours, theirs in zip(whole(train.as_numpy()), whole(again.as_numpy()), strict=True):
        assert np.array_equal(ours, theirs)
    with pytest.raises(OptionError, match="output_format is 'csv'"):
        train.save("saved", tmp_path / "saved.csv", "csv")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"columns": ["b1", "b5"]}, "no column 'b5' .nearest: b1, b2"),
        ({"target": "B2x"}, "no column 'B2x' .nearest: b2"),
        ({"target": "b2", "weights": "w"}, "no column 'w'"),
        ({"target": None, "weights": "b3"}, "weights can only be used with a target"),
        ({"columns": ["b2"]}, "no columns are left for the features"),
        ({"columns": ["b1", "v1"]}, "'v1' is list<int64>: say in max_vec_sizes"),
        ({"columns": ["b1", "v1"], "max_vec_sizes": {"v1": 0}}, "max_vec_sizes of 'v1' is 0"),
        ({"target": "v1", "max_vec_sizes": {"v1": 2}}, "'v1' is a list: .* such as 'v1_0'"),
        ({"batch_size": 0}, "batch_size is 0, must be at least 1"),
        ({"set_seed": -1}, "seed is -1"),
        ({"sampling_type": "middle"}, "sampling_type is 'middle'"),
        ({"sampling_type": "oversampling", "replacement": True}, "replacement is for"),
        ({"sampling_type": "oversampling", "sampling_ratio": 0}, "sampling_ratio is 0"),
    ],
)
def test_wrong_options(source: Source, options: dict[str, Any], says: str) -> None:
    data = source({**numbers(0, 5), "v1": lists(0, 5)["v1"]}, format="RNTuple")
    with pytest.raises(ValueError, match=says) as caught:  # what ROOT raises
        loader_of(data, **options)
    assert isinstance(caught.value, sw.ConfigError)


def test_wrong_splits(source: Source) -> None:
    for size in (0, 1, -0.5, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"test_size is .*, must be between 0 and 1"):
            loader_of(source(numbers(0, 5))).train_test_split(size)
    with pytest.raises(ValueError, match="too few rows"):
        loader_of(source(numbers(0, 5))).train_test_split(0.01)
    with pytest.raises(ValueError, match="is empty"):
        loader_of([])
