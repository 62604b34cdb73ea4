#pragma once

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "sapwood/bundle/sha256.h"
#include "sapwood/runtime/test_onnxruntime.h"

// Archives and bundles for tests, written byte by byte so that they can be wrong.
namespace sapwood {

using TestBytes = std::vector<std::byte>;

inline TestBytes bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// A member of a tar archive: a header of 512 bytes, then the content, filled up to a multiple of 512.
struct TarMember {
  std::string name;
  TestBytes content;
  char type = '0';           ///< '1': hard link, '2': symbolic link, '3': device, '5': folder
  std::string target{};      ///< of a link
  int64_t stated_size = -1;  ///< when it is to be another than that of the content
};

inline TestBytes tar(const std::vector<TarMember>& members) {
  TestBytes archive;
  for (const TarMember& member : members) {
    char header[512] = {};
    const auto size =
        member.stated_size >= 0 ? static_cast<size_t>(member.stated_size) : member.content.size();
    std::snprintf(header, 100, "%s", member.name.c_str());
    std::snprintf(header + 100, 8, "%07o", 0644);
    std::snprintf(header + 108, 8, "%07o", 0);
    std::snprintf(header + 116, 8, "%07o", 0);
    std::snprintf(header + 124, 12, "%011zo", size);
    std::snprintf(header + 136, 12, "%011o", 0);
    std::memset(header + 148, ' ', 8);
    header[156] = member.type;
    std::snprintf(header + 157, 100, "%s", member.target.c_str());
    std::memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    std::snprintf(header + 148, 8, "%06o", sum);
    const auto bytes = std::as_bytes(std::span(header));
    archive.insert(archive.end(), bytes.begin(), bytes.end());
    archive.insert(archive.end(), member.content.begin(), member.content.end());
    archive.resize((archive.size() + 511) / 512 * 512);
  }
  archive.resize(archive.size() + 1024);
  return archive;
}

/// What a test bundle is made of: the model affine.onnx with features for its inputs.
struct TestBundle {
  std::map<std::string, std::string> manifest{
      {"format", R"("sapwood-bundle")"},
      {"version", "1"},
      {"name", R"("affine")"},
      {"description", R"("a test")"},
      {"framework", R"("none 1.0")"},
      {"created", R"("2026-01-02T03:04:05Z")"},
      {"sapwood", R"("0.1.0")"},
      {"labels", R"(["one", "two"])"},
      {"inputs", R"([{"name": "x", "dtype": "float32", "shape": [-1, 3]},
                     {"name": "scale", "dtype": "float32", "shape": [-1]}])"},
      {"outputs", R"([{"name": "y", "dtype": "float32", "shape": [-1, 2]},
                      {"name": "sum", "dtype": "float32", "shape": [-1]}])"},
      {"columns", R"([{"name": "weight", "type": "float64"}, {"name": "position", "type": "float32[2]"},
                      {"name": "count", "type": "int32"}])"}};
  std::map<std::string, TestBytes> files{
      {"model.onnx", load_test_file("affine.onnx")},
      {"features.json", bytes_of(R"({"format": "sapwood-features", "version": 1, "inputs": [
          {"name": "x", "variables": [
            {"name": "position", "expression": "position"},
            {"name": "count", "expression": "count", "transforms": [{"affine": {"subtract": 1, "multiply": 2}}]}]},
          {"name": "scale", "variables": [{"name": "weight", "expression": "weight"}], "squeeze": true}]})")},
      {"golden.json", bytes_of(R"({"absolute_tolerance": 1e-5, "relative_tolerance": 1e-4,
          "columns": {"count": [1, 2], "position": [[1, 0], [0, 1]], "weight": [1, 10]},
          "outputs": {"y": {"dtype": "float32", "shape": [2, 2], "data": [1.5, 1.5, 135, 155]},
                      "sum": {"dtype": "float32", "shape": [2], "data": [1, 3]}}})")},
      {"card.md", bytes_of("# affine\n")}};

  std::string manifest_text() const {
    std::string list;
    for (const auto& [name, content] : files) {
      if (!list.empty()) list += ", ";
      list += "\"" + name + "\": {\"size\": " + std::to_string(content.size()) + ", \"sha256\": \"" +
              sha256(content) + "\"}";
    }
    std::string text = "{\"files\": {" + list + "}";
    for (const auto& [key, value] : manifest) text += ", \"" + key + "\": " + value;
    return text + "}";
  }
  std::vector<TarMember> members() const {
    std::vector<TarMember> members{{"bundle.json", bytes_of(manifest_text())}};
    for (const auto& [name, content] : files) members.push_back({name, content});
    return members;
  }
  TestBytes archive() const { return tar(members()); }
};

}  // namespace sapwood
