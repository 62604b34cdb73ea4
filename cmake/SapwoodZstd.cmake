# Zstd::Zstd: the single-file Zstandard in SAPWOOD_ZSTD_SOURCE (scripts/fetch_zstd), compiled into what links it. Its
# functions are seen by nobody else, so that another Zstandard in the process does no harm.
enable_language(C)
if(CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
add_library(sapwood_zstd_objects OBJECT ${SAPWOOD_ZSTD_SOURCE}/zstd.c)
target_compile_options(sapwood_zstd_objects PRIVATE -O3 -w -fvisibility=hidden
                       "-DZSTDLIB_VISIBLE=__attribute__((visibility(\"hidden\")))")
add_library(sapwood_zstd INTERFACE)
add_library(Zstd::Zstd ALIAS sapwood_zstd)
target_include_directories(sapwood_zstd INTERFACE $<BUILD_INTERFACE:${SAPWOOD_ZSTD_SOURCE}>)
target_sources(sapwood_zstd INTERFACE $<BUILD_INTERFACE:$<TARGET_OBJECTS:sapwood_zstd_objects>>)
install(TARGETS sapwood_zstd EXPORT sapwoodTargets COMPONENT cpp)
