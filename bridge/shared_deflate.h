// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/frame_deflater.h"
#include "bridge/websocket_server.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wattmint::bridge {

// In which form a member of a group gets its events.
enum class Form {
  kPlain,    // not compressed
  kAlone,    // compressed; each by itself
  kJoining,  // compressed; the first by itself, then as kInStep. The member is in step from then on
  kInStep,   // compressed; each refers to those before
};

inline constexpr std::size_t kFormsCount = 4;

template <typename T>
using ByForm = std::array<T, kFormsCount>;

constexpr std::size_t IndexOf(Form form) { return static_cast<std::size_t>(form); }

// Of who has just joined.
Form FirstForm(Compression compression);

// Events that follow each other, in every form that has takers.
struct FormedFrames {
  std::vector<SharedFrame> frames;
  // Of those that are compressed.
  std::int64_t compressed_count = 0;
  std::int64_t bytes_before = 0;
  std::int64_t bytes_after = 0;
};

// Compresses what the members of one group get, once for all of them.
//
// A client keeps the last kilobytes of what it inflated, and a message may refer to them. Members
// that are in step have inflated the same events, so that they have a context in common. Who has
// just joined inflated anything else before: its first event refers to nothing, and the context of
// all begins there anew.
//
// A message that is not compressed changes no context: so everything else that a member is sent has
// to be plain, as long as it is one. Whoever leaves is out of step, and joins anew.
// Threads: the owner's.
class SharedDeflate {
 public:
  // Messages of fewer than `bytes_min` bytes, and empty ones, go plain in every form.
  SharedDeflate(FrameDeflater& deflater, std::size_t bytes_min)
      : deflater_(deflater), bytes_min_(bytes_min) {}

  // The next events, in the forms of which `takers` names any. From then on they are what members
  // in step, and those who joined, have in common: each of them must get them, or leave.
  ByForm<FormedFrames> Make(const std::vector<SharedFrame>& plain,
                            const ByForm<std::size_t>& takers);

 private:
  void AppendToContext(std::string_view message);

  FrameDeflater& deflater_;
  const std::size_t bytes_min_;
  std::string context_;  // of those in step
};

}  // namespace wattmint::bridge
