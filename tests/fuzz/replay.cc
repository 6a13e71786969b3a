// SPDX-License-Identifier: Apache-2.0

// Runs a target without a fuzzer. No argument: every seed, cut off at every length. Arguments: the
// files that they name, such as what a fuzzer has found. "--write FOLDER": puts the seeds there.

#include "tests/fuzz/target.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string_view>

namespace {

void Run(std::string_view input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

int Write(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  int number = 0;
  for (const std::string& seed : wattmint::fuzz::Seeds()) {
    std::ofstream(folder / ("seed-" + std::to_string(++number)), std::ios::binary) << seed;
  }
  return number > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--write") return Write(argv[2]);
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) return 1;
    Run(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  if (argc > 1) return 0;
  std::size_t inputs = 0;
  for (const std::string& seed : wattmint::fuzz::Seeds()) {
    for (std::size_t size = 0; size <= seed.size(); ++size, ++inputs) Run(seed.substr(0, size));
  }
  std::cout << inputs << " inputs\n";
  return inputs > 0 ? 0 : 1;
}
