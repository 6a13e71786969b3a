// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger/ed25519.h"

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// How a core and an external signer speak, version 1.
//
// The signer listens on a Unix stream socket; the core connects, and stays. Everything is lines of
// printable ASCII, at most 512 bytes with their newline, words separated by one space; only the
// text to be signed follows its line as raw bytes, with nothing between it and the next line.
//
//   core    wattmint signer 1         once, first: the version that it speaks
//   signer  key <public key>          once: Ed25519, base58 of 32 bytes; the same at every
//   connection
//
//   core    sign <id> <length>        and then <length> bytes, 1 to 4096: the text
//   signer  signed <id> <signature>   Ed25519 (RFC 8032) of exactly these bytes, base58 of 64 bytes
//       or  refused <id> <reason>     for good: the mint is set aside, and a person must look
//       or  later <id> <reason>       not now, such as above the day's limit; it is asked for again
//
//   signer  error <reason>            at any time, and closes: the core is not welcome, or does not
//                                     keep to this protocol
//
// <id> is decimal, 1 for the first request of a connection and then one more for each. Answers come
// in the order of requests, of which at most 64 are unanswered at a time. <reason> is the rest of
// its line, 1 to 200 bytes. New versions may add lines; one that the core does not know ends the
// connection.
//
// What is to be signed is a mint as core/ledger/mint_text.h defines it: whose wallet, how many base
// units, which key. A signer reads it, has its own limits, and refuses whatever is something else.
// The same text may come again, since a signature may get lost; signing it again mints nothing
// more. Both sides may close at any time and lose nothing. The core waits a limited time for the
// answers to one batch, then closes, and connects again for the next; so a signer that hangs or is
// away delays mints and nothing else. It takes no signature that is not right by the public key
// that the ledger began with.
namespace wattmint::ledger {

constexpr std::size_t kSignerLineBytesMax = 512;   // chosen: four times the longest regular line
constexpr std::size_t kSignerTextBytesMax = 4096;  // chosen: a mint text has about 250
constexpr std::size_t kSignerReasonBytesMax = 200;
constexpr std::uint64_t kSignerWindow = 64;  // chosen: requests in flight hide the way there
constexpr std::string_view kSignerHello = "wattmint signer 1";
static_assert(kSignerReasonBytesMax + 64 < kSignerLineBytesMax, "an answer is one line");

struct SignRequest {
  std::uint64_t id = 0;
  std::size_t length = 0;  // of the text that follows
};

struct SignAnswer {
  std::uint64_t id = 0;
  absl::StatusOr<Ed25519Signature> signature;  // kInvalidArgument: refused; kUnavailable: later
};

// Lines as they are sent, with their newline. A text follows its line.
std::string KeyLine(const Ed25519PublicKey& key);
std::string SignLine(const SignRequest& request);
// Whatever is not kInvalidArgument says "later".
std::string AnswerLine(const SignAnswer& answer);
std::string ErrorLine(std::string_view reason);

// Lines as they came, without their newline. Errors: kUnavailable with what is wrong with it, or
// with what an error line says.
absl::StatusOr<Ed25519PublicKey> ParseKeyLine(std::string_view line);
absl::StatusOr<SignRequest> ParseSignLine(std::string_view line);
absl::StatusOr<SignAnswer> ParseAnswerLine(std::string_view line);

}  // namespace wattmint::ledger
