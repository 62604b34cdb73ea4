#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"
#include "sapwood/rntuple/anchor.h"
#include "sapwood/rntuple/descriptor.h"
#include "sapwood/rntuple/field_tree.h"
#include "sapwood/rntuple/page_list.h"
#include "sapwood/root/file.h"
#include "sapwood/root/streamer_info.h"

namespace sapwood::rntuple {

/// An RNTuple of a file. Columns are its top-level fields and, as members, all members of records in them:
/// "muons.pt" of a collection "muons" of records is a list of floats. Strings, collections (sets and maps,
/// too), arrays, bitsets, records, enums and projected fields are read; nullable fields as lists of at most
/// one, variants as records of such lists, one for each alternative; objects that the ROOT streamer wrote as
/// records.
class Ntuple final : public Reader {
 public:
  /// Reads anchor, header, footer and page lists. `key` is of class ROOT::RNTuple. Throws IoError,
  /// FormatError, UnsupportedError (a feature that is unknown to us, a format of before the first release).
  static std::shared_ptr<const Ntuple> open(std::shared_ptr<const root::File> file, const root::Key& key);

  const std::string& file() const override { return file_->uri(); }
  const std::string& object() const override { return object_; }
  const char* format() const override { return "RNTuple"; }
  std::string warning() const override { return file_->warning(); }
  const Schema& schema() const override { return schema_; }
  int64_t num_entries() const override { return ranges_.empty() ? 0 : ranges_.back().stop; }
  std::span<const EntryRange> clusters() const override { return ranges_; }
  std::vector<StorageBlock> blocks(size_t column) const override;
  std::unique_ptr<FetchedColumns> fetch(std::span<const size_t> columns, EntryRange entries,
                                        const std::shared_ptr<MemoryPool>& pool,
                                        const std::stop_token& stop = {}) const override;
  Column decode(const FetchedColumns& fetched, size_t position, const std::shared_ptr<MemoryPool>& pool,
                const Buffer& destination = {}) const override;

 private:
  Ntuple() = default;
  void read_metadata(const root::Key& key);
  void read_clusters();
  void build_schema();

  std::shared_ptr<const root::File> file_;
  std::string object_;
  Anchor anchor_;
  Descriptor descriptor_;
  std::vector<Cluster> clusters_;                     // ascending, without gaps
  std::vector<EntryRange> ranges_;                    // of the clusters
  std::shared_ptr<const root::StreamerInfos> infos_;  // empty where no field is streamed
  Schema schema_;
  std::vector<NamedNode> nodes_;  // the schema's columns
};

}  // namespace sapwood::rntuple
