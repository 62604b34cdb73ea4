# OnnxRuntime::headers: the headers alone (nothing when they are not found), since the library is loaded when the program runs. They are those of the
# system, or those that scripts/fetch_onnxruntime_headers has put into .deps.
find_path(OnnxRuntime_INCLUDE_DIR onnxruntime_c_api.h PATHS ${PROJECT_SOURCE_DIR}/.deps/onnxruntime/include
          PATH_SUFFIXES onnxruntime onnxruntime/core/session)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OnnxRuntime REQUIRED_VARS OnnxRuntime_INCLUDE_DIR)
if(NOT TARGET OnnxRuntime::headers)
  add_library(OnnxRuntime::headers INTERFACE IMPORTED)
  if(OnnxRuntime_FOUND)
    set_target_properties(OnnxRuntime::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${OnnxRuntime_INCLUDE_DIR}")
  endif()
endif()
mark_as_advanced(OnnxRuntime_INCLUDE_DIR)
