// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace wattmint::base {

// Files that hold a key or a password: readable by their owner alone, and never half written.

// Whose file it may be. Who owns it can change it whenever he likes.
enum class SecretOwner {
  kAnybody,   // such as when an administrator reads for another user
  kThisUser,  // the one that this process runs as
};

// Reads one whole. Errors: kPermissionDenied with what to do if group or others have any permission
// on it, or its owner is another; kInvalidArgument if it is no regular file or has more than 64
// KiB; otherwise that of the file system (kNotFound).
absl::StatusOr<std::string> ReadSecretFile(const std::filesystem::path& path,
                                           SecretOwner owner = SecretOwner::kAnybody);

// Creates one with mode 0600, durable at return: after a crash it is there whole, or not at all.
// Errors: kAlreadyExists, and nothing changes, if there is one; otherwise that of the file system.
absl::Status CreateSecretFile(const std::filesystem::path& path, std::string_view secret);

// As CreateSecretFile(), but in place of the one that is there: after a crash it is the old one or
// the new one.
absl::Status ReplaceSecretFile(const std::filesystem::path& path, std::string_view secret);

// Reads one, or first creates it from what `make_secret` returns. Of several processes that do so
// at the same time, all get the same secret.
absl::StatusOr<std::string> ReadOrCreateSecretFile(const std::filesystem::path& path,
                                                   const std::function<std::string()>& make_secret);

}  // namespace wattmint::base
