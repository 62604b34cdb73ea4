"""sapwood inspect --plot: areas are bytes, parts lie in what they are parts of, and text stays inside."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import uproot
from conftest import MakeTree
from sapwood.cli import main

import sapwood as sw

SVG = "{http://www.w3.org/2000/svg}"
CHARACTER = 7.23  # pixels: 0.602 of the font's size, as in most monospaced fonts


class Rectangle:
    """A `g` of the picture."""

    def __init__(self, group: ElementTree.Element) -> None:
        rectangle = group.find(f"{SVG}rect")
        assert rectangle is not None
        self.x, self.y, self.width, self.height = (float(rectangle.attrib[n]) for n in ("x", "y", "width", "height"))
        self.parts = [Rectangle(part) for part in group.findall(f"{SVG}g")]
        self.texts = group.findall(f"{SVG}text")
        self.about = group.findtext(f"{SVG}title", "")
        self.name = self.about.partition(": ")[0]

    @property
    def area(self) -> float:
        return self.width * self.height

    def all(self) -> list[Rectangle]:
        return [self, *(inner for part in self.parts for inner in part.all())]

    def holds(self, x: float, y: float, width: float, height: float) -> bool:
        return (
            x > self.x - 0.2
            and y > self.y - 0.2
            and x + width < self.x + self.width + 0.2
            and y + height < self.y + self.height + 0.2
        )


def plot(path: Path, folder: Path) -> list[Rectangle]:
    """The outermost rectangles."""
    picture = folder / "storage.svg"
    assert main(["inspect", str(path), "--plot", str(picture)]) == 0
    return [Rectangle(group) for group in ElementTree.fromstring(picture.read_text()).findall(f"{SVG}g")]  # noqa: S314 - our own


def test_areas_are_bytes(make_tree: MakeTree, tmp_path: Path) -> None:
    bits = np.random.default_rng(1).bytes
    columns = {name: np.frombuffer(bits(size), np.int8) for name, size in {"a": 5000, "b": 5000}.items()}
    columns |= {"c": np.frombuffer(bits(20000), np.int32), "d": np.zeros(5000)}
    path = make_tree("flat.root", columns)
    found = {rectangle.name: rectangle for rectangle in plot(path, tmp_path)}
    schema = {column.name: column for column in sw.open(path).schema}
    assert set(found) == set(columns) == set(schema)
    for name, rectangle in found.items():
        expected = schema[name].compressed_bytes / schema["a"].compressed_bytes
        assert rectangle.area / found["a"].area == pytest.approx(expected, rel=0.01)
    assert found["c"].about.splitlines() == [
        "c: int32, stored as Int_t",
        "20.1 kB on disk, 20.1 kB in memory, ratio 1.0",
        "65.8% of all",
    ]


def test_records_whose_members_lie_apart_are_nested(test_files: Path, tmp_path: Path) -> None:
    [outer] = plot(test_files / "test_nested_structs_rntuple_v1-0-0-0.root", tmp_path)
    assert outer.name == "my_struct."
    assert [part.name for part in outer.parts] == ["my_struct.sub_struct.", "my_struct.i"]
    assert {part.name.rpartition(".")[2] for part in outer.all() if not part.parts} == {"i", "v"}


def test_objects_stored_whole_are_one_rectangle(test_files: Path, tmp_path: Path) -> None:
    trees = {tree.name: tree for tree in plot(test_files / "objects.root", tmp_path)}
    assert {part.name for part in trees["whole/"].parts} == {"event", "hits", "best"}
    split = {part.name for part in trees["split/"].all()}
    assert {"split/vertex.", "vertex.x", "vertex.y", "split/event/hits/hits."} <= split


@pytest.mark.parametrize("name", ["objects.root", "uproot-nesteddirs.root", "late_fields_rntuple.root"])
def test_everything_stays_inside(test_files: Path, tmp_path: Path, name: str) -> None:
    for outermost in plot(test_files / name, tmp_path):
        for rectangle in outermost.all():
            assert rectangle.width > 0
            assert rectangle.height > 0
            for part in rectangle.parts:
                assert rectangle.holds(part.x, part.y, part.width, part.height)
            for text in rectangle.texts:
                x, y = float(text.attrib["x"]), float(text.attrib["y"])
                assert rectangle.holds(x, y - 12, len(text.text or "") * CHARACTER, 14)


def test_ends(capsys: pytest.CaptureFixture[str], tmp_path: Path, examples: Path) -> None:
    jets = str(examples / "QCD_rntuple.root")
    assert main(["inspect", jets, "--plot", str(tmp_path / "none" / "a.svg")]) == 1
    assert capsys.readouterr().err.startswith("sapwood: IoError: can't write ")
    empty = tmp_path / "empty.root"
    uproot.recreate(empty).close()
    assert main(["inspect", str(empty), "--plot", str(tmp_path / "a.svg")]) == 1
    assert capsys.readouterr().err == f"sapwood: SchemaError: nothing to plot: no column has bytes on disk ({empty})\n"
    assert main(["inspect", jets, "--plot", str(tmp_path / "a.svg")]) == 0
    assert capsys.readouterr().out.endswith(f"\n\ntreemap of the storage: {tmp_path / 'a.svg'}\n")
