// SPDX-License-Identifier: Apache-2.0
#include "core/base/unique_fd.h"

#include <unistd.h>

namespace wattmint::base {

void UniqueFd::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace wattmint::base
