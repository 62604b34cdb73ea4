#pragma once

// How columns of a frame are collected; for frame/rdataframe.h.

#include <ROOT/RDF/RActionImpl.hxx>
#include <ROOT/RDataFrame.hxx>
#include <ROOT/RVec.hxx>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "sapwood/column/arrow_c_data.h"

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

/// The action that collects some columns of one type, each slot for itself.
template <class T>
class Collect : public ROOT::Detail::RDF::RActionImpl<Collect<T>> {
 public:
  using Result_t = std::vector<std::vector<Values<T>>>;  // of each slot, of each column
  Collect(unsigned slots, size_t columns)
      : values_(std::make_shared<Result_t>(slots, std::vector<Values<T>>(columns))) {}
  Collect(Collect&&) = default;
  Collect(const Collect&) = delete;
  std::shared_ptr<Result_t> GetResultPtr() const { return values_; }
  void Initialize() {}
  void InitTask(TTreeReader*, unsigned) {}
  template <class... Ts>
  void Exec(unsigned slot, const Ts&... values) {
    Values<T>* column = (*values_)[slot].data();
    ((column++)->add(values), ...);
  }
  void Finalize() {}
  std::string GetActionName() const { return "sapwood"; }

 private:
  std::shared_ptr<Result_t> values_;
};

/// Columns of one type that are booked to be collected.
class Booked {
 public:
  virtual ~Booked() = default;
  virtual void wait() = 0;  ///< runs the event loop, unless it has run
  virtual int64_t rows(unsigned slot) const = 0;
  virtual ArrowArray finish(unsigned slot, size_t column) = 0;
};

template <size_t, class T>
using Repeated = T;

template <class T, size_t... places>
class BookedColumns final : public Booked {
 public:
  BookedColumns(ROOT::RDF::RNode& node, const std::vector<std::string>& names, unsigned slots)
      : result_(node.Book<Repeated<places, T>...>(Collect<T>(slots, names.size()), names)) {}
  void wait() override { values_ = result_.GetPtr(); }
  int64_t rows(unsigned slot) const override { return (*values_)[slot].front().size(); }
  ArrowArray finish(unsigned slot, size_t column) override { return (*values_)[slot][column].finish(); }

 private:
  using Values_t = typename Collect<T>::Result_t;
  ROOT::RDF::RResultPtr<Values_t> result_;
  Values_t* values_ = nullptr;
};

using Book = std::unique_ptr<Booked> (*)(ROOT::RDF::RNode&, const std::vector<std::string>&, unsigned);

template <class T>
std::unique_ptr<Booked> book(ROOT::RDF::RNode& node, const std::vector<std::string>& names, unsigned slots) {
  return std::make_unique<BookedColumns<T, 0>>(node, names, slots);
}

constexpr size_t kPack = 4;  // columns at once, which takes half the time of one by one

template <class T>
std::unique_ptr<Booked> book_pack(ROOT::RDF::RNode& node, const std::vector<std::string>& names,
                                  unsigned slots) {
  return std::make_unique<BookedColumns<T, 0, 1, 2, 3>>(node, names, slots);
}

/// The text that tells the type of a column of C++ type `T`.
template <class T>
const std::string* type_text() {
  static const std::string text = Values<T>::type();
  return &text;
}

}  // namespace sapwood::rdataframe
