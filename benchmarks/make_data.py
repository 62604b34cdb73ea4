"""Makes the benchmarks' data: python benchmarks/make_data.py DIRECTORY {flat,jets,events,nano,memory,physics,shapes}...

Needs ROOT, which writes all but jets and events; jets and events are copies of files that are there
already. What is complete in the directory is not made again. All files of a kind and part hold the same rows in every
format.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
#: Where jets and events are looked for, in this order.
SOURCES = [REPOSITORY.parent / "shared" / "data", REPOSITORY / "examples" / "data"]

ZSTD_5, ZSTD_1, LZ4_4, STORED = 505, 501, 404, 0  # as ROOT writes an algorithm and its level
ROOTS_AUTO_FLUSH = -30_000_000  # bytes
ROOTS_CLUSTERS = 0
LARGE_CLUSTER = 2_000_000_000  # bytes, more than one file holds
#: For 10 million rows: 1.2 GB before compression.
MEMORY_ROWS = 10_000_000


@dataclasses.dataclass
class Sizes:
    """How much of each kind."""

    flat_rows: int = 500_000  # of each file
    flat_files: int = 4
    copies: int = 2  # of the TTree files of jets; three times as many of the RNTuple files, a third as long
    event_copies: int = 10  # the same of events
    nano_rows: int = 20_000  # of each file
    nano_files: int = 2
    physics_rows: int = 1_000_000  # of each file
    physics_files: int = 4
    shape_rows: int = 100_000  # of each file
    shape_files: int = 2


def _write(path: Path, writer: str, *arguments: int) -> None:
    """Writes under another name first, so that what carries its name is complete."""
    if path.exists():
        return
    import ROOT

    if not hasattr(ROOT, "writers"):
        ROOT.gInterpreter.Declare((HERE / "writers" / "flat.h").read_text())
        ROOT.gInterpreter.Declare((HERE / "writers" / "nano.h").read_text())
        ROOT.gInterpreter.Declare((HERE / "writers" / "physics.h").read_text())
    start = time.monotonic()
    partial = path.with_suffix(".partial")
    getattr(ROOT.writers, writer)(str(partial), *arguments)
    partial.rename(path)
    print(f"made {path} ({path.stat().st_size / 1e6:.0f} MB) in {time.monotonic() - start:.0f} s", flush=True)


def make_flat(directory: Path, sizes: Sizes) -> None:
    """`flat/{ttree,rntuple}_{zstd,lz4,stored}_<part>.root`, `Events`."""
    directory.mkdir(parents=True, exist_ok=True)
    for part in range(sizes.flat_files):
        rows, seed = sizes.flat_rows, part + 1
        for codec, compression in (("zstd", ZSTD_5), ("lz4", LZ4_4), ("stored", STORED)):
            _write(directory / f"ttree_{codec}_{part}.root", "write_ttree", rows, seed, compression, ROOTS_AUTO_FLUSH)
            _write(directory / f"rntuple_{codec}_{part}.root", "write_rntuple", rows, seed, compression, ROOTS_CLUSTERS)


def make_copies(directory: Path, kind: str, ttree_copies: int) -> None:
    """`{jets,events}/{ttree,rntuple}_<name>_<copy>.root` from the project's samples, each as often as asked."""
    directory.mkdir(parents=True, exist_ok=True)
    source = next((folder for folder in SOURCES if list(folder.glob(f"{kind}/*.root"))), None)
    if source is None:
        raise SystemExit(f"no {kind} in {', '.join(str(folder / kind) for folder in SOURCES)}")
    for file_format, copies in (("ttree", ttree_copies), ("rntuple", 3 * ttree_copies)):
        for path in sorted(source.glob(f"{kind}/*_{file_format}.root")):
            name = path.stem.removesuffix(f"_{file_format}")
            if "_" in name:  # the same jets under another codec
                continue
            for copy in range(copies):
                to = directory / f"{file_format}_{name}_{copy}.root"
                if not to.exists():
                    shutil.copyfile(path, to)


