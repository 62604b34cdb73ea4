#pragma once

// For ROOT's interpreter, and for programs that link ROOT 6.40 or newer; the library itself includes it
// nowhere.

#include <TInterpreter.h>

#include <ROOT/RDF/RActionImpl.hxx>
#include <ROOT/RDataFrame.hxx>
#include <ROOT/RVec.hxx>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "sapwood/column/arrow_c_data.h"
#include "sapwood/frame/frame_calls.h"

namespace sapwood::rdataframe {

/// An array that owns its buffers: `Owner` has a member `ArrowArray* children[1]`, which may be null.
template <class Owner>
ArrowArray own_array(std::unique_ptr<Owner> owner, int64_t length, int64_t num_buffers,
                     const void** buffers) {
  ArrowArray array{};
  array.length = length;
  array.n_buffers = num_buffers;
  array.buffers = buffers;
  array.n_children = owner->children[0] == nullptr ? 0 : 1;
  array.children = owner->children;
  array.private_data = owner.release();
  array.release = [](ArrowArray* released) {
    auto* const owned = static_cast<Owner*>(released->private_data);
    if (ArrowArray* const child = owned->children[0]) {
      if (child->release != nullptr) child->release(child);
      delete child;
    }
    delete owned;
    released->release = nullptr;
  };
  return array;
}

/// Collects the values of a column: `add` takes those of an entry, `finish` makes them an array.
template <class T, class = void>
struct Values {
  static std::string type() { return ""; }
};

template <class T>
std::string number_type() {
  const std::string bits = std::to_string(sizeof(T) * 8);
  if (std::is_floating_point_v<T>) return "float" + bits;
  return (std::is_signed_v<T> ? "int" : "uint") + bits;
}

template <class T>
struct Values<T, std::enable_if_t<std::is_arithmetic_v<T> && !std::is_same_v<T, bool> &&
                                  !std::is_same_v<T, long double>>> {
  struct Owner {
    std::vector<T> values;
    const void* buffers[2];
    ArrowArray* children[1];
  };
  std::vector<T> values{};
  static std::string type() { return number_type<T>(); }
  int64_t size() const { return static_cast<int64_t>(values.size()); }
  void add(T value) { values.push_back(value); }
  template <class List>
  void add_all(const List& list) {
    values.insert(values.end(), list.begin(), list.end());
  }
  ArrowArray finish() {
    auto owner = std::make_unique<Owner>(Owner{std::move(values), {nullptr, nullptr}, {nullptr}});
    owner->buffers[1] = owner->values.data();
    const auto length = static_cast<int64_t>(owner->values.size());
    const void** const buffers = owner->buffers;
    return own_array(std::move(owner), length, 2, buffers);
  }
};

template <class List, class Items>
void add_each(const List& list, Items& items) {
  for (const auto& item : list) items.add(item);
}

template <>
struct Values<bool> {
  struct Owner {
    std::vector<uint8_t> bits;
    const void* buffers[2];
    ArrowArray* children[1];
  };
  std::vector<uint8_t> bits{};
  int64_t length = 0;
  static std::string type() { return "bool"; }
  int64_t size() const { return length; }
  void add(bool value) {
    if (length % 8 == 0) bits.push_back(0);
    bits.back() = static_cast<uint8_t>(bits.back() | (value ? 1U << (length % 8) : 0U));
    ++length;
  }
  template <class List>
  void add_all(const List& list) {
    add_each(list, *this);
  }
  ArrowArray finish() {
    auto owner = std::make_unique<Owner>(Owner{std::move(bits), {nullptr, nullptr}, {nullptr}});
    owner->buffers[1] = owner->bits.data();
    const void** const buffers = owner->buffers;
    return own_array(std::move(owner), length, 2, buffers);
  }
};

template <>
struct Values<std::string> {
  struct Owner {
    std::vector<int64_t> offsets;
    std::string text;
    const void* buffers[3];
    ArrowArray* children[1];
  };
  std::vector<int64_t> offsets{0};
  std::string text{};
  static std::string type() { return "string"; }
  int64_t size() const { return static_cast<int64_t>(offsets.size()) - 1; }
  void add(const std::string& value) {
    text += value;
    offsets.push_back(static_cast<int64_t>(text.size()));
  }
  template <class List>
  void add_all(const List& list) {
    add_each(list, *this);
  }
  ArrowArray finish() {
    const int64_t length = size();
    auto owner = std::make_unique<Owner>(
        Owner{std::move(offsets), std::move(text), {nullptr, nullptr, nullptr}, {nullptr}});
    owner->buffers[1] = owner->offsets.data();
    owner->buffers[2] = owner->text.data();
    const void** const buffers = owner->buffers;
    return own_array(std::move(owner), length, 3, buffers);
  }
};

template <class Item>
struct ListValues {
  struct Owner {
    std::vector<int64_t> offsets;
    const void* buffers[2];
    ArrowArray* children[1];
  };
  std::vector<int64_t> offsets{0};
  Values<Item> items{};
  static std::string type() {
    const std::string item = Values<Item>::type();
    return item.empty() ? "" : "list<" + item + ">";
  }
  int64_t size() const { return static_cast<int64_t>(offsets.size()) - 1; }
  template <class List>
  void add(const List& list) {
    items.add_all(list);
    offsets.push_back(items.size());
  }
  template <class Lists>
  void add_all(const Lists& lists) {
    add_each(lists, *this);
  }
  ArrowArray finish() {
    const int64_t length = size();
    auto child = std::make_unique<ArrowArray>(items.finish());
    auto owner = std::make_unique<Owner>(Owner{std::move(offsets), {nullptr, nullptr}, {child.release()}});
    owner->buffers[1] = owner->offsets.data();
    const void** const buffers = owner->buffers;
    return own_array(std::move(owner), length, 2, buffers);
  }
};

template <class Item>
struct Values<ROOT::VecOps::RVec<Item>> : ListValues<Item> {};
template <class Item>
struct Values<std::vector<Item>> : ListValues<Item> {};

/// The action that collects a column, each slot for itself.
template <class T>
class Collect : public ROOT::Detail::RDF::RActionImpl<Collect<T>> {
 public:
  using Result_t = std::vector<Values<T>>;
  explicit Collect(unsigned slots) : values_(std::make_shared<Result_t>(slots)) {}
  Collect(Collect&&) = default;
  Collect(const Collect&) = delete;
  std::shared_ptr<Result_t> GetResultPtr() const { return values_; }
  void Initialize() {}
  void InitTask(TTreeReader*, unsigned) {}
  void Exec(unsigned slot, const T& value) { (*values_)[slot].add(value); }
  void Finalize() {}
  std::string GetActionName() const { return "sapwood"; }

