"""Compares sapwood's columns with uproot's, and with ROOT's where uproot is no judge."""

from __future__ import annotations

import collections
from typing import Any

import awkward as ak
import coverage_root
import numpy as np
import uproot


class MismatchError(Exception):
    """Two readers give different columns; says where and what."""


class NotComparedError(Exception):
    """Nobody here can judge a column; says why."""


def compare(
    ours: Any, theirs: ak.contents.Content, stored_type: str, where: str = "", unread: frozenset[str] = frozenset()
) -> None:
    """Raises MismatchError unless a `_core.Column` has the structure, lengths and bits of an Awkward layout, but for
    the members called as in `unread`.

    Five differences are matters of convention: uproot names the members of tuples 0, 1, ..; reads RNTuple's char as
    uint8; gives cardinalities as int64; takes the int that is the length of other members, maybe -1, for unsigned;
    and rounds truncated Double32_t and Float16_t otherwise.
    """
    if theirs.is_option and not where and stored_type.startswith(("std::optional<", "std::unique_ptr<")):
        present = theirs.mask_as_bool(valid_when=True)
        _expect_equal(np.diff(ours.offsets), present.astype(np.int64), f"{where} (which are there)")
        compare(ours.children[0], theirs.project(), stored_type, "[]", unread)
        return
    if theirs.is_union:  # whose first content stands for no value
        tags = np.asarray(theirs.tags)
        for i, alternative in enumerate(ours.children, 1):
            _expect_equal(np.diff(alternative.offsets), (tags == i).astype(np.int64), f"{where} (alternative {i})")
            compare(alternative.children[0], theirs.project(i), stored_type, f"{where}[]", unread)
        return
    while theirs.is_indexed or theirs.is_option:
        if theirs.is_option and np.any(theirs.mask_as_bool(valid_when=False)):
            raise MismatchError(f"{where}: uproot has missing values")
        theirs = theirs.project()
    if ours.kind in ("fixed_list", "list_array") and theirs.is_list and not theirs.is_regular and _is_nested(theirs):
        theirs = theirs.to_ListOffsetArray64(True).content  # of arrays of objects uproot makes lists of one array
    if ours.kind == "string":
        _expect(theirs.parameter("__array__") in ("string", "bytestring"), where, ours, theirs)
        strings = theirs.to_ListOffsetArray64(True)
        offsets = np.asarray(strings.offsets)
        _expect_equal(ours.offsets, offsets, f"{where} (lengths)")
        if ours.characters != np.asarray(strings.content.data)[: offsets[-1]].tobytes():
            raise MismatchError(f"{where}: other characters")
    elif ours.kind == "list":
        _expect(theirs.is_list and theirs.parameter("__array__") in (None, "set"), where, ours, theirs)
        lists = theirs.to_ListOffsetArray64(True)
        offsets = np.asarray(lists.offsets)
        _expect_equal(ours.offsets, offsets, f"{where} (offsets)")
        compare(ours.children[0], lists.content[: offsets[-1]], stored_type, f"{where}[]", unread)
    elif ours.kind == "list_array":
        _expect(theirs.is_regular, where, ours, theirs)
        compare(ours.children[0], theirs.content[: theirs.length * theirs.size], stored_type, f"{where}[]", unread)
    elif ours.kind == "record":
        _expect(theirs.is_record, where, ours, theirs)
        fields = dict(zip(ours.member_names if theirs.is_tuple else theirs.fields, theirs.fields, strict=True))
        members = [name for name in fields if name not in unread or name in ours.member_names]
        own = zip(ours.member_names, ours.children, strict=True)
        if any(child.kind == "record" and name not in fields for name, child in own):
            raise NotComparedError("uproot has one of two members of the same name, of a class and of its base")
        if list(ours.member_names) != members:
            raise MismatchError(f"{where}: members {ours.member_names}, uproot has {members}")
        for name, child in zip(ours.member_names, ours.children, strict=True):
            compare(child, theirs[fields[name]], stored_type, f"{where}.{name}", unread)
    else:
        _compare_numbers(ours, theirs, stored_type, where)


def _is_nested(lists: ak.contents.Content) -> bool:
    return lists.parameter("__array__") is None and lists.to_ListOffsetArray64(True).content.is_regular


def _member(layout: ak.contents.Content, name: str) -> ak.contents.Content:
    """The member of records, inside of lists; those of pairs are called 0 and 1 here."""
    while layout.is_indexed or layout.is_option:
        layout = layout.project()
    if layout.is_record:
        return layout[{"first": "0", "second": "1"}.get(name, name) if layout.is_tuple else name]
    if layout.is_numpy:  # records of NumPy, in fixed arrays
        return ak.from_numpy(np.ascontiguousarray(layout.data[name])).layout
    if layout.is_regular:
        items = _member(layout.content[: layout.length * layout.size], name)
        return ak.contents.RegularArray(items, layout.size, zeros_length=layout.length)
    lists = layout.to_ListOffsetArray64(True)
    return ak.contents.ListOffsetArray(lists.offsets, _member(lists.content, name))


