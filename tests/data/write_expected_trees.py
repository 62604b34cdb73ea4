"""Writes beside each tree file named below, as uproot reads it, `<file>.expected`: for each tree a line with
its name and number of entries, and for each column its name and, separated by tabs, the first three entries and
the last. tree_test.cpp prints the same of what it reads."""

import pathlib
import sys

import awkward as ak
import numpy as np
import uproot

# uproot rounds its numbers otherwise than ROOT; tree_test.cpp has ROOT's.
LEFT_OUT = {"uproot-double32-float16.root"}
FOLDER = pathlib.Path(__file__).parent


def text(value):
    if value is None:
        return "null"
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (str, bytes)):
        raw = value.encode() if isinstance(value, str) else value
        return '"' + "".join(chr(c) if 32 <= c < 127 else f"\\{c:03o}" for c in raw) + '"'
    if isinstance(value, (int, np.integer)):
        return str(value)
    if isinstance(value, (float, np.floating)):
        return f"{value:.9g}"
    if isinstance(value, dict):
        return "{" + ",".join(text(v) for v in value.values()) + "}"
    if isinstance(value, tuple):
        return "{" + ",".join(text(v) for v in value) + "}"
    return "[" + ",".join(text(v) for v in value) + "]"


def columns(parent):
    for branch in parent.branches:
        if branch.branches:
            yield from columns(branch)
        else:
            yield branch


def main():
    for path in sorted(FOLDER.glob("uproot-*.root")):
        if path.name in LEFT_OUT:
            continue
        lines = []
        with uproot.open(path) as file:
            for key, class_name in file.classnames(recursive=True).items():
                if class_name not in ("TTree", "TNtuple", "TNtupleD"):
                    continue
                tree = file[key]
                lines.append(f"tree\t{key}\t{tree.num_entries}")
                for branch in columns(tree):
                    try:
                        array = branch.array()
                    except Exception as error:  # uproot does not read it
                        print(path.name, branch.name, type(error).__name__, file=sys.stderr)
                        continue
                    count = len(array)
                    entries = [i for i in (0, 1, 2) if i < count] + ([count - 1] if count > 3 else [])
                    lines.append("\t".join([branch.name] + [text(ak.to_list(array[i])) for i in entries]))
        if any(not line.startswith("tree") for line in lines):
            path.with_suffix(".expected").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
