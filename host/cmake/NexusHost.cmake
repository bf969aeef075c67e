# What every target of the host shares: warnings, optional sanitizers, ccache, lld, and the rule
# that a layer is one static library which names the lower layers it may see.
include_guard(GLOBAL)

# Paths below the source folder are hashed relative to the build folder, so that every build folder and every clone
# shares one cache.
find_program(NEXUS_CCACHE ccache)
if(NEXUS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(nexus_launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${NEXUS_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${nexus_launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${nexus_launcher})
endif()
# No binary carries the folder it was built in.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

find_program(NEXUS_LLD ld.lld)
if(NEXUS_LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_library(nexus_warnings INTERFACE)
target_compile_options(nexus_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion
  $<$<BOOL:${NEXUS_WARNINGS_AS_ERRORS}>:-Werror>)
# gcc 12 takes the alternatives that a std::variant does not hold for uninitialised where it inlines a move, at -O2 and
# with a sanitizer woven in. The dev build keeps the warning.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND (NEXUS_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Release"))
  target_compile_options(nexus_warnings INTERFACE -Wno-maybe-uninitialized)
endif()

if(NEXUS_SANITIZE)
  add_compile_options(-fsanitize=${NEXUS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${NEXUS_SANITIZE})
  add_compile_definitions(NEXUS_SANITIZED=1)
  # ThreadSanitizer takes no order from a fence, and gcc says so for every file that includes Boost.Asio. Where an order
  # counts, an atomic or a mutex stands beside the fence; what had none would be reported, not missed.
  if(NEXUS_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(NEXUS_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "NEXUS_BUILD_FUZZERS needs clang: libFuzzer comes with it (./dev fuzz chooses one)")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
add_compile_definitions(BOOST_DLL_USE_STD_FS BOOST_PROCESS_USE_STD_FS BOOST_ASIO_NO_DEPRECATED)

# nexus_layer(base SOURCES a.cpp ... DEPENDS nexus_sdk ...): the static library nexus_<name>.
function(nexus_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_library(nexus_${name} STATIC ${ARG_SOURCES})
  target_include_directories(nexus_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(nexus_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_LIBRARIES} nexus_warnings)
endfunction()