def make_memory(directory: Path, _sizes: Sizes) -> None:
    """Four files of 10 million rows: what a bound on memory finds hard, and what is usual. More than 4 GB in all."""
    directory.mkdir(parents=True, exist_ok=True)
    _write(directory / "rntuple_one_cluster.root", "write_rntuple", MEMORY_ROWS, 11, ZSTD_1, LARGE_CLUSTER)
    _write(directory / "ttree_no_flush.root", "write_ttree", MEMORY_ROWS, 12, ZSTD_1, 0)
    _write(directory / "rntuple_usual.root", "write_rntuple", MEMORY_ROWS, 13, ZSTD_1, ROOTS_CLUSTERS)
    _write(directory / "ttree_usual.root", "write_ttree", MEMORY_ROWS, 14, ZSTD_1, ROOTS_AUTO_FLUSH)


def make_nano(directory: Path, sizes: Sizes) -> None:
    """`nano/ttree_<part>.root`, tree `Events`: about a thousand branches, as in NanoAOD."""
    directory.mkdir(parents=True, exist_ok=True)
    for part in range(sizes.nano_files):
        _write(directory / f"ttree_{part}.root", "write_nano", sizes.nano_rows, part + 1, ZSTD_5)


def make_physics(directory: Path, sizes: Sizes) -> None:
    """`physics/ttree_<part>.root`, tree `Events`: muons and jets."""
    directory.mkdir(parents=True, exist_ok=True)
    for part in range(sizes.physics_files):
        _write(directory / f"ttree_{part}.root", "write_physics", sizes.physics_rows, part + 1, LZ4_4)


def make_shapes(directory: Path, sizes: Sizes) -> None:
    """`shapes/{split,whole,nested,strings}_<part>.root`, tree `Events`: classes, vectors of vectors, strings."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = {
        (shape, part): directory / f"{shape}_{part}.root"
        for shape in ("split", "whole", "nested", "strings")
        for part in range(sizes.shape_files)
    }
    if all(path.exists() for path in paths.values()):
        return
    import ROOT

    macro = shutil.copy(HERE / "writers" / "shapes.h", Path(tempfile.mkdtemp()) / "shapes.C")
    if not ROOT.gSystem.CompileMacro(str(macro), "kO"):
        raise SystemExit("the classes of shapes.h do not compile")
    for (shape, part), path in paths.items():
        partial = path.with_suffix(".partial")
        rows = sizes.shape_rows * (10 if shape == "strings" else 1)  # which take little room
        ROOT.shapes.write(str(partial), shape, rows, part + 1, ZSTD_5)
        partial.rename(path)


def make(directory: Path, kinds: list[str], sizes: Sizes) -> None:
    """Makes what is missing of these kinds of data, in a folder each."""
    for kind in kinds:
        if kind == "flat":
            make_flat(directory / "flat", sizes)
        elif kind == "memory":
            make_memory(directory / "memory", sizes)
        elif kind == "nano":
            make_nano(directory / "nano", sizes)
        elif kind == "physics":
            make_physics(directory / kind, sizes)
        elif kind == "shapes":
            make_shapes(directory / kind, sizes)
        elif kind == "jets":
            make_copies(directory / kind, kind, sizes.copies)
        else:
            make_copies(directory / kind, kind, sizes.event_copies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("kinds", nargs="+", choices=["flat", "jets", "events", "nano", "memory", "physics", "shapes"])
    parser.add_argument("--flat-rows", type=int, default=Sizes.flat_rows, help="rows of each flat file (%(default)s)")
    parser.add_argument("--flat-files", type=int, default=Sizes.flat_files, help="flat files per format (%(default)s)")
    parser.add_argument("--copies", type=int, default=Sizes.copies, help="of each jets file (%(default)s)")
    parser.add_argument("--event-copies", type=int, default=Sizes.event_copies, help="of each events file")
    parser.add_argument("--nano-rows", type=int, default=Sizes.nano_rows, help="rows of each nano file (%(default)s)")
    options = parser.parse_args()
    sizes = Sizes(options.flat_rows, options.flat_files, options.copies, options.event_copies, options.nano_rows)
    make(options.directory, options.kinds, sizes)


if __name__ == "__main__":
    main()
