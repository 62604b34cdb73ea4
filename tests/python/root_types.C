// Types that ROOT can write, each with values that follow from the entry. test_root_types.py compiles this with ROOT,
// writes trees and n-tuples, and has ROOT read them back as JSON.
#include <Math/SMatrix.h>
#include <Math/Vector4D.h>
#include <ROOT/RField.hxx>
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriteOptions.hxx>
#include <ROOT/RNTupleWriter.hxx>
#include <TArrayI.h>
#include <TBits.h>
#include <TBranch.h>
#include <TBufferJSON.h>
#include <TClonesArray.h>
#include <TDatime.h>
#include <TFile.h>
#include <TLorentzVector.h>
#include <TMarker.h>
#include <TMatrixD.h>
#include <TObjString.h>
#include <TObject.h>
#include <TRef.h>
#include <TTimeStamp.h>
#include <TTree.h>
#include <TVectorD.h>
#include <array>
#include <bitset>
#include <complex>
#include <deque>
#include <forward_list>
#include <fstream>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

constexpr int kEntries = 24;

enum Flavour { kFlavourA = 3, kFlavourB = 5 };
enum class Small : unsigned char { a = 1, b = 2 };

struct Point {
  float x = 0;
  double y = 0;
  virtual ~Point() {}
  void set(int i) { x = i / 4.f; y = -i; }
  ClassDef(Point, 1)
};
struct Cell : public Point {
  int id = 0;
  std::vector<float> energies;
  void set(int i) { Point::set(i); id = i; energies.assign(i % 3, i); }
  ClassDef(Cell, 2)
};
struct Both : public TNamed, public Point {
  int more = 7;
  ClassDef(Both, 1)
};
struct Track : public TObject {
  float x = 0;
  std::vector<float> hits;
  std::string name;
  int n = 0;
  short* counts = nullptr;  //[n]
  TBits bits;
  void set(int i) {
    x = i / 4.f; hits.assign(i % 4, i); name = std::string(i % 3, 'k');
    n = i % 3;
    delete[] counts;
    counts = n ? new short[n] : nullptr;
    for (int k = 0; k < n; ++k) counts[k] = 10 * i + k;
    bits.Clear();
    bits.SetBitNumber(i);
  }
  ClassDef(Track, 3)
};
struct Numbers {
  bool b = false;
  char c = 0;
  signed char sc = 0;
  unsigned char uc = 0;
  short s = 0;
  unsigned short us = 0;
  int i = 0;
  unsigned u = 0;
  long l = 0;
  unsigned long ul = 0;
  Long64_t ll = 0;
  ULong64_t ull = 0;
  float f = 0;
  double d = 0;
  Float16_t f16 = 0;    //[-100,100,16]
  Double32_t d32 = 0;
  Double32_t ranged = 0;  //[0,64,20]
  Double32_t bits = 0;    //[0,0,14]
  Double32_t angle = 0;   //[-Pi, 2*PI, 20]
  int fixed[2][3];
  int n = 0;
  float* counted = nullptr;  //[n]
  unsigned many = 0;
  short* more = nullptr;  //[many]
  Flavour flavour = kFlavourA;
  Small small = Small::a;
  void set(int e) {
    b = e % 2; c = e; sc = -e; uc = 200 + e; s = -100 * e; us = 2000 * e; i = -e; u = 100000000u * e; l = -e; ul = e;
    ll = -10000000000LL * e; ull = 10000000000ULL * e; f = e / 8.f; d = e / 16.; f16 = e; d32 = e / 4.; ranged = e; bits = e; angle = e / 8.;
    for (int k = 0; k < 6; ++k) fixed[k / 3][k % 3] = 6 * e + k;
    n = e % 4;
    delete[] counted;
    counted = n ? new float[n] : nullptr;
    for (int k = 0; k < n; ++k) counted[k] = e + k;
    many = e % 3;
    delete[] more;
    more = many ? new short[many] : nullptr;
    for (unsigned k = 0; k < many; ++k) more[k] = e - k;
    flavour = e % 2 ? kFlavourB : kFlavourA;
    small = e % 2 ? Small::b : Small::a;
  }
  ClassDef(Numbers, 1)
};
struct Strings {
  std::string text;
  TString root;
  char name[8];
  char* pointer = nullptr;
  std::vector<std::string> words;
  std::vector<TString> roots;
  std::vector<std::vector<std::string>> nested;
  std::multiset<std::string> set;
  std::string array[2];
  TString root_array[2];
  TObjString object;
  void set_all(int e) {
    text = std::string(e % 5 == 4 ? 300 : e % 5, 's'); root = TString('r', e % 3); snprintf(name, sizeof name, "n%d", e);
    delete[] pointer;
    pointer = new char[8];
    snprintf(pointer, 8, "p%d", e);
    words.assign(e % 3, std::string(e % 4, 'w')); roots.assign(e % 3, TString("t")); nested.assign(e % 3, words);
    set.clear();
    for (int k = 0; k < e % 3; ++k) set.insert(k ? "b" : "a");
    array[0] = std::string(e % 3, '0'); array[1] = "1"; root_array[0] = "x"; root_array[1] = TString('y', e % 4);
    object.SetString(TString::Format("o%d", e));
  }
  ClassDef(Strings, 1)
};
struct Collections {
  std::vector<float> floats;
  std::vector<bool> bools;
  std::vector<char> chars;
  std::vector<Long64_t> longs;
  std::vector<Double32_t> shorts;
  std::vector<Flavour> flavours;
  std::vector<std::vector<std::vector<int>>> nested;
  std::vector<std::array<float, 3>> arrays;
  std::vector<std::bitset<10>> bitsets;
  std::list<int> list;
  std::deque<Point> deque;
  std::forward_list<float> forward;
  std::set<short> set;
  std::map<int, std::vector<Point>> map;
  std::map<std::string, double> named;
  std::multimap<int, int> multimap;
  std::vector<std::map<int, float>> maps;
  std::vector<std::pair<std::string, std::vector<Point>>> pairs;
  std::array<Point, 2> points;
  std::array<int, 3> ints;
  std::bitset<12> bits;
  std::tuple<int, float, std::string> tuple;
  std::vector<Point> objects;
  std::vector<Cell> cells;
  std::vector<Point*> pointers;
  std::vector<short> several[2];
  std::vector<Point> lists[2];
  std::map<int, float> map_array[2];
  std::map<int, Flavour> map_of_flavours;
  std::array<std::vector<Point>, 2> array_of_lists;
  Point many[2];
  void set_all(int e) {
    floats.assign(e % 4, e / 2.f); bools.assign(e % 5, e % 2); chars.assign(e % 3, 'x'); longs.assign(2, e * 10000000000LL);
    shorts = {e / 2., e / 4.}; flavours.assign(e % 2, kFlavourB); nested.assign(e % 3, {{1, 2}, {e}, {}}); arrays.assign(e % 3, {1.f * e, 2, 3});
    bitsets.assign(e % 3, std::bitset<10>(3 * e));
    map_of_flavours.clear(); list.clear(); deque.clear(); forward.clear(); set.clear(); map.clear(); named.clear(); multimap.clear(); maps.clear(); pairs.clear();
    for (Point* point : pointers) delete point;
    objects.clear(); cells.clear(); pointers.clear();
    for (int k = 0; k < e % 3; ++k) {
      Point point;
      point.set(e + k);
      Cell cell;
      cell.set(e + k);
      list.push_back(k); deque.push_back(point); forward.push_front(k); set.insert(k * e); map[k] = std::vector<Point>(k + 1, point);
      named[std::string(k + 1, 'n')] = e; multimap.insert({1, k}); maps.push_back({{k, k / 2.f}, {k + 1, 1.f * e}});
      pairs.emplace_back(std::string(k, 'p'), std::vector<Point>(k, point)); objects.push_back(point); cells.push_back(cell);
      pointers.push_back(new Point(point));
    }
    points[0].set(e); points[1].set(e + 1); ints = {e, e + 1, e + 2}; bits = std::bitset<12>(37 * e); tuple = {e, e / 2.f, std::string(e % 4, 't')};
    for (int k = 0; k < 2; ++k) { several[k].assign((e + k) % 3, e); many[k].set(e + k); }
    for (int k = 0; k < 2; ++k) { lists[k].assign((e + k) % 3, points[k]); map_array[k] = {{k, e / 2.f}}; map_of_flavours[k + e] = kFlavourA; array_of_lists[k] = lists[1 - k]; }
  }
  ClassDef(Collections, 1)
};
struct Objects : public TObject {
  std::complex<float> complex;
  std::unique_ptr<Point> unique;
  std::vector<float>* vector = nullptr;
  const Point* const_pointer = nullptr;
  Point* derived = nullptr;
  Point* first = nullptr;
  Point* second = nullptr;  // the same object
  std::vector<Point*> mixed;
  int n = 0;
  Point* loop = nullptr;  //[n]
  TLorentzVector lorentz;
  std::vector<TLorentzVector> vectors;
  ROOT::Math::PtEtaPhiMVector polar;
  ROOT::Math::SMatrix<double, 2, 3> matrix;
  TArrayI array;
  TDatime date;
  TTimeStamp stamp;
  TVectorD root_vector;
  TMatrixD root_matrix;
  TRef reference;
  Point* pair[2] = {nullptr, nullptr};
  TMarker marker;  // a base of it is of version 0
  TBits bit_set;
  Point* of_both = nullptr;  // another base comes first in its class
  int last = 0;
  void set_all(int e) {
    complex = {1.f * e, e + .5f};
    unique.reset(new Point);
    unique->set(e);
    delete vector;
    vector = e % 2 ? new std::vector<float>{1.f * e, 2.f} : nullptr;
    delete const_pointer;
    Point* point = new Point;
    point->set(e);
    const_pointer = point;
    delete derived;
    derived = nullptr;
    if (e % 3 == 1) { Cell* cell = new Cell; cell->set(e); derived = cell; }
    delete first;
    first = second = new Point;
    first->set(2 * e);
    for (Point* each : mixed) delete each;
    mixed.clear();
    for (int k = 0; k < e % 3; ++k) { Cell* cell = new Cell; cell->set(e); mixed.push_back(k % 2 ? new Point(*cell) : cell); }
    delete[] loop;
    n = e % 3;
    loop = n ? new Point[n] : nullptr;
    for (int k = 0; k < n; ++k) loop[k].set(e + k);
    lorentz.SetPxPyPzE(e, 1, 2, 3); vectors.assign(e % 3, lorentz); polar = ROOT::Math::PtEtaPhiMVector(e + 1, .5, .25, .125);
    for (int k = 0; k < 6; ++k) matrix(k / 3, k % 3) = e + k;
    array.Set(e % 3);
    for (int k = 0; k < e % 3; ++k) array[k] = e + k;
    date.Set(2021, 1, 1, 0, 0, e); stamp = TTimeStamp(1000 + e, 5); root_vector.ResizeTo(e % 3 + 1); root_vector(0) = e;
    delete pair[e % 2];
    pair[e % 2] = nullptr;
    delete pair[(e + 1) % 2];
    pair[(e + 1) % 2] = new Point;
    pair[(e + 1) % 2]->set(e);
    delete of_both;
    Both* both = new Both;
    both->set(e + 1);
    of_both = both;
    marker.SetX(e); marker.SetY(-e); bit_set.Clear(); bit_set.SetBitNumber(e);
    root_matrix.ResizeTo(2, 2); root_matrix(0, 1) = e; last = e;
  }
  ClassDef(Objects, 1)
};
struct Holder : public TObject {
  TClonesArray tracks{"Track", 10};
  TClonesArray* pointer = new TClonesArray("Track", 10);
  int last = 0;
  void set(int e) {
    tracks.Clear("C");
    pointer->Clear("C");
    for (int k = 0; k < e % 4; ++k) static_cast<Track*>(tracks.ConstructedAt(k))->set(e + k);
    for (int k = 0; k < e % 3; ++k) static_cast<Track*>(pointer->ConstructedAt(k))->set(e - k);
    last = e;
  }
  ClassDef(Holder, 1)
};
struct Values {
  Numbers numbers;
  Strings strings;
  Collections collections;
  Objects objects;
  TClonesArray clones{"Track", 10};
  Holder holder;
  void set(int e) {
    numbers.set(e);
    strings.set_all(e);
    collections.set_all(e);
    objects.set_all(e);
    holder.set(e);
    clones.Clear("C");
    for (int k = 0; k < e % 4; ++k) static_cast<Track*>(clones.ConstructedAt(k))->set(e + k);
  }
};

