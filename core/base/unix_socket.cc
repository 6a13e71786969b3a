// SPDX-License-Identifier: Apache-2.0
#include "core/base/unix_socket.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace wattmint::base {
namespace {

using Path = std::filesystem::path;

constexpr int kBacklog = 16;

absl::StatusOr<sockaddr_un> AddressOf(const Path& path) {
  const std::string& name = path.native();
  if (name.empty() || name.size() > kUnixPathBytesMax) {
    return InvalidArgument("a socket's path must have 1 to {} bytes; this has {}: {}",
                           kUnixPathBytesMax, name.size(), name);
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.sun_path);
  return address;
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

absl::Status LastError(std::string_view action, const Path& path) {
  return absl::ErrnoToStatus(errno, fmt::format("{} {}", action, path.native()));
}

UniqueFd MakeSocket() {
  return UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

absl::Status RemoveSocket(const Path& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : LastError("examine", path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return AlreadyExists("{} is there and is no socket; choose another path", path.native());
  }
  return unlink(path.c_str()) == 0 ? absl::OkStatus() : LastError("remove", path);
}

}  // namespace

absl::StatusOr<UniqueFd> ConnectUnix(const Path& path) {
  WATTMINT_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  UniqueFd fd = MakeSocket();
  // A full queue of the listener answers EAGAIN at once, like everything else here.
  if (fd.IsOpen() && connect(fd.get(), Generic(address), sizeof address) == 0) return fd;
  return Unavailable("{}", std::strerror(errno));
}

absl::StatusOr<UniqueFd> ListenUnix(const Path& path, mode_t mode) {
  WATTMINT_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  WATTMINT_RETURN_IF_ERROR(RemoveSocket(path));
  UniqueFd fd = MakeSocket();
  // Closed to others from its first moment, whatever the umask; only then as open as asked for.
  if (!fd.IsOpen() || fchmod(fd.get(), 0600) != 0 ||
      bind(fd.get(), Generic(address), sizeof address) != 0 || chmod(path.c_str(), mode) != 0 ||
      listen(fd.get(), kBacklog) != 0) {
    return LastError("listen at", path);
  }
  return fd;
}

absl::StatusOr<std::optional<UniqueFd>> AcceptUnix(const UniqueFd& listener) {
  UniqueFd fd(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd.IsOpen()) return std::optional(std::move(fd));
  if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return std::nullopt;
  return Unavailable("accept: {}", std::strerror(errno));
}

absl::StatusOr<uid_t> PeerUser(const UniqueFd& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) return peer.uid;
  return Unavailable("ask for the peer's user: {}", std::strerror(errno));
}

}  // namespace wattmint::base
