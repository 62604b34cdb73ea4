"""Over- and undersampling of two data frames as ROOT's loaders do it: of files, and of RDataFrames with ROOT.

ROOT's public tests in the classes DataLoaderRandomUndersampling and DataLoaderRandomOversampling, and ours:

01 each_element_is_generated_unshuffled              test_undersampling, test_oversampling
01 each_element_is_generated_unshuffled_replacement  test_undersampling_with_replacement
02 each_element_is_generated_shuffled                test_shuffled
04 dropping_remainder                                test_remainder_is_dropped
05 more_than_one_file                                test_undersampling, test_oversampling
06 multiple_target_columns                           test_targets_and_weights
07 multiple_input_columns                            test_targets_and_weights
08 filtered                                          test_filtered
10 two_epochs_shuffled                               test_epochs
11 number_of_..._batches_remainder                   test_number_of_batches
12 PyTorch                                           test_torch
13 TensorFlow                                        test_tensorflow
14 big_data_replacement_false, _true                 test_many_rows, test_too_low_a_ratio
15 two_runs_set_seed                                 test_seed
16 vector_padding                                    test_lists

What differs is which rows come when they are shuffled: ROOT draws them anew each epoch, ours take turns.
"""

from collections import Counter
from typing import Any

import awkward as ak
import numpy as np
import pytest
from conftest import Columns, Source
from root_rows import alternate, ids, of_classes, rows_of, weighted_ids

import sapwood as sw
from sapwood.root import RDataLoader

both = pytest.mark.parametrize("sampling_type", ["undersampling", "oversampling"])


def loader_of(frames: Any, sampling_type: str, **options: Any) -> RDataLoader:
    wanted = {"columns": ["b1", "b2"], "target": "b2", "shuffle": False, "drop_remainder": False, "sampling_ratio": 0.5}
    return RDataLoader(frames, 2, load_eager=True, sampling_type=sampling_type, **{**wanted, **options})


def parts_of(loader: RDataLoader, test_size: float = 0.4) -> list[list[int]]:
    return [ids(part.as_numpy()) for part in loader.train_test_split(test_size)]


@pytest.mark.parametrize("turned", [False, True])
def test_undersampling(source: Source, turned: bool) -> None:
    many, few = source(alternate(0, 30), alternate(30, 40)), source(alternate(1, 11))
    before = rows_of([many, few])
    train, test = parts_of(loader_of([few, many] if turned else [many, few], "undersampling"))
    assert rows_of([many, few]) == before
    assert train == [0, 2, 4, 6, 8, 10, 1, 3, 5]
    assert test == [24, 26, 28, 30, 7, 9]


@pytest.mark.parametrize("turned", [False, True])
def test_oversampling(source: Source, turned: bool) -> None:
    many, few = source(alternate(0, 20)), source(alternate(1, 5), alternate(5, 7))
    train, test = parts_of(loader_of([few, many] if turned else [many, few], "oversampling"))
    assert train == [1, 1, 3, 0, 2, 4, 6, 8, 10]  # ROOT's copies come after the last row: 1, 3, 1
    assert test == [5, 5, 12, 14, 16, 18]