void write_tree(const char* path, int level, int compression) {
  TFile file(path, "recreate", "", compression);
  TTree tree("tree", "");
  Values values;
  tree.Branch("numbers.", &values.numbers, 32000, level);
  tree.Branch("strings.", &values.strings, 32000, level);
  tree.Branch("collections.", &values.collections, 32000, level);
  tree.Branch("objects.", &values.objects, 32000, level);
  TClonesArray* clones = &values.clones;
  tree.Branch("clones", &clones, 32000, level);
  tree.Branch("holder.", &values.holder, 32000, level);
  tree.Branch("cells", &values.collections.cells, 32000, level);
  tree.Branch("named", &values.collections.named, 32000, level);
  tree.Branch("lorentz.", &values.objects.lorentz, 32000, level);
  tree.Branch("array", &values.objects.array, 32000, level);
  tree.Branch("root_vector", &values.objects.root_vector, 32000, level);
  tree.Branch("date", &values.objects.date, 32000, level);
  for (int e = 0; e < kEntries; ++e) {
    values.set(e);
    tree.Fill();
    if (e == kEntries / 2) tree.FlushBaskets();
  }
  tree.Write();
}

// What an n-tuple can hold as it is, not by the streamer.
struct Fields : public Point {
  bool b = false;
  char c = 0;
  std::int8_t i8 = 0;
  std::uint8_t u8 = 0;
  std::int16_t i16 = 0;
  std::uint16_t u16 = 0;
  std::int32_t i32 = 0;
  std::uint32_t u32 = 0;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  float f = 0;
  double d = 0;
  Double32_t d32 = 0;
  Flavour flavour = kFlavourA;
  std::string text;
  std::vector<std::string> words;
  std::vector<bool> bools;
  std::vector<std::vector<float>> nested;
  std::vector<Cell> cells;
  std::set<int> set;
  std::map<std::string, float> map;
  std::pair<int, float> pair;
  std::tuple<int, float, std::string> tuple;
  std::array<Point, 2> points;
  std::array<float, 3> array;
  std::bitset<12> bits;
  int fixed[2][3];
  std::unique_ptr<Point> unique;
  void set_all(int e) {
    Point::set(e);
    b = e % 2; c = e; i8 = -e; u8 = 200 + e; i16 = -100 * e; u16 = 2000 * e; i32 = -e; u32 = 100000000u * e; i64 = -10000000000LL * e; u64 = e;
    f = e / 8.f; d = e / 16.; d32 = e / 4.; flavour = e % 2 ? kFlavourB : kFlavourA; text = std::string(e % 5, 's'); words.assign(e % 3, "w");
    bools.assign(e % 5, e % 2); nested.assign(e % 3, {1.f, 1.f * e}); cells.resize(e % 3);
    for (Cell& cell : cells) cell.set(e);
    set.clear(); map.clear();
    for (int k = 0; k < e % 3; ++k) { set.insert(k * e); map[std::string(k + 1, 'm')] = e; }
    pair = {e, e / 2.f}; tuple = {e, e / 4.f, std::string(e % 3, 't')}; points[0].set(e); points[1].set(-e); array = {1.f * e, 2, 3};
    bits = std::bitset<12>(37 * e);
    for (int k = 0; k < 6; ++k) fixed[k / 3][k % 3] = 6 * e + k;
    unique.reset(e % 2 ? new Point : nullptr);
    if (unique) unique->set(e);
  }
  ClassDef(Fields, 1)
};

