// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/unique_fd.h"

namespace wattmint::bench {

// Sockets of 127.0.0.1, for servers and clients that are to cost little. What goes wrong ends the
// program with a sentence.

// `port` 0: any.
base::UniqueFd ListenOnLoopback(int port);
int PortOf(const base::UniqueFd& socket);

// Connects before it returns, or, without waiting, soon.
base::UniqueFd ConnectToLoopback(int port);
base::UniqueFd BeginToConnect(int port);

void SetNoDelay(const base::UniqueFd& socket);

// Allows this process as many descriptors as it may have.
void RaiseDescriptorLimit();

}  // namespace wattmint::bench
