// SPDX-License-Identifier: Apache-2.0
#include "core/base/secret_file.h"

#include "core/base/hex.h"
#include "core/base/random.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/unique_fd.h"

#include <absl/cleanup/cleanup.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wattmint::base {
namespace {

using Path = std::filesystem::path;

constexpr size_t kSecretBytesMax = 64 * 1024;

absl::Status LastError(std::string_view action, const Path& path) {
  return absl::ErrnoToStatus(errno, fmt::format("{} {}", action, path.native()));
}

absl::Status CheckReadable(const UniqueFd& file, const Path& path, SecretOwner owner) {
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return LastError("examine", path);
  if (!S_ISREG(info.st_mode)) return InvalidArgument("{} is no regular file", path.native());
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return PermissionDenied("{} is open to others than its owner; run chmod 600 on it",
                            path.native());
  }
  if (owner == SecretOwner::kThisUser && info.st_uid != geteuid()) {
    return PermissionDenied("{} belongs to user {}, and this program runs as user {}; run chown",
                            path.native(), info.st_uid, geteuid());
  }
  if (static_cast<size_t>(info.st_size) > kSecretBytesMax) {
    return InvalidArgument("{} has more than {} bytes", path.native(), kSecretBytesMax);
  }
  return absl::OkStatus();
}

absl::Status WriteDurably(const UniqueFd& file, std::string_view text, const Path& path) {
  while (!text.empty()) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) return LastError("write", path);
    text.remove_prefix(static_cast<size_t>(std::max<ssize_t>(written, 0)));
  }
  return fsync(file.get()) == 0 ? absl::OkStatus() : LastError("sync", path);
}

absl::Status SyncDirectory(const Path& directory) {
  const UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.IsOpen()) return LastError("open", directory);
  return fsync(fd.get()) == 0 ? absl::OkStatus() : LastError("sync", directory);
}

Path DirectoryOf(const Path& path) {
  return path.has_parent_path() ? path.parent_path() : Path(".");
}

// A name beside `path` that nobody else uses.
Path DraftOf(const Path& path) {
  std::array<uint8_t, 8> suffix;
  SystemRandom().Fill(suffix);
  return path.native() + "." + EncodeHex(suffix);
}

// Writes a draft beside `path` and moves it there with `place`, which answers 0 if it could.
absl::Status WriteSecretFile(const Path& path, std::string_view secret,
                             int (*place)(const char* draft, const char* path)) {
  const Path draft = DraftOf(path);
  const UniqueFd file(open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.IsOpen()) return LastError("create", draft);
  const absl::Cleanup remove_draft = [&draft] { unlink(draft.c_str()); };
  WATTMINT_RETURN_IF_ERROR(WriteDurably(file, secret, draft));
  if (place(draft.c_str(), path.c_str()) != 0) return LastError("create", path);
  return SyncDirectory(DirectoryOf(path));
}

}  // namespace

absl::StatusOr<std::string> ReadSecretFile(const Path& path, SecretOwner owner) {
  // Without O_NONBLOCK a FIFO of that name would block the open until somebody writes to it.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.IsOpen()) return LastError("open", path);
  WATTMINT_RETURN_IF_ERROR(CheckReadable(file, path, owner));
  std::string text(kSecretBytesMax, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(file.get(), text.data() + size, text.size() - size);
    if (got == 0) break;
    if (got < 0 && errno != EINTR) return LastError("read", path);
    size += static_cast<size_t>(std::max<ssize_t>(got, 0));
  }
  text.resize(size);
  return text;
}

absl::Status CreateSecretFile(const Path& path, std::string_view secret) {
  // A link, unlike a rename, never replaces what is there.
  return WriteSecretFile(path, secret, link);
}

absl::Status ReplaceSecretFile(const Path& path, std::string_view secret) {
  return WriteSecretFile(path, secret, rename);
}

absl::StatusOr<std::string> ReadOrCreateSecretFile(
    const Path& path, const std::function<std::string()>& make_secret) {
  absl::StatusOr<std::string> secret = ReadSecretFile(path);
  if (!absl::IsNotFound(secret.status())) return secret;
  const absl::Status created = CreateSecretFile(path, make_secret());
  if (!created.ok() && !absl::IsAlreadyExists(created)) return created;
  return ReadSecretFile(path);
}

}  // namespace wattmint::base
