#pragma once

#include "sapwood/root/file.h"
#include "sapwood/root/streamer_info.h"
#include "sapwood/streamed/class_planner.h"
#include "sapwood/ttree/branch.h"

namespace sapwood::ttree {

/// The classes of the objects of TClonesArrays that `node`, which is the branch's, does not know, as far as
/// the first entries tell.
void find_clones_classes(const Branch& branch, const streamed::StreamNode& node,
                         const root::StreamerInfos& infos, const root::File& file,
                         streamed::ClonesClasses& found);

}  // namespace sapwood::ttree
