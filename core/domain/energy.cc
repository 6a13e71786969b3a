// SPDX-License-Identifier: Apache-2.0
#include "core/domain/energy.h"

#include "core/base/decimal.h"
#include "core/base/status_macros.h"

namespace wattmint::domain {
namespace {

constexpr int kKwhScale = 9;  // nano

}  // namespace

absl::StatusOr<Energy> Energy::Parse(std::string_view text) {
  WATTMINT_ASSIGN_OR_RETURN(const int64_t nano_kwh,
                            base::ParseDecimal(text, kKwhScale, base::DecimalSign::kAny));
  return FromNanoKwh(nano_kwh);
}

std::string Energy::ToString() const { return base::FormatDecimal(nano_kwh_, kKwhScale); }

std::optional<Energy> Energy::CheckedAdd(Energy other) const {
  int64_t sum = 0;
  if (__builtin_add_overflow(nano_kwh_, other.nano_kwh_, &sum)) return std::nullopt;
  return FromNanoKwh(sum);
}

}  // namespace wattmint::domain