 private:
  std::shared_ptr<Result_t> values_;
};

/// A column that is booked to be collected.
class Booked {
 public:
  virtual ~Booked() = default;
  virtual void wait() = 0;  ///< runs the event loop, unless it has run
  virtual int64_t rows(unsigned slot) const = 0;
  virtual ArrowArray finish(unsigned slot) = 0;
};

template <class T>
class BookedColumn final : public Booked {
 public:
  BookedColumn(ROOT::RDF::RNode& node, const std::string& name, unsigned slots)
      : result_(node.Book<T>(Collect<T>(slots), {name})) {}
  void wait() override { values_ = result_.GetPtr(); }
  int64_t rows(unsigned slot) const override { return (*values_)[slot].size(); }
  ArrowArray finish(unsigned slot) override { return (*values_)[slot].finish(); }

 private:
  ROOT::RDF::RResultPtr<std::vector<Values<T>>> result_;
  std::vector<Values<T>>* values_ = nullptr;
};

using Book = std::unique_ptr<Booked> (*)(ROOT::RDF::RNode&, const std::string&, unsigned);

template <class T>
std::unique_ptr<Booked> book(ROOT::RDF::RNode& node, const std::string& name, unsigned slots) {
  return std::make_unique<BookedColumn<T>>(node, name, slots);
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
      // A leaf of its own name appears as "branch.leaf" too.
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

  bool parallel() const { return manager_.GetNSlots() > 1; }

  void find_entries(bool has_ranges) {
    const ROOT::RDF::RDataSource* const source = manager_.GetDataSource();
    const std::string label =
        source == nullptr ? "" : const_cast<ROOT::RDF::RDataSource*>(source)->GetLabel();
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
      if (parallel() && has_ranges)
        throw std::runtime_error("Range and implicit multithreading exclude each other");
      auto count = node_.Count();
      auto last = node_.Max<ULong64_t>("rdfentry_");
      const ULong64_t stop = *count == 0 ? 0 : *last + 1;
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

  Book book_of(const std::string& stored_type) {
    Book& found = books_[stored_type];
    if (found == nullptr) {
      found = reinterpret_cast<Book>(calculate("(Long64_t)&sapwood::rdataframe::book<" + stored_type + ">"));
      if (found == nullptr) throw std::runtime_error("ROOT's interpreter can't compile for " + stored_type);
    }
    return found;
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

  void read(const std::vector<int64_t>& columns, int64_t start, int64_t stop, void* context,
            void (*part)(void*, ArrowArray*)) {
    const std::lock_guard lock(loop_mutex);
    run_pending();
    const unsigned slots = manager_.GetNSlots();
    const bool filtered = access_ == Access::kFilter;
    ROOT::RDF::RNode node = node_;
    if (filtered) {
      node = node.Filter(
          [start, stop](ULong64_t entry) {
            return static_cast<int64_t>(entry) >= start && static_cast<int64_t>(entry) < stop;
          },
          {"rdfentry_"});
    }
    std::vector<std::unique_ptr<Booked>> booked;
    booked.push_back(book<ULong64_t>(node, "rdfentry_", slots));
    for (const int64_t column : columns) {
      const Column& wanted = columns_[static_cast<size_t>(column)];
      booked.push_back(book_of(wanted.stored_type)(node, wanted.name, slots));
    }
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
      for (const auto& column : booked) column->wait();
    }
    int64_t arrived = start;
    for (unsigned slot = 0; slot < slots; ++slot) {
      const int64_t rows = booked.front()->rows(slot);
      if (rows == 0) continue;
      std::vector<ArrowArray> arrays;
      for (const auto& column : booked) arrays.push_back(column->finish(slot));
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
  std::map<std::string, Book> books_{};
  std::string description_{};
  std::vector<const char*> names_{};
  std::vector<const char*> stored_types_{};
  std::vector<const char*> types_{};
  FrameCalls calls_{};
};

/// The text that tells the type of a column of C++ type `T`; for the interpreter.
template <class T>
const std::string* type_text() {
  static const std::string text = Values<T>::type();
  return &text;
}

/// A frame for `sapwood::open_frame`, which closes it.
inline const FrameCalls* open(ROOT::RDF::RNode node, bool has_ranges) {
  return (new Frame(std::move(node), has_ranges))->calls();
}

}  // namespace sapwood::rdataframe
