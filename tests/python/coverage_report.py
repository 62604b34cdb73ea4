"""What sapwood reads of the sample files, each column compared with uproot or ROOT.

python tests/python/coverage_report.py [--write]     all files; --write renews docs/formats/coverage.md
python tests/python/coverage_report.py --check FILE  one file, in this process; prints JSON

The files are those of ../shared/data, or of $SAPWOOD_SHARED_DATA.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import multiprocessing
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = REPOSITORY / "docs" / "formats" / "coverage.md"
DATA = Path(os.environ.get("SAPWOOD_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
FOLDERS = ("skhep", "jets", "events")
TIMEOUT = 600.0  # seconds for one file
EXAMPLES = 3  # names of columns given for each reason


def data_files() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (DATA / folder).glob("*.root"))


def check_file(path: Path) -> dict[str, Any]:
    """Reads and compares every column of every tree and n-tuple of a file."""
    from sapwood import _core

    warnings.simplefilter("ignore")
    tables = _core.list_tables(str(path))
    objects = [] if tables else _core.list_objects(str(path))
    return {
        "tables": [check_table(path, table) for table in tables],
        "objects": dict(collections.Counter(info.class_name for info in objects)),
    }


def check_table(path: Path, table: Any) -> dict[str, Any]:
    from coverage_compare import MismatchError, NotComparedError, Oracles

    import sapwood

    dataset = sapwood.open(path, table.path)
    oracles = Oracles(str(path), table, list(dataset.schema))
    report: dict[str, Any] = {
        "path": table.path,
        "format": table.format,
        "entries": dataset.num_entries,
        "columns": 0,
        "unsupported": [
            (column.name, column.stored_type, column.unsupported)
            for column in dataset.schema
            if column.unsupported and not column.is_member
        ],
        "compared_with": collections.Counter(),
        "not_compared": [],
        "wrong": [],
    }
    for column in dataset.schema:
        if column.unsupported:
            continue
        try:
            [ours] = dataset._core.arrays([column.name], 0, None, 1)
            report["compared_with"][oracles.check(column, ours)] += 1
        except sapwood.UnsupportedError as error:
            if not column.is_member:
                report["unsupported"].append((column.name, column.stored_type, error.args[0].partition(" [")[0]))
        except NotComparedError as reason:
            report["not_compared"].append((column.name, str(reason)))
        except (MismatchError, sapwood.Error) as error:
            report["wrong"].append((column.name, str(error)))
    own = sum(not column.is_member for column in dataset.schema)
    report["columns"] = own - len(report["unsupported"])
    return report


def check_guarded(path: Path) -> dict[str, Any]:
    """`check_file` in a process of its own: a crash or hang is a finding."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["coverage_compare", "sapwood"])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_check_and_send, args=(path, sender))
    process.start()
    sender.close()
    if not receiver.poll(TIMEOUT):
        process.kill()
        process.join()
        return {"failure": f"hangs: not done after {TIMEOUT:.0f} s"}
    try:
        report = receiver.recv()
    except EOFError:
        report = None
    process.join()
    return report or {"failure": f"crashes with exit code {process.exitcode}"}


def _check_and_send(path: Path, sender: Connection) -> None:
    try:
        sender.send(check_file(path))
    except Exception as error:
        sender.send({"failure": f"{type(error).__name__}: {error}"})


