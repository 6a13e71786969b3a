// SPDX-License-Identifier: Apache-2.0
#include "core/domain/filter.h"

#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <algorithm>

namespace wattmint::domain {
namespace {

// Fills in what a fact has; a fact without a member of that name lacks the attribute.
template <typename F>
EventAttributes Collect(const F& fact) {
  EventAttributes out;
  if constexpr (requires { fact.user_id; }) out.user_id = fact.user_id;
  if constexpr (requires { fact.meter_id; }) out.meter_id = fact.meter_id;
  if constexpr (requires { fact.wallet_address; }) out.wallet_address = fact.wallet_address;
  if constexpr (requires { fact.batch_id; }) out.batch_id = fact.batch_id;
  if constexpr (requires { fact.task_id; }) out.task_id = fact.task_id;
  if constexpr (requires { fact.energy; }) out.energy = fact.energy;
  if constexpr (requires { fact.new_state; }) out.mint_state = fact.new_state;
  return out;
}

EventAttributes::Audience AudienceOf(const Fact& fact) {
  if (std::holds_alternative<SystemAlert>(fact)) return EventAttributes::Audience::kPublic;
  const bool for_admins = std::holds_alternative<BatchMintingCompleted>(fact) ||
                          std::holds_alternative<ApiKeyChanged>(fact) ||
                          std::holds_alternative<MintingSwitched>(fact);
  return for_admins ? EventAttributes::Audience::kAdmin : EventAttributes::Audience::kOwner;
}

template <typename T>
void SortUnique(std::vector<T>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

template <typename T, typename V>
bool Lets(const std::vector<T>& wanted, const V& value) {
  return wanted.empty() || std::ranges::binary_search(wanted, value);
}

// Tells `visit` of each field whether it lets the event through, until that answers false; then
// this does too.
template <typename Visit>
bool AskEach(const EventFilter& filter, const EventAttributes& event, Visit visit) {
  const auto& state = event.mint_state;
  const auto& energy = event.energy;
  return visit("types", Lets(filter.types, event.type)) &&
         visit("meter_ids", Lets(filter.meter_ids, event.meter_id)) &&
         visit("user_ids", Lets(filter.user_ids, event.user_id)) &&
         visit("wallet_addresses", Lets(filter.wallet_addresses, event.wallet_address)) &&
         visit("batch_ids", Lets(filter.batch_ids, event.batch_id)) &&
         visit("task_ids", Lets(filter.task_ids, event.task_id)) &&
         visit("mint_states",
               filter.mint_states.empty() || (state && Lets(filter.mint_states, *state))) &&
         visit("min_energy_kwh", !filter.energy_min || (energy && *energy >= *filter.energy_min)) &&
         visit("max_energy_kwh", !filter.energy_max || (energy && *energy <= *filter.energy_max));
}

absl::Status CheckSize(std::string_view field, std::size_t size, std::size_t size_max) {
  if (size <= size_max) return absl::OkStatus();
  return base::InvalidArgument("filter: {} has {} values, at most {} are allowed", field, size,
                               size_max);
}

template <typename Predicate>
absl::Status CheckValues(std::string_view field, const std::vector<std::string>& values,
                         std::size_t size_max, Predicate is_valid) {
  WATTMINT_RETURN_IF_ERROR(CheckSize(field, values.size(), size_max));
  const auto bad = std::ranges::find_if_not(values, is_valid);
  if (bad == values.end()) return absl::OkStatus();
  // Not repeated in the message: it may hold anything, and cutting it may leave half a character.
  return base::InvalidArgument("filter: {}[{}] is not valid", field, bad - values.begin());
}

// Appends the fields that say something, each behind its number in wattmint.v1.EventFilter, so that
// a field that is added later does not change the hash of filters without it.
class Digest {
 public:
  template <typename T>
  void AddAll(int field, const std::vector<T>& values) {
    if (values.empty()) return;
    AddNumber(field);
    AddNumber(std::ssize(values));
    for (const T& value : values) {
      if constexpr (std::is_same_v<T, std::string>) {
        AddNumber(std::ssize(value));
        bytes_ += value;
      } else {
        AddNumber(static_cast<std::int64_t>(value));
      }
    }
  }
  void Add(int field, const std::optional<Energy>& value) {
    if (!value) return;
    AddNumber(field);
    AddNumber(value->nano_kwh());
  }
  std::uint64_t Finish() const {
    const auto digest = base::Sha256(base::AsBytes(bytes_));
    std::uint64_t hash = 0;
    for (int i = 0; i < 8; ++i) hash = hash << 8 | digest[static_cast<std::size_t>(i)];
    return hash;
  }

 private:
  void AddNumber(std::int64_t value) {
    for (int i = 0; i < 8; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
  }

  std::string bytes_;
};

}  // namespace

EventAttributes AttributesOf(const Fact& fact) {
  EventAttributes out = std::visit([](const auto& known) { return Collect(known); }, fact);
  out.type = TypeOf(fact);
  out.audience = AudienceOf(fact);
  return out;
}

absl::Status EventFilter::Normalize() {
  WATTMINT_RETURN_IF_ERROR(CheckSize("types", types.size(), kFilterTypesMax));
  WATTMINT_RETURN_IF_ERROR(CheckSize("task_ids", task_ids.size(), kFilterValuesMax));
  WATTMINT_RETURN_IF_ERROR(CheckSize("mint_states", mint_states.size(), kFilterTypesMax));
  WATTMINT_RETURN_IF_ERROR(CheckValues("meter_ids", meter_ids, kFilterValuesMax, IsMeterId));
  WATTMINT_RETURN_IF_ERROR(CheckValues("user_ids", user_ids, kFilterValuesMax, IsUserId));
  WATTMINT_RETURN_IF_ERROR(
      CheckValues("wallet_addresses", wallet_addresses, kFilterValuesMax, IsWalletAddress));
  WATTMINT_RETURN_IF_ERROR(CheckValues("batch_ids", batch_ids, kFilterBatchesMax, IsMeterId));
  if (std::ranges::any_of(task_ids, [](std::int64_t task_id) { return task_id < 1; })) {
    return base::InvalidArgument("filter: task_ids count from 1");
  }
  if (energy_min && energy_max && *energy_min > *energy_max) {
    return base::InvalidArgument("filter: the lowest energy {} is above the highest {}",
                                 energy_min->ToString(), energy_max->ToString());
  }
  SortUnique(types);
  SortUnique(meter_ids);
  SortUnique(user_ids);
  SortUnique(wallet_addresses);
  SortUnique(batch_ids);
  SortUnique(task_ids);
  SortUnique(mint_states);
  return absl::OkStatus();
}

bool EventFilter::Matches(const EventAttributes& event) const {
  return AskEach(*this, event, [](std::string_view, bool lets) { return lets; });
}

std::vector<std::string_view> EventFilter::ExcludedBy(const EventAttributes& event) const {
  std::vector<std::string_view> fields;
  AskEach(*this, event, [&fields](std::string_view field, bool lets) {
    if (!lets) fields.push_back(field);
    return true;
  });
  return fields;
}

std::uint64_t EventFilter::Hash() const {
  Digest digest;
  digest.AddAll(1, types);
  digest.AddAll(2, meter_ids);
  digest.AddAll(3, user_ids);
  digest.AddAll(4, wallet_addresses);
  digest.AddAll(5, batch_ids);
  digest.AddAll(6, task_ids);
  digest.Add(7, energy_min);
  digest.Add(8, energy_max);
  digest.AddAll(9, mint_states);
  return digest.Finish();
}

bool EventFilter::IsEmpty() const { return *this == EventFilter{}; }

}  // namespace wattmint::domain
