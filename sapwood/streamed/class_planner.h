#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sapwood/root/streamer_info.h"
#include "sapwood/streamed/cpp_type.h"
#include "sapwood/streamed/stream_node.h"

namespace sapwood::streamed {

/// Of TClonesArrays, members "class.member" and branches "/path", the class of their objects, which only data
/// tell.
using ClonesClasses = std::map<std::string, std::string>;

/// Says by a file's streamer infos how objects are serialised (TBufferFile). What can't be read throws
/// UnsupportedError; as a member of a record it is a node that says why, where it can be left out.
class ClassPlanner {
 public:
  /// For all columns of a tree, which together have no more than so many nodes.
  static constexpr size_t kMostNodes = 1 << 18;
  explicit ClassPlanner(const root::StreamerInfos& infos, ClonesClasses clones = {})
      : infos_(infos), clones_(std::move(clones)) {}

  /// An object with its header, of the newest version that the file describes.
  StreamNode object(const std::string& class_name);
  /// The same of one version.
  StreamNode object(const root::StreamerInfo& info);
  /// `has_header`: whether what has a header as a member has one here, too.
  StreamNode value(const CppType& type, bool has_header);
  StreamNode member(const root::StreamerElement& element);
  /// The same of a class, among whose members TClonesArrays are known or not.
  StreamNode member(const root::StreamerInfo& info, const root::StreamerElement& element);
  /// A member that is a TClonesArray of which nothing is known; nothing for others.
  static std::optional<StreamNode> unknown_clones(const root::StreamerInfo& info,
                                                  const root::StreamerElement& element);
  /// A member of all objects of a split collection: one header for all of them, where it has one. How many
  /// objects there are, or how long their arrays, is not told where it is kMemberwise, or of kCounted items.
  StreamNode members(const root::StreamerElement& element);
  /// A TClonesArray of that key.
  StreamNode known_clones(const std::string& key);

 private:
  StreamNode pointer(const CppType& to, bool is_required);
  std::optional<StreamNode> known_form(const std::string& name);
  StreamNode symmetric_matrix(const std::string& class_name);
  StreamNode base(const root::StreamerElement& element);
  StreamNode member_value(const root::StreamerElement& element);
  StreamNode loop(const root::StreamerElement& element);
  void add_members(StreamNode& record, const root::StreamerInfo& info);
  StreamNode counted(StreamNode node);

  const root::StreamerInfos& infos_;
  ClonesClasses clones_;
  std::vector<std::string> open_;  // classes that are being planned
  size_t nodes_ = 0;               // of all columns
};

}  // namespace sapwood::streamed
