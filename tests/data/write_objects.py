"""Writes objects.root with ROOT: the same events in trees `whole` (not split), `split`, and in `old` a TBranchObject.

What is in them is told by `event` in tests/python/test_objects.py.
"""

import pathlib
import sys
import tempfile

import ROOT

EVENTS = 40

CLASSES = r"""
#include <TFile.h>
#include <TObjArray.h>
#include <TObject.h>
#include <TString.h>
#include <TTree.h>
#include <TVector3.h>
#include <array>
#include <bitset>
#include <map>
#include <set>
#include <string>
#include <vector>

struct Point {
  float x = 0;
  double y = 0;
  static Point at(int i) { Point p; p.x = i / 4.f; p.y = -i; return p; }
};

struct Hit : public Point {
  int id = 0;
  std::vector<float> energies;
  std::string name;
  static Hit at(int i) {
    Hit h;
    static_cast<Point&>(h) = Point::at(i);
    h.id = 7 * i;
    for (int k = 0; k < i % 4; ++k) h.energies.push_back(i + k / 2.f);
    h.name = std::string(i % 3, 'h');
    return h;
  }
};

class Event : public TObject {
 public:
  int number = 0;
  Point vertex;
  Hit best;
  std::vector<Hit> hits;
  std::vector<std::vector<Point>> nested;
  std::vector<short> lists[2];
  Point corners[3];
  int matrix[2][3];
  int n = 0;
  float* values = nullptr;  //[n]
  std::map<int, std::string> names;
  std::map<std::string, std::vector<float>> sets;
  std::map<int, Point> places;
  std::pair<int, float> pair;
  std::vector<std::pair<int, double>> pairs;
  std::vector<Point*> pointers;
  Point* maybe = nullptr;
  std::bitset<12> bits;
  std::array<int, 3> triple;
  std::set<short> codes;
  std::vector<bool> flags;
  std::vector<std::string> words;
  TString title;
  std::string text;
  Double32_t limited = 0;  //[0,16,8]
  TVector3 direction;
  TObjArray any;

  void fill(int i) {
    number = i;
    vertex = Point::at(i);
    best = Hit::at(i + 1);
    hits.clear();
    nested.clear();
    for (int k = 0; k < i % 5; ++k) hits.push_back(Hit::at(i + k));
    for (int k = 0; k < i % 3; ++k) {
      nested.emplace_back();
      for (int j = 0; j < k + i % 2; ++j) nested.back().push_back(Point::at(10 * k + j));
    }
    for (int k = 0; k < 2; ++k) lists[k].assign((i + k) % 3, i + k);
    for (int k = 0; k < 3; ++k) corners[k] = Point::at(100 + i + k);
    for (int k = 0; k < 6; ++k) matrix[k / 3][k % 3] = 6 * i + k;
    n = i % 4;
    delete[] values;
    values = n ? new float[n] : nullptr;
    for (int k = 0; k < n; ++k) values[k] = i + 10 * k;
    names.clear();
    sets.clear();
    places.clear();
    pairs.clear();
    for (int k = 0; k < i % 3; ++k) {
      names[k - i] = std::string(k + 1, 'n');
      sets[std::string(k + 1, 's')] = std::vector<float>(k, i);
      places[k] = Point::at(i + k);
      pairs.emplace_back(k, i / 2.);
    }
    pair = {i, i / 8.f};
    for (Point* point : pointers) delete point;
    pointers.clear();
    for (int k = 0; k < i % 3; ++k) pointers.push_back(new Point(Point::at(i - k)));
    delete maybe;
    maybe = i % 2 ? new Point(Point::at(-i)) : nullptr;
    bits = std::bitset<12>(i * 37);
    triple = {i, i + 1, i + 2};
    codes.clear();
    for (int k = 0; k < i % 4; ++k) codes.insert(k * i);
    flags.assign(i % 5, i % 2);
    words.assign(i % 3, std::string(i % 7, 'w'));
    title = std::string(i % 300 ? i % 5 : 280, 't');
    text = std::string(i % 11 ? i % 4 : 300, 'x');
    limited = i % 16;
    direction.SetXYZ(i, i / 2., -i);
  }
  ClassDef(Event, 3)
};

void write(const char* path, int events) {
  TFile file(path, "recreate", "", 505);
  Event event;
  TVector3 vector;
  TTree whole("whole", ""), split("split", ""), old("old", "");
  for (TTree* tree : {&whole, &split}) {
    const int level = tree == &whole ? 0 : 99;
    tree->Branch("event", &event, 32000, level);
    tree->Branch("hits", &event.hits, 32000, level);
    tree->Branch("best", &event.best, 32000, level);
  }
  TVector3* pointer = &vector;
  old.BranchOld("vector", "TVector3", &pointer, 32000, 0);
  for (int i = 0; i < events; ++i) {
    event.fill(i);
    vector.SetXYZ(i, 2 * i, 3 * i);
    for (TTree* tree : {&whole, &split, &old}) tree->Fill();
  }
  for (TTree* tree : {&whole, &split, &old}) tree->Write();
}

#ifdef __CLING__
#pragma link C++ class Point+;
#pragma link C++ class Hit+;
#pragma link C++ class Event+;
#pragma link C++ class std::vector<Hit>+;
#pragma link C++ class std::vector<Point*>+;
#pragma link C++ class std::vector<std::vector<Point>>+;
#pragma link C++ class std::map<int, std::string>+;
#pragma link C++ class std::map<std::string, std::vector<float>>+;
#pragma link C++ class std::map<int, Point>+;
#pragma link C++ class std::pair<int, float>+;
#pragma link C++ class std::vector<std::pair<int, double>>+;
#pragma link C++ class std::bitset<12>+;
#pragma link C++ class std::set<short>+;
#endif
"""

# ROOT compiles them: interpreted collections of objects it can't write.
macro = pathlib.Path(tempfile.mkdtemp()) / "classes.C"
macro.write_text(CLASSES)
if not ROOT.gSystem.CompileMacro(str(macro), "fkO"):
    sys.exit("the classes do not compile")
ROOT.write("objects.root", EVENTS)
