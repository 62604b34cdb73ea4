"""Writes bases_whole.root and bases_split.root with ROOT: `python tests/data/write_bases.py`.

Tree t, 5 entries, of collections whose objects have bases and members that few classes have, each of `entry` objects,
stored whole and split. Object k of an entry e has the number n = 10 e + k.

jets, jet_clones (a TClonesArray)   a TLorentzVector (n, n + 1, n + 2, n + 3) and a float `score` = n / 2
named, named_clones                 a TNamed "name n", "title" and an int `id` = n
tagged                              a class without members as a base, and an int `id` = n
arrays                              std::vector<Item> `items[2]`, of n % 10 % 2 + i times Item{n, i}, and
                                    std::map<int, float> `maps[2]`, of n: i
hidden                              int `before` = n, vectors of vectors of an enumeration `kinds`, and int `after` = -n
sized                               int `count` = n % 3, Item* `items`, so many Item{n, 0}, and char* `label` "n"
empty                               objects without members
"""

import os
import tempfile
from pathlib import Path

import ROOT

here = Path(__file__).resolve().parent
os.chdir(tempfile.mkdtemp())
code = Path("bases.C")
code.write_text("""
#include <TClonesArray.h>
#include <TFile.h>
#include <TLorentzVector.h>
#include <TNamed.h>
#include <TTree.h>

#include <cstring>
#include <map>
#include <vector>

class Jet : public TLorentzVector {
 public:
  float score = 0;
  ClassDef(Jet, 1)
};
class Named : public TNamed {
 public:
  int id = 0;
  ClassDef(Named, 1)
};
struct Tag {};
struct Tagged : Tag {
  int id = 0;
};
struct Item {
  int n = 0;
  short i = 0;
};
struct Arrays {
  std::vector<Item> items[2];
  std::map<int, float> maps[2];
};
enum Kind { kOne, kTwo };
struct Hidden {
  int before = 0;
  std::vector<std::vector<Kind>> kinds;
  int after = 0;
};

struct Sized {
  int count = 0;
  Item* items = nullptr;  //[count]
  char* label = nullptr;
};

void set_jet(Jet& jet, int n) {
  jet.SetPxPyPzE(n, n + 1, n + 2, n + 3);
  jet.score = n / 2.f;
}
void set_named(Named& named, int n) {
  named.SetName(Form("name %d", n));
  named.SetTitle("title");
  named.id = n;
}

void write_bases(const char* path, int level) {
  TFile file(path, "RECREATE", "", 505);
  TTree* tree = new TTree("t", "");
  std::vector<Jet> jets;
  std::vector<Named> named;
  std::vector<Tagged> tagged;
  std::vector<Arrays> arrays;
  std::vector<Hidden> hidden;
  std::vector<Sized> sized;
  std::vector<Tag> empty;
  TClonesArray* jet_clones = new TClonesArray("Jet");
  TClonesArray* named_clones = new TClonesArray("Named");
  tree->Branch("jets", &jets, 32000, level);
  tree->Branch("jet_clones", &jet_clones, 32000, level);
  tree->Branch("named", &named, 32000, level);
  tree->Branch("named_clones", &named_clones, 32000, level);
  tree->Branch("tagged", &tagged, 32000, level);
  tree->Branch("arrays", &arrays, 32000, level);
  tree->Branch("hidden", &hidden, 32000, level);
  tree->Branch("sized", &sized, 32000, level);
  tree->Branch("empty", &empty, 32000, level);
  for (int e = 0; e < 5; ++e) {
    jets.assign(e, {});
    named.assign(e, {});
    tagged.assign(e, {});
    arrays.assign(e, {});
    hidden.assign(e, {});
    sized.assign(e, {});
    empty.assign(e, {});
    jet_clones->Clear("C");
    named_clones->Clear("C");
    for (int k = 0; k < e; ++k) {
      const int n = 10 * e + k;
      set_jet(jets[k], n);
      set_jet(*(Jet*)jet_clones->ConstructedAt(k), n);
      set_named(named[k], n);
      set_named(*(Named*)named_clones->ConstructedAt(k), n);
      tagged[k].id = n;
      for (int i = 0; i < 2; ++i) {
        arrays[k].items[i].assign(k % 2 + i, Item{n, short(i)});
        arrays[k].maps[i][n] = i;
      }
      hidden[k] = {n, {{kOne, kTwo}, {}}, -n};
      sized[k].count = n % 3;
      sized[k].items = n % 3 == 0 ? nullptr : new Item[n % 3];
      for (int i = 0; i < n % 3; ++i) sized[k].items[i].n = n;
      sized[k].label = strdup(Form("%d", n));
    }
    tree->Fill();
  }
  tree->Write();
}

#ifdef __CLING__
#pragma link C++ class Jet+;
#pragma link C++ class Named+;
#pragma link C++ class Tag+;
#pragma link C++ class Tagged+;
#pragma link C++ class Item+;
#pragma link C++ class Arrays+;
#pragma link C++ class Hidden+;
#pragma link C++ class std::vector<Jet>+;
#pragma link C++ class std::vector<Named>+;
#pragma link C++ class std::vector<Tag>+;
#pragma link C++ class std::vector<Tagged>+;
#pragma link C++ class std::vector<Item>+;
#pragma link C++ class std::map<int, float>+;
#pragma link C++ class std::vector<Arrays>+;
#pragma link C++ class std::vector<std::vector<Kind>>+;
#pragma link C++ class std::vector<Hidden>+;
#pragma link C++ class Sized+;
#pragma link C++ class std::vector<Sized>+;
#endif
""")
assert ROOT.gSystem.CompileMacro(str(code), "kO")
ROOT.gInterpreter.Declare("void write_bases(const char* path, int level);")
ROOT.write_bases(str(here / "bases_whole.root"), 0)
ROOT.write_bases(str(here / "bases_split.root"), 99)
