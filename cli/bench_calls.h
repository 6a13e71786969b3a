// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/clock.h"
#include "core/client/credential.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace grpc {
class Channel;
}  // namespace grpc

namespace wattmint::cli {

// The calls of a benchmark whose answers are counted. On each channel one after the other, on all
// channels at once. What has no answer after `timeout` is cancelled.

// Opens a SubscribeDynamic on each channel, adds so many filters to it, and removes them again.
// Returns how many of these changes were made.
std::int64_t CountChanges(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                          const client::Credential& credential, int filters,
                          base::Duration timeout);
// Asks for the health so often on each channel. Returns how often it was SERVING.
std::int64_t CountHealthChecks(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                               int checks, base::Duration timeout);

}  // namespace wattmint::cli
