"""Formulas that choose, order and combine items, against Awkward, NumPy and ROOT's VecOps."""

from __future__ import annotations

import itertools
import math
import operator
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from conftest import MakeTree, write_tree
from hypothesis import given, settings
from hypothesis import strategies as st

import sapwood as sw

ENTRIES = 300
Expected = Callable[[Any], Any]


def random_events(entries: int) -> dict[str, Any]:
    """Jagged columns of equal (x, y, f, i) and other (z) sizes, among them empty lists; NaN and infinities in x."""
    random = np.random.default_rng(5)
    counts = random.integers(0, 7, entries) * (random.random(entries) < 0.8)
    others = random.integers(0, 5, entries)
    x = random.normal(size=counts.sum())
    x[random.random(len(x)) < 0.05] = np.nan
    x[random.random(len(x)) < 0.05] = np.inf
    x[random.random(len(x)) < 0.05] = -np.inf
    in_items = random.integers(0, 4, counts.sum())
    return {
        "n": random.integers(-4, 5, entries).astype(np.int32),
        "x": ak.unflatten(x, counts),
        "y": ak.unflatten(random.normal(size=counts.sum()), counts),
        "f": ak.unflatten(random.normal(size=counts.sum()).astype(np.float32), counts),
        "i": ak.unflatten(random.integers(-3, 4, counts.sum()).astype(np.int32), counts),
        "z": ak.unflatten(random.normal(size=others.sum()), others),
        "fixed": random.normal(size=(entries, 3)),
        "deep": ak.unflatten(ak.unflatten(random.normal(size=in_items.sum()), in_items), counts),
        "wide": ak.unflatten(random.choice([-(2**63), 2**63 - 1, -1, 0, 2, 7], counts.sum()), counts),
        "divisor": ak.unflatten(random.choice([-3, -1, 0, 2], counts.sum()), counts),
    }


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return random_events(ENTRIES)


