"""The command sapwood: what it prints, how it ends."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from conftest import MakeTree, numbered, write_tree
from sapwood._cli_text import table, value_text
from sapwood.cli import main
from serving import make_bundle

import sapwood as sw
from sapwood import _core


@pytest.fixture(autouse=True)
def terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command that ends well prints."""
    assert main([str(argument) for argument in arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def test_the_server_comes_with_the_package() -> None:
    program = Path(sys.executable).with_name("sapwood")
    text = subprocess.run([program, "serve", "--help"], check=True, capture_output=True, text=True).stdout
    assert text.splitlines()[1] == "Usage: sapwood serve [OPTIONS]"
    wrong = subprocess.run([program, "serve"], check=False, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert wrong.stderr == "sapwood-serve: give --repository FOLDER or --bundle FILE\n"


def test_all_but_models_works_without_onnxruntime(examples: Path, tmp_path: Path) -> None:
    """In a process that has neither the Python package nor a library."""
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(make_bundle())
    code = (
        "import sys; sys.modules['onnxruntime'] = None; sys.modules['onnx'] = None\n"
        "import sapwood as sw\n"
        f"data = sw.open({str(examples / 'QCD_ttree.root')!r})\n"
        "assert next(data.loader('jet_pt').numpy())['features'].shape == (1024, 1)\n"
        f"opened = sw.bundle.open({str(bundle)!r})\n"
        "try:\n    opened.load()\nexcept sw.UnsupportedError as error:\n    print(error)\n"
    )
    environment = {"PATH": "", "SAPWOOD_ONNXRUNTIME": str(tmp_path / "none.so")}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.startswith("no ONNX Runtime library: pip install onnxruntime")
    assert done.stderr == ""


# inspect


@pytest.mark.parametrize("name", ["Tbqq_ttree.root", "Tbqq_rntuple.root"])
def test_inspect(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, examples: Path, name: str
) -> None:
    text = run(capsys, "inspect", examples / name)
    data = sw.open(examples / name)
    assert f"tree: {data.format}, {data.num_entries:,} entries in {len(data.clusters)} clusters" in text
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert lines["column"] == ["column", "type", "stored", "as", "per", "entry", "on", "disk", "ratio"]
    for column in data.schema:
        if not column.is_member:
            assert lines[column.name][1] == column.type
    assert max(map(len, text.splitlines()[1:])) <= 80
    monkeypatch.setenv("COLUMNS", "100")
    header = next(line for line in run(capsys, "inspect", examples / name).splitlines() if "column " in line)
    assert header.split()[6:] == ["on", "disk", "in", "memory", "ratio"]


def test_inspect_as_json(capsys: pytest.CaptureFixture[str], examples: Path) -> None:
    path = examples / "QCD_rntuple.root"
    report = json.loads(run(capsys, "inspect", path, "--json"))
    data = sw.open(path)
    assert report["file"] == str(path)
    assert report["objects"][0] == {
        "path": "tree",
        "class": "ROOT::RNTuple",
        "cycle": 1,
        "stored_bytes": report["objects"][0]["stored_bytes"],
    }
    (tree,) = report["trees"]
    assert (tree["path"], tree["format"], tree["entries"]) == ("tree", "RNTuple", 2000)
    assert tree["clusters"] == [[start, stop] for _, start, stop in data.clusters]
    for shown, column in zip(tree["columns"], data.schema, strict=True):
        assert shown["name"] == column.name
        assert shown["type"] == column.type
        assert shown["stored_type"] == column.stored_type
        assert shown["unsupported"] is None
        assert shown["compressed_bytes"] == column.compressed_bytes


def test_inspect_of_several_trees(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "two.root"
    for tree in ("first", "folder/second"):
        write_tree(path, {"x": np.arange(3)}, tree=tree)
    text = run(capsys, "inspect", path)
    assert "first: TTree, 3 entries in 1 cluster" in text
    assert "folder/second: TTree, 3 entries" in text
    assert "first:" not in run(capsys, "inspect", path, "--tree", "folder/second")


def test_inspect_names_what_is_not_read(capsys: pytest.CaptureFixture[str], test_files: Path) -> None:
    path = test_files / "objects.root"
    text = run(capsys, "inspect", path, "--tree", "split")
    assert "not read yet: 1 column" in text
    assert "  any: " in text
    columns = json.loads(run(capsys, "inspect", path, "--tree", "split", "--json"))["trees"][0]["columns"]
    (array,) = (column for column in columns if column["name"] == "any")
    assert array["type"] is None
    assert array["unsupported"]


def test_inspect_of_a_file_without_trees(capsys: pytest.CaptureFixture[str], shared_data: Path) -> None:
    text = run(capsys, "inspect", shared_data / "skhep" / "uproot-histograms.root")
    assert "no tree among them" in text
    assert "TH1F" in text
    (hint,) = re.findall(r"uproot reads them: (.*)", text)
    assert eval(hint, {"uproot": pytest.importorskip("uproot")}).classname == "TH1F"  # noqa: S307


def test_inspect_of_many_columns(capsys: pytest.CaptureFixture[str], make_tree: MakeTree) -> None:
    path = make_tree("wide.root", {f"column_{i}": np.arange(3) for i in range(100)})
    short, whole = (run(capsys, "inspect", path, *options) for options in ([], ["--all"]))
    assert "and 40 columns more (--all shows them)" in short
    assert "column_99" not in short
    assert "column_99" in whole


def test_inspect_cuts_to_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, examples: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    lines = run(capsys, "inspect", examples / "QCD_ttree.root").splitlines()
    assert max(map(len, lines[4:])) <= 50
    monkeypatch.delenv("COLUMNS")
    assert "…" not in run(capsys, "inspect", examples / "QCD_ttree.root")


def test_bundle_verify_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar"
    path.write_bytes(make_bundle())
    facts = json.loads(run(capsys, "bundle", "verify", path, "--json"))
    assert facts["file"] == str(path)
    assert facts["members"] == len(sw.bundle.open(path).members)


# head


def test_head(capsys: pytest.CaptureFixture[str], make_tree: MakeTree) -> None:
    path = make_tree("few.root", {"id": np.arange(3), "hit": ak.Array([[1.5], [], [0.25, 2.0]])})
    assert run(capsys, "head", path, "--columns", "hit,id").splitlines() == [
        "tree (TTree): 3 of 3 entries",
        "",
        "entry        hit  id",
        "    0      [1.5]   0",
        "    1         []   1",
        "    2  [0.25, 2]   2",
    ]


def test_head_turns_many_columns_around(capsys: pytest.CaptureFixture[str], examples: Path) -> None:
    text = run(capsys, "head", examples / "QCD_ttree.root", "-n", "4")
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].split() == ["entry", "0", "1"]
    value = sw.open(examples / "QCD_ttree.root").arrays("jet_pt", 0, 1, library="np")["jet_pt"][0]
    assert next(line.split()[1] for line in lines if line.startswith("jet_pt ")) == f"{value:.6g}"
    assert sum(line.startswith("entry ") for line in lines) == 2


def test_head_of_strings_and_records(capsys: pytest.CaptureFixture[str], test_files: Path) -> None:
    path = test_files / "test_stl_containers_rntuple_v1-0-0-0.root"
    text = run(capsys, "head", path, "-n", "2")
    assert '"one"' in text
    assert '["one", "two"]' in text
    assert '{_0: 1, _1: "one"}' in text
    text = run(capsys, "head", test_files / "objects.root", "--tree", "split")
    assert "1 column not read yet: any" in text


@pytest.mark.parametrize("number", [0, 3, 10])
def test_head_of_fewer_entries(capsys: pytest.CaptureFixture[str], make_tree: MakeTree, number: int) -> None:
    text = run(capsys, "head", make_tree("few.root", {"x": np.arange(3)}), "-n", number)
    assert text.startswith(f"tree (TTree): {min(number, 3)} of 3 entries")


def test_head_of_nothing(capsys: pytest.CaptureFixture[str], make_tree: MakeTree) -> None:
    assert run(capsys, "head", make_tree("none.root", numbered(0))) == "tree (TTree): 0 of 0 entries\n"


def test_head_as_json(capsys: pytest.CaptureFixture[str], make_tree: MakeTree, test_files: Path) -> None:
    path = make_tree("few.root", {"x": np.array([0.5, np.nan, -np.inf]), "ids": np.array([[1, 2], [3, 4], [5, 6]])})
    assert json.loads(run(capsys, "head", path, "-n", "2", "--json")) == {
        "file": str(path),
        "path": "tree",
        "format": "TTree",
        "entries": 3,
        "not_read_yet": [],
        "rows": [{"x": 0.5, "ids": [1, 2]}, {"x": None, "ids": [3, 4]}],
    }
    head = json.loads(run(capsys, "head", test_files / "objects.root", "--tree", "split", "--json"))
    assert head["not_read_yet"] == ["any"]
    containers = test_files / "test_stl_containers_rntuple_v1-0-0-0.root"
    first = json.loads(run(capsys, "head", containers, "--json"))["rows"][0]
    assert first["pair_int32_string"] == {"_0": 1, "_1": "one"}


@pytest.mark.parametrize(
    ("value", "room", "text"),
    [
        (np.float32(0.1), 20, "0.1"),
        (np.int64(2**62), 20, "4611686018427387904"),
        (np.True_, 20, "true"),
        ("it's", 20, '"it\'s"'),
        ('say "a\n"', 20, '"say \\"a\\n\\""'),
        ("x" * 50, 10, '"xxxxxxx…"'),
        (np.array([12.345, 4.5678]), 30, "[12.35, 4.568]"),
        (np.arange(37), 20, "[0, 1, 2, 3, … (37)]"),
        (np.arange(1000), 4, "[… (1000)]"),
        (np.empty(0), 20, "[]"),
        (np.array([[1, 2], [3, 4]]), 20, "[[1, 2], [3, 4]]"),
        ({"pt": np.float32(1), "id": 3}, 30, "{pt: 1, id: 3}"),
    ],
)
def test_values(value: Any, room: int, text: str) -> None:
    assert value_text(value, room) == text


def test_table() -> None:
    rows = [("a", "1"), ("a long name", "20")]
    assert table(("name", "n"), rows, right=[1]) == ["name          n", "a             1", "a long name  20"]
    assert table(("name", "n"), rows, right=[1], shrink={0: 4}, width=9) == ["name    n", "a       1", "a lo…  20"]


# check


def test_check_of_whole_files(capsys: pytest.CaptureFixture[str], examples: Path, test_files: Path) -> None:
    text = run(capsys, "check", examples / "QCD_ttree.root", test_files / "objects.root")
    assert "tree (TTree): 2,800 entries, 24 columns, " in text
    assert text.count(": whole") == 4
    assert "1 column not read yet, hence not checked" in text


def test_check_finds_damage(capsys: pytest.CaptureFixture[str], examples: Path, tmp_path: Path) -> None:
    source = (examples / "QCD_rntuple.root").read_bytes()
    broken = tmp_path / "broken.root"
    middle = len(source) // 2
    broken.write_bytes(source[:middle] + bytes(64) + source[middle + 64 :])
    assert main(["check", str(broken), "--json"]) == 1
    [file] = json.loads(capsys.readouterr().out)
    [tree] = file["trees"]
    assert (file["file"], file["whole"], file["error"], tree["whole"]) == (str(broken), False, "", False)
    assert 1 <= len(tree["damages"]) < tree["columns"]
    damage = tree["damages"][0]
    assert damage["column"] in damage["error"]
    assert main(["check", str(broken)]) == 1
    assert f"DAMAGED in {len(tree['damages'])} place" in capsys.readouterr().out


def test_file_that_was_not_closed(capsys: pytest.CaptureFixture[str], test_files: Path) -> None:
    path = str(test_files / "unclosed.root")
    assert main(["check", path]) == 1
    _, tree, warning = capsys.readouterr().out.splitlines()
    assert tree.startswith("  dir/tree (TTree): 200 entries, ")
    assert tree.endswith(": DAMAGED")
    assert "not closed" in warning
    assert main(["head", path]) == 0
    assert capsys.readouterr().err == f"sapwood: {path}: {warning.strip()}\n"


def test_check_of_what_is_no_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "text.root").write_text("not a ROOT file")
    assert main(["check", str(tmp_path / "text.root"), str(tmp_path / "none.root")]) == 1
    assert capsys.readouterr().out.count("can't be opened") == 2


# diff


def test_diff_of_the_same(capsys: pytest.CaptureFixture[str], examples: Path, test_files: Path) -> None:
    path = examples / "QCD_ttree.root"
    assert run(capsys, "diff", path, path) == "same: 24 columns of 2,800 entries\n"
    objects = test_files / "objects.root"
    assert run(capsys, "diff", objects, objects, "--tree", "whole").splitlines() == [
        "not read yet, hence not compared: event.any",
        "same: 3 columns of 40 entries",
    ]


def test_diff_finds_every_difference(capsys: pytest.CaptureFixture[str], make_tree: MakeTree) -> None:
    ak = pytest.importorskip("awkward")
    lists = ak.Array([[1.0, 2.0], [], [3.0], [4.0, 5.0]])
    other_lists = ak.Array([[1.0, 2.0], [9.0], [3.0], [4.0, 6.0]])
    x = np.array([1.0, np.nan, 3.0, 0.0])
    other_x = np.array([1.0, np.nan, 3.5, -0.0])
    common = {"n": np.arange(4)}
    first = make_tree("first.root", {"x": x, "lists": lists, "type": np.arange(4.0), "gone": np.arange(4), **common})
    second = make_tree("second.root", {"x": other_x, "lists": other_lists, "type": np.arange(4), **common})
    assert main(["diff", str(first), str(second), "--json"]) == 1
    diff = json.loads(capsys.readouterr().out)
    assert diff["only_first"] == ["gone"]
    assert diff["only_second"] == []
    columns = {column["column"]: column for column in diff["columns"]}
    assert (columns["x"]["entries"], columns["x"]["first"]) == (2, 2)
    assert (columns["lists"]["entries"], columns["lists"]["first"]) == (2, 1)
    assert columns["type"]["types"] == ["float64", "int64"]
    assert "n" not in columns
    assert main(["diff", str(first), str(second), "--columns", "n"]) == 0
    assert main(["diff", str(first), str(second), "--columns", "x"]) == 1
    assert "x: 2 entries differ, the first is 2" in capsys.readouterr().out


def test_diff_of_other_numbers_of_entries(capsys: pytest.CaptureFixture[str], make_tree: MakeTree) -> None:
    files = [make_tree(f"{count}.root", {"x": np.arange(count)}) for count in (5, 8)]
    assert main(["diff", *map(str, files)]) == 1
    assert "entries: 5 and 8; the first 5 are compared" in capsys.readouterr().out


# info, completion and --help


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "info")
    assert f"sapwood       {sw.__version__}" in text
    for codec in _core.codecs():
        assert codec in text
    for word in ("not built in", "threads", "Python", "numpy", "torch", "pyarrow", "awkward", "pandas"):
        assert word in text


def test_info_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    facts = json.loads(run(capsys, "info", "--json"))
    assert (facts["sapwood"], facts["codecs"]) == (sw.__version__, _core.codecs())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    script = run(capsys, "completion", shell)
    for word in ("inspect", "bundle", "verify", "plot", "other-tree"):
        assert word in script


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("", "bundle check completion diff head info inspect predict serve train workflow"),
        ("in", "info inspect"),
        ("inspect --", "--all --help --json --plot --tree"),
        ("bundle ", "inspect verify"),
        ("completion ", "bash fish zsh"),
        ("inspect a", "a.root also.root"),
        ("check b.root a", "a.root also.root"),
        ("diff a.root b", "b.root"),
        ("inspect a.root --plot b", "b.root"),
        ("head a.root --tree b", ""),
    ],
)
def test_bash_completes(capsys: pytest.CaptureFixture[str], tmp_path: Path, words: str, completed: str) -> None:
    """What a Tab key behind the last word offers."""
    (tmp_path / "script").write_text(run(capsys, "completion", "bash"))
    for name in ("a.root", "also.root", "b.root"):
        (tmp_path / name).touch()
    last = words.count(" ") + 1
    tab = (
        f"source ./script; complete -p sapwood; COMP_WORDS=(sapwood {words}); COMP_CWORD={last}; "
        f"COMP_WORDS[{last}]+=''; "
        '_shtab_sapwood; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["/bin/bash", "-c", tab], cwd=tmp_path, check=True, capture_output=True, text=True)
    registered, *offered = done.stdout.splitlines()
    assert registered.endswith("sapwood")
    assert sorted(filter(None, offered)) == completed.split()


@pytest.mark.parametrize("command", [[], ["inspect"], ["head"], ["check"], ["diff"], ["info"], ["completion"]])
def test_help(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert ("exit status:" in text) == (command in ([], ["inspect"], ["check"], ["diff"]))


# Ends


@pytest.mark.parametrize("command", ["inspect", "head"])
def test_errors_are_one_line(capsys: pytest.CaptureFixture[str], examples: Path, command: str) -> None:
    assert main([command, str(examples / "none.root")]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("sapwood: IoError: no such file")
    assert printed.err.count("\n") == 1


def test_wrong_column(capsys: pytest.CaptureFixture[str], examples: Path) -> None:
    assert main(["head", str(examples / "QCD_ttree.root"), "--columns", "jet_ptt"]) == 1
    assert capsys.readouterr().err.startswith("sapwood: SchemaError: no column 'jet_ptt'")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["look"],
        ["head"],
        ["head", "a.root", "-n", "-1"],
        ["head", "a.root", "-n", "x"],
        ["head", "a", "--columns", ","],
        ["inspect", "a.root", "--plot", "a.png"],
        ["completion", "tcsh"],
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: sapwood" in capsys.readouterr().err


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], examples: Path) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_core, "list_objects", interrupted)
    assert main(["inspect", str(examples / "QCD_ttree.root")]) == 130
    assert capsys.readouterr().err == ""


def test_reader_that_leaves(examples: Path) -> None:
    """As with ``sapwood inspect ... | head -1``: no complaint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sapwood", "inspect", str(examples / "QCD_ttree.root"), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 128 + signal.SIGPIPE
    process.stderr.close()
