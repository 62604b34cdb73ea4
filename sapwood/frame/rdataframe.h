#pragma once

// For ROOT's interpreter, and for programs that link ROOT 6.40 or newer; the library itself includes it
// nowhere.

#include <TInterpreter.h>
#include <TROOT.h>

#include <ROOT/RDataFrame.hxx>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sapwood/frame/collect_columns.h"
#include "sapwood/frame/frame_calls.h"

namespace sapwood::rdataframe {

/// One past the last entry of which a row comes. A template, as is what follows, for those alone who need it
/// to wait until it is compiled.
template <class = void>
ULong64_t count_entries(ROOT::RDF::RNode& node) {
  auto rows = node.Count();
  auto last = node.Max<ULong64_t>("rdfentry_");
  return *rows == 0 ? 0 : *last + 1;
}

template <class = void>
ROOT::RDF::RNode hold_to_entries(ROOT::RDF::RNode& node, int64_t start, int64_t stop) {
  return node.Filter(
      [start, stop](ULong64_t entry) {
        return static_cast<int64_t>(entry) >= start && static_cast<int64_t>(entry) < stop;
      },
      {"rdfentry_"});
}

struct ManagerAccess : ROOT::RDF::RNode {
  static ROOT::Detail::RDF::RLoopManager& of(const ROOT::RDF::RNode& node) {
    return *(node.*&ManagerAccess::GetLoopManager)();
  }
};

/// Event loops share the interpreter and what ROOT keeps of the process: one at a time.
inline std::mutex loop_mutex;

/// A frame, as `FrameCalls` knows it.
class Frame {
 public:
  /// `has_ranges`: there is a Range among its nodes.
  Frame(ROOT::RDF::RNode node, bool has_ranges) : node_(std::move(node)), manager_(ManagerAccess::of(node_)) {
    const std::lock_guard lock(loop_mutex);
    run_pending();
    find_entries(has_ranges);
    for (const std::string& name : node_.GetColumnNames()) {
      columns_.push_back({name, node_.GetColumnType(name), {}});
      columns_.back().type = type_of(columns_.back().stored_type);
    }
    calls_.frame = this;
    description_ =
        "RDataFrame of " + (manager_.GetDataSource() ? manager_.GetDataSource()->GetLabel() : "entries");
    calls_.description = description_.c_str();
    calls_.num_entries = cluster_stops_.back();
    calls_.num_clusters = static_cast<int64_t>(cluster_stops_.size());
    calls_.cluster_stops = cluster_stops_.data();
    for (const Column& column : columns_) {
      names_.push_back(column.name.c_str());
      stored_types_.push_back(column.stored_type.c_str());
      types_.push_back(column.type.c_str());
    }
    calls_.num_columns = static_cast<int64_t>(columns_.size());
    calls_.names = names_.data();
    calls_.stored_types = stored_types_.data();
    calls_.types = types_.data();
    calls_.drops_rows = has_ranges || !node_.GetFilterNames().empty();
    calls_.ordered = !parallel();
    calls_.whole_clusters = parallel() && access_ == Access::kRange;
    calls_.read = [](void* frame, const int64_t* columns, int64_t num_columns, int64_t start, int64_t stop,
                     void* context, void (*part)(void*, ArrowArray*), char* error, int64_t error_size) {
      try {
        static_cast<Frame*>(frame)->read({columns, columns + num_columns}, start, stop, context, part);
        return true;
      } catch (const std::exception& exception) {
        std::strncpy(error, exception.what(), static_cast<size_t>(error_size - 1));
      } catch (...) {
        std::strncpy(error, "an exception of unknown type", static_cast<size_t>(error_size - 1));
      }
      error[error_size - 1] = '\0';
      return false;
    };
    calls_.close = [](void* frame) {
      const std::lock_guard lock(loop_mutex);
      delete static_cast<Frame*>(frame);
    };
  }
  const FrameCalls* calls() const { return &calls_; }

 private:
  struct Column {
    std::string name;
    std::string stored_type;
    std::string type;
  };
  /// How a loop is held to a range of entries.
  enum class Access {
    kRange,   // the data source reads no others
    kEmpty,   // as above, where there is no data source
    kFilter,  // it goes through all, and drops the others
  };

  /// Loops of tasks count entries anew in each, on one thread too.
  bool parallel() const { return manager_.GetNSlots() > 1 || ROOT::IsImplicitMTEnabled(); }

  void find_entries(bool has_ranges) {
    ROOT::RDF::RDataSource* const source = manager_.GetDataSource();
    const std::string label = source == nullptr ? "" : source->GetLabel();
    access_ = Access::kFilter;
    if (source == nullptr) {
      cluster_stops_.push_back(static_cast<int64_t>(manager_.GetNEmptyEntries()));
      if (!has_ranges) access_ = Access::kEmpty;
    } else if (label == "TTreeDS" || label == "RNTupleDS") {
      for (const auto& range : ROOT::Internal::RDF::GetDatasetGlobalClusterBoundaries(node_))
        cluster_stops_.push_back(static_cast<int64_t>(range.second));
      if (cluster_stops_.empty()) cluster_stops_.push_back(0);
      if (!has_ranges) access_ = Access::kRange;
    } else {
      const auto stop = compiled<ULong64_t (*)(ROOT::RDF::RNode&)>("count_entries<void>")(node_);
      cluster_stops_.push_back(static_cast<int64_t>(stop));
    }
  }

