// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/signer_protocol.h"

#include "core/base/base58.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace wattmint::ledger {
namespace {

constexpr std::size_t kShownBytesMax = 60;  // of a line that is wrong

bool IsPrintable(char c) { return c >= ' ' && c <= '~'; }

// One to `size_max` printable characters, whatever came.
std::string Printable(std::string_view text, std::size_t size_max) {
  std::string shown(text.substr(0, size_max));
  for (char& c : shown) c = IsPrintable(c) ? c : '?';
  return shown.empty() ? "no reason given" : shown;
}

absl::Status Unexpected(std::string_view line) {
  return base::Unavailable("what came is not of the protocol: {}", Printable(line, kShownBytesMax));
}

// Takes the text up to the next space off the front.
std::string_view TakeWord(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

// Decimal in its one form, above zero; otherwise 0.
std::uint64_t ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number && text.front() != '0' ? number : 0;
}

}  // namespace

std::string KeyLine(const Ed25519PublicKey& key) {
  return fmt::format("key {}\n", base::EncodeBase58(key));
}

std::string SignLine(const SignRequest& request) {
  return fmt::format("sign {} {}\n", request.id, request.length);
}

std::string AnswerLine(const SignAnswer& answer) {
  if (answer.signature.ok()) {
    return fmt::format("signed {} {}\n", answer.id, base::EncodeBase58(*answer.signature));
  }
  const absl::Status& status = answer.signature.status();
  return fmt::format("{} {} {}\n", absl::IsInvalidArgument(status) ? "refused" : "later", answer.id,
                     Printable(base::Message(status), kSignerReasonBytesMax));
}

std::string ErrorLine(std::string_view reason) {
  return fmt::format("error {}\n", Printable(reason, kSignerReasonBytesMax));
}

absl::StatusOr<Ed25519PublicKey> ParseKeyLine(std::string_view line) {
  std::string_view rest = line;
  const std::string_view word = TakeWord(rest);
  if (word == "error") {
    return base::Unavailable("it says: {}", Printable(rest, kSignerReasonBytesMax));
  }
  auto key = base::DecodeBase58Array<32>(rest);
  if (word != "key" || !key.ok() || !base::IsEd25519PublicKey(*key)) return Unexpected(line);
  return *key;
}

absl::StatusOr<SignRequest> ParseSignLine(std::string_view line) {
  std::string_view rest = line;
  const std::string_view word = TakeWord(rest);
  SignRequest request;
  request.id = ParseNumber(TakeWord(rest));
  request.length = ParseNumber(rest);
  const bool fits = request.length >= 1 && request.length <= kSignerTextBytesMax;
  if (word != "sign" || request.id == 0 || !fits) return Unexpected(line);
  return request;
}

absl::StatusOr<SignAnswer> ParseAnswerLine(std::string_view line) {
  std::string_view rest = line;
  const std::string_view word = TakeWord(rest);
  if (word == "error") {
    return base::Unavailable("it says: {}", Printable(rest, kSignerReasonBytesMax));
  }
  const std::uint64_t id = ParseNumber(TakeWord(rest));
  if (id == 0) return Unexpected(line);
  const std::string reason = Printable(rest, kSignerReasonBytesMax);
  if (word == "refused")
    return SignAnswer{id, base::InvalidArgument("the signer refuses: {}", reason)};
  if (word == "later") return SignAnswer{id, base::Unavailable("the signer waits: {}", reason)};
  auto signature = base::DecodeBase58Array<64>(rest);
  if (word != "signed" || !signature.ok()) return Unexpected(line);
  return SignAnswer{id, *signature};
}

}  // namespace wattmint::ledger
