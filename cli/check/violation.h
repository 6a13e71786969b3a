// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace wattmint::check {

// What a check finds broken: the promises of protos/README.md, "The event stream", and its "who
// sees what".
enum class Guarantee {
  kOrdered,
  kUnique,
  kReliable,
  kAtomic,
  kResumable,
  kBookmarkable,
  kPrivate,  // nobody gets what is not theirs, or not what they asked for
};
inline constexpr std::array kGuarantees = {
    Guarantee::kOrdered,   Guarantee::kUnique,       Guarantee::kReliable, Guarantee::kAtomic,
    Guarantee::kResumable, Guarantee::kBookmarkable, Guarantee::kPrivate};

// "ordered" ...
std::string_view Name(Guarantee guarantee);

struct Violation {
  Guarantee guarantee = Guarantee::kOrdered;
  std::string subscriber;     // "log" for what the log itself says
  std::int64_t sequence = 0;  // of the event, or the place in the log
  std::string what;           // what was expected, and what came
};

// Takes what is found. Threads: any.
class ViolationSink {
 public:
  virtual ~ViolationSink() = default;
  virtual void Report(Violation violation) = 0;
};

}  // namespace wattmint::check
