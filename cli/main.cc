// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <cstdio>

int main(int argc, char** argv) {
  using namespace wattmint::cli;
  return static_cast<int>(RunProgram(std::vector<std::string>(argv + 1, argv + argc),
                                     ProcessEnvironment(), stdout, stderr));
}
