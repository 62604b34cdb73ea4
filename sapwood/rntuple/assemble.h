#pragma once

#include <memory>

#include "sapwood/column/column.h"
#include "sapwood/rntuple/page_fetch.h"

namespace sapwood::rntuple {

/// Decodes the pages of `node` into one column over all fetched entries; `destination` as for Reader::decode.
/// Throws FormatError.
Column assemble(const FieldNode& node, const FetchedPages& fetched, const Descriptor& descriptor,
                const root::StreamerInfos& infos, const std::shared_ptr<MemoryPool>& pool,
                const Buffer& destination);

}  // namespace sapwood::rntuple
