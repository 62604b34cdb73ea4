include(${CMAKE_CURRENT_LIST_DIR}/SapwoodFindLibrary.cmake)
sapwood_find_library(Zstd zstd.h zstd)
