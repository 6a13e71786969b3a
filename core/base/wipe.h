// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <iterator>

namespace wattmint::base {

// Overwrites the bytes of a string, array or vector, also when nobody looks at them again. A secret
// that was moved or grew may have left other copies.
template <typename Container>
void Wipe(Container& secret) {
  static_assert(sizeof(*std::data(secret)) == 1);
  if (std::size(secret) > 0) explicit_bzero(std::data(secret), std::size(secret));
}

// Wipes what it refers to at the end of its scope.
template <typename Container>
class WipeAtEnd {
 public:
  explicit WipeAtEnd(Container& secret) : secret_(secret) {}
  ~WipeAtEnd() { Wipe(secret_); }
  WipeAtEnd(const WipeAtEnd&) = delete;
  WipeAtEnd& operator=(const WipeAtEnd&) = delete;

 private:
  Container& secret_;
};

}  // namespace wattmint::base
