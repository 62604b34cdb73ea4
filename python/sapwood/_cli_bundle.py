"""``sapwood bundle``: what a bundle holds, and whether its model still gives the answers that it gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _model_card, _onnxruntime, bundle
from ._cli_text import plural, print_json, table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from . import _core


def inspect(options: argparse.Namespace) -> int:
    """Prints what the bundle holds; returns the exit status."""
    opened = bundle.open(options.file)
    if options.json:
        print_json(_facts(opened))
        return 0
    if options.card:
        print(opened.card, end="")
        return 0
    print(
        f"{opened.name} ({opened.framework or 'framework not known'}), exported {opened.created or 'at no known time'}"
    )
    if opened.description:
        print(opened.description)
    _section(("takes", "type"), opened.columns.items())
    if opened.features is not None:
        _section(("tensor", "variable", "formula", "transforms"), _model_card.variables(opened.features))
    tensors = [(f"{kind} {spec.name}", str(spec)) for kind, spec in _tensors(opened)]
    _section(("model", "type"), tensors)
    _section(("column", "label"), ((str(i), label) for i, label in enumerate(opened.labels)))
    _section(("member", "bytes", "SHA-256"), ((n, f"{size:,}", sha) for n, (size, sha) in opened.members.items()))
    return 0


def verify(options: argparse.Namespace) -> int:
    """Compares the bundle with its hashes and its golden sample; returns the exit status."""
    opened = bundle.open(options.file)
    opened.load()
    if options.json:
        facts = {"file": options.file, "members": len(opened.members), "golden": opened.has_golden}
        print_json(facts | {"onnxruntime": _onnxruntime.version()})
        return 0
    members = plural(len(opened.members), "member")
    answers = "the model gives the answers of the golden sample" if opened.has_golden else "it has no golden sample"
    print(f"{options.file}: {members} as the manifest says; {answers} (ONNX Runtime {_onnxruntime.version()})")
    return 0


def _section(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    listed = list(rows)
    if listed:
        print("", *table(header, listed), sep="\n")


def _tensors(opened: bundle.Bundle) -> list[tuple[str, _core.TensorSpec]]:
    return [("input", spec) for spec in opened.inputs] + [("output", spec) for spec in opened.outputs]


def _facts(opened: bundle.Bundle) -> dict[str, object]:
    def described(kind: str) -> list[dict[str, object]]:
        specs = [spec for one, spec in _tensors(opened) if one == kind]
        return [{"name": spec.name, "dtype": spec.dtype, "shape": spec.shape} for spec in specs]

    return {
        "name": opened.name,
        "description": opened.description,
        "framework": opened.framework,
        "created": opened.created,
        "sapwood": opened.sapwood_version,
        "labels": opened.labels,
        "columns": opened.columns,
        "features": None if opened.features is None else opened.features.to_dict(),
        "inputs": described("input"),
        "outputs": described("output"),
        "golden": opened.has_golden,
        "members": {name: {"size": size, "sha256": sha256} for name, (size, sha256) in opened.members.items()},
    }
