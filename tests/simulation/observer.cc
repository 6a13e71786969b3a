// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/observer.h"

#include "core/wire/event_codec.h"
#include "tests/simulation/violation.h"

#include <algorithm>

namespace wattmint::simulation {

using domain::MintState;
using domain::MintTask;

std::int64_t Observer::Worth(std::int64_t nano_kwh, bool rounded_up) const {
  const std::int64_t units = nano_kwh * limits_.ratio.numerator;
  return (units + (rounded_up ? limits_.ratio.denominator - 1 : 0)) / limits_.ratio.denominator;
}

void Observer::NotePublished(std::int64_t sequence, const std::string& payload) {
  if (!published_.emplace(sequence, payload).second) published_twice_ = sequence;
}

void Observer::Watch(store::EventLog& log) {
  Require(published_twice_ == 0, "event {} was published twice", published_twice_);
  for (;;) {
    auto events = log.Read(seen_ + 1, 500, 1 << 20);
    Require(events.ok(), "the events behind {} cannot be read: {}", seen_,
            events.status().ToString());
    if (events->empty()) break;
    for (store::StoredEvent& stored : *events) {
      Require(stored.sequence == seen_ + 1, "event {} follows event {}", stored.sequence, seen_);
      const auto published = published_.find(stored.sequence);
      Require(published == published_.end() || published->second == stored.payload,
              "event {} was published as another", stored.sequence);
      auto event = wire::DecodePayload(stored.sequence, stored.payload);
      Require(event.ok(), "event {} is none", stored.sequence);
      seen_ = stored.sequence;
      payloads_.push_back(std::move(stored.payload));
      See(*event);
    }
  }
  Require(published_.empty() || published_.rbegin()->first <= seen_,
          "event {} was published, but the log ends at {}",
          published_.empty() ? 0 : published_.rbegin()->first, seen_);
  CheckChain();
}

void Observer::See(const domain::Event& event) {
  trace_.Note("  event {}: {}", event.sequence, Name(domain::TypeOf(event.fact)));
  if (const auto* received = std::get_if<domain::MeterReadingReceived>(&event.fact)) See(*received);
  if (const auto* changed = std::get_if<domain::MeterChanged>(&event.fact)) See(*changed);
  if (const auto* change = std::get_if<domain::TaskStatusChanged>(&event.fact)) See(*change);
  if (const auto* minted = std::get_if<domain::TokensMinted>(&event.fact)) See(*minted);
  if (const auto* switched = std::get_if<domain::MintingSwitched>(&event.fact)) {
    if (switched->reason.starts_with("NO_FUNDS")) coverage_.Saw(Rare::kPausedWithoutFunds);
  }
}

void Observer::See(const domain::MeterReadingReceived& received) {
  const std::int64_t row = received.reading_id.row();
  Require(received_.insert(row).second, "reading {} was received twice", row);
  const Slot& slot = SlotOf(received.meter_id, received.interval_start);
  const bool is_known = slot.unanswered.contains(received.energy.nano_kwh()) ||
                        (slot.accepted && slot.accepted->energy == received.energy);
  Require(is_known, "reading {} of {} kWh was never submitted", row, received.energy.ToString());
  if (received.mint_state == MintState::kNotApplicable) return;
  const std::string key = domain::IdempotencyKey(received.reading_id);
  stories_[row] = {.key = key,
                   .meter_id = received.meter_id,
                   .user_id = received.user_id,
                   .had_wallet = !received.wallet_address.empty(),
                   .energy = received.energy};
  task_of_key_[key] = row;
}

void Observer::See(const domain::MeterChanged& changed) {
  owners_[changed.meter_id] = changed.user_id;
  if (!changed.wallet_address.empty()) wallets_[changed.user_id].insert(changed.wallet_address);
}

void Observer::See(const domain::TaskStatusChanged& change) {
  trace_.Note("    task {}: {} to {} {}", change.task_id, Name(change.old_state),
              Name(change.new_state), change.reason);
  const auto known = stories_.find(change.task_id);
  Require(known != stories_.end(), "a change of task {}, which nobody created", change.task_id);
  Story& story = known->second;
  Require(story.told == change.old_state, "task {} was told {}, and changed from {}",
          change.task_id, Name(story.told), Name(change.old_state));
  Require(story.told != MintState::kConfirmed, "task {} left CONFIRMED", change.task_id);
  story.told = change.new_state;
  if (change.new_state == MintState::kSigned) {
    const auto left = claims_left_.find(change.task_id);
    if (left != claims_left_.end() && left->second != change.batch_id) {
      coverage_.Saw(Rare::kLeaseTakenOver);
      claims_left_.erase(left);
    }
  }
  if (change.reason.starts_with("EXPIRED: the signed")) {
    coverage_.Saw(Rare::kSignedAnewAfterExpiry);
  }
  if (change.new_state == MintState::kNotApplicable) coverage_.Saw(Rare::kBelowOneUnit);
  if (change.new_state != MintState::kParked) return;
  story.was_parked = true;
  coverage_.Saw(Rare::kParked);
  if (change.reason.starts_with("ATTEMPTS_USED_UP")) coverage_.Saw(Rare::kAttemptsUsedUp);
  if (change.reason.starts_with("QUARANTINE")) coverage_.Saw(Rare::kQuarantined);
  if (change.reason.starts_with("CONFLICT")) coverage_.Saw(Rare::kConflict);
  if (change.reason.starts_with("CAP_PER_READING")) coverage_.Saw(Rare::kCappedReading);
  if (change.reason.starts_with("CAP_PER_DAY")) coverage_.Saw(Rare::kAboveWholeDay);
  if (change.reason.find("REFUSED") != std::string::npos) coverage_.Saw(Rare::kRefusedForGood);
}

void Observer::See(const domain::TokensMinted& minted) {
  const auto known = stories_.find(minted.task_id);
  Require(known != stories_.end(), "TokensMinted for task {}, which nobody created",
          minted.task_id);
  Story& story = known->second;
  Require(!story.is_minted, "TokensMinted twice for task {}", minted.task_id);
  Require(story.told == MintState::kConfirmed, "TokensMinted for task {}, which is {}",
          minted.task_id, Name(story.told));
  const auto held = chain_.FindFinal(story.key);
  Require(held.has_value(), "TokensMinted for task {}, which is not final on the chain",
          minted.task_id);
  Require(held->tokens == minted.tokens, "TokensMinted of {} for task {}, but the chain has {}",
          minted.tokens.ToString(), minted.task_id, held->tokens.ToString());
  Require(minted.user_id == story.user_id && wallets_[story.user_id].contains(held->wallet_address),
          "task {} of {} was minted for {}, to {}", minted.task_id, story.user_id, minted.user_id,
          held->wallet_address);
  story.is_minted = true;
  if (!story.had_wallet && owners_.at(story.meter_id) != story.user_id) {
    coverage_.Saw(Rare::kPaidFormerOwner);
  }
  if (story.was_parked) coverage_.Saw(Rare::kRetriedAndMinted);
  if (limits_.ratio != domain::Ratio{}) coverage_.Saw(Rare::kOtherRatio);
}

void Observer::CheckChain() {
  std::set<std::string> meters;
  for (const std::string& key : chain_.TakeChanged()) {
    const auto known = task_of_key_.find(key);
    Require(known != task_of_key_.end(), "the chain minted for {}, which is no reading", key);
    const Story& story = stories_.at(known->second);
    const FakeChain::Held held = chain_.HeldFor(key);
    const std::int64_t most = Worth(story.energy.nano_kwh(), true);
    Require(held.tokens <= most, "OVER-MINT: the chain holds {} in {} mints for task {}, worth {}",
            held.tokens, held.mints, known->second, most);
    Require(held.mints <= 1, "the chain holds {} mints for task {}", held.mints, known->second);
    meters.insert(story.meter_id);
  }
  for (const std::string& meter : meters) {
    std::int64_t energy = 0;
    std::int64_t tokens = 0;
    for (const auto& [task_id, story] : stories_) {
      if (story.meter_id != meter) continue;
      energy += story.energy.nano_kwh();
      tokens += chain_.HeldFor(story.key).tokens;
    }
    Require(tokens <= Worth(energy, false), "OVER-MINT: meter {} holds {} for {} nano-kWh", meter,
            tokens, energy);
  }
}

void Observer::CheckAfterRestart(store::EventLog& log, store::Queries& queries) {
  const auto bounds = log.GetBounds();
  Require(bounds.ok(), "the log has no bounds: {}", bounds.status().ToString());
  Require(bounds->last >= seen_, "the log went back from {} to {}", seen_, bounds->last);
  const auto events = log.Read(1, payloads_.size() + 1, 1 << 30);
  Require(events.ok(), "the log cannot be read: {}", events.status().ToString());
  for (std::size_t i = 0; i < payloads_.size(); ++i) {
    Require((*events)[i].sequence == static_cast<std::int64_t>(i) + 1 &&
                (*events)[i].payload == payloads_[i],
            "event {} is another than before", i + 1);
  }
  for (const auto& [key, slot] : slots_) {
    if (!slot.accepted) continue;
    const auto reading = queries.FindReading(slot.accepted->reading_id);
    Require(
        reading.ok() && reading->has_value() && (*reading)->reading.energy == slot.accepted->energy,
        "the acknowledged reading of meter {} is lost", key.first);
  }
}

void Observer::CheckTasks(const std::vector<MintTask>& tasks) {
  for (const MintTask& task : tasks) {
    const auto known = stories_.find(task.task_id);
    Require(known != stories_.end(), "task {} was never told", task.task_id);
    const Story& story = known->second;
    const MintState told = task.state == MintState::kClaimed ? MintState::kPending : task.state;
    Require(story.told == told, "task {} is {}, and was told {}", task.task_id, Name(task.state),
            Name(story.told));
    if (task.state == MintState::kConfirmed) {
      Require(story.is_minted, "task {} is CONFIRMED without TokensMinted", task.task_id);
    }
    if (task.state == MintState::kClaimed &&
        claims_left_.emplace(task.task_id, task.batch_id).second) {
      coverage_.Saw(Rare::kClaimLeftBehind);
    }
    if (task.reason.starts_with("CAP_PER_DAY")) coverage_.Saw(Rare::kCappedDay);
    if (task.reason.starts_with("NO_WALLET")) coverage_.Saw(Rare::kNoWallet);
  }
}

void Observer::CheckAtEnd(store::Queries& queries, const std::vector<MintTask>& tasks) {
  std::int64_t on_chain = 0;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> meters;  // energy, tokens
  for (const MintTask& task : tasks) {
    const auto held = chain_.FindFinal(domain::IdempotencyKey(task.reading_id));
    const bool is_converted =
        task.tokens != domain::TokenAmount() || task.state == MintState::kNotApplicable;
    if (is_converted) meters[task.meter_id].first += task.energy.nano_kwh();
    meters[task.meter_id].second += task.tokens.base_units();
    if (task.state != MintState::kConfirmed) continue;
    Require(held && held->tokens == task.tokens && held->wallet_address == task.wallet_address,
            "task {} is CONFIRMED, and the chain does not say so", task.task_id);
    on_chain += held->tokens.base_units();
  }
  for (const auto& [meter, sums] : meters) {
    Require(sums.second == Worth(sums.first, false), "meter {} has {} for {} nano-kWh, not {}",
            meter, sums.second, sums.first, Worth(sums.first, false));
  }
  const auto sums = queries.SumTasks();
  Require(sums.ok(), "the sums cannot be read");
  Require(sums->confirmed_base_units == on_chain, "the sums say {}, the tasks {}",
          sums->confirmed_base_units, on_chain);
  std::int64_t foreign = 0;
  for (const MintTask& task : tasks) {
    const std::string key = domain::IdempotencyKey(task.reading_id);
    if (task.state != MintState::kConfirmed) foreign += chain_.HeldFor(key).tokens;
  }
  const std::int64_t supply = chain_.GetSupply()->tokens.base_units();
  Require(supply == on_chain + foreign, "the supply is {}, but {} and {} are explained", supply,
          on_chain, foreign);
  for (const auto& [key, slot] : slots_) {
    if (!slot.accepted) continue;
    Require(received_.contains(slot.accepted->reading_id.row()),
            "reading {} was acknowledged and never told", slot.accepted->reading_id.row());
  }
}

}  // namespace wattmint::simulation