void write_ntuple(const char* path, int compression) {
  auto model = ROOT::RNTupleModel::Create();
  auto fields = model->MakeField<Fields>("fields");
  model->AddField(std::make_unique<ROOT::RStreamerField>("objects", "Objects"));
  ROOT::RNTupleWriteOptions options;
  options.SetCompression(compression);
  auto writer = ROOT::RNTupleWriter::Recreate(std::move(model), "ntuple", path, options);
  auto objects = static_cast<Objects*>(writer->GetModel().GetDefaultEntry().GetPtr<void>("objects").get());
  for (int e = 0; e < kEntries; ++e) {
    fields->set_all(e);
    objects->set_all(e);
    writer->Fill();
    if (e == kEntries / 2) writer->CommitCluster();
  }
}

// What ROOT reads of a branch: a line of JSON for each entry.
void dump_branch(const char* path, const char* name, const char* to) {
  TFile file(path);
  TTree* tree = file.Get<TTree>("tree");
  TBranch* branch = tree->GetBranch(name);
  TClass* type = TClass::GetClass(branch->GetClassName());
  std::ofstream out(to);
  for (int e = 0; e < kEntries; ++e) {
    // A new object for each entry: ROOT would delete what two pointers share twice.
    void* object = nullptr;
    branch->SetAddress(&object);
    branch->GetEntry(e);
    out << TBufferJSON::ConvertToJSON(object, type, TBufferJSON::kNoSpaces) << '\n';
  }
}

