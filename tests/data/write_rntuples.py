"""Writes the RNTuples of this folder that ROOT 6.40 made: python write_rntuples.py FOLDER [NAMES...]."""

import sys
from pathlib import Path

import ROOT

ROOT.gInterpreter.Declare(r"""
#include <ROOT/RField.hxx>
#include <ROOT/RNTupleAttrWriting.hxx>
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriteOptions.hxx>
#include <ROOT/RNTupleWriter.hxx>
#include <TNamed.h>
#include <bitset>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>
using namespace ROOT;
using CT = ROOT::ENTupleColumnType;

RNTupleWriteOptions small_pages(int compression) {
  RNTupleWriteOptions options;
  options.SetCompression(compression);
  options.SetInitialUnzippedPageSize(64);
  options.SetMaxUnzippedPageSize(128);
  return options;
}

// 8 entries with the fields a and v, then 8 with those that were added late, in clusters of 5.
void write_late_fields(const char* path) {
  auto model = RNTupleModel::Create();
  auto a = model->MakeField<float>("a");
  auto v = model->MakeField<std::vector<int>>("v");
  auto writer = RNTupleWriter::Recreate(std::move(model), "late", path, small_pages(0));
  auto fill = [&](int i) { *a = i * 0.5f; v->assign(i % 4, i); };
  for (int i = 0; i < 8; ++i) {
    fill(i);
    writer->Fill();
    if (i % 5 == 4) writer->CommitCluster(true);
  }
  auto updater = writer->CreateModelUpdater();
  updater->BeginUpdate();
  auto number = updater->MakeField<int>("number");
  auto text = updater->MakeField<std::string>("text");
  auto list = updater->MakeField<std::vector<double>>("list");
  auto array = updater->MakeField<std::array<float, 3>>("array");
  auto bits = updater->MakeField<std::bitset<9>>("bits");
  updater->AddProjectedField(RFieldBase::Create("alias", "std::vector<std::int32_t>").Unwrap(),
                             [](const std::string& name) { return name == "alias" ? "v" : "v._0"; });
  updater->CommitUpdate();
  for (int i = 8; i < 16; ++i) {
    fill(i);
    *number = i;
    *text = "s" + std::to_string(i);
    list->assign(i % 3, i * 0.25);
    array->fill(i);
    *bits = std::bitset<9>(i);
    writer->Fill();
    if (i % 5 == 4) writer->CommitCluster(true);
  }
}

// Six clusters of 4 entries, of which each stores its fields in another of their representations.
void write_representations(const char* path) {
  auto model = RNTupleModel::CreateBare();
  auto px = RFieldBase::Create("px", "float").Unwrap();
  px->SetColumnRepresentatives({{CT::kReal32}, {CT::kReal16}, {CT::kSplitReal32}});
  model->AddField(std::move(px));
  auto s = RFieldBase::Create("s", "std::string").Unwrap();
  s->SetColumnRepresentatives({{CT::kIndex32, CT::kChar}, {CT::kSplitIndex64, CT::kChar}});
  model->AddField(std::move(s));
  auto v = RFieldBase::Create("v", "std::vector<std::int32_t>").Unwrap();
  v->SetColumnRepresentatives({{CT::kSplitIndex32}, {CT::kIndex64}});
  v->GetMutableSubfields()[0]->SetColumnRepresentatives({{CT::kInt32}, {CT::kSplitInt32}});
  model->AddField(std::move(v));
  model->Freeze();
  auto writer = RNTupleWriter::Recreate(std::move(model), "representations", path, small_pages(505));
  auto entry = writer->CreateEntry();
  for (int i = 0; i < 24; ++i) {
    const int cluster = i / 4;
    if (i % 4 == 0 && cluster > 0) {
      auto set = [&](const RFieldBase& field, int representation) {
        ROOT::Internal::RFieldRepresentationModifier::SetPrimaryColumnRepresentation(
            const_cast<RFieldBase&>(field), representation);
      };
      writer->CommitCluster();
      set(writer->GetModel().GetConstField("px"), cluster % 3);
      set(writer->GetModel().GetConstField("s"), cluster % 2);
      set(writer->GetModel().GetConstField("v"), cluster / 2 % 2);
      set(*writer->GetModel().GetConstField("v").GetConstSubfields()[0], (cluster + 1) % 2);
    }
    *entry->GetPtr<float>("px") = i;
    *entry->GetPtr<std::string>("s") = "str" + std::to_string(i);
    entry->GetPtr<std::vector<int>>("v")->assign(i % 4, -i);
    writer->Fill(*entry);
  }
}

// An untyped collection of records, its projections, and an untyped record; clusters of 20 of 45 entries.
void write_untyped(const char* path) {
  auto model = RNTupleModel::CreateBare();
  struct Jet { float pt; int id; };
  std::vector<std::unique_ptr<RFieldBase>> jet;
  jet.push_back(std::make_unique<RField<float>>("pt"));
  jet.push_back(std::make_unique<RField<std::int32_t>>("id"));
  model->AddField(RVectorField::CreateUntyped("jets", std::make_unique<RRecordField>("_0", std::move(jet))));
  std::vector<std::unique_ptr<RFieldBase>> members;
  members.push_back(std::make_unique<RField<std::int32_t>>("x"));
  members.push_back(std::make_unique<RField<std::int32_t>>("y"));
  model->AddField(std::make_unique<RRecordField>("record", std::move(members)));
  auto to_jets = [](const std::string& name) -> std::string { return name == "jets_pt._0" ? "jets._0.pt" : "jets"; };
  for (auto [name, type] : {std::pair{"njets", "ROOT::RNTupleCardinality<std::uint32_t>"},
                            std::pair{"njets64", "ROOT::RNTupleCardinality<std::uint64_t>"},
                            std::pair{"jets_pt", "ROOT::VecOps::RVec<float>"}}) {
    model->AddProjectedField(RFieldBase::Create(name, type).Unwrap(), to_jets);
  }
  model->Freeze();
  auto writer = RNTupleWriter::Recreate(std::move(model), "untyped", path, small_pages(505));
  auto entry = writer->CreateEntry();
  for (int i = 0; i < 45; ++i) {
    auto& record = *static_cast<std::pair<int, int>*>(entry->GetPtr<void>("record").get());
    record = {i, -i};
    auto& jets = *static_cast<std::vector<Jet>*>(entry->GetPtr<void>("jets").get());
    jets.clear();
    for (int k = 0; k < i % 4; ++k) jets.push_back({i + 0.5f * k, 10 * i + k});
    writer->Fill(*entry);
    if (i % 20 == 19) writer->CommitCluster();
  }
}

// Uncompressed records larger than the largest key, hence in several.
void write_large_records(const char* path) {
  auto model = RNTupleModel::Create();
  auto x = model->MakeField<std::int64_t>("x");
  auto s = model->MakeField<std::string>("s");
  RNTupleWriteOptions options;
  options.SetCompression(0);
  ROOT::Internal::RNTupleWriteOptionsManip::SetMaxKeySize(options, 300);
  auto writer = RNTupleWriter::Recreate(std::move(model), "large", path, options);
  for (int i = 0; i < 200; ++i) {
    *x = i * 1000003LL;
    *s = std::to_string(i);
    writer->Fill();
  }
}

// Half, truncated and quantized reals in fields of type double and float.
void write_reals(const char* path) {
  auto model = RNTupleModel::Create();
  auto add = [&](const char* name, auto set) {
    auto field = std::make_unique<RField<double>>(name);
    set(*field);
    model->AddField(std::move(field));
    return model->GetDefaultEntry().GetPtr<double>(name);
  };
  auto half = add("half", [](auto& field) { field.SetHalfPrecision(); });
  auto truncated = add("truncated", [](auto& field) { field.SetTruncated(31); });
  auto quantized = add("quantized", [](auto& field) { field.SetQuantized(-3, 5, 7); });
  model->AddField(RFieldBase::Create("single", "Double32_t").Unwrap());
  auto single = model->GetDefaultEntry().GetPtr<double>("single");
  auto writer = RNTupleWriter::Recreate(std::move(model), "reals", path, small_pages(505));
  for (double value : {0.0, 1.0, -1.5, 4.2, 5.9604644775390625e-08, -6.1e-05, 65504.0, 1e9}) {
    *half = *truncated = *single = value;
    *quantized = value > 5 ? 5 : value;
    writer->Fill();
  }
}

// Numbers, strings and items that may be missing; clusters of 7 of 20 entries.
void write_nullable(const char* path) {
  auto model = RNTupleModel::Create();
  auto number = model->MakeField<std::optional<float>>("number");
  auto text = model->MakeField<std::unique_ptr<std::string>>("text");
  auto items = model->MakeField<std::vector<std::optional<std::int32_t>>>("items");
  auto writer = RNTupleWriter::Recreate(std::move(model), "nullable", path, small_pages(505));
  for (int i = 0; i < 20; ++i) {
    number->reset();
    text->reset();
    items->clear();
    if (i % 3) *number = i * 0.5f;
    if (i % 4 == 1) *text = std::make_unique<std::string>(i, 't');
    for (int k = 0; k < i % 5; ++k) items->push_back(k % 2 ? std::optional<std::int32_t>(i + k) : std::nullopt);
    writer->Fill();
    if (i % 7 == 6) writer->CommitCluster();
  }
}

// Variants of a number, a string and a list, also as items; clusters of 7 of 20 entries.
void write_variants(const char* path) {
  auto model = RNTupleModel::Create();
  using Variant = std::variant<std::int32_t, std::string, std::vector<float>>;
  auto one = model->MakeField<Variant>("one");
  auto items = model->MakeField<std::vector<std::variant<float, std::int64_t>>>("items");
  auto writer = RNTupleWriter::Recreate(std::move(model), "variants", path, small_pages(505));
  for (int i = 0; i < 20; ++i) {
    if (i % 3 == 0) *one = -i;
    if (i % 3 == 1) *one = std::string(i % 4, 'v');
    if (i % 3 == 2) *one = std::vector<float>(i % 5, i);
    items->clear();
    for (int k = 0; k < i % 4; ++k) {
      if ((i + k) % 2) items->emplace_back(i + k / 2.f); else items->emplace_back(std::int64_t(100 * i + k));
    }
    writer->Fill();
    if (i % 7 == 6) writer->CommitCluster();
  }
}

// An object that the ROOT streamer writes, beside a number.
void write_streamed(const char* path) {
  auto model = RNTupleModel::CreateBare();
  model->AddField(std::make_unique<RField<std::int32_t>>("x"));
  model->AddField(std::make_unique<RStreamerField>("object", "TNamed"));
  model->Freeze();
  auto writer = RNTupleWriter::Recreate(std::move(model), "streamed", path, small_pages(505));
  auto entry = writer->CreateEntry();
  for (int i = 0; i < 3; ++i) {
    *entry->GetPtr<std::int32_t>("x") = i;
    static_cast<TNamed*>(entry->GetPtr<void>("object").get())->SetName("name");
    writer->Fill(*entry);
  }
}

struct ShadowedBase { float x = 0; };
struct Shadowing : ShadowedBase { float x = 0; int y = 0; };

// An object with a member that is called as one of its base, and an attribute set of the first 10 of 20 entries.
void write_attributes(const char* path) {
  auto model = RNTupleModel::Create();
  auto object = model->MakeField<Shadowing>("object");
  std::unique_ptr<TFile> file(TFile::Open(path, "RECREATE"));
  auto writer = RNTupleWriter::Append(std::move(model), "attributes", *file, small_pages(505));
  auto attributes = RNTupleModel::Create();
  auto name = attributes->MakeField<std::string>("name");
  auto set = writer->CreateAttributeSet(std::move(attributes), "names");
  auto range = set->BeginRange();
  *name = "first";
  for (int i = 0; i < 20; ++i) {
    object->ShadowedBase::x = i;
    object->x = 10 * i;
    object->y = -i;
    writer->Fill();
    if (i == 9) set->CommitRange(std::move(range));
  }
}
""")

folder = Path(sys.argv[1])
NAMES = "late_fields representations untyped large_records reals nullable variants streamed attributes"
for name in sys.argv[2:] or NAMES.split():
    getattr(ROOT, f"write_{name}")(str(folder / f"{name}_rntuple.root"))
