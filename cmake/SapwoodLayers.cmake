# sapwood_layer(NAME PUBLIC|PRIVATE targets...): the static library sapwood_NAME (sapwood::NAME) from every source in
# sapwood/NAME, its tests (*_test.cpp) as the program NAME_test, its fuzz targets (*_fuzz.cpp) one program each.
# Names of earlier layers stand for themselves; anything else is a target of a dependency. Of NAME.cpp and no_NAME.cpp
# the first is built where SAPWOOD_WITH_NAME is true, else the second.

if(SAPWOOD_TESTS)
  find_package(GTest REQUIRED)
  include(CTest)
  include(GoogleTest)
endif()

set(SAPWOOD_LAYERS "" CACHE INTERNAL "layers in the order of their definition")

function(sapwood_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wno-sign-conversion -ffp-contract=off
                         $<$<BOOL:${SAPWOOD_WARNINGS_AS_ERRORS}>:-Werror> $<$<CONFIG:Release>:-O3>)
endfunction()

function(sapwood_layer name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/sapwood/${name}/*.cpp)
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cpp$")
  foreach(source IN LISTS sources)
    if(source MATCHES "/no_([a-z0-9_]+)\\.cpp$")
      string(TOUPPER ${CMAKE_MATCH_1} dependency)
      if(SAPWOOD_WITH_${dependency})
        list(REMOVE_ITEM sources ${source})
      else()
        list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/sapwood/${name}/${CMAKE_MATCH_1}.cpp)
      endif()
    endif()
  endforeach()

  add_library(sapwood_${name} STATIC ${sources})
  add_library(sapwood::${name} ALIAS sapwood_${name})
  set_target_properties(sapwood_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(sapwood_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(sapwood_${name} PUBLIC cxx_std_20)
  sapwood_compile_options(sapwood_${name})

  set(visibility PUBLIC)
  foreach(word IN LISTS ARGN)
    if(word MATCHES "^(PUBLIC|PRIVATE)$")
      set(visibility ${word})
    elseif(TARGET sapwood_${word})
      target_link_libraries(sapwood_${name} ${visibility} sapwood_${word})
    else()
      target_link_libraries(sapwood_${name} ${visibility} ${word})
    endif()
  endforeach()
  set(SAPWOOD_LAYERS ${SAPWOOD_LAYERS} ${name} CACHE INTERNAL "")

  if(SAPWOOD_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE sapwood_${name} GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE SAPWOOD_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
    sapwood_compile_options(${name}_test)
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60)
  endif()
  if(SAPWOOD_FUZZ)
    foreach(fuzzer IN LISTS fuzzers)
      sapwood_fuzzer(${fuzzer} sapwood_${name})
    endforeach()
  endif()
endfunction()

# The program of a fuzz target: with libFuzzer where the compiler brings that, else with our own driver.
function(sapwood_fuzzer source)
  get_filename_component(program ${source} NAME_WE)
  add_executable(${program} ${source})
  target_link_libraries(${program} PRIVATE ${ARGN})
  target_compile_definitions(${program} PRIVATE SAPWOOD_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
  sapwood_compile_options(${program})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${program} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/mutation_driver.cpp)
  endif()
endfunction()

function(sapwood_install)
  add_library(sapwood_all INTERFACE)
  add_library(sapwood::sapwood ALIAS sapwood_all)
  set_target_properties(sapwood_all PROPERTIES EXPORT_NAME sapwood)
  set(targets sapwood_all)
  foreach(layer IN LISTS SAPWOOD_LAYERS)
    target_link_libraries(sapwood_all INTERFACE sapwood_${layer})
    list(APPEND targets sapwood_${layer})
  endforeach()

  set(SAPWOOD_ZSTD_PACKAGE Zstd)
  if(TARGET sapwood_zstd)
    set(SAPWOOD_ZSTD_PACKAGE "")
  endif()
  include(CMakePackageConfigHelpers)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sapwood)
  install(TARGETS ${targets} EXPORT sapwoodTargets COMPONENT cpp)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/sapwood DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT cpp
          FILES_MATCHING PATTERN "*.h")
  install(EXPORT sapwoodTargets NAMESPACE sapwood:: DESTINATION ${package_dir} COMPONENT cpp)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/sapwoodConfig.cmake.in
                                ${PROJECT_BINARY_DIR}/sapwoodConfig.cmake INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/sapwoodConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/sapwoodConfig.cmake ${PROJECT_BINARY_DIR}/sapwoodConfigVersion.cmake
                cmake/FindLibdeflate.cmake cmake/FindLZ4.cmake cmake/FindZstd.cmake cmake/FindXxHash.cmake
                cmake/FindHighway.cmake cmake/FindSleef.cmake cmake/SapwoodFindLibrary.cmake
          DESTINATION ${package_dir} COMPONENT cpp)
endfunction()