// What was written to the n-tuple.
void dump_fields(const char* to) {
  Fields fields;
  Objects objects;
  std::ofstream out(to);
  for (int e = 0; e < kEntries; ++e) {
    fields.set_all(e);
    objects.set_all(e);
    out << TBufferJSON::ToJSON(&fields, TBufferJSON::kNoSpaces) << '\n' << TBufferJSON::ToJSON(&objects, TBufferJSON::kNoSpaces) << '\n';
  }
}

#ifdef __CLING__
#pragma link C++ class Point+;
#pragma link C++ class Cell+;
#pragma link C++ class Both+;
#pragma link C++ class Track+;
#pragma link C++ class Numbers+;
#pragma link C++ class Strings+;
#pragma link C++ class Collections+;
#pragma link C++ class Objects+;
#pragma link C++ class Holder+;
#pragma link C++ class Fields+;
#pragma link C++ class std::vector<Cell>+;
#pragma link C++ class std::vector<Point>+;
#pragma link C++ class std::vector<Point*>+;
#pragma link C++ class std::deque<Point>+;
#pragma link C++ class std::map<int,std::vector<Point>>+;
#pragma link C++ class std::multimap<int,int>+;
#pragma link C++ class std::vector<std::map<int,float>>+;
#pragma link C++ class std::pair<std::string,std::vector<Point>>+;
#pragma link C++ class std::vector<std::pair<std::string,std::vector<Point>>>+;
#pragma link C++ class std::map<std::string,float>+;
#pragma link C++ class std::tuple<int,float,std::string>+;
#pragma link C++ class std::pair<int,float>+;
#pragma link C++ class std::vector<std::array<float,3>>+;
#pragma link C++ class std::vector<std::bitset<10>>+;
#pragma link C++ class std::vector<Flavour>+;
#pragma link C++ class std::vector<std::vector<std::vector<int>>>+;
#pragma link C++ class std::vector<std::vector<float>>+;
#pragma link C++ class std::vector<std::vector<std::string>>+;
#pragma link C++ class std::forward_list<float>+;
#pragma link C++ class std::multiset<std::string>+;
#pragma link C++ class std::set<short>+;
#pragma link C++ class std::vector<TString>+;
#pragma link C++ class std::vector<Long64_t>+;
#pragma link C++ class ROOT::Math::SMatrix<double,2,3>+;
#endif
