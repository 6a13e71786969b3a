// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

struct gzFile_s;

namespace wattmint::cli {

// A file, plain or gzip, as one stream of bytes. Threads: one.
class ByteSource {
 public:
  // "-" is standard input. Errors: kNotFound.
  static absl::StatusOr<ByteSource> Open(const std::string& path);

  // Reads at most out.size() bytes; 0 at the end. Errors: kDataLoss for a damaged or cut-off file.
  absl::StatusOr<std::size_t> Read(std::span<char> out);

  // Bytes of the file itself that were read, compressed or not, and how many there are; 0 if that
  // is not known.
  std::int64_t position() const;
  std::int64_t size() const { return size_; }
  const std::string& name() const { return name_; }

 private:
  struct Closer {
    void operator()(gzFile_s* file) const;
  };
  ByteSource(std::string name, std::int64_t size, gzFile_s* file);

  std::string name_;
  std::int64_t size_;
  std::unique_ptr<gzFile_s, Closer> file_;
};

}  // namespace wattmint::cli
