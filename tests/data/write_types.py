"""Writes types_whole.root, types_split.root and types_rntuple.root with ROOT: `python tests/data/write_types.py`.

They hold the types of tests/python/root_types.C, in objects that are stored whole, in split ones, and in fields.
"""

import shutil
import tempfile
from pathlib import Path

import ROOT

HERE = Path(__file__).parent
ZSTD = 505


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        macro = shutil.copy(HERE.parent / "python" / "root_types.C", folder)
        if not ROOT.gSystem.CompileMacro(macro, "kO"):
            raise SystemExit("the types do not compile")
        ROOT.write_tree(str(HERE / "types_whole.root"), 0, ZSTD)
        ROOT.write_tree(str(HERE / "types_split.root"), 99, ZSTD)
        ROOT.write_ntuple(str(HERE / "types_rntuple.root"), ZSTD)


if __name__ == "__main__":
    main()
