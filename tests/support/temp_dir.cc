// SPDX-License-Identifier: Apache-2.0
#include "tests/support/temp_dir.h"

#include "core/base/assert.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <system_error>

namespace wattmint::test {

TempDir::TempDir() {
  std::string pattern = testing::TempDir() + "/wattmint-XXXXXX";
  WATTMINT_ASSERT(mkdtemp(pattern.data()) != nullptr, "no temporary directory {}", pattern);
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace wattmint::test
