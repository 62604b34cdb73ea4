"""Writes versions.root with ROOT: objects of two versions of a class, from two files that were merged.

Tree `tree`, 10 entries of each version, in branches that are not split: `some`, entry % 3 objects of the numbers
i = entry, entry + 1, and `single`, one of i = entry. Version 1 has `a` (float, i), `old` (int, -i), `inner.x` (int,
2 i); version 2 `added`
(double[2], i / 2 and i), `a`, `words` (vector<string>, i % 3 times "w"), `inner.y` (float, i / 4), `inner.x`.
`derived` holds entry % 3 objects with an int `last` = -entry and, of a base, an int `b0` = entry and a float `b1` =
entry / 2, which came the other way round in version 1.
"""

import pathlib
import subprocess
import sys
import tempfile

CLASSES = {
    1: """
struct Base { float b1 = 0; int b0 = 0; ClassDef(Base, 1) };
struct Derived : public Base { int last = 0; ClassDef(Derived, 1) };
struct Inner { int x = 0; void fill(int i) { x = 2 * i; } ClassDef(Inner, 1) };
struct One {
  float a = 0; int old = 0; Inner inner;
  void fill(int i) { a = i; old = -i; inner.fill(i); }
  ClassDef(One, 1)
};
""",
    2: """
struct Base { int b0 = 0; float b1 = 0; ClassDef(Base, 2) };
struct Derived : public Base { int last = 0; ClassDef(Derived, 2) };
struct Inner { float y = 0; int x = 0; void fill(int i) { x = 2 * i; y = i / 4.f; } ClassDef(Inner, 2) };
struct One {
  double added[2]; float a = 0; std::vector<std::string> words; Inner inner;
  void fill(int i) { added[0] = i / 2.; added[1] = i; a = i; words.assign(i % 3, "w"); inner.fill(i); }
  ClassDef(One, 2)
};
""",
}
WRITE = """
void write(const char* path) {
  TFile file(path, "recreate", "", 505);
  TTree tree("tree", "");
  One one;
  std::vector<One> some;
  tree.Branch("some", &some, 32000, 0);
  std::vector<One> single(1);
  tree.Branch("single", &single, 32000, 0);
  std::vector<Derived> derived;
  tree.Branch("derived", &derived, 32000, 0);
  for (int i = 0; i < 10; ++i) {
    Derived each;
    each.b0 = i;
    each.b1 = i / 2.f;
    each.last = -i;
    derived.assign(i % 3, each);
    some.clear();
    for (int k = 0; k < i % 3; ++k) { one.fill(i + k); some.push_back(one); }
    single[0].fill(i);
    tree.Fill();
  }
  tree.Write();
}
#ifdef __CLING__
#pragma link C++ class Base+;
#pragma link C++ class Derived+;
#pragma link C++ class Inner+;
#pragma link C++ class One+;
#pragma link C++ class std::vector<One>+;
#pragma link C++ class std::vector<Derived>+;
#endif
"""


def write(version: int, path: str) -> None:
    import ROOT

    includes = "\n".join(f"#include <{name}>" for name in ("Rtypes.h", "TFile.h", "TTree.h", "string", "vector"))
    macro = pathlib.Path(tempfile.mkdtemp()) / f"classes{version}.C"
    macro.write_text(includes + CLASSES[version] + WRITE)
    if not ROOT.gSystem.CompileMacro(str(macro), "fkO"):
        sys.exit("the classes do not compile")
    ROOT.write(path)


def main() -> None:
    folder = pathlib.Path(tempfile.mkdtemp())
    parts = [str(folder / f"{version}.root") for version in CLASSES]
    for version, part in zip(CLASSES, parts, strict=True):
        subprocess.run([sys.executable, "-W", "ignore", __file__, str(version), part], check=True)
    import ROOT

    merger = ROOT.TFileMerger(False)
    merger.OutputFile("versions.root", True, 505)
    for part in parts:
        merger.AddFile(part)
    if not merger.Merge():
        sys.exit("the files do not merge")


if __name__ == "__main__":
    write(int(sys.argv[1]), sys.argv[2]) if len(sys.argv) > 1 else main()
