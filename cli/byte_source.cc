// SPDX-License-Identifier: Apache-2.0
#include "cli/byte_source.h"

#include "core/base/status.h"

#include <zlib.h>

#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wattmint::cli {
namespace {

constexpr unsigned kInflateBufferBytes = 256 * 1024;

absl::StatusOr<int> OpenDescriptor(const std::string& path) {
  const int descriptor = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return base::NotFound("{} cannot be opened: {}", path, std::strerror(errno));
  }
  return descriptor;
}

}  // namespace

void ByteSource::Closer::operator()(gzFile_s* file) const { gzclose(file); }

ByteSource::ByteSource(std::string name, std::int64_t size, gzFile_s* file)
    : name_(std::move(name)), size_(size), file_(file) {}

absl::StatusOr<ByteSource> ByteSource::Open(const std::string& path) {
  const absl::StatusOr<int> descriptor = OpenDescriptor(path);
  if (!descriptor.ok()) return descriptor.status();
  struct stat facts {};
  if (fstat(*descriptor, &facts) == 0 && S_ISDIR(facts.st_mode)) {
    close(*descriptor);
    return base::NotFound("{} is a directory; name the files in it", path);
  }
  gzFile_s* file = gzdopen(*descriptor, "rb");
  if (file == nullptr) {
    close(*descriptor);
    return base::ResourceExhausted("{} cannot be read: no memory", path);
  }
  gzbuffer(file, kInflateBufferBytes);
  return ByteSource(path == "-" ? "standard input" : path,
                    S_ISREG(facts.st_mode) ? facts.st_size : 0, file);
}

absl::StatusOr<std::size_t> ByteSource::Read(std::span<char> out) {
  const int count = gzread(file_.get(), out.data(), static_cast<unsigned>(out.size()));
  int error = Z_OK;
  const char* message = gzerror(file_.get(), &error);
  // Z_BUF_ERROR: the compressed file ends in the middle.
  if (count < 0 || error == Z_BUF_ERROR) {
    return base::DataLoss("{} is damaged or cut off: {}", name_,
                          error == Z_ERRNO ? std::strerror(errno) : message);
  }
  return static_cast<std::size_t>(count);
}

std::int64_t ByteSource::position() const { return gzoffset(file_.get()); }

}  // namespace wattmint::cli
