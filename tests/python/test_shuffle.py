"""The figures of benchmarks/shuffle, and what sapwood's loader reaches in them."""

import sys
from pathlib import Path

import numpy as np
import pytest
import uproot

import sapwood

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks" / "shuffle"))

import loaders
import metrics
import orders
from layout import Layout

SMALL = Layout(files=40, classes=4, rows_per_cluster=200, batch_size=100)


def figures(layout, first, second):
    size = layout.batch_size
    return (
        metrics.variance_inflation(layout.class_of(first), size),
        metrics.cluster_lift(layout.cluster_of(first), size),
        metrics.repeat(first, second, size),
    )


def test_full_permutations_have_one_in_all_figures():
    rng = np.random.default_rng(1)
    found = figures(SMALL, rng.permutation(SMALL.rows), rng.permutation(SMALL.rows))
    assert found == pytest.approx((1, 1, 1), abs=0.06)


def test_rows_in_order_have_what_can_be_worked_out():
    rows = np.arange(SMALL.rows)
    n, size = SMALL.rows, SMALL.batch_size
    # Every batch lies in one cluster, and so in one class; the next epoch has the same batches.
    vif = size * (n - 1) / (n - size)
    lift = (n - 1) / (SMALL.rows_per_cluster - 1)
    assert figures(SMALL, rows, rows) == pytest.approx((vif, lift, (n - 1) / (size - 1)))


def test_a_last_batch_that_is_not_full_counts_only_as_a_place_to_meet():
    # Batches {0, 1}, {2, 3}, {4}; then {2, 3}, {0, 4}, {1}: of two full batches one meets again.
    first, second = np.arange(5), np.array([2, 3, 0, 4, 1])
    assert metrics.repeat(first, second, 2) == pytest.approx((1 / 2) / (4 / 20))
    # One of the two full batches is of one cluster, as are 4 of 20 ordered pairs of rows.
    assert metrics.cluster_lift(np.array([0, 0, 1, 2, 1]), 2) == pytest.approx((1 / 2) / (4 / 20))
    # Shares 3/5 and 2/5, counts (2, 0) and (1, 1), the fifth row not counted.
    hypergeometric = 2 * (3 / 5) * (2 / 5) * (3 / 4)
    squares = ((2 - 6 / 5) ** 2 + (1 - 6 / 5) ** 2) / 2
    assert metrics.variance_inflation(np.array([0, 0, 0, 1, 1]), 2) == pytest.approx(squares / hypergeometric)


@pytest.mark.parametrize("name", orders.ORDERS)
def test_simulated_orders_hold_every_row_once(name):
    rng = np.random.default_rng(1)
    for buffer in (SMALL.rows // 100, SMALL.rows // 7):
        order = orders.ORDERS[name](SMALL, buffer, rng)
        assert np.array_equal(np.sort(order), np.arange(SMALL.rows))


def test_simulated_window_mixes_as_well_as_a_buffer_of_its_size_allows():
    rng = np.random.default_rng(1)
    buffer = SMALL.rows // 20
    vif, lift, repeat = figures(SMALL, *(orders.stratified_window(SMALL, buffer, rng) for _ in range(2)))
    assert vif < 1.2
    assert 9.5 < lift < 11
    assert repeat < 1.6


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shuffle")
    paths = []
    for file in range(SMALL.files):
        rows = np.arange(SMALL.rows_per_file, dtype=np.int32) + file * SMALL.rows_per_file
        columns = {"row": rows, "class": SMALL.class_of(rows), "cluster": SMALL.cluster_of(rows)}
        columns |= {name: rows.astype(np.float32) for name in loaders.FEATURES}
        paths.append(str(folder / f"{file:02d}.root"))
        with uproot.recreate(paths[-1]) as written:
            tree = written.mktree(loaders.TABLE, {name: column.dtype for name, column in columns.items()})
            for start in range(0, SMALL.rows_per_file, SMALL.rows_per_cluster):
                part = slice(start, start + SMALL.rows_per_cluster)
                tree.extend({name: column[part] for name, column in columns.items()})
    assert len(sapwood.open(paths).clusters) == SMALL.clusters
    return paths


@pytest.mark.parametrize(("share", "bounds"), [(0.05, (1.3, 11, 1.6)), (0.2, (1.15, 3.3, 1.1)), (1, (1.1, 1.05, 1.05))])
def test_loader_mixes_within_bounds(files, share, bounds):
    loader = loaders.sapwood_loader(files, SMALL, round(share * SMALL.rows), labelled=True)
    epochs = loaders.sapwood_orders(loader, SMALL)
    found = figures(SMALL, next(epochs), next(epochs))
    assert all(figure < bound for figure, bound in zip(found, bounds, strict=True)), found


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.6, 1])
def test_explain_expects_what_is_found(files, share, labelled):
    loader = loaders.sapwood_loader(files, SMALL, round(share * SMALL.rows), labelled=labelled)
    plan = loader.explain()
    epochs = loaders.sapwood_orders(loader, SMALL)
    first, second = next(epochs), next(epochs)
    found = figures(SMALL, first, second)
    if not labelled:  # the classes are not known then: of files
        found = (metrics.variance_inflation(first // SMALL.rows_per_file, SMALL.batch_size), *found[1:])
    expected = (plan.expected_vif, plan.expected_lift, plan.expected_repeat)
    assert expected == pytest.approx(found, rel=0.15), (expected, found)