def test_undersampling_with_replacement(source: Source) -> None:
    frames = [source(alternate(0, 40)), source(alternate(1, 11))]
    loader = loader_of(frames, "undersampling", sampling_ratio=0.2, replacement=True)
    for part, size in zip(parts_of(loader), (18, 12), strict=True):
        assert of_classes(part) == (size // 6 * 5, size // 6)
        assert set(Counter(part).values()) == {1, 2}


@both
def test_shuffled(source: Source, sampling_type: str) -> None:
    frames = [source(alternate(0, 40)), source(alternate(1, 11))]
    loader = loader_of(frames, sampling_type, shuffle=True, set_seed=5)
    train, test = loader.train_test_split(0.4)
    of_train = [ids(train.as_numpy()) for _ in range(12)]
    sizes = ((6, 3), (4, 2)) if sampling_type == "undersampling" else ((12, 6), (8, 4))
    assert {of_classes(rows) for rows in of_train} == {sizes[0]}
    assert of_classes(ids(test.as_numpy())) == sizes[1]
    assert any(rows[0] % 2 for rows in of_train)  # both classes all through an epoch
    assert set().union(*of_train).isdisjoint(ids(test.as_numpy()))
    uses = Counter(row for rows in of_train for row in rows)  # over epochs each row comes equally often, or once more
    for odd in (0, 1):
        of_class = [count for row, count in uses.items() if row % 2 == odd]
        assert len(of_class) == (3 if odd else 12)
        assert max(of_class) - min(of_class) <= 1


@both
def test_remainder_is_dropped(source: Source, sampling_type: str) -> None:
    frames = [source(alternate(0, 20)), source(alternate(1, 7))]
    options = {"sampling_ratio": 0.5, "drop_remainder": True}
    for part in loader_of(frames, sampling_type, **options).train_test_split(0.4):
        sizes = [x.shape for x, _ in part.as_numpy()]
        assert sizes == [(2, 1)] * part.num_batches
        assert part.last_batch_no_of_rows == 0


@both
def test_targets_and_weights(source: Source, sampling_type: str) -> None:
    frames = [source(alternate(1, 7)), source(alternate(0, 20))]
    options = {"columns": ["b1", "b2", "b3", "b4"], "target": ["b2", "b4"], "weights": "b3"}
    for part in loader_of(frames, sampling_type, **options).train_test_split(0.4):
        assert len(weighted_ids(part.as_numpy())) == part.loader.num_rows
    x, _ = next(iter(loader_of(frames, sampling_type, columns=["b3", "b1", "b2"]).as_numpy()))
    assert np.array_equal(x, x[:, 1:] * [10, 1])


def test_filtered(source: Source) -> None:
    many, few = source(alternate(0, 40), filter="b1 % 8 != 0"), source(alternate(1, 11))
    train, test = parts_of(loader_of([many, few], "undersampling"))
    assert (train, test) == ([2, 4, 6, 10, 12, 14, 1, 3, 5], [26, 28, 30, 34, 7, 9])
    many, few = source(alternate(0, 20)), source(alternate(1, 31), filter="b1 < 7")
    train, test = parts_of(loader_of([many, few], "oversampling"))
    assert (train, test) == ([1, 1, 3, 0, 2, 4, 6, 8, 10], [5, 5, 12, 14, 16, 18])


@both
def test_epochs(source: Source, sampling_type: str) -> None:
    """Not shuffled, all epochs are alike."""
    frames = [source(alternate(0, 40)), source(alternate(1, 11))]
    for part in loader_of(frames, sampling_type).train_test_split(0.4):
        assert ids(part.as_numpy()) == ids(part.as_numpy())
        assert ids(part.as_torch()) == ids(part.as_numpy())


@both
def test_number_of_batches(source: Source, sampling_type: str) -> None:
    train, test = loader_of([source(alternate(0, 20)), source(alternate(1, 7))], sampling_type).train_test_split(0.4)
    for part in (train, test):
        batches = [len(x) for x, _ in part.as_numpy()]
        assert part.num_batches == len(part.as_numpy()) == len(batches)
        assert part.last_batch_no_of_rows == (batches[-1] if batches[-1] < 2 else 0)


@both
def test_torch(source: Source, sampling_type: str) -> None:
    loader = loader_of([source(alternate(0, 20)), source(alternate(1, 7))], sampling_type)
    for device in (None, "cpu"):
        tensors = [tensor.numpy() for batch in loader.as_torch(device) for tensor in batch]
        arrays = [array for batch in loader.as_numpy() for array in batch]
        assert all(np.array_equal(ours, theirs) for ours, theirs in zip(tensors, arrays, strict=True))


@pytest.mark.alone
@pytest.mark.usefixtures("tensorflow")
@both
def test_tensorflow(source: Source, sampling_type: str) -> None:
    loader = loader_of([source(alternate(0, 20)), source(alternate(1, 7))], sampling_type)
    assert ids((x.numpy(), y.numpy()) for x, y in loader.as_tensorflow()) == ids(loader.as_numpy())


@both
@pytest.mark.parametrize("replacement", [False, True])
def test_many_rows(source: Source, sampling_type: str, replacement: bool) -> None:
    frames = [source(alternate(0, 40_000)), source(alternate(1, 18_001))]
    if sampling_type == "oversampling":
        replacement, ratio = False, 1.37
    else:
        ratio = 0.21 if replacement else 0.83
    options = {"shuffle": True, "set_seed": 4, "sampling_ratio": ratio, "replacement": replacement}
    for part in parts_of(loader_of(frames, sampling_type, **options), 0.3):
        even, odd = of_classes(part)
        assert odd / even == pytest.approx(ratio, abs=0.001)
        assert (max(Counter(part).values()) > 1) == (replacement or sampling_type == "oversampling")


def test_too_low_a_ratio(source: Source) -> None:
    frames = [source(alternate(0, 40)), source(alternate(1, 11))]
    loader = loader_of(frames, "undersampling", sampling_ratio=0.1)
    says = "The sampling_ratio is too low: not enough entries in the majority class to sample from"
    with pytest.raises(ValueError, match=says):
        loader.train_test_split(0.4)
    with pytest.raises(sw.ConfigError, match=says):
        loader.as_numpy()
    with pytest.raises(ValueError, match="wants two data sets or data frames, not 1"):
        loader_of(frames[0], "oversampling").as_numpy()


@both
def test_seed(source: Source, sampling_type: str) -> None:
    frames = [source(alternate(0, 400)), source(alternate(1, 111))]

    def epochs(**options: Any) -> list[list[int]]:
        return parts_of(loader_of(frames, sampling_type, **options))

    assert epochs() == epochs()
    assert epochs(shuffle=True, set_seed=3) == epochs(shuffle=True, set_seed=3)
    assert epochs(shuffle=True) != epochs(shuffle=True)


@both
def test_lists(source: Source, sampling_type: str) -> None:
    def lists(start: int, stop: int) -> Columns:
        count = np.arange(start, stop, dtype=np.int32)
        return {"b1": count, "v1": ak.Array([[i, 10 * i] for i in count.tolist()])}

    frames = [source(lists(0, 20), format="RNTuple"), source(lists(20, 25), format="RNTuple")]
    options = {"columns": ["b1", "v1"], "target": "b1", "max_vec_sizes": {"v1": 3}}
    for part in loader_of(frames, sampling_type, **options).train_test_split(0.4):
        rows = list(part.as_numpy())
        assert all(np.array_equal(x, y * [1, 10, 0]) for x, y in rows)
        rare = np.concatenate([y for _, y in rows]) >= 20
        assert rare.sum() * 2 == (~rare).sum()


def test_labels_are_the_classes(source: Source, tmp_path: Any) -> None:
    """A data set with two labels needs no list."""
    for kind in ("a", "b"):
        source(alternate(0, 40) if kind == "a" else alternate(1, 11))
    files = sorted(tmp_path.glob("source_*.root"))
    loader = loader_of(sw.open({"many": files[0], "few": files[1]}), "undersampling")
    assert [of_classes(part) for part in parts_of(loader)] == [(6, 3), (4, 2)]
