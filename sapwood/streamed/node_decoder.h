#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/root/object_stream.h"
#include "sapwood/root/streamer_info.h"
#include "sapwood/streamed/appender.h"
#include "sapwood/streamed/class_planner.h"
#include "sapwood/streamed/stream_node.h"

namespace sapwood::streamed {

/// The bytes of entries that are walked through.
struct StreamInput {
  root::ObjectStream& stream;
  size_t end = 0;           ///< of the entry
  uint64_t read_again = 0;  ///< bytes of objects that several pointers point to
};

/// A column, with its values in `destination` where that is given and its type is of fixed width. Throws
/// ConfigError where that has another size.
Column to_destination(Column column, const Buffer& destination);

/// Builds the column of a node, value by value. Used by one thread.
class NodeDecoder {
 public:
  struct Context {
    const root::StreamerInfos* infos = nullptr;  ///< null where no node is a record
    std::shared_ptr<MemoryPool> pool;
    /// Gets the classes of the objects of TClonesArrays where they are not known.
    ClonesClasses* found = nullptr;
  };

  /// Of records on the way only the members that `path` names make up the column. Everything must outlive it.
  NodeDecoder(const StreamNode& node, const Context& context, std::span<const std::string> path)
      : NodeDecoder(node, context, path, true) {}

  ~NodeDecoder();

  /// Makes room for so many values, which take about so many bytes as stored.
  void expect(int64_t count, uint64_t bytes);
  /// Reads `count` values, one after the other. Throws FormatError, UnsupportedError.
  void read(StreamInput& in, uint64_t count);
  /// Reads a value from each position to the next, all of it. `positions` ascend and are in the stream.
  /// Throws as `read`.
  void read_entries(root::ObjectStream& stream, std::span<const int64_t> positions);
  /// Reads an entry of arrays of the given lengths (0 where they are negative). Throws as `read`.
  void read_arrays(StreamInput& in, std::span<const int32_t> lengths);
  /// Reads an entry of the members of so many objects (none where it is negative), stored together. Throws as
  /// `read`.
  void read_objects(StreamInput& in, int32_t count);
  Column finish();

 private:
  // The counts that members of a record gave, of each object.
  using Counts = std::map<std::string_view, std::vector<uint64_t>>;
  // How the members of one version of a class are stored, and what reads them.
  struct Form;

  NodeDecoder(const StreamNode& node, const Context& context, std::span<const std::string> path, bool keep);
  bool has_offsets() const;
  bool is_elided() const;
  bool is_plain_string() const { return node_.kind == StreamNode::Kind::kString && !node_.has_header; }
  void add_children(std::span<const std::string> path);

  void read_value(StreamInput& in);
  static void require_end(const StreamInput& in);
  void read_headed(StreamInput& in);
  void end_value(StreamInput& in, const root::VersionHeader& header) const;
  void read_values(StreamInput& in, uint64_t count, const root::VersionHeader& header);
  void read_one(StreamInput& in, const Form* form);
  void read_list(StreamInput& in, const Form* form);
  void read_memberwise(StreamInput& in, const Form& form, uint64_t count);
  void read_bitset(StreamInput& in);
  void read_pointer(StreamInput& in);
  void read_named(StreamInput& in);
  void read_referred(StreamInput& in, uint64_t tag);
  void read_object(StreamInput& in, const std::string& class_name);
  void read_derived(StreamInput& in, const std::string& class_name, int depth);
  void read_clones(StreamInput& in, const root::VersionHeader& header);
  void read_strings(StreamInput& in, uint64_t count);
  size_t read_short_strings(Bytes stored, std::span<const int64_t> positions);
  void read_number_lists(StreamInput& in, uint64_t count);
  void append_numbers(const std::byte* stored, uint64_t count);
  void read_bits(StreamInput& in);
  void skip_unreadable(StreamInput& in);
  static std::string read_clones_class(StreamInput& in, const root::VersionHeader& header,
                                       bool& is_memberwise);
  void read_together(StreamInput& in, const StreamNode& stored, uint64_t count, Counts& counts);
  void read_counted(StreamInput& in, std::span<const uint64_t> counts);
  void read_records(StreamInput& in, uint64_t count, Counts& counts);
  void read_members(StreamInput& in, const Form& form, uint64_t count, Counts& counts, bool together);
  const Form* memberwise_form(StreamInput& in, const root::VersionHeader& header);
  const Form& form_of(StreamInput& in, const root::VersionHeader& header);
  const Form& form_of_version(int32_t version);
  const Form& form_like(const StreamNode& other);
  const Form& form_by(const root::StreamerInfo& info);
  void fill_up(int64_t length);
  void end_list() {
    if (keep_) offsets_.append_offset(item().length_);
  }
  NodeDecoder& item() const { return *children_.front(); }

  const StreamNode& node_;
  Context context_;
  bool keep_;          // else values are passed over
  bool counts_;        // a base that the counts of other members are in
  size_t value_size_;  // of a number
  int64_t length_ = 0;
  Appender values_;
  Appender offsets_;
  std::vector<std::unique_ptr<NodeDecoder>> children_;
  NodeDecoder* selected_ = nullptr;                   // the only member that is wanted
  const root::StreamerInfo* version_zero_ = nullptr;  // of a class that has one
  std::unique_ptr<Form> own_form_;
  std::map<const root::StreamerInfo*, std::unique_ptr<Form>> other_forms_;
};

}  // namespace sapwood::streamed
