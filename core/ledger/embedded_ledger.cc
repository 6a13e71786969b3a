// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/embedded_ledger.h"

#include "core/base/assert.h"
#include "core/base/base58.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/domain/ids.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace wattmint::ledger {
namespace {

Receipt ReceiptFor(const store::LedgerEntry& entry, Verdict verdict) {
  return {verdict, entry.tokens, base::EncodeBase58(entry.signature), entry.height, 0};
}

Receipt Repeated(const store::LedgerEntry& entry, const MintOrder& order) {
  const bool is_same = entry.wallet_address == order.wallet_address && entry.tokens == order.tokens;
  return ReceiptFor(entry, is_same ? Verdict::kAlreadyMinted : Verdict::kConflict);
}

// Whatever is wrong with the file, a full disk too, says nothing about the mint.
absl::Status Unknown(const absl::Status& trouble) {
  return base::Unavailable("the ledger did not confirm: {}", base::Message(trouble));
}

}  // namespace

EmbeddedLedger::EmbeddedLedger(store::LedgerBook& book, base::Clock& clock, Signer& signer)
    : book_(book), reader_(book), clock_(clock), signer_(signer), ledger_id_(book.ledger_id()) {}

std::string EmbeddedLedger::public_key() const { return base::EncodeBase58(signer_.public_key()); }

std::vector<absl::StatusOr<SignedMint>> EmbeddedLedger::Sign(std::span<const MintOrder> orders) {
  std::vector<std::string> texts;
  texts.reserve(orders.size());
  for (const MintOrder& order : orders) texts.push_back(MintText{ledger_id_, order}.ToString());
  const auto answers = signer_.Sign(texts);
  WATTMINT_ASSERT(answers.size() == texts.size(), "{} texts, but {} answers", texts.size(),
                  answers.size());
  std::vector<absl::StatusOr<SignedMint>> mints;
  mints.reserve(orders.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    mints.push_back(Signed(std::move(texts[i]), answers[i]));
  }
  return mints;
}

absl::StatusOr<SignedMint> EmbeddedLedger::Signed(
    std::string text, const absl::StatusOr<Ed25519Signature>& answer) const {
  WATTMINT_RETURN_IF_ERROR(answer.status());
  if (!VerifyEd25519(signer_.public_key(), text, *answer)) {
    return base::Unavailable("the signer's signature is wrong by the ledger's public key {}",
                             public_key());
  }
  return SignedMint{std::move(text), base::EncodeBase58(*answer),
                    std::numeric_limits<std::int64_t>::max()};
}

absl::StatusOr<EmbeddedLedger::Checked> EmbeddedLedger::Check(const SignedMint& mint) const {
  Checked checked;
  WATTMINT_ASSIGN_OR_RETURN(checked.text, MintText::Parse(mint.bytes));
  WATTMINT_ASSIGN_OR_RETURN(checked.signature, base::DecodeBase58Array<64>(mint.signature));
  if (checked.text.ledger_id != ledger_id_) {
    return base::InvalidArgument("the mint is for ledger {}, this is {}", checked.text.ledger_id,
                                 ledger_id_);
  }
  if (!VerifyEd25519(signer_.public_key(), mint.bytes, checked.signature)) {
    return base::InvalidArgument("the signature of mint {} is wrong",
                                 checked.text.order.idempotency_key);
  }
  if (!domain::IsWalletAddress(checked.text.order.wallet_address)) {
    return base::InvalidArgument("mint {} is for a wallet that is no Solana address",
                                 checked.text.order.idempotency_key);
  }
  return checked;
}

std::vector<absl::StatusOr<Receipt>> EmbeddedLedger::Submit(std::span<const SignedMint> mints) {
  base::MutexLock lock(submit_mutex_);
  std::vector<absl::StatusOr<Receipt>> receipts;
  receipts.reserve(mints.size());
  const auto head = book_.GetHead();
  std::vector<store::LedgerEntry> fresh;
  for (const SignedMint& mint : mints) {
    receipts.push_back(head.ok() ? Decide(mint, *head, fresh) : Unknown(head.status()));
  }
  if (fresh.empty()) return receipts;
  if (const absl::Status status = book_.Append(fresh); !status.ok()) {
    const absl::Status unknown = Unknown(status);
    for (auto& receipt : receipts) {
      if (receipt.ok() && receipt->verdict != Verdict::kConflict) receipt = unknown;
    }
  }
  return receipts;
}

absl::StatusOr<Receipt> EmbeddedLedger::Decide(const SignedMint& mint,
                                               const store::LedgerHead& head,
                                               std::vector<store::LedgerEntry>& fresh) const {
  WATTMINT_ASSIGN_OR_RETURN(Checked checked, Check(mint));
  MintOrder& order = checked.text.order;
  const auto in_call =
      std::ranges::find(fresh, order.idempotency_key, &store::LedgerEntry::idempotency_key);
  if (in_call != fresh.end()) return Repeated(*in_call, order);
  const auto known = book_.Find(order.idempotency_key);
  if (!known.ok()) return Unknown(known.status());
  if (*known) return Repeated(**known, order);
  std::int64_t supply = head.supply.base_units();
  for (const store::LedgerEntry& entry : fresh) supply += entry.tokens.base_units();
  if (supply > std::numeric_limits<std::int64_t>::max() - order.tokens.base_units()) {
    return base::InvalidArgument("mint {} would overflow the supply", order.idempotency_key);
  }
  store::LedgerEntry entry{.height = head.height + std::ssize(fresh) + 1,
                           .idempotency_key = std::move(order.idempotency_key),
                           .wallet_address = std::move(order.wallet_address),
                           .tokens = order.tokens,
                           .signed_bytes = mint.bytes,
                           .signature = checked.signature,
                           .time = clock_.Now(),
                           .previous_hash = fresh.empty() ? head.hash : fresh.back().hash,
                           .hash = {}};
  entry.hash = HashEntry(entry);
  fresh.push_back(std::move(entry));
  return ReceiptFor(fresh.back(), Verdict::kMinted);
}

absl::Status CheckKey(store::LedgerBook& book, const Ed25519PublicKey& key) {
  WATTMINT_ASSIGN_OR_RETURN(const store::LedgerHead head, book.GetHead());
  if (head.height == 0) return absl::OkStatus();
  WATTMINT_ASSIGN_OR_RETURN(const auto newest, book.Read(head.height, 1));
  const bool is_ours =
      newest.size() == 1 && VerifyEd25519(key, newest[0].signed_bytes, newest[0].signature);
  if (is_ours) return absl::OkStatus();
  return base::FailedPrecondition(
      "ledger entry {} was not signed by key {}; a ledger goes on with the key that it began with, "
      "so bring that one back",
      head.height, base::EncodeBase58(key));
}

}  // namespace wattmint::ledger
