// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/unique_fd.h"

#include <absl/status/statusor.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <sys/types.h>

namespace wattmint::base {

// Stream sockets that have a place in the file system. No descriptor blocks; all close on exec.

// Bytes of a path. Source: unix(7), sun_path without its terminating zero.
constexpr std::size_t kUnixPathBytesMax = 107;

// Errors: kInvalidArgument for a path that is empty or too long; kUnavailable if nobody listens,
// with the system's reason alone.
absl::StatusOr<UniqueFd> ConnectUnix(const std::filesystem::path& path);

// Whoever may write to `path` by its `mode` may connect. A socket that nobody holds any more is
// replaced; so its holder must have a lock of its own. Errors: kInvalidArgument for such a path;
// kAlreadyExists if something else than a socket is there; the file system's.
absl::StatusOr<UniqueFd> ListenUnix(const std::filesystem::path& path, mode_t mode);

// The next connection; nothing if none waits. Errors: kUnavailable, such as out of descriptors.
absl::StatusOr<std::optional<UniqueFd>> AcceptUnix(const UniqueFd& listener);

// The user whose process connected, as the kernel knows it.
absl::StatusOr<uid_t> PeerUser(const UniqueFd& socket);

}  // namespace wattmint::base
