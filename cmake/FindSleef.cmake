include(${CMAKE_CURRENT_LIST_DIR}/SapwoodFindLibrary.cmake)
sapwood_find_library(Sleef sleef.h sleef)
