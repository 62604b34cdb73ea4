#pragma once

#include <string_view>

#include "sapwood/root/streamer_info.h"

namespace sapwood::root {

/// How ROOT's own tree classes are stored, for files whose list of streamer infos lacks them; null for other
/// classes and versions. Lives as long as the program.
const StreamerInfo* built_in_streamer_info(std::string_view class_name, int32_t version);

}  // namespace sapwood::root
