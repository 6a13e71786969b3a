// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger/ledger.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/trace.h"

#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace wattmint::simulation {

// A chain in memory behind the ledger's port. What is sent waits for a block; blocks become final
// kFinalDepth later, and may be rolled back before; bytes expire by height. It does all that
// FaultMix says, but never breaks the contract of the port: what LookUp() calls final stays.
// Threads: one at a time.
class FakeChain final : public ledger::Ledger {
 public:
  static constexpr std::int64_t kFinalDepth = 6;
  static constexpr std::int64_t kValidBlocks = 20;
  static constexpr std::int64_t kLateBlocks = 8;  // more than a task needs to use its attempts up

  enum class Kind {
    kUnguarded,  // every signed mint that gets into a block mints, whatever its key
    kGuarded,    // one mint of each key
    kInstant,    // guarded, final at once, and nothing expires: as the embedded ledger
  };
  // How the ledger treats the mints of a poisoned key.
  enum class Poison {
    kNone,
    kRefusedForGood,
    kRefusedEachTime,
    kRefusedOnceTaken,  // the first time taken, late and without an answer; then refused each time
    kNotSigned,
  };
  static constexpr std::uint64_t kPoisons = 4;  // besides kNone
  struct Held {
    std::int64_t tokens = 0;
    int mints = 0;
  };

  FakeChain(Kind kind, FaultMix& faults, base::RandomSource& random, Coverage& coverage,
            Trace& trace)
      : kind_(kind), faults_(faults), random_(random), coverage_(coverage), trace_(trace) {}

  std::string_view name() const override { return "fake-chain"; }
  std::string public_key() const override { return "11111111111111111111111111111111"; }
  std::vector<absl::StatusOr<ledger::SignedMint>> Sign(
      std::span<const ledger::MintOrder> orders) override;
  std::vector<absl::StatusOr<ledger::Receipt>> Submit(
      std::span<const ledger::SignedMint> mints) override;
  absl::StatusOr<ledger::Supply> GetSupply() override;
  absl::StatusOr<ledger::Findings> LookUp(std::span<const std::string> keys) override;
  absl::StatusOr<std::vector<ledger::LedgerMint>> ListMints(std::int64_t from,
                                                            std::size_t count_max) override;
  absl::StatusOr<domain::TokenAmount> GetBalance(std::string_view wallet_address) override;

  // Called while the ledger is called, before anything else and at the end: what happens meanwhile.
  std::function<void()> meanwhile;

  void Grow(int blocks);
  void Poisons(const std::string& key, Poison poison) { poisons_[key] = poison; }
  Poison PoisonOf(const std::string& key) const;
  void ForgetPoison() { poisons_.clear(); }
  void MintForeign(const std::string& key, const std::string& wallet, std::int64_t tokens);
  // The process that called began anew.
  void NoteRestart() { ++restarts_; }

  // The truth, whatever LookUp() says.
  Kind kind() const { return kind_; }
  std::int64_t tip() const { return static_cast<std::int64_t>(blocks_.size()); }
  std::optional<ledger::LedgerMint> FindFinal(const std::string& key) const;
  // What the chain holds for the key in all of its blocks.
  Held HeldFor(const std::string& key) const;
  bool IsForeign(const std::string& key) const { return foreign_.contains(key); }
  // Keys whose holdings changed since the last call.
  std::set<std::string> TakeChanged() { return std::exchange(changed_, {}); }

 private:
  struct Mint {
    std::string bytes;
    ledger::MintOrder order;
    std::int64_t expiry_height = 0;
    std::string signature;
    int sent_before_restart = -1;  // the number of restarts when it was first sent; -1: never
    bool answer_lost = false;
    bool counted_void = false;
  };
  struct Waiting {
    Mint* mint = nullptr;
    std::int64_t not_before = 0;  // height
  };

  Mint& Make(const ledger::MintOrder& order, std::int64_t expiry_height);
  absl::StatusOr<ledger::Receipt> SubmitOne(const ledger::SignedMint& sent);
  std::optional<ledger::Receipt> ReceiptOfFinal(const Mint& mint) const;
  // It reaches a block so many blocks late, at least.
  void Take(Mint& mint, std::int64_t delay_min);
  void RollBack();
  bool Include(const Waiting& waiting, std::vector<Mint*>& block);
  // The first mint of the key up to this height.
  std::optional<ledger::LedgerMint> Find(const std::string& key, std::int64_t height_max) const;
  std::int64_t Lag();

  const Kind kind_;
  FaultMix& faults_;
  base::RandomSource& random_;
  Coverage& coverage_;
  Trace& trace_;
  std::map<std::string, Mint> signed_;  // by bytes
  std::vector<std::vector<Mint*>> blocks_;
  std::int64_t final_ = 0;
  std::deque<Waiting> waiting_;
  std::map<std::string, std::map<const Mint*, std::int64_t>> heights_;  // by key: where it is
  std::map<std::string, Poison> poisons_;
  std::set<std::string> foreign_;
  std::set<std::string> changed_;
  std::int64_t nonce_ = 0;
  int calls_without_funds_ = 0;
  int restarts_ = 0;
};

}  // namespace wattmint::simulation
