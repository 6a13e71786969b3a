// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/mint_text.h"

#include "core/base/bytes.h"
#include "core/base/decimal.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <fmt/format.h>

namespace wattmint::ledger {
namespace {

constexpr std::string_view kTitle = "wattmint mint 1\n";

// Takes one line "<name> <value>\n" off the front of `text`.
absl::StatusOr<std::string_view> TakeLine(std::string_view name, std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(name) || end <= name.size() ||
      text[name.size()] != ' ') {
    return base::InvalidArgument("a mint text has no line '{}'", name);
  }
  const std::string_view value = text.substr(name.size() + 1, end - name.size() - 1);
  text.remove_prefix(end + 1);
  return value;
}

void AppendNumber(std::int64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

}  // namespace

std::string MintText::ToString() const {
  return fmt::format("{}ledger {}\nkey {}\nwallet {}\nbase_units {}\n", kTitle, ledger_id,
                     order.idempotency_key, order.wallet_address, order.tokens.base_units());
}

absl::StatusOr<MintText> MintText::Parse(std::string_view text) {
  std::string_view rest = text;
  if (!rest.starts_with(kTitle)) return base::InvalidArgument("this is no mint text");
  rest.remove_prefix(kTitle.size());
  MintText parsed;
  WATTMINT_ASSIGN_OR_RETURN(parsed.ledger_id, TakeLine("ledger", rest));
  WATTMINT_ASSIGN_OR_RETURN(parsed.order.idempotency_key, TakeLine("key", rest));
  WATTMINT_ASSIGN_OR_RETURN(parsed.order.wallet_address, TakeLine("wallet", rest));
  WATTMINT_ASSIGN_OR_RETURN(const std::string_view units, TakeLine("base_units", rest));
  WATTMINT_ASSIGN_OR_RETURN(const std::int64_t base_units, base::ParseDecimal(units, 0));
  parsed.order.tokens = domain::TokenAmount::FromBaseUnits(base_units);
  if (base_units <= 0 || parsed.ToString() != text) {
    return base::InvalidArgument("a mint text is not in its one and only form");
  }
  return parsed;
}

store::Hash HashEntry(const store::LedgerEntry& entry) {
  std::string bytes(base::AsText(entry.previous_hash));
  AppendNumber(entry.height, bytes);
  AppendNumber(entry.time.time_since_epoch().count(), bytes);
  bytes += base::AsText(entry.signature);
  bytes += entry.signed_bytes;
  return base::Sha256(base::AsBytes(bytes));
}

}  // namespace wattmint::ledger
