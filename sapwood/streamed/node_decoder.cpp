#include "sapwood/streamed/node_decoder.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "sapwood/base/error.h"
#include "sapwood/streamed/class_planner.h"

namespace sapwood::streamed {
namespace {

using Kind = StreamNode::Kind;

/// Versions of collections from which on a class version stands before members that are stored together.
constexpr int16_t kTellsClassVersion = 8;
/// Values made up for each member that another version of a class lacks.
constexpr double kMostBlank = 256;

bool has_member(const StreamNode& record, const std::string& name) {
  return std::ranges::any_of(record.item, [&](const StreamNode& member) {
    return member.is_base ? has_member(member, name) : member.name == name;
  });
}

// Whether a base has members that say how many items others have.
bool has_counter(const StreamNode& record) {
  return std::ranges::any_of(record.item, [](const StreamNode& member) {
    return member.is_counter || (member.is_base && has_counter(member));
  });
}

uint64_t read_count(const NumberFormat& format, const std::byte* stored) {
  int64_t value = 0;
  decode_numbers(format, stored, static_cast<std::byte*>(static_cast<void*>(&value)), 1);
  const auto size = static_cast<int>(8 * primitive_size(format.type));
  value = static_cast<int64_t>(static_cast<uint64_t>(value) << (64 - size)) >> (64 - size);
  return static_cast<uint64_t>(std::max<int64_t>(value, 0));
}

// Whether the entry is one object with a byte count.
bool starts_with_header(const StreamInput& in) {
  BigEndianCursor bytes = in.stream.in();
  if (bytes.remaining() < sizeof(uint32_t)) return false;
  const auto count = bytes.read<uint32_t>();
  return bytes.position() + (count & ~root::kByteCount) == in.end && (count & root::kByteCount) != 0;
}

}  // namespace

Column to_destination(Column column, const Buffer& destination) {
  if (destination.empty() || fixed_entry_size(column.type) == 0) return column;
  const Buffer values = fixed_width_values(column);
  if (values.size() != destination.size())
    throw ConfigError(
        concat("a destination of ", destination.size(), " bytes for a column of ", values.size()));
  std::memcpy(destination.data(), values.data(), values.size());
  return make_fixed_width_column(column.type, column.length, destination);
}

struct NodeDecoder::Form {
  std::unique_ptr<StreamNode> of_version;  // none: the decoder's own
  const std::vector<StreamNode>* members = nullptr;
  std::vector<NodeDecoder*> readers;  // of each member
  std::vector<std::unique_ptr<NodeDecoder>> passers;
};

NodeDecoder::NodeDecoder(const StreamNode& node, const Context& context, std::span<const std::string> path,
                         bool keep)
    : node_(node),
      context_(context),
      keep_(keep),
      counts_(node.is_base && has_counter(node)),
      value_size_(node.kind == Kind::kNumber ? primitive_size(node.number.type) : 0),
      values_(context.pool),
      offsets_(context.pool) {
  if (keep_ && has_offsets()) offsets_.append_offset(0);
  add_children(path);
}

NodeDecoder::~NodeDecoder() = default;

void NodeDecoder::add_children(std::span<const std::string> path) {
  if (node_.kind != Kind::kRecord) {
    for (const StreamNode& item : node_.item)
      children_.emplace_back(new NodeDecoder(item, context_, path, keep_));
    return;
  }
  if (!node_.is_built_in) version_zero_ = context_.infos->find(node_.class_name, 0);
  own_form_ = std::make_unique<Form>();
  own_form_->members = &node_.item;
  for (const StreamNode& member : node_.item) {
    bool wanted = keep_ && !member.is_hidden && member.problem.empty();
    std::span<const std::string> rest;
    if (!path.empty()) {
      const bool selected = member.is_base ? has_member(member, path.front()) : member.name == path.front();
      wanted = wanted && selected && selected_ == nullptr;
      rest = member.is_base ? path : path.subspan(1);
    }
    children_.emplace_back(new NodeDecoder(member, context_, wanted ? rest : path.first(0), wanted));
    if (wanted && !path.empty()) selected_ = children_.back().get();
    own_form_->readers.push_back(children_.back().get());
  }
}

bool NodeDecoder::is_elided() const {
  return node_.kind == Kind::kNamed || (node_.kind == Kind::kPointer && node_.is_required);
}

bool NodeDecoder::has_offsets() const {
  switch (node_.kind) {
    case Kind::kString:
    case Kind::kList:
    case Kind::kCounted:
    case Kind::kClones:
    case Kind::kUntilEnd:
    case Kind::kMemberwise:
      return true;
    case Kind::kPointer:
      return !node_.is_required;
    default:
      return false;
  }
}

void NodeDecoder::expect(int64_t count, uint64_t bytes) {
  if (!keep_) return;
  if (has_offsets()) offsets_.reserve(static_cast<size_t>(count) * sizeof(int64_t));
  switch (node_.kind) {
    case Kind::kString:
      return values_.reserve(bytes);
    case Kind::kNumber:
      return values_.reserve(static_cast<size_t>(count) * value_size_);
    case Kind::kList:
      // Of items at most so many; of what they hold nothing is known.
      if (item().node_.kind == Kind::kNumber) {
        const auto most = static_cast<int64_t>(bytes / item().node_.number.stored_size);
        return item().expect(most, bytes);
      }
      if (item().node_.kind == Kind::kString) {
        item().values_.reserve(bytes);
        item().offsets_.reserve(bytes);  // of strings of seven characters
      }
      return;
    default:
      return;
  }
}

void NodeDecoder::read(StreamInput& in, uint64_t count) {
  BigEndianCursor& bytes = in.stream.in();
  if (node_.kind == Kind::kRecord) {
    for (uint64_t i = 0; i < count; ++i) {
      Counts counts;
      read_records(in, 1, counts);
    }
    return;
  }
  if (node_.kind == Kind::kNumber) {
    const size_t size = node_.number.stored_size;
    bytes.require(count, size);
    const Bytes stored = bytes.take(count * size);
    if (keep_) append_numbers(stored.data(), count);
  } else if (node_.may_lack && bytes.position() == in.end) {
    return fill_up(length_ + static_cast<int64_t>(count));
  } else if (is_plain_string()) {
    read_strings(in, count);
  } else if (node_.kind == Kind::kList && !node_.has_header && item().node_.kind == Kind::kNumber) {
    read_number_lists(in, count);
  } else if (node_.kind == Kind::kFixed && !node_.has_header) {
    const auto size = static_cast<uint64_t>(node_.size);
    bytes.require(count, size);
    item().read(in, count * size);
  } else if (node_.has_header) {
    for (uint64_t i = 0; i < count; ++i) read_headed(in);
  } else {
    for (uint64_t i = 0; i < count; ++i) read_value(in);
  }
  length_ += static_cast<int64_t>(count);
}

void NodeDecoder::read_entries(root::ObjectStream& stream, std::span<const int64_t> positions) {
  BigEndianCursor& bytes = stream.in();
  for (size_t i = 0; i + 1 < positions.size(); ++i) {
    if (keep_ && is_plain_string()) i += read_short_strings(bytes.all(), positions.subspan(i));
    if (i + 1 == positions.size()) break;
    const auto end = static_cast<size_t>(positions[i + 1]);
    bytes.seek(static_cast<size_t>(positions[i]));
    if (bytes.position() == end && node_.kind != Kind::kUntilEnd && !node_.may_lack)
      throw UnsupportedError("entries without bytes, as ROOT writes them of a class that it does not know");
    StreamInput in{stream, end};
    read(in, 1);
    require_end(in);
  }
}

void NodeDecoder::require_end(const StreamInput& in) {
  const BigEndianCursor& bytes = in.stream.in();
  if (bytes.position() > in.end) bytes.fail(concat("the end of an entry at ", in.end));
  if (bytes.position() < in.end)
    throw UnsupportedError(concat("an entry has ", in.end - bytes.position(), " bytes more than are known"));
}

void NodeDecoder::read_arrays(StreamInput& in, std::span<const int32_t> lengths) {
  std::vector<uint64_t> counts;
  for (const int32_t length : lengths) counts.push_back(static_cast<uint64_t>(std::max(length, 0)));
  if (!counts.empty() || in.stream.in().position() < in.end) item().read_counted(in, counts);
  require_end(in);
  end_list();
  ++length_;
}

void NodeDecoder::read_objects(StreamInput& in, int32_t count) {
  if (count > 0) item().read_memberwise(in, *item().own_form_, static_cast<uint64_t>(count));
  require_end(in);
  end_list();
  ++length_;
}

void NodeDecoder::read_headed(StreamInput& in) {
  BigEndianCursor& bytes = in.stream.in();
  if (node_.kind == Kind::kUntilEnd && bytes.position() >= in.end)
    return end_list();  // no objects, no header
  const root::VersionHeader header = in.stream.read_version();
  if (!header.end) bytes.fail("the byte count of a collection or string");
  if (node_.kind == Kind::kUntilEnd) {
    NodeDecoder& each = item();
    const Form* form = each.memberwise_form(in, header);
    if (each.node_.kind == Kind::kRecord || each.node_.kind == Kind::kPointer) {
      while (bytes.position() < in.end) each.read(in, 1);
    } else {
      for (; bytes.position() < in.end; ++each.length_) each.read_one(in, form);
    }
    return end_list();
  }
  if (!keep_) return end_value(in, header);
  if (node_.kind == Kind::kClones) {
    read_clones(in, header);
  } else if (node_.kind == Kind::kList && !header.memberwise) {
    read_list(in, nullptr);
  } else {
    read_values(in, 1, header);
  }
  end_value(in, header);
}

// Values end where the byte count before them says, unless some class writes more than the file tells.
void NodeDecoder::end_value(StreamInput& in, const root::VersionHeader& header) const {
  if (!header.end || in.stream.in().position() == *header.end) return;
  in.stream.finish(header.end, node_.name);
  if (keep_)
    throw UnsupportedError(concat("a value", node_.class_name.empty() ? "" : " of class ", node_.class_name,
                                  " that takes more bytes than are known"));
}

// Values behind one header.
void NodeDecoder::read_values(StreamInput& in, uint64_t count, const root::VersionHeader& header) {
  const Form* form = memberwise_form(in, header);
  for (uint64_t i = 0; i < count; ++i) read_one(in, form);
}

// A value behind a header, of lists that are stored member by member where there is a form.
void NodeDecoder::read_one(StreamInput& in, const Form* form) {
  if (form == nullptr) return read_value(in);
  if (node_.kind == Kind::kList) return read_list(in, form);
  for (int64_t i = 0; i < node_.size; ++i) item().read_one(in, form);
  item().length_ += node_.size;
}

// A value without its header.
void NodeDecoder::read_value(StreamInput& in) {
  BigEndianCursor& bytes = in.stream.in();
  switch (node_.kind) {
    case Kind::kBits:
      return read_bits(in);
    case Kind::kString:
      return read_strings(in, 1);
    case Kind::kList:
      return read_list(in, nullptr);
    case Kind::kFixed:
      return item().read(in, static_cast<uint64_t>(node_.size));
    case Kind::kBitset:
      return read_bitset(in);
    case Kind::kPointer:
      return read_pointer(in);
    case Kind::kNamed:
      return read_named(in);
    case Kind::kUnreadable:
      return skip_unreadable(in);
    default:
      while (bytes.position() < in.end) {
        const size_t before = bytes.position();
        item().read(in, 1);
        if (bytes.position() == before) bytes.fail("a value that takes bytes");
      }
      return end_list();
  }
}

// Lists of objects that are stored member by member: [uint16 class version, uint32 checksum if that is not
// positive,] and then lists, of which each is a uint32 count, the first member of all, and so on.
const NodeDecoder::Form* NodeDecoder::memberwise_form(StreamInput& in, const root::VersionHeader& header) {
  if (!header.memberwise) return nullptr;
  if (node_.kind == Kind::kFixed) return item().memberwise_form(in, header);
  // An array, of a std::array too, is the only member of its class.
  const bool is_of_arrays = node_.kind == Kind::kList && item().node_.kind == Kind::kFixed;
  if (!is_of_arrays && (node_.kind != Kind::kList || item().node_.kind != Kind::kRecord))
    throw UnsupportedError("values stored member by member");
  if (header.version < kTellsClassVersion) return is_of_arrays ? nullptr : item().own_form_.get();
  const auto version = in.stream.in().read<int16_t>();
  if (is_of_arrays) {
    if (version <= 0) in.stream.in().skip(sizeof(uint32_t));
    return nullptr;
  }
  return &item().form_of(in, {.version = version, .memberwise = false, .end = header.end});
}

// uint32 count, items.
void NodeDecoder::read_list(StreamInput& in, const Form* form) {
  BigEndianCursor& bytes = in.stream.in();
  const auto count = bytes.read<uint32_t>();
  NodeDecoder& items = item();
  // Every item takes at least a byte, but for objects without members.
  if (form == nullptr) bytes.require(count, 1);
  if (form == nullptr && items.is_plain_string()) {
    items.read_strings(in, count);
    items.length_ += count;
  } else if (form == nullptr) {
    items.read(in, count);
  } else if (count > 0) {
    items.read_memberwise(in, *form, count);
  }
  end_list();
}

void NodeDecoder::read_memberwise(StreamInput& in, const Form& form, uint64_t count) {
  if (!form.members->empty()) in.stream.in().require(count, 1);
  Counts counts;
  read_members(in, form, count, counts, true);
}

// Of `count` objects the same member: of what has a header there is one for all, and bases have none.
void NodeDecoder::read_together(StreamInput& in, const StreamNode& stored, uint64_t count, Counts& counts) {
  if (node_.kind == Kind::kRecord && node_.is_base && !node_.is_built_in && !node_.is_apart)
    return read_members(in, form_like(stored), count, counts, true);
  if (node_.kind == Kind::kRecord || node_.kind == Kind::kClones || !node_.has_header) return read(in, count);
  const root::VersionHeader header = in.stream.read_version();
  if (!header.end) in.stream.in().fail("the byte count of collections or strings");
  if (keep_) read_values(in, count, header);
  end_value(in, header);
  length_ += static_cast<int64_t>(count);
}

// Before each array of numbers a byte says whether there is any.
void NodeDecoder::read_counted(StreamInput& in, std::span<const uint64_t> counts) {
  BigEndianCursor& bytes = in.stream.in();
  root::VersionHeader header;
  if (node_.has_header) header = in.stream.read_version();
  for (const uint64_t count : counts) {
    if (!node_.has_presence || bytes.read<uint8_t>() != 0) {
      bytes.require(count, 1);
      if (keep_ || !header.end) item().read(in, node_.is_triangle ? count * (count + 1) / 2 : count);
    }
    end_list();
  }
  end_value(in, header);
  length_ += static_cast<int64_t>(counts.size());
}

void NodeDecoder::read_records(StreamInput& in, uint64_t count, Counts& counts) {
  for (uint64_t i = 0; i < count; ++i) {
    if (node_.is_whole && !starts_with_header(in)) {
      read_members(in, *own_form_, 1, counts, true);
      continue;
    }
    root::VersionHeader header;
    if (node_.has_header) header = in.stream.read_version();
    if (!keep_ && !counts_ && header.end) {
      end_value(in, header);
      continue;
    }
    if (header.memberwise)
      throw UnsupportedError(concat("class ", node_.class_name, " stored member by member"));
    const Form& form = node_.has_header ? form_of(in, header) : *own_form_;
    read_members(in, form, 1, counts, false);
    end_value(in, header);
  }
}

void NodeDecoder::read_members(StreamInput& in, const Form& form, uint64_t count, Counts& counts,
                               bool together) {
  BigEndianCursor& bytes = in.stream.in();
  for (size_t m = 0; m < form.members->size(); ++m) {
    const StreamNode& member = (*form.members)[m];
    NodeDecoder& reader = *form.readers[m];
    if (member.is_counter) {
      const size_t size = member.number.stored_size;
      bytes.require(count, size);
      for (uint64_t i = 0; i < count; ++i) {
        counts[member.name].push_back(
            read_count(member.number, bytes.all().data() + bytes.position() + i * size));
      }
    }
    if (member.kind == Kind::kCounted) {
      const std::vector<uint64_t>& known = counts[member.counter];
      if (known.size() < count)
        throw UnsupportedError(
            concat("array ", member.name, " comes before ", member.counter, ", its length"));
      reader.read_counted(in, std::span(known).last(count));
    } else if (together && member.class_name == "TObject" && bytes.position() == in.end) {
      // A base that is an entry may have been stored without its TObject.
    } else if (together) {
      reader.read_together(in, member, count, counts);
    } else if (member.is_base) {
      reader.read_records(in, count, counts);
    } else if (node_.is_map_item && member.kind != Kind::kRecord && member.has_header) {
      reader.read_values(in, count, {});
      reader.length_ += static_cast<int64_t>(count);
    } else {
      reader.read(in, count);
    }
  }
  length_ += static_cast<int64_t>(count);
  if (&form == own_form_.get()) return;
  for (const auto& child : children_) child->fill_up(length_);
}

// Of the class version that stands before the members; where that is not positive, a uint32 checksum follows
// unless the class says that its version is 0.
const NodeDecoder::Form& NodeDecoder::form_of(StreamInput& in, const root::VersionHeader& header) {
  if (header.version > 0) return form_of_version(header.version);
  if (version_zero_ != nullptr) return form_by(*version_zero_);
  const auto checksum = in.stream.in().read<uint32_t>();
  if (node_.is_built_in || checksum == node_.checksum) return *own_form_;
  const root::StreamerInfo* info = context_.infos->find_checksum(node_.class_name, checksum);
  if (info != nullptr) return form_by(*info);
  throw UnsupportedError(concat("the file does not describe this form of class ", node_.class_name));
}

// A TClonesArray tells a version that is not positive of a class that has none.
const NodeDecoder::Form& NodeDecoder::form_of_version(int32_t version) {
  if (node_.is_built_in || version <= 0 || version == node_.version) return *own_form_;
  const root::StreamerInfo* info = context_.infos->find(node_.class_name, version);
  if (info != nullptr) return form_by(*info);
  throw UnsupportedError(
      concat("the file does not describe version ", version, " of class ", node_.class_name));
}

// Of a base, where it stands among the members of another version.
const NodeDecoder::Form& NodeDecoder::form_like(const StreamNode& other) {
  if (&other == &node_) return *own_form_;
  const root::StreamerInfo* info = context_.infos->find_checksum(node_.class_name, other.checksum);
  return info == nullptr ? *own_form_ : form_by(*info);
}

const NodeDecoder::Form& NodeDecoder::form_by(const root::StreamerInfo& info) {
  if (info.version == node_.version && info.checksum == node_.checksum) return *own_form_;
  std::unique_ptr<Form>& form = other_forms_[&info];
  if (form) return *form;
  auto made = std::make_unique<Form>();
  made->of_version = std::make_unique<StreamNode>(ClassPlanner(*context_.infos).object(info));
  made->members = &made->of_version->item;
  std::map<std::pair<std::string_view, bool>, NodeDecoder*> own;  // by name, and whether it is a base
  for (size_t i = 0; i < node_.item.size(); ++i)
    own.try_emplace({node_.item[i].name, node_.item[i].is_base}, children_[i].get());
  std::unordered_set<const NodeDecoder*> used;
  for (const StreamNode& member : *made->members) {
    const auto found = own.find({member.name, member.is_base});
    NodeDecoder* reader = found == own.end() ? nullptr : found->second;
    if (reader != nullptr && !same_form(reader->node_, member)) {
      if (reader->keep_) {
        throw UnsupportedError(concat("member ", member.name, " of version ", info.version, " of class ",
                                      node_.class_name, " is of another type than in version ",
                                      node_.version));
      }
      reader = nullptr;
    }
    if (reader == nullptr) {
      made->passers.emplace_back(new NodeDecoder(member, context_, {}, false));
      reader = made->passers.back().get();
    }
    made->readers.push_back(reader);
    used.insert(reader);
  }
  for (size_t i = 0; i < children_.size(); ++i) {
    if (!used.contains(children_[i].get()) && children_[i]->keep_ &&
        size_of(node_.item[i]).values > kMostBlank) {
      throw UnsupportedError(concat("version ", info.version, " of class ", node_.class_name,
                                    " lacks the array ", node_.item[i].name));
    }
  }
  form = std::move(made);
  return *form;
}

// Values that are 0 or empty.
void NodeDecoder::fill_up(int64_t length) {
  const int64_t missing = length - length_;
  if (!keep_ || missing <= 0) return;
  const auto add = [&](int64_t size) {
    const size_t bytes = static_cast<size_t>(missing * size);
    std::memset(values_.extend(bytes), 0, bytes);
  };
  length_ = length;
  switch (node_.kind) {
    case Kind::kNumber:
      return add(static_cast<int64_t>(primitive_size(node_.number.type)));
    case Kind::kBits:
      return add(sizeof(uint32_t));
    case Kind::kBitset:
      return add(node_.size);
    case Kind::kString:
      for (int64_t i = 0; i < missing; ++i) offsets_.append_offset(static_cast<int64_t>(values_.size()));
      return;
    case Kind::kFixed:
      return item().fill_up(length * node_.size);
    case Kind::kRecord:
      for (const auto& child : children_) child->fill_up(length);
      return;
    case Kind::kUnreadable:
      return;
    default:
      if (is_elided()) return item().fill_up(length);
      for (int64_t i = 0; i < missing; ++i) end_list();
  }
}

Column NodeDecoder::finish() {
  if (selected_ != nullptr) return selected_->finish();
  if (is_elided()) return item().finish();
  Column column{.type = {}, .length = length_, .values = {}, .offsets = {}, .children = {}};
  if (has_offsets()) column.offsets = offsets_.take();
  switch (node_.kind) {
    case Kind::kNumber:
    case Kind::kBits:
    case Kind::kString:
      column.type = type_of(node_);
      column.values = values_.take();
      return column;
    case Kind::kBitset:
      return make_fixed_width_column(type_of(node_), length_, values_.take());
    case Kind::kRecord: {
      std::vector<Field> fields;
      for (size_t i = 0; i < children_.size(); ++i) {
        if (!children_[i]->keep_) continue;
        Column member = children_[i]->finish();
        if (!node_.item[i].is_base) {
          fields.push_back({node_.item[i].name, member.type});
          column.children.push_back(std::move(member));
          continue;
        }
        for (size_t j = 0; j < member.children.size(); ++j) {
          fields.push_back(member.type.children[j]);
          column.children.push_back(std::move(member.children[j]));
        }
      }
      column.type = Type::structure(std::move(fields));
      return column;
    }
    default:
      column.children.push_back(item().finish());
      column.type = node_.kind == Kind::kFixed ? Type::fixed_list(column.item().type, node_.size)
                                               : Type::list(column.item().type);
      return column;
  }
}

}  // namespace sapwood::streamed
