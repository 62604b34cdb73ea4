"""The files of benchmarks/scale, written by ROOT in as many processes as there are processors.

What is complete in the directory is not made again. No two files have the same contents or UUID.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import shutil
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ZSTD_1 = 501  # as ROOT writes an algorithm and its level
WIDE_COLUMNS = 100
WIDE_FORMATS = ("ttree", "rntuple")
#: About what ROOT writes for a row, on the cautious side.
WIDE_ROW_BYTES, JET_ROW_BYTES, FLAT_ROW_BYTES = 400, 1750, 130
SPARE = 2_000_000_000  # bytes of the disk that are left alone


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much there is."""

    files: int = 1000
    wide_rows: int = 2000  # of each file, as the next
    jet_rows: int = 20_000
    jet_bytes: int = 30_000_000_000  # that the files of jets take at least
    sweep_rows: int = 2_000_000  # in all files of a cluster size
    sweep_clusters: tuple[int, ...] = (1000, 3000, 10_000, 30_000, 100_000, 500_000)


FULL = Sizes()
QUICK = Sizes(
    files=20, wide_rows=500, jet_rows=2000, jet_bytes=0, sweep_rows=40_000, sweep_clusters=(1000, 10_000, 20_000)
)
SWEEP_FILES = 4

# A file that is to be written: its path, the function that writes it, and that one's arguments.
Wanted = tuple[Path, str, tuple[int, ...]]


def wide_files(directory: Path, file_format: str, sizes: Sizes) -> list[Path]:
    """`Events` of 99 floats and a label."""
    folder = directory / "scale" / f"wide_{file_format}_{sizes.wide_rows}"
    wanted = [
        (folder / f"part_{i:04d}.root", f"write_wide_{file_format}", (sizes.wide_rows, i + 1, WIDE_COLUMNS, ZSTD_1))
        for i in range(sizes.files)
    ]
    return make_files(wanted, sizes.wide_rows * WIDE_ROW_BYTES)


def jet_files(directory: Path, sizes: Sizes) -> list[Path]:
    """`tree` of jets: more than `jet_bytes`, and than this machine's memory."""
    folder = directory / "scale" / f"jets_{sizes.jet_rows}"
    wanted = [
        (folder / f"part_{i:04d}.root", "write_jets", (sizes.jet_rows, i + 1, ZSTD_1)) for i in range(sizes.files)
    ]
    paths = make_files(wanted, sizes.jet_rows * JET_ROW_BYTES)
    if sizes.jet_bytes:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        least, found = max(sizes.jet_bytes, memory), total_size(paths)
        if found < least:
            rows = sizes.jet_rows * least // found + 1
            raise SystemExit(
                f"the files of jets take {found / 1e9:.1f} GB, and should take {least / 1e9:.1f} GB: --jet-rows {rows}"
            )
    return paths


def sweep_files(directory: Path, cluster_rows: int, sizes: Sizes) -> list[Path]:
    """`Events` of 28 floats, a label and a weight, the same rows in clusters of so many rows."""
    rows = sizes.sweep_rows // SWEEP_FILES
    folder = directory / "scale" / f"flat_{rows}_{cluster_rows}"
    wanted = [
        (folder / f"part_{i}.root", "write_ttree", (rows, i + 1, ZSTD_1, cluster_rows)) for i in range(SWEEP_FILES)
    ]
    return make_files(wanted, rows * FLAT_ROW_BYTES)


def total_size(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def make_files(wanted: list[Wanted], bytes_each: int) -> list[Path]:
    """Writes what is missing. Ends the program where the disk has no room for it."""
    missing = [file for file in wanted if not file[0].exists()]
    if missing:
        folder = missing[0][0].parent
        folder.mkdir(parents=True, exist_ok=True)
        check_room(folder, len(missing) * bytes_each)
        start = time.monotonic()
        with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
            for _ in pool.imap_unordered(_write, missing):
                pass
        written = total_size([file[0] for file in missing])
        seconds = time.monotonic() - start
        check_uuids([file[0] for file in wanted])
        print(f"made {len(missing)} files in {folder}: {written / 1e9:.2f} GB in {seconds:.0f} s", flush=True)
    return [file[0] for file in wanted]


def check_uuids(paths: list[Path]) -> None:
    """Each file has one of its own."""
    seen: dict[bytes, Path] = {}
    for path in paths:
        with path.open("rb") as file:
            header = file.read(80)
        large = int.from_bytes(header[4:8], "big") >= 1_000_000  # with positions of 64 bits
        uuid = header[57:75] if large else header[45:63]
        if seen.setdefault(uuid, path) != path:
            raise SystemExit(f"{seen[uuid]} and {path} have the same UUID")


def check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed + SPARE > free:
        raise SystemExit(
            f"{folder} has {free / 1e9:.1f} GB free, and {needed / 1e9:.1f} GB of files are to be made beside "
            f"{SPARE / 1e9:.0f} GB that stay free: name another disk with --data"
        )


def _write(file: Wanted) -> None:
    """Under another name first, so that what carries its name is complete."""
    import ROOT

    if not hasattr(ROOT, "scale"):
        ROOT.gInterpreter.Declare((HERE / "writers.h").read_text())
        ROOT.gInterpreter.Declare((HERE.parent / "writers" / "flat.h").read_text())
    path, writer, arguments = file
    partial = path.with_suffix(".partial")
    getattr(ROOT.writers if writer == "write_ttree" else ROOT.scale, writer)(str(partial), *arguments)
    partial.rename(path)