@pytest.fixture(scope="module")
def data(whole: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> sw.Dataset:
    path = tmp_path_factory.mktemp("formulas") / "events.root"
    write_tree(path, whole, format="RNTuple", clusters=3)
    return sw.open(path)


def read(data: sw.Dataset, formulas: Iterable[str]) -> Any:
    return data.arrays(list(formulas), library="ak")


def check(got: Any, wanted: Any, rtol: float = 0) -> None:
    """Lists of the same sizes with the same items; NaN equals NaN."""
    wanted = ak.Array(wanted)
    while wanted.ndim > 1:
        assert ak.num(got).tolist() == ak.num(wanted).tolist()
        got, wanted = ak.flatten(got), ak.flatten(wanted)
    np.testing.assert_allclose(ak.to_numpy(got), ak.to_numpy(wanted), rtol=rtol, atol=0, equal_nan=True)


def per_entry(function: Callable[..., Any], *columns: Any) -> list[Any]:
    """The function of the lists of each entry, as NumPy arrays."""
    return [np.asarray(function(*map(np.asarray, parts))).tolist() for parts in zip(*columns, strict=True)]


def padded(values: np.ndarray, indices: np.ndarray) -> list[float]:
    """Items at indices, NaN where there is none."""
    return [values[i] if -len(values) <= i < len(values) else np.nan for i in indices]


def flat(function: Callable[..., Any], *columns: Any) -> Any:
    """The function of all items at once, in lists again."""
    (counts,) = {tuple(ak.num(column).tolist()) for column in columns if isinstance(column, ak.Array)}
    parts = [ak.to_numpy(ak.flatten(column)) if isinstance(column, ak.Array) else column for column in columns]
    with np.errstate(all="ignore"):
        return ak.unflatten(function(*parts), counts)


AWKWARD: dict[str, Expected] = {
    "x[y > 0]": lambda c: c.x[c.y > 0],
    "i[abs(y) < 1 && i != 0]": lambda c: c.i[(abs(c.y) < 1) & (c.i != 0)],
    "deep[y > 0]": lambda c: c.deep[c.y > 0],
    "deep[deep > 0]": lambda c: c.deep[c.deep > 0],
    "deep[any(deep > 0)]": lambda c: c.deep[ak.any(c.deep > 0, axis=2)],
    "fixed[fixed > 0]": lambda c: ak.from_regular(c.fixed)[ak.from_regular(c.fixed) > 0],
    "x[:2]": lambda c: c.x[:, :2],
    "x[1:]": lambda c: c.x[:, 1:],
    "x[-3:-1]": lambda c: c.x[:, -3:-1],
    "deep[1:3]": lambda c: c.deep[:, 1:3],
    "fixed[1:]": lambda c: c.fixed[:, 1:],
    "x[argsort(y)]": lambda c: c.x[ak.argsort(c.y)],
    "f[argsort(-y)]": lambda c: c.f[ak.argsort(c.y, ascending=False)],
    "deep[argsort(y)]": lambda c: c.deep[ak.argsort(c.y)],
    "deep[argsort(deep)]": lambda c: c.deep[ak.argsort(c.deep, axis=2)],
    "sort(y)": lambda c: ak.sort(c.y),
    "reverse(sort(deep))": lambda c: ak.sort(c.deep, axis=2, ascending=False),
    "argsort(i)": lambda c: ak.argsort(c.i, stable=True),
    "reverse(x)": lambda c: c.x[:, ::-1],
    "local_index(x)": lambda c: ak.local_index(c.x),
    "local_index(deep)": lambda c: ak.local_index(c.deep),
    "concatenate(x, z)": lambda c: ak.concatenate([c.x, c.z], axis=1),
    "concatenate(i, z, x)": lambda c: ak.concatenate([c.i, c.z, c.x], axis=1),
    "concatenate(deep, deep)": lambda c: ak.concatenate([c.deep, c.deep], axis=1),
    "concatenate(fixed, x)": lambda c: ak.concatenate([c.fixed, c.x], axis=1),
    "cartesian(x, z, 0)": lambda c: ak.cartesian([c.x, c.z])["0"],
    "cartesian(x, z, 1)": lambda c: ak.cartesian([c.x, c.z])["1"],
    "cartesian(z, deep, 1)": lambda c: ak.cartesian([c.z, c.deep])["1"],
    "argcartesian(x, z, 1)": lambda c: ak.argcartesian([c.x, c.z])["1"],
    **{
        f"combinations({name}, {n}, {k})": lambda c, name=name, n=n, k=k: ak.combinations(c[name], n)[str(k)]
        for name in ("x", "deep", "fixed")
        for n in (2, 3, 4)
        for k in range(n)
    },
    "argcombinations(x, 3, 1)": lambda c: ak.argcombinations(c.x, 3)["1"],
    "count(x[y > 0][:2])": lambda c: ak.num(c.x[c.y > 0][:, :2]),
    "pad(x, 3, -1)": lambda c: ak.fill_none(ak.pad_none(c.x, 3, clip=True), -1),
    "pad(fixed, 5, -1)": lambda c: ak.fill_none(ak.pad_none(c.fixed, 5, clip=True), -1),
    "flatten(deep)": lambda c: ak.flatten(c.deep, axis=2),
    "flatten(combinations(deep, 2, 0))": lambda c: ak.flatten(ak.combinations(c.deep, 2)["0"], axis=2),
    "unique(i)": lambda c: [sorted(set(values)) for values in c.i.tolist()],
    "ptp(wide)": lambda c: ak.fill_none(ak.max(c.wide, axis=1) - ak.min(c.wide, axis=1), 0),
    "max(combinations(y, 2, 0) * combinations(y, 2, 1))": lambda c: ak.fill_none(
        ak.max(operator.mul(*ak.unzip(ak.combinations(c.y, 2))), axis=1), np.nan
    ),
}

NUMPY: dict[str, Expected] = {
    "sort(x)": lambda c: per_entry(np.sort, c.x),
    "argsort(x)": lambda c: per_entry(lambda x: np.argsort(x, kind="stable"), c.x),
    "cumsum(y)": lambda c: per_entry(np.cumsum, c.y),
    "cumsum(i)": lambda c: per_entry(np.cumsum, c.i),
    "nonzero(i)": lambda c: per_entry(lambda i: np.nonzero(i)[0], c.i),
    "x[i]": lambda c: per_entry(padded, c.x, c.i),
    "z[i]": lambda c: per_entry(padded, c.z, c.i),
    "x[i, -5]": lambda c: per_entry(lambda x, i: [v if abs(k + 0.5) < len(x) else -5 for v, k in
                                                  zip(padded(x, i), i, strict=True)], c.x, c.i),
    "drop(z, i)": lambda c: per_entry(lambda z, i: np.delete(z, [k for k in i if -len(z) <= k < len(z)]), c.z, c.i),
    "x[n:]": lambda c: per_entry(lambda x, n: x[n:], c.x, c.n),
    "x[n : n + 2]": lambda c: per_entry(lambda x, n: x[n : n + 2], c.x, c.n),
    "take(x, n)": lambda c: per_entry(lambda x, n: x[:n] if n >= 0 else x[n:], c.x, c.n),
    "ptp(x)": lambda c: per_entry(lambda x: np.ptp(x) if len(x) else np.nan, c.x),
    "unique(concatenate(x, x))": lambda c: per_entry(np.unique, c.x),
    "median(x)": lambda c: per_entry(lambda x: np.median(x) if len(x) else np.nan, c.x),
    "median(f)": lambda c: per_entry(lambda f: np.median(f) if len(f) else np.nan, c.f),
    "median(i)": lambda c: per_entry(lambda i: np.median(i) if len(i) else np.nan, c.i),
    "intersect(x, reverse(x)[:2])": lambda c: per_entry(lambda x: x[np.isin(x, x[::-1][:2])], c.x),
    "intersect(i, round(y))": lambda c: per_entry(lambda i, y: i[np.isin(i, np.round(y))], c.i, c.y),
    "intersect(wide, wide[:1])": lambda c: per_entry(lambda wide: wide[np.isin(wide, wide[:1])], c.wide),
    "Range(n)": lambda c: per_entry(np.arange, c.n),
    "pad(x, n, y[0])": lambda c: per_entry(lambda x, y, n: [x[k] if -len(x) <= k < len(x) else (*y, np.nan)[0] for k in
                                                            (range(n) if n >= 0 else range(n, 0))], c.x, c.y, c.n),
    "floor_divide(wide, divisor)": lambda c: flat(np.floor_divide, c.wide, c.divisor),
    "floor_divide(wide, 2)": lambda c: flat(np.floor_divide, c.wide, 2),
    "floor_divide(x, divisor)": lambda c: flat(np.floor_divide, c.x, c.divisor),
    "x // y": lambda c: flat(np.floor_divide, c.x, c.y),
    "wide // divisor * divisor": lambda c: flat(lambda a, b: a // b * b, c.wide, c.divisor),
    "where(x < y, x, np.nan)": lambda c: flat(lambda a, b: np.where(a < b, a, np.nan), c.x, c.y),
    "floor_divide(x, y)": lambda c: flat(np.floor_divide, c.x, c.y),
    "floor_divide(f, 0.25)": lambda c: flat(np.floor_divide, c.f, np.float32(0.25)),
    "floor_divide(1, x)": lambda c: flat(np.floor_divide, 1, c.x),
    "heaviside(x, y)": lambda c: flat(np.heaviside, c.x, c.y),
    "heaviside(i, 0.5)": lambda c: flat(np.heaviside, c.i, 0.5),
    "isclose(x, x * 1.00001)": lambda c: flat(np.isclose, c.x, c.x * 1.00001),
    "isclose(x, reverse(x))": lambda c: flat(np.isclose, c.x, c.x[:, ::-1]),
    "isclose(f, y, 0.5, 0.1)": lambda c: flat(lambda a, b: np.isclose(a, b, 0.5, 0.1), c.f, c.y),
    "take(z, -2)": lambda c: per_entry(lambda z: z[-2:], c.z),
}  # fmt: skip

CLOSE: dict[str, Expected] = {
    "var(y)": lambda c: per_entry(lambda y: np.var(y) if len(y) else np.nan, c.y),
    "std(y)": lambda c: per_entry(lambda y: np.std(y) if len(y) else np.nan, c.y),
    "std(deep)": lambda c: ak.fill_none(ak.std(c.deep, axis=2), np.nan),
    "std(fixed)": lambda c: np.std(c.fixed, axis=1),
    "deg2rad(x)": lambda c: flat(np.deg2rad, c.x),
    "rad2deg(x)": lambda c: flat(np.rad2deg, c.x),
    "radians(i)": lambda c: flat(np.radians, c.i),
    "dot(y, i)": lambda c: ak.sum(c.y * c.i, axis=1),
    "cumsum(fixed)": lambda c: np.cumsum(c.fixed, axis=1),
}


@pytest.mark.parametrize("formula", [*AWKWARD, *NUMPY])
def test_items_are_those_of_awkward_and_numpy(data: sw.Dataset, whole: dict[str, Any], formula: str) -> None:
    wanted = {**AWKWARD, **NUMPY}[formula](ak.Array(whole))
    check(read(data, [formula])[formula], wanted)


@pytest.mark.parametrize("formula", CLOSE)
def test_numbers_are_those_of_awkward_and_numpy(data: sw.Dataset, whole: dict[str, Any], formula: str) -> None:
    check(read(data, [formula])[formula], CLOSE[formula](ak.Array(whole)), rtol=1e-9)


def test_formulas_of_no_events(data: sw.Dataset) -> None:
    formulas = [*AWKWARD, *NUMPY, *CLOSE]
    none, some = data.arrays(formulas, 7, 7), data.arrays(formulas, 0, 1)
    assert {len(none[formula]) for formula in formulas} == {0}
    assert [none[formula].type for formula in formulas] == [some[formula].type for formula in formulas]


LISTS = st.lists(st.lists(st.floats(width=64) | st.sampled_from([0.0, -0.0, 1.0]), max_size=6), min_size=1, max_size=8)


@settings(max_examples=30, deadline=None)
@given(lists=LISTS, begin=st.integers(-8, 8), end=st.integers(-8, 8))
def test_any_lists(tmp_path_factory: pytest.TempPathFactory, lists: list[list[float]], begin: int, end: int) -> None:
    path = tmp_path_factory.mktemp("lists") / "lists.root"
    write_tree(path, {"v": ak.values_astype(ak.Array([*lists, [1.0]])[:-1], np.float64)})
    entries = [np.array(values, np.float64) for values in lists]
    wanted: dict[str, Any] = {
        f"v[{begin}:{end}]": [v[begin:end] for v in entries],
        f"take(v, {begin})": [v[:begin] if begin >= 0 else v[begin:] for v in entries],
        "v[v > 0]": [v[v > 0] for v in entries],
        "v[nonzero(v)]": [v[v != 0] for v in entries],
        "argsort(v)": [np.argsort(v, kind="stable") for v in entries],
        "sort(v)": [np.sort(v) for v in entries],
        "unique(v)": [np.unique(v) for v in entries],
        f"pad(v, {begin}, 7)": [
            np.append(v, [7.0] * 8)[:begin] if begin >= 0 else np.append([7.0] * 8, v)[begin:] for v in entries
        ],
        "combinations(v, 2, 1)": [[pair[1] for pair in itertools.combinations(v, 2)] for v in entries],
        "cartesian(v, reverse(v), 1)": [[pair[1] for pair in itertools.product(v, v[::-1])] for v in entries],
    }
    arrays = read(sw.open(path), wanted)
    for formula, expected in wanted.items():
        check(arrays[formula], [np.asarray(values).tolist() for values in expected])


def momenta(entries: int) -> dict[str, Any]:
    random = np.random.default_rng(11)
    counts = random.integers(0, 5, entries)
    return {
        name: ak.unflatten(values, counts)
        for name, values in {
            "p_t": random.exponential(40, counts.sum()),
            "e": random.normal(0, 2, counts.sum()),
            "p": random.uniform(-np.pi, np.pi, counts.sum()),
            "m": random.exponential(5, counts.sum()),
        }.items()
    }


@pytest.fixture(scope="module")
def particles() -> dict[str, Any]:
    return momenta(200)


@pytest.fixture(scope="module")
def events(particles: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> sw.Dataset:
    path = tmp_path_factory.mktemp("particles") / "particles.root"
    write_tree(path, particles)
    return sw.open(path)


def test_momenta_are_those_of_vector(events: sw.Dataset, particles: dict[str, Any]) -> None:
    vector = pytest.importorskip("vector")
    vector.register_awkward()
    names = dict(zip(("pt", "eta", "phi", "mass"), particles.values(), strict=True))
    whole = ak.zip(names, with_name="Momentum4D")
    first, second = ak.unzip(ak.combinations(whole, 2))
    pairs = ", ".join(f"combinations({name}, 2, {k})" for k in (0, 1) for name in particles)
    wanted = {
        "px(p_t, p)": whole.px,
        "py(p_t, p)": whole.py,
        "pz(p_t, e)": whole.pz,
        "energy(p_t, e, p, m)": whole.E,
        "pt(px(p_t, p), py(p_t, p))": whole.pt,
        "eta(px(p_t, p), py(p_t, p), pz(p_t, e))": whole.eta,
        "phi(px(p_t, p), py(p_t, p))": whole.phi,
        "invariant_mass(p_t, e, p, m)": ak.sum(whole, axis=1).mass,
        f"invariant_masses({pairs})": (first + second).mass,
        **{f"boost(px(p_t, p), py(p_t, p), pz(p_t, e), energy(p_t, e, p, m), 0.3, -0.5, 0.1, {k})":
            getattr(whole.boost(vector.obj(x=0.3, y=-0.5, z=0.1)), name)
            for k, name in enumerate(("px", "py", "pz", "E"))},
        "delta_r2(combinations(e, 2, 0), combinations(p, 2, 0), combinations(e, 2, 1), combinations(p, 2, 1))":
            first.deltaR2(second),
    }  # fmt: skip
    arrays = read(events, wanted)
    for formula, values in wanted.items():
        check(arrays[formula], values, rtol=1e-6)


def test_transverse_masses(events: sw.Dataset, particles: dict[str, Any]) -> None:
    pt, phi = particles["p_t"], particles["p"]
    wanted = np.sqrt(2 * pt * 30 * (1 - np.cos(phi - 0.5)))
    check(read(events, ["m_t(p_t, p, 30, 0.5)"])["m_t(p_t, p, 30, 0.5)"], wanted, rtol=1e-6)


def least_larger_mass(sides: np.ndarray, missing: np.ndarray) -> float:
    """m_T2 by minimising over the momentum of one unseen particle; from several starts, since it has a crease."""
    from scipy.optimize import minimize

    def mass(side: np.ndarray, q: np.ndarray) -> float:
        m, px, py, chi = side
        energies = math.hypot(m, px, py) * math.hypot(chi, *q)
        return math.sqrt(max(m**2 + chi**2 + 2 * (energies - px * q[0] - py * q[1]), 0))

    def larger(q: np.ndarray) -> float:
        return max(mass(sides[0], q), mass(sides[1], missing - q))

    best = min((missing / 2, sides[0][1:3], missing - sides[1][1:3], -sides[1][1:3]), key=larger)
    for _ in range(6):  # its own end as another start
        best = minimize(larger, best, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000}).x
    return larger(best)


def test_stransverse_masses(tmp_path: Path) -> None:
    """Of random events, with seen and unseen particles with and without mass."""
    pytest.importorskip("scipy")
    random = np.random.default_rng(2)
    entries = 60
    names = ["m1", "px1", "py1", "m2", "px2", "py2", "qx", "qy", "chi1", "chi2"]
    columns = dict(zip(names, random.normal(0, 100, (len(names), entries)), strict=True))
    for name in ("m1", "m2", "chi1", "chi2"):
        columns[name] = np.where(random.random(entries) < 0.4, 0, np.abs(columns[name]))
    write_tree(tmp_path / "pairs.root", columns)
    formula = f"m_t2({', '.join(names)})"
    got = sw.open(tmp_path / "pairs.root").arrays(formula, library="np")[formula]
    sides = np.array(
        [[columns[name] for name in side] for side in (("m1", "px1", "py1", "chi1"), ("m2", "px2", "py2", "chi2"))]
    )
    missing = np.array([columns["qx"], columns["qy"]])
    wanted = [least_larger_mass(sides[:, :, i], missing[:, i]) for i in range(entries)]
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def vec_ops() -> Any:
    if os.environ.get("SAPWOOD_TEST_WITHOUT_ROOT"):
        pytest.skip("without ROOT")
    return pytest.importorskip("ROOT").VecOps


def test_functions_are_those_of_vec_ops(events: sw.Dataset, particles: dict[str, Any]) -> None:
    ops = vec_ops()

    def vectors(name: str) -> list[Any]:
        made = [ops.RVec["double"](size) for size in ak.num(particles[name]).tolist()]
        for vector, values in zip(made, particles[name].tolist(), strict=True):
            for i, value in enumerate(values):
                vector[i] = value
        return made

    e, p, p_t, m = map(vectors, ("e", "p", "p_t", "m"))

    def each(function: Callable[..., Any], *columns: Sequence[Any]) -> list[Any]:
        results = [function(*values) for values in zip(*columns, strict=True)]
        return [list(map(float, result)) if hasattr(result, "size") else result for result in results]

    wanted = {
        "Sort(e)": each(ops.Sort, e),
        "Argsort(e)": each(ops.Argsort, e),
        "Reverse(e)": each(ops.Reverse, e),
        "Take(e, argsort(p))": each(lambda a, b: ops.Take(a, ops.Argsort(b)), e, p),
        "Drop(e, argsort(p)[:2])": each(lambda a, b: ops.Drop(a, ops.Take(ops.Argsort(b), min(2, len(b)))), e, p),
        "Concatenate(e, p)": each(ops.Concatenate, e, p),
        "Nonzero(e > 0)": each(lambda a: ops.Nonzero(a > 0), e),
        "e[e > 0]": each(lambda a: a[a > 0], e),
        "Take(e, 3, -1.5)": each(lambda a: ops.Take(a, 3, -1.5), e),
        "Take(e, -3, -1.5)": each(lambda a: ops.Take(a, -3, -1.5), e),
        "Intersect(e, Sort(e)[:2])": each(lambda a: ops.Intersect(a, ops.Take(ops.Sort(a), min(2, len(a)))), e),
        "Var(e)": each(ops.Var, e),
        "StdDev(e)": each(ops.StdDev, e),
        "Dot(e, p)": each(ops.Dot, e, p),
        "InvariantMass(p_t, e, p, m)": each(ops.InvariantMass, p_t, e, p, m),
        "InvariantMasses(p_t, e, p, m, p_t, reverse(e), reverse(p), m)": each(
            lambda a, b, c, d: ops.InvariantMasses(a, b, c, d, a, ops.Reverse(b), ops.Reverse(c), d), p_t, e, p, m),
        "DeltaR2(e, p, p, e)": each(lambda a, b: ops.DeltaR2(a, b, b, a), e, p),
    }  # fmt: skip
    arrays = read(events, wanted)
    for formula, values in wanted.items():
        check(arrays[formula], values, rtol=1e-6)


@pytest.mark.parametrize("entries", [0, 200])
def test_strings_are_compared(tmp_path: Path, entries: int) -> None:
    random = np.random.default_rng(3)
    words = np.array(["", "mumu", "ee", "emu", "größe", "mum"])
    counts = random.integers(0, 4, entries + 1)
    one, two = (ak.Array(words[random.integers(0, len(words), entries + 1)].tolist()) for _ in range(2))
    flags, others = (
        ak.unflatten(words[random.integers(0, len(words), counts.sum())].tolist(), counts) for _ in range(2)
    )
    columns = {"one": one, "two": two, "flags": flags, "others": others, "number": np.arange(entries + 1)}
    write_tree(tmp_path / "words.root", columns, format="RNTuple")
    wanted = {
        'one == "mumu"': one == "mumu",
        "one != 'größe'": one != "größe",
        "one == two": one == two,
        "flags == ''": flags == "",
        "flags != others": flags != others,
    }
    data = sw.open(tmp_path / "words.root")
    arrays = data.arrays(list(wanted), 0, entries, library="ak")
    for formula, values in wanted.items():
        check(arrays[formula], values[:entries])
    rows = data.filter("one == 'ee' || any(flags == 'ee')").arrays("number", library="np")["number"]
    passed = (one == "ee") | ak.any(flags == "ee", axis=1)
    np.testing.assert_array_equal(rows, np.flatnonzero(ak.to_numpy(passed)))
    with pytest.raises(sw.ConfigError, match="can't compare list<string> with string, at position 7"):
        data.arrays(["flags == one"])


def test_formulas_of_features(events: sw.Dataset, particles: dict[str, Any]) -> None:
    """The hardest particles first, in a padded tensor."""
    loader = events.loader({"part": ["p_t[argsort(-p_t)][m > 0]"]}, pad={"part": 3}, shuffle=False, batch_size=10**6)
    (batch,) = loader.numpy()
    order = ak.argsort(particles["p_t"], ascending=False)
    wanted = ak.fill_none(ak.pad_none(particles["p_t"][order], 3, clip=True), 0)
    np.testing.assert_array_equal(batch["part"][:, 0], ak.to_numpy(wanted).astype(np.float32))


def test_pairs_are_within_the_memory_bound(make_tree: MakeTree) -> None:
    counts = np.full(20_000, 30)
    values = np.random.default_rng(1).normal(size=counts.sum()).astype(np.float32)
    data = sw.open(make_tree("pairs.root", {"v": ak.unflatten(values, counts)}, clusters=40))
    loader = data.loader(["sum(combinations(v, 2, 0) * combinations(v, 2, 1))"], memory="60 MB", batch_size=1000)
    assert sum(len(batch["features"]) for batch in loader.numpy()) == 20_000
    stats = loader.stats()
    assert stats is not None
    assert stats.peak_bytes <= loader.explain().memory
