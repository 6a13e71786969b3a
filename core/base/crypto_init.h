// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wattmint::base {

// Makes libsodium ready; whatever calls it directly calls this first. Cheap when repeated.
// Threads: any. A machine without a source of randomness stops the program.
void EnsureCryptoReady();

}  // namespace wattmint::base