def _compare_numbers(ours: Any, theirs: ak.contents.Content, stored_type: str, where: str) -> None:
    if theirs.parameter("__array__") == "bitset":
        theirs = ak.to_regular(ak.Array(theirs)).layout
    _expect(not theirs.is_record and (theirs.is_numpy or theirs.is_regular), where, ours, theirs)
    values, expected = ours.numpy(), ak.to_numpy(ak.Array(theirs))
    if (values.dtype, expected.dtype) in ((np.int8, np.uint8), (np.int32, np.uint32)):
        expected = expected.view(values.dtype)
    if expected.dtype == bool:  # uproot keeps bytes that are neither 0 nor 1
        expected = expected.view(np.uint8) != 0
    if "RNTupleCardinality" in stored_type:
        expected = expected.astype(values.dtype)
    _expect_equal(values, expected, where, truncated=stored_type.startswith(("Double32_t", "Float16_t")))


def _expect(condition: bool, where: str, ours: Any, theirs: ak.contents.Content) -> None:
    if not condition:
        raise MismatchError(f"{where}: {ours.type}, uproot has {theirs.form.type}")


def _expect_equal(ours: Any, theirs: Any, where: str, *, truncated: bool = False) -> None:
    """Equal types, shapes and bits; NaN equals the same NaN only."""
    ours, theirs = np.ascontiguousarray(ours), np.ascontiguousarray(theirs)
    if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
        raise MismatchError(f"{where}: {ours.dtype} {ours.shape}, uproot has {theirs.dtype} {theirs.shape}")
    different = ours.ravel().view(f"u{ours.itemsize}") != theirs.ravel().view(f"u{ours.itemsize}")
    if truncated and different.any():
        scale = max(4 * np.finfo(ours.dtype).eps, 1e-9) * np.abs(theirs).max()
        different = ~(np.abs(ours - theirs).ravel() <= scale)
    if different.any():
        at = int(np.argmax(different))
        raise MismatchError(
            f"{where}: {int(different.sum())} of {ours.size} values differ, first at {at}: "
            f"{ours.ravel()[at]!r}, uproot has {theirs.ravel()[at]!r}"
        )


