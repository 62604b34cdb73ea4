#pragma once

#include <string>

#include "sapwood/root/file.h"
#include "sapwood/root/streamer_info.h"
#include "sapwood/streamed/class_planner.h"
#include "sapwood/ttree/branch.h"

namespace sapwood::ttree {

/// Whether a branch holds a TClonesArray whole: of which class its objects are, only its entries tell.
bool holds_clones(const Branch& branch);

/// The class of the objects, by the first entry; empty when there is none that can be read.
std::string find_clones_class(const Branch& branch, const root::File& file);

/// The same of TClonesArrays that are members of a branch's objects, by its first entries.
void find_clones_classes(const Branch& branch, const streamed::StreamNode& node,
                         const root::StreamerInfos& infos, const root::File& file,
                         streamed::ClonesClasses& found);

}  // namespace sapwood::ttree