  std::string type_of(const std::string& stored_type) {
    const auto [place, is_new] = type_texts_.try_emplace(stored_type);
    if (is_new) {
      const Long64_t text = calculate("sapwood::rdataframe::type_text<" + stored_type + ">()");
      if (text != 0) place->second = *reinterpret_cast<const std::string*>(text);
    }
    return place->second;
  }

  /// A function of this namespace, as the interpreter compiles it.
  template <class Function>
  static Function compiled(const std::string& name) {
    const Long64_t address = calculate("(Long64_t)&sapwood::rdataframe::" + name);
    if (address == 0) throw std::runtime_error("ROOT's interpreter can't compile " + name);
    return reinterpret_cast<Function>(address);
  }

  static Long64_t calculate(const std::string& code) {
    TInterpreter::EErrorCode error = TInterpreter::kNoError;
    const Long64_t value = gInterpreter->Calc(code.c_str(), &error);
    return error == TInterpreter::kNoError ? value : 0;
  }

  /// A loop computes all that is booked: what the user has booked gets all entries first.
  void run_pending() {
    manager_.Jit();  // what is not compiled yet is not listed
    for (const auto* action : manager_.GetAllActions()) {
      if (!action->HasRun()) {
        manager_.Run();
        return;
      }
    }
  }

  void set_range(int64_t start, int64_t stop) {
    if (access_ == Access::kEmpty) {
      ROOT::Internal::RDF::ChangeEmptyEntryRange(
          node_, {static_cast<ULong64_t>(start), static_cast<ULong64_t>(stop)});
    } else {
      ROOT::Internal::RDF::ChangeBeginAndEndEntries(node_, start, stop);
    }
  }

  struct Place {
    std::shared_ptr<Booked> columns;
    size_t column;
  };

  /// First the rows' entries, then the columns: those of one type by fours, and what is left one by one.
  std::vector<Place> book_columns(const std::vector<int64_t>& columns, ROOT::RDF::RNode& node) {
    const unsigned slots = manager_.GetNSlots();
    std::vector<Place> places(columns.size() + 1);
    places.front() = {book<ULong64_t>(node, {"rdfentry_"}, slots), 0};
    std::map<std::string, std::vector<size_t>> of_type;  // places, by type
    for (size_t i = 0; i < columns.size(); ++i)
      of_type[columns_[static_cast<size_t>(columns[i])].stored_type].push_back(i);
    for (const auto& [type, of] : of_type) {
      for (size_t next = 0; next < of.size();) {
        const size_t width = of.size() - next >= kPack ? kPack : 1;
        Book& function = books_[{type, width}];
        if (function == nullptr)
          function = compiled<Book>((width == 1 ? "book<" : "book_pack<") + type + ">");
        std::vector<std::string> names;
        for (size_t i = 0; i < width; ++i)
          names.push_back(columns_[static_cast<size_t>(columns[of[next + i]])].name);
        const std::shared_ptr<Booked> booked = function(node, names, slots);
        for (size_t i = 0; i < width; ++i) places[of[next++] + 1] = {booked, i};
      }
    }
    return places;
  }

  void read(const std::vector<int64_t>& columns, int64_t start, int64_t stop, void* context,
            void (*part)(void*, ArrowArray*)) {
    const std::lock_guard lock(loop_mutex);
    run_pending();
    const unsigned slots = manager_.GetNSlots();
    const bool filtered = access_ == Access::kFilter;
    ROOT::RDF::RNode node = node_;
    if (filtered) {
      using Hold = ROOT::RDF::RNode (*)(ROOT::RDF::RNode&, int64_t, int64_t);
      node = compiled<Hold>("hold_to_entries<void>")(node, start, stop);
    }
    std::vector<Place> places = book_columns(columns, node);
    struct Restore {
      Frame& frame;
      bool needed;
      ~Restore() {
        if (needed) frame.set_range(0, frame.cluster_stops_.back());
      }
    };
    {
      const Restore restore{*this, !filtered};
      if (!filtered) set_range(start, stop);
      for (const Place& place : places) place.columns->wait();
    }
    int64_t arrived = start;
    for (unsigned slot = 0; slot < slots; ++slot) {
      const int64_t rows = places.front().columns->rows(slot);
      if (rows == 0) continue;
      std::vector<ArrowArray> arrays;
      for (const Place& place : places) arrays.push_back(place.columns->finish(slot, place.column));
      if (parallel()) {
        // Several slots count a source's entries each in its own way: rows are numbered as they arrive.
        Values<uint64_t> numbers;
        for (int64_t row = 0; row < rows; ++row) numbers.add(static_cast<uint64_t>(arrived++));
        arrays.front().release(&arrays.front());
        arrays.front() = numbers.finish();
      }
      part(context, arrays.data());
    }
  }

  ROOT::RDF::RNode node_;
  ROOT::Detail::RDF::RLoopManager& manager_;
  Access access_ = Access::kFilter;
  std::vector<int64_t> cluster_stops_{};
  std::vector<Column> columns_{};
  std::map<std::string, std::string> type_texts_{};
  std::map<std::pair<std::string, size_t>, Book> books_{};
  std::string description_{};
  std::vector<const char*> names_{};
  std::vector<const char*> stored_types_{};
  std::vector<const char*> types_{};
  FrameCalls calls_{};
};

/// A frame for `sapwood::FrameReader`, which closes it.
inline const FrameCalls* open(ROOT::RDF::RNode node, bool has_ranges) {
  return (new Frame(std::move(node), has_ranges))->calls();
}

}  // namespace sapwood::rdataframe
