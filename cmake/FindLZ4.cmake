include(${CMAKE_CURRENT_LIST_DIR}/SapwoodFindLibrary.cmake)
sapwood_find_library(LZ4 lz4.h lz4)