def check_all(paths: list[Path]) -> dict[str, dict[str, Any]]:
    """Reports by "folder/name", several files at a time."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        reports = pool.map(check_guarded, paths)
        return {f"{path.parent.name}/{path.name}": report for path, report in zip(paths, reports, strict=True)}


def problems(report: dict[str, Any]) -> list[str]:
    """What must not be: a crash, a hang, an error, a wrong value."""
    if "failure" in report:
        return [report["failure"]]
    return [f"{table['path']}: {name}: {text}" for table in report["tables"] for name, text in table["wrong"]]


def render(reports: dict[str, dict[str, Any]]) -> str:
    """docs/formats/coverage.md. Says the same with and without ROOT installed."""
    whole, part, other = [], [], []
    for name, report in reports.items():
        if "failure" in report:
            part.append(f"### {name}\n\n{report['failure']}")
        elif not report["tables"]:
            held = ", ".join(f"{count} {kind}" for kind, count in sorted(report["objects"].items()))
            other.append(f"| {name} | {held or 'nothing'} |")
        elif any(table["unsupported"] or table["wrong"] for table in report["tables"]):
            part.append(_render_part(name, report))
        else:
            whole.append(f"| {name} | {_described(report['tables'])} |")
    tables = [table for report in reports.values() for table in report.get("tables", [])]
    read = sum(table["columns"] for table in tables)
    left = sum(len(table["unsupported"]) for table in tables)
    lines = [
        "# Which files are read",
        "",
        "`tests/python/test_coverage.py` reads every column of these files and compares each with uproot, value by",
        "value and bit for bit, or with ROOT where uproot is no judge. It fails when this page, which",
        "`python tests/python/coverage_report.py --write` writes, no longer says what it finds.",
        "",
        f"{len(reports)} files: the trees and n-tuples of {len(whole)} are read whole, of {len(part)} in part;",
        f"{len(other)} hold neither.",
        f"Of {read + left} columns {read} are read.",
        "",
        "Asking for a column that is not read raises `UnsupportedError` with its name and type; the others of its file",
        "are read.",
        "",
        "## Read in part",
        "",
        "\n\n".join(part) or "None.",
        "",
        "## Read whole",
        "",
        "| file | trees and n-tuples |",
        "| --- | --- |",
        *whole,
        "",
        "## No tree or n-tuple",
        "",
        "| file | holds |",
        "| --- | --- |",
        *other,
        "",
        "## Where uproot is no judge",
        "",
        "- uproot rounds truncated `Double32_t` and `Float16_t` otherwise than ROOT; here they are as ROOT gives them.",
        "- Behind the `fBits` of objects that a `TRef` points to stands a word that uproot takes for a further object.",
        "- `branch[15][2]` in a list of leaves, and some arrays whose baskets carry no offsets, fail in uproot.",
        "",
        "Where ROOT is installed, these are compared with ROOT.",
        "",
    ]
    return "\n".join(lines)


def _described(tables: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"`{table['path']}` ({table['format']}, {table['entries']} entries, {table['columns']} columns)"
        for table in tables
    )


def _render_part(name: str, report: dict[str, Any]) -> str:
    lines = [f"### {name}", ""]
    complete = [table for table in report["tables"] if not table["unsupported"] and not table["wrong"]]
    if complete:
        lines.append(f"- whole: {_described(complete)}")
    for table in report["tables"]:
        if table in complete:
            continue
        total = table["columns"] + len(table["unsupported"])
        lines.append(
            f"- `{table['path']}` ({table['format']}, {table['entries']} entries): "
            f"{table['columns']} of {total} columns"
        )
        by_reason: dict[str, list[str]] = collections.defaultdict(list)
        for column, stored_type, reason in table["unsupported"]:
            by_reason[reason.replace(stored_type, "a type").replace(f"field '{column}'", "it")].append(
                f"`{column}` (`{stored_type}`)"
            )
        for reason, columns in sorted(by_reason.items()):
            more = f" and {len(columns) - EXAMPLES} more" if len(columns) > EXAMPLES else ""
            lines.append(f"  - {reason}: {', '.join(columns[:EXAMPLES])}{more}")
        lines.extend(f"  - WRONG: `{column}`: {text}" for column, text in table["wrong"])
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", type=Path, metavar="FILE", help="one file, in this process; prints JSON")
    parser.add_argument("--write", action="store_true", help=f"renew {DOCUMENT.relative_to(REPOSITORY)}")
    options = parser.parse_args()
    if options.check:
        print(json.dumps(check_file(options.check)))
        return 0
    reports = check_all(data_files())
    found = [f"{name}: {text}" for name, report in reports.items() for text in problems(report)]
    print("\n".join(found))
    counts: collections.Counter[str] = collections.Counter()
    for report in reports.values():
        for table in report.get("tables", []):
            counts.update(table["compared_with"])
            counts["not compared"] += len(table["not_compared"])
            for name, reason in table["not_compared"]:
                print(f"not compared: {name}: {reason}")
    print(f"{len(reports)} files; columns compared with: {dict(counts)}; {len(found)} problems")
    if options.write:
        DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
        DOCUMENT.write_text(render(reports))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
