"""The model card of a bundle: what the model is, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import features

if TYPE_CHECKING:
    from collections.abc import Iterable


def model_card(manifest: Mapping[str, Any], inputs: features.FeatureSpec | None, sections: Mapping[str, Any]) -> str:
    """The card; `sections` are added, title to text or to a mapping that becomes a table."""
    parts = [f"# {manifest['name']}"]
    if manifest["description"]:
        parts.append(manifest["description"])
    if inputs is not None:
        parts += ["## Inputs", _table(("tensor", "variable", "formula", "transforms"), _with_code(variables(inputs)))]
        columns = ((column["name"], column["type"]) for column in manifest["columns"])
        parts += ["Computed from these columns:", _table(("column", "type"), columns)]
    parts += ["## Model", _table(("tensor", "type", "shape"), _tensors(manifest))]
    if manifest["labels"]:
        numbered = enumerate(manifest["labels"])
        parts += ["## Labels", _table(("column", "label"), ((str(i), label) for i, label in numbered))]
    for title, content in sections.items():
        text = (
            _table(("", ""), ((str(k), str(v)) for k, v in content.items()))
            if isinstance(content, Mapping)
            else content
        )
        parts += [f"## {title}", str(text)]
    versions = [
        ("trained in", manifest["framework"]),
        ("exported", manifest["created"]),
        ("by", f"sapwood {manifest['sapwood']}"),
    ]
    parts += ["## Versions", _table(("", ""), versions)]
    return "\n\n".join(parts) + "\n"


def variables(inputs: features.FeatureSpec) -> list[tuple[str, ...]]:
    """Tensor (once), variable, formula and transforms of each variable."""
    rows: list[tuple[str, ...]] = []
    for group in inputs.inputs:
        tensor = f"{group.name} {features._shape(group)} {group.dtype}"
        for variable in group.variables:
            steps = ", ".join(features._step_text(step) for step in variable.transforms)
            rows.append((tensor, variable.name, variable.expression, steps))
            tensor = ""
    return rows


def _with_code(rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [(tensor, name, f"`{formula}`", transforms) for tensor, name, formula, transforms in rows]


def _tensors(manifest: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for kind in ("input", "output"):
        for spec in manifest[kind + "s"]:
            sizes = ("?" if size < 0 else str(size) for size in spec["shape"][1:])
            first = ["N"] if spec["shape"] and spec["shape"][0] < 0 else list(map(str, spec["shape"][:1]))
            rows.append((f"{kind} {spec['name']}", spec["dtype"], f"[{', '.join([*first, *sizes])}]"))
    return rows


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
