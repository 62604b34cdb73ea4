#include "sapwood/root/built_in_streamers.h"

#include <initializer_list>
#include <string>
#include <vector>

namespace sapwood::root {
namespace {

constexpr int32_t kPointerToInt = kOffsetP + kInt;
constexpr int32_t kPointerToLong64 = kOffsetP + kLong64;

StreamerElement base(const char* name) {
  return {.is_base = true, .name = name, .title = "", .type_name = ""};
}

StreamerElement member(const char* name, int32_t type, const char* type_name = "") {
  return {.name = name, .title = "", .type_name = type_name, .type = type};
}

StreamerElement array(const char* name, int32_t type, const char* count) {
  return {.name = name, .title = "", .type_name = "", .type = type, .count_name = count};
}

void append(std::vector<StreamerElement>& to, std::initializer_list<StreamerElement> elements) {
  to.insert(to.end(), elements);
}

StreamerInfo tree(int32_t version) {
  StreamerInfo info{.name = "TTree", .version = version, .elements = {}};
  auto& e = info.elements;
  append(e, {base("TNamed"), base("TAttLine"), base("TAttFill"), base("TAttMarker")});
  append(e, {member("fEntries", kLong64), member("fTotBytes", kLong64), member("fZipBytes", kLong64),
             member("fSavedBytes", kLong64)});
  if (version >= 18) append(e, {member("fFlushedBytes", kLong64)});
  append(e, {member("fWeight", kDouble), member("fTimerInterval", kInt), member("fScanField", kInt),
             member("fUpdate", kInt)});
  if (version >= 17) append(e, {member("fDefaultEntryOffsetLen", kInt)});
  if (version >= 19) append(e, {member("fNClusterRange", kCounter)});
  append(e, {member("fMaxEntries", kLong64), member("fMaxEntryLoop", kLong64),
             member("fMaxVirtualSize", kLong64), member("fAutoSave", kLong64)});
  if (version >= 18) append(e, {member("fAutoFlush", kLong64)});
  append(e, {member("fEstimate", kLong64)});
  if (version >= 19) {
    append(e, {array("fClusterRangeEnd", kPointerToLong64, "fNClusterRange"),
               array("fClusterSize", kPointerToLong64, "fNClusterRange")});
  }
  if (version >= 20) append(e, {member("fIOFeatures", kAny, "ROOT::TIOFeatures")});
  append(e, {member("fBranches", kObject, "TObjArray"), member("fLeaves", kObject, "TObjArray")});
  return info;
}

StreamerInfo branch(int32_t version) {
  StreamerInfo info{.name = "TBranch", .version = version, .elements = {}};
  auto& e = info.elements;
  append(e, {base("TNamed"), base("TAttFill"), member("fCompress", kInt), member("fBasketSize", kInt),
             member("fEntryOffsetLen", kInt), member("fWriteBasket", kInt), member("fEntryNumber", kLong64)});
  if (version >= 13) append(e, {member("fIOFeatures", kAny, "ROOT::TIOFeatures")});
  append(e, {member("fOffset", kInt), member("fMaxBaskets", kCounter), member("fSplitLevel", kInt),
             member("fEntries", kLong64)});
  if (version >= 11) append(e, {member("fFirstEntry", kLong64)});
  append(e, {member("fTotBytes", kLong64), member("fZipBytes", kLong64)});
  append(e, {member("fBranches", kObject, "TObjArray"), member("fLeaves", kObject, "TObjArray"),
             member("fBaskets", kObject, "TObjArray"), array("fBasketBytes", kPointerToInt, "fMaxBaskets"),
             array("fBasketEntry", kPointerToLong64, "fMaxBaskets"),
             array("fBasketSeek", kPointerToLong64, "fMaxBaskets"), member("fFileName", kTString)});
  return info;
}

StreamerInfo branch_element(int32_t version) {
  StreamerInfo info{.name = "TBranchElement", .version = version, .elements = {}};
  append(info.elements, {base("TBranch"), member("fClassName", kTString), member("fParentName", kTString),
                         member("fClonesName", kTString), member("fCheckSum", kUInt),
                         member("fClassVersion", version >= 10 ? kShort : kInt), member("fID", kInt),
                         member("fType", kInt), member("fStreamerType", kInt), member("fMaximum", kInt),
                         member("fBranchCount", kObjectPointer, "TBranchElement*"),
                         member("fBranchCount2", kObjectPointer, "TBranchElement*")});
  return info;
}

/// A leaf class: what TLeaf has, and two members of one type.
StreamerInfo leaf(const char* name, const char* first, const char* second, int32_t type) {
  return {.name = name, .version = 1, .elements = {base("TLeaf"), member(first, type), member(second, type)}};
}

std::vector<StreamerInfo> make_table() {
  std::vector<StreamerInfo> table;
  for (int32_t version = 16; version <= 20; ++version) table.push_back(tree(version));
  for (int32_t version = 10; version <= 13; ++version) table.push_back(branch(version));
  for (int32_t version = 8; version <= 10; ++version) table.push_back(branch_element(version));
  table.push_back(
      {.name = "TBranchObject", .version = 1, .elements = {base("TBranch"), member("fClassName", kTString)}});
  table.push_back({.name = "TBranchClones", .version = 2, .elements = {base("TBranch")}});
  table.push_back({.name = "TNtuple", .version = 2, .elements = {base("TTree"), member("fNvar", kInt)}});
  table.push_back({.name = "TNtupleD", .version = 1, .elements = {base("TTree"), member("fNvar", kInt)}});
  table.push_back({.name = "ROOT::TIOFeatures", .version = 0, .elements = {member("fIOBits", kUChar)}});
  table.push_back({.name = "ROOT::TIOFeatures", .version = 1, .elements = {member("fIOBits", kUChar)}});
  table.push_back(
      {.name = "TLeaf",
       .version = 2,
       .elements = {base("TNamed"), member("fLen", kInt), member("fLenType", kInt), member("fOffset", kInt),
                    member("fIsRange", kBool), member("fIsUnsigned", kBool),
                    member("fLeafCount", kObjectPointer, "TLeaf*")}});
  table.push_back(leaf("TLeafO", "fMinimum", "fMaximum", kBool));
  table.push_back(leaf("TLeafB", "fMinimum", "fMaximum", kChar));
  table.push_back(leaf("TLeafS", "fMinimum", "fMaximum", kShort));
  table.push_back(leaf("TLeafI", "fMinimum", "fMaximum", kInt));
  table.push_back(leaf("TLeafG", "fMinimum", "fMaximum", kLong));
  table.push_back(leaf("TLeafL", "fMinimum", "fMaximum", kLong64));
  table.push_back(leaf("TLeafF", "fMinimum", "fMaximum", kFloat));
  table.push_back(leaf("TLeafD", "fMinimum", "fMaximum", kDouble));
  table.push_back(leaf("TLeafC", "fMinimum", "fMaximum", kInt));
  table.push_back(leaf("TLeafElement", "fID", "fType", kInt));
  table.push_back(leaf("TLeafObject", "fVirtual", "fVirtual", kBool));
  table.push_back({.name = "TLeafF16", .version = 1, .elements = {base("TLeaf")}});
  table.push_back({.name = "TLeafD32", .version = 1, .elements = {base("TLeaf")}});
  return table;
}

}  // namespace

const StreamerInfo* built_in_streamer_info(std::string_view class_name, int32_t version) {
  static const std::vector<StreamerInfo> table = make_table();
  for (const StreamerInfo& info : table) {
    if (info.name == class_name && info.version == version) return &info;
  }
  return nullptr;
}

}  // namespace sapwood::root
