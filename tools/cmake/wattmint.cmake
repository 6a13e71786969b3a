# The compile options of our own code, and the two shapes of target that this project has.

add_library(wattmint_options INTERFACE)
target_compile_features(wattmint_options INTERFACE cxx_std_20)
target_include_directories(wattmint_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(wattmint_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference
  -Wdouble-promotion -Wformat=2 -Wcast-align
  $<$<BOOL:${WATTMINT_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
if(WATTMINT_COVERAGE)
  target_compile_options(wattmint_options INTERFACE --coverage)
  target_link_options(wattmint_options INTERFACE --coverage)
endif()
if(WATTMINT_SANITIZE)
  add_compile_options(-fsanitize=${WATTMINT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WATTMINT_SANITIZE})
endif()

# wattmint_library(<folder name> SOURCES <files> [DEPS <targets>])
# Makes the static library wattmint_<name> with the alias wattmint::<name>. DEPS are public.
function(wattmint_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  if(arg_SOURCES)
    add_library(wattmint_${name} STATIC ${arg_SOURCES})
    target_link_libraries(wattmint_${name} PUBLIC wattmint_options ${arg_DEPS})
  else()
    add_library(wattmint_${name} INTERFACE)
    target_link_libraries(wattmint_${name} INTERFACE wattmint_options ${arg_DEPS})
  endif()
  add_library(wattmint::${name} ALIAS wattmint_${name})
endfunction()

# wattmint_test(<name> SOURCES <files> [DEPS <targets>] [LABELS <labels>])
# Makes one GoogleTest program, registered in ctest under its own name.
function(wattmint_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE wattmint_options ${arg_DEPS} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 300)
endfunction()
