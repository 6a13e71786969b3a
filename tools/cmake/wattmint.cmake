# The compile options of our own code, and the three shapes of target that this project has.

# -Wnull-dereference is left to clang: g++ 12 also reports what it inlines from the standard library.
add_library(wattmint_options INTERFACE)
target_compile_features(wattmint_options INTERFACE cxx_std_20)
target_include_directories(wattmint_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(wattmint_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wdouble-promotion -Wformat=2 -Wcast-align -Wno-missing-field-initializers
  # g++ 12 with -O3 reports these falsely within its own library; clang looks for the same.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>
  $<$<BOOL:${WATTMINT_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wnull-dereference>)
if(WATTMINT_COVERAGE)
  # Counters are shared by the threads of a test; processes that end at once merge under a file lock.
  # For libraries alone: tests are not counted.
  set(WATTMINT_COVERAGE_OPTIONS --coverage -fprofile-abs-path -fprofile-update=atomic)
  target_link_options(wattmint_options INTERFACE --coverage)
endif()
if(WATTMINT_SANITIZE)
  add_compile_options(-fsanitize=${WATTMINT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WATTMINT_SANITIZE})
endif()

# wattmint_left_out(<variable> <targets>)
# Sets <variable> to those of our targets that this build leaves out: with WATTMINT_GRPC_FREE_ONLY
# wattmint::protos_grpc does not exist, and all that needs it falls out with it. Else to nothing.
function(wattmint_left_out variable)
  set(missing)
  if(WATTMINT_GRPC_FREE_ONLY)
    foreach(target ${ARGN})
      if(target MATCHES "^wattmint::" AND NOT TARGET ${target})
        list(APPEND missing ${target})
      endif()
    endforeach()
  endif()
  set(${variable} "${missing}" PARENT_SCOPE)
endfunction()

# All libraries, no tests: what the clang build is asked for.
add_custom_target(libraries)

# wattmint_library(<folder name> SOURCES <files> [PRECOMPILE <headers>] [DEPS <targets>])
# Makes the static library wattmint_<name> with the alias wattmint::<name>. DEPS are public. With
# WATTMINT_WHOLE the sources of a library are compiled several at a time, so that names of their
# anonymous namespaces must differ; with PRECOMPILE instead one by one, these headers first.
function(wattmint_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PRECOMPILE;DEPS" ${ARGN})
  wattmint_left_out(missing ${arg_DEPS})
  if(missing)
    return()
  endif()
  if(arg_SOURCES)
    add_library(wattmint_${name} STATIC ${arg_SOURCES})
    target_link_libraries(wattmint_${name} PUBLIC wattmint_options ${arg_DEPS})
    target_compile_options(wattmint_${name} PRIVATE ${WATTMINT_COVERAGE_OPTIONS})
    if(WATTMINT_WHOLE AND arg_PRECOMPILE)
      target_precompile_headers(wattmint_${name} PRIVATE ${arg_PRECOMPILE})
    elseif(WATTMINT_WHOLE)
      set_target_properties(wattmint_${name} PROPERTIES UNITY_BUILD ON)
      # g++ takes each source for a header then.
      target_compile_options(wattmint_${name} PRIVATE
        $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
    endif()
    add_dependencies(libraries wattmint_${name})
  else()
    add_library(wattmint_${name} INTERFACE)
    target_link_libraries(wattmint_${name} INTERFACE wattmint_options ${arg_DEPS})
  endif()
  add_library(wattmint::${name} ALIAS wattmint_${name})
endfunction()

# wattmint_program(<name> SOURCES <files> [DEPS <targets>])
# Makes an executable at the top of the build tree: build/<preset>/<name>.
function(wattmint_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  wattmint_left_out(missing ${arg_DEPS})
  if(missing)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE wattmint_options ${arg_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
endfunction()

# wattmint_test(<name> SOURCES <files> [DEPS <targets>] [LABELS <labels>])
# Makes one GoogleTest program, registered in ctest under its own name. Labels: what kind of test
# (unit, integration, crash), `grpc_free` if ThreadSanitizer shall run it (links no gRPC), `slow` if
# the sanitizers shall leave it out.
function(wattmint_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  if(WATTMINT_GRPC_FREE_ONLY AND NOT "grpc_free" IN_LIST arg_LABELS)
    return()
  endif()
  wattmint_left_out(missing ${arg_DEPS})
  if(missing)
    message(FATAL_ERROR "${name} is labelled grpc_free but needs ${missing}")
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE wattmint_options ${arg_DEPS} GTest::gmock GTest::gtest_main)
  if(WATTMINT_WHOLE AND WATTMINT_SANITIZE)
    # A quarter of the compiler's time; a null pointer that is used is AddressSanitizer's as well.
    target_compile_options(${name} PRIVATE -fno-sanitize=null,alignment)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 300)
endfunction()
