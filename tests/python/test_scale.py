"""benchmarks/scale: its tables, figures and section of the documentation; and the packed batches of benchmarks/load."""

import dataclasses
import importlib.util
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path += [str(Path(__file__).resolve().parents[2] / "benchmarks" / folder) for folder in ("scale", ".")]

import cases
import data
import pages
import report
import sweep

REPOSITORY = Path(__file__).resolve().parents[2]
JETS = [str(REPOSITORY / "examples" / "data" / f"{name}_ttree.root") for name in ("QCD", "Tbqq")]
MACHINE = {"date": "today", "processor": "one", "processors": 2, "load_before": 0.0, "versions": {"sapwood": "0"}}


def part(results):
    return {"machine": MACHINE, "command": "./dev bench scale", "threads": 2, "results": results}


def start(file_format, cold, buffer_bytes, **more):
    times = {"open": 0.25, "loader": 0.125, "first_batch": 0.0625, "seconds": 0.4375}
    sizes = {"open_bytes": 20_000_000, "loader_bytes": 1_000_000, "buffer_rows": 600_000}
    described = {"format": file_format, "files": 1000, "cold": cold, "buffer_bytes": buffer_bytes}
    return {**times, **sizes, **described, **more}


def epoch(seconds):
    sizes = {"bytes": 4e9, "rows": 2_000_000, "read_bytes": 4e9, "peak_over_baseline": 900e6, "peak_over_start": 910e6}
    return {"seconds": seconds, "cpu": 3.0, "peak_counted": 890e6, "curve": [(0.0, 0), (1.0, 900e6)], **sizes}


@pytest.fixture
def results():
    disk = {"disk_1": {"seconds": 2.0, "bytes": 1e9}, "disk_2": {"seconds": 1.0, "bytes": 1e9}}
    counts = {"files": 1000, "few_files": 100, "memory": 1_000_000_000}
    trained = {"seconds": 10.0, "cpu": 15.0, "rows": 200_000, "waited": 1.0, "first_batch": 0.1}
    point = {"seconds": 1.0, "cpu": 2.0, "rows": 2_000_000}
    axes = [(axis, value) for axis, value, _ in sweep.points(data.FULL)]
    return {
        "start": part([start("TTree", False, 64_000_000), start("RNTuple", True, 0, decompress_buffer=0.5)]),
        "large": part({**counts, **disk, "few": epoch(2.0), "all": epoch(4.0)}),
        "files": part(
            [
                {"implementation": "sapwood", "files": 1, "peak_over_baseline": 500e6, **trained},
                {"implementation": "root_rdataloader", "files": 1, "error": "not done after 1800 s"},
            ]
        ),
        "sweep": part([{"implementation": "sapwood", "axis": axis, "value": value, **point} for axis, value in axes]),
    }


def test_section_tells_what_was_measured(results):
    text = "\n".join(report.section(results))
    assert (
        "| TTree, 1,000 files, cached | 64 MB | 0.250 s | 0.125 s | 0.062 s | 0.438 s (0.5) | 0.44 ms | 21 kB |" in text
    )
    assert "| RNTuple, 1,000 files, cold | 600,000 rows |" in text
    assert "| 1,000 files, from the disk | 4.0 GB | 2,000,000 | 500 k | 1,000 |" in text
    assert "500 MB/s on 1 thread, 1,000 MB/s on 2 threads" in text
    assert "0.50 times the rows/s" in text
    assert "| root rdataloader | 1 | not done after 1800 s |" in text
    assert "| rows of a batch | 1,024 | 2,000 k |" in text


def test_docs_get_the_section_once(results, tmp_path, monkeypatch):
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n\n## load\n\ntables\n\n## serve\n\nmore\n")
    monkeypatch.setattr(pages, "PAGE", page)
    monkeypatch.setattr(pages, "IMAGES", tmp_path / "images")
    report.write_docs(results)
    first = page.read_text()
    assert first.startswith("# Benchmarks\n\n## load\n\ntables\n\n## serve\n\nmore\n\n## scale\n")
    page.write_text(first + "\n## last\n\nend\n")
    report.write_docs(results)
    assert page.read_text() == first + "\n## last\n\nend\n"
    drawn = {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir()}
    assert set(drawn) == {f"scale-{name}.svg" for name in results}
    report.write_docs(results)
    assert drawn == {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir()}
    with pytest.raises(SystemExit, match="large"):
        report.write_docs({name: results[name] for name in ("start", "files", "sweep")})


def test_sweep_varies_one_thing_at_a_time():
    usual = sweep.Point()
    for axis, value, point in sweep.points(data.FULL):
        assert getattr(point, axis) == value
        others = {name: getattr(point, name) for name in vars(usual) if name not in (axis, "batch_size")}
        assert others == {name: getattr(usual, name) for name in others}
    assert usual.cluster_rows in data.FULL.sweep_clusters


def test_data_want_room_and_uuids(tmp_path):
    with pytest.raises(SystemExit, match="--data"):
        data.check_room(tmp_path, shutil.disk_usage(tmp_path).free)
    data.check_room(tmp_path, -data.SPARE)
    paths = [Path(path) for path in JETS]
    data.check_uuids(paths)
    copy = tmp_path / "copy.root"
    shutil.copyfile(paths[0], copy)
    with pytest.raises(SystemExit, match="same UUID"):
        data.check_uuids([*paths, copy])


def test_packed_batches_are_the_same_rows():
    case = cases.Case("jets packed", (), "tree", "jets", packed=True)
    batches = cases.batches_of(case)
    assert batches.length == 0
    batches = dataclasses.replace(batches, lists=["part_deta", "part_energy"], scalars=["jet_pt", "jet_sdmass"])
    found = []
    for implementation in ("sapwood", "uproot_torch"):
        rows, sums = 0, np.zeros(3)
        for features, target in next(load(implementation).epochs(JETS, case, batches, 2)):
            values, _, lengths = features
            assert len(values) == lengths.sum()
            assert len(lengths) == len(target)
            rows += len(target)
            sums += [float(tensor.double().sum()) for tensor in features]
        found.append((rows, sums))
    assert found[0][0] == found[1][0]
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-9)


def load(implementation):
    folder = REPOSITORY / "benchmarks" / "load"
    spec = importlib.util.spec_from_file_location(f"load_{implementation}", folder / f"{implementation}.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(folder))
    spec.loader.exec_module(module)
    return module
