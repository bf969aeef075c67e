# nexus_add_plugin(target SOURCES a.cpp ... [LIBRARIES lib ...] [OUTPUT_DIRECTORY dir])
#
# Builds a loadable plugin: a MODULE library that exports nexus_module_v1 and nothing else, binds to no
# symbol that is undefined at link time, and can be unmapped again (no STB_GNU_UNIQUE symbols). The file, in
# OUTPUT_DIRECTORY or plugins/ of the build folder, can be written by its owner alone.
include_guard(GLOBAL)
set(_nexus_plugin_version_script "${CMAKE_CURRENT_LIST_DIR}/plugin.map")

function(nexus_add_plugin target)
  cmake_parse_arguments(ARG "" "OUTPUT_DIRECTORY" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT ARG_SOURCES)
    message(FATAL_ERROR "nexus_add_plugin(${target}): name the source files after SOURCES")
  endif()
  if(NOT ARG_OUTPUT_DIRECTORY)
    set(ARG_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")
  endif()
  add_library(${target} MODULE ${ARG_SOURCES})
  set_target_properties(${target} PROPERTIES
    PREFIX "" SUFFIX ".so"
    LIBRARY_OUTPUT_DIRECTORY "${ARG_OUTPUT_DIRECTORY}"
    CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${target} PRIVATE NexusSDK::nexus_sdk ${ARG_LIBRARIES})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
  endif()
  if(UNIX AND NOT APPLE)
    target_link_options(${target} PRIVATE "-Wl,--version-script=${_nexus_plugin_version_script}")
    if(NOT NEXUS_SANITIZE)
      target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${_nexus_plugin_version_script}")
    # A host refuses a file that others than its owner can change, and many systems let a user's group write all that
    # the user makes.
    add_custom_command(TARGET ${target} POST_BUILD VERBATIM
      COMMAND chmod go-w "$<TARGET_FILE_DIR:${target}>" "$<TARGET_FILE:${target}>")
  endif()
endfunction()