class Oracles:
    """The readers of others, for one tree or n-tuple."""

    def __init__(self, path: str, table: Any, schema: list[Any]) -> None:
        self._path = path
        self._table = table.path
        self._is_tree = table.format == "TTree"
        self._tree = uproot.open(path)[table.path]
        self._branches = _branches_by_name(self._tree) if self._is_tree else {}
        self._last: tuple[Any, Any] = (None, None)
        self._schema = schema
        self._unread = frozenset(info.name.rpartition(".")[2] for info in schema if info.unsupported and info.is_member)
        self._kind_of = {info.name: info.stored_type for info in schema}
        self._column_of: dict[str, str] = {}
        column = ""
        for info in schema:
            column = column if info.is_member else info.name
            self._column_of[info.name] = column
        self._root_members: coverage_root.Found | None = None
        self._top_fields = set() if self._is_tree else set(self._tree.keys(recursive=False))

    def check(self, info: Any, ours: Any) -> str:
        """Compares a column and says with whom, "uproot" or "ROOT". Raises MismatchError, NotComparedError."""
        if not self._is_tree:
            compare(ours, self._ntuple_column(info.name), info.stored_type)
            return "uproot"
        column = self._column_of[info.name]
        branch = self._branch(column)
        members = info.name[len(column) + 1 :].split(".") if info.is_member else []
        try:
            theirs = self._array(branch)
        except Exception as error:
            reason = f"uproot fails: {next(iter(str(error).strip().splitlines()), type(error).__name__)}"
            return self._check_with_root(info, ours, branch, reason)
        try:
            for member in members:
                theirs = _member(theirs, member)
        except ak.errors.FieldNotFoundError:
            return self._check_with_root(info, ours, branch, "uproot has no such member")
        if info.stored_type.startswith(("Double32_t", "Float16_t")) and coverage_root.is_there():
            return self._check_with_root(info, ours, branch, "")
        try:
            compare(ours, theirs, info.stored_type, unread=self._unread)
        except MismatchError:
            if not info.name.endswith("fBits"):
                raise
            # uproot takes the word after the fBits of an object that a TRef points to for another object's.
            return self._check_with_root(info, ours, branch, "uproot does not read the fBits of referenced objects")
        return "uproot"

    def _ntuple_column(self, name: str) -> ak.contents.Content:
        field, *members = [name] if name in self._top_fields else name.split(".")
        array = self._tree[field].array()
        try:
            for member in members:
                array = array[member.removeprefix("_") if ak.is_tuple(array) else member]
        except (ak.errors.FieldNotFoundError, IndexError, TypeError):
            raise NotComparedError("uproot gives a variant as a whole") from None
        return array.layout

    def _array(self, branch: Any) -> ak.contents.Content:
        if self._last[0] is not branch:
            try:
                self._last = branch, branch.array(library="ak", entry_stop=self._tree.num_entries).layout
            except Exception as error:
                self._last = branch, error
        if isinstance(self._last[1], Exception):
            raise self._last[1]
        return self._last[1]

    def _branch(self, column: str) -> Any:
        """By our rule of naming: its own name, with the names of its parents where several share it, with ";2" on the
        second of the same names."""
        name, _, ordinal = column.partition(";")
        found = self._branches.get(name, [])
        index = int(ordinal or 1) - 1
        if index >= len(found):
            raise MismatchError("uproot has no such branch")
        return found[index]

    def _check_with_root(self, info: Any, ours: Any, branch: Any, reason: str) -> str:
        if not coverage_root.is_there():
            raise NotComparedError(reason)
        is_object = branch.classname in ("TBranchElement", "TBranchObject")
        if is_object and (info.is_member or not _is_numbers(ours)):
            numbers = _numbers_in(ours)
            # Of two of one name ROOT's formulas read the first, and of lists two levels.
            if numbers is None or ";" in info.name or ours.type.count("list<") > 2:
                raise NotComparedError(reason)
            values, _ = self._member_of_root(info.name, reason)
            if len(values) != len(numbers) and self._kind_of[self._column_of[info.name]].endswith("*"):
                raise NotComparedError("for null pointers ROOT gives something, too")
            _expect_equal_to_root(numbers, values, info.name)
            return "ROOT"
        if not (ours.kind == "record" or _is_numbers(ours)):
            raise NotComparedError(reason)
        columns = ours.children if ours.kind == "record" else [ours]
        name = branch.name if branch.top_level else f"{branch.parent.name}/{branch.name}"
        leaf = info.name.rsplit(".", 1)[1] if info.is_member else None
        reads = {str(i): coverage_root.Leaf((branch.name, name), leaf, i) for i in range(len(columns))}
        found = coverage_root.read(self._path, self._table, reads)
        for i, column in enumerate(columns):
            if str(i) not in found:
                raise NotComparedError(reason)
            values, counts = found[str(i)]
            items = column
            if column.kind == "list":
                _expect_equal(np.diff(column.offsets), counts.astype(np.int64), "counts (ROOT)")
                items = column.children[0]
            _expect_equal_to_root(items.numpy().ravel(), values, info.name)
        return "ROOT"

    def _member_of_root(self, name: str, reason: str) -> tuple[np.ndarray, np.ndarray]:
        if self._root_members is None:  # all of the tree at once
            wanted = {info.name: info.stored_type for info in self._schema if not info.unsupported}
            reads = {wanted_name: coverage_root.Member(wanted_name, kind) for wanted_name, kind in wanted.items()}
            self._root_members = coverage_root.read(self._path, self._table, reads)
        if name not in self._root_members:
            raise NotComparedError(reason)
        return self._root_members[name]


def _is_numbers(ours: Any) -> bool:
    """Whether a leaf can have these values: numbers, arrays, and lists of those."""
    items = ours.children[0] if ours.kind == "list" else ours
    return items.kind in ("number", "fixed_list") and "bool" not in items.type


def _numbers_in(ours: Any) -> np.ndarray | None:
    """All numbers in lists of any depth; None for other things."""
    while ours.kind in ("list", "list_array"):
        ours = ours.children[0]
    return ours.numpy().ravel() if ours.kind in ("number", "fixed_list") else None


def _expect_equal_to_root(ours: np.ndarray, values: np.ndarray, name: str) -> None:
    """ROOT gives float64, and sets some fBits of objects that it reads."""
    if name.endswith("fBits"):
        changed = np.uint32(coverage_root.SET_BITS)
        ours, values = ours & ~changed, values.astype(np.uint32) & ~changed
    if ours.dtype.kind in "iu" and ours.itemsize == values.itemsize:
        ours = ours.astype(np.float64)
    _expect_equal(ours, values.astype(ours.dtype), "values (ROOT)")


def _branches_by_name(tree: Any) -> dict[str, list[Any]]:
    found = collections.defaultdict(list)

    def walk(branches: Any, parents: list[str]) -> None:
        for branch in branches:
            path = [*parents, branch.name]
            found[branch.name].append(branch)
            if parents:
                found["/".join(path)].append(branch)
            walk(branch.branches, path)

    walk(tree.branches, [])
    return found
