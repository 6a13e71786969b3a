// SPDX-License-Identifier: Apache-2.0
#include "cli/check/violation.h"

namespace wattmint::check {

std::string_view Name(Guarantee guarantee) {
  switch (guarantee) {
    case Guarantee::kOrdered:
      return "ordered";
    case Guarantee::kUnique:
      return "unique";
    case Guarantee::kReliable:
      return "reliable";
    case Guarantee::kAtomic:
      return "atomic";
    case Guarantee::kResumable:
      return "resumable";
    case Guarantee::kBookmarkable:
      return "bookmarkable";
    case Guarantee::kPrivate:
      return "private";
  }
  return "";
}

}  // namespace wattmint::check
