// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/energy.h"
#include "core/domain/ids.h"
#include "core/domain/mint_state.h"
#include "core/domain/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wattmint::domain {

// Numbers are stored and sent (wattmint.v1.ReadingQuality): never renumber.
enum class Quality : std::uint8_t { kActual = 1, kEstimated = 2, kSubstituted = 3, kFinal = 4 };

// "actual" ...: as on the WebSocket, and as meters sign it: never change.
std::string_view Name(Quality quality);

// Numbers are stored and sent (wattmint.v1.EnergyChannel): never renumber.
enum class Channel : std::uint8_t { kGeneration = 1, kConsumption = 2 };

// "generation" or "consumption": never change either.
std::string_view Name(Channel channel);

// Beside the energy; stored as it came, never used for minting.
struct Telemetry {
  std::optional<double> voltage_volts;
  std::optional<double> current_amperes;
  std::optional<double> power_watts;
  std::optional<double> frequency_hertz;
  bool IsEmpty() const {
    return !voltage_volts && !current_amperes && !power_watts && !frequency_hertz;
  }
  friend bool operator==(const Telemetry&, const Telemetry&) = default;
};

// Energy that one meter reports for one interval [start, start + length), or at an instant (length
// 0: a point reading). The natural key is (meter_id, start, length).
struct Reading {
  std::string meter_id;
  Energy energy;
  Time start{};
  Duration length{};
  Quality quality = Quality::kActual;
  Channel channel = Channel::kGeneration;
  Telemetry telemetry;
  std::string meter_signature;
  std::int64_t meter_counter = 0;  // 0: none
  std::string request_id;

  bool IsPoint() const { return length == Duration::zero(); }
  Time end() const { return start + length; }
  // Same key and the same energy, quality and channel: what a repeated submission must have in
  // common.
  bool HasSameContent(const Reading& other) const {
    return energy == other.energy && quality == other.quality && channel == other.channel;
  }
};

// A reading that was accepted, with what the registry said at that time.
struct AcceptedReading {
  ReadingId reading_id;
  std::int64_t row = 0;  // position in the order of acceptance, from 1
  Reading reading;
  std::string user_id;
  std::string wallet_address;
  std::string public_key;  // that meter_signature was verified with; empty: it was not
  Time accept_time{};
  MintState mint_state = MintState::kPending;
  std::int64_t task_id = 0;  // 0: nothing to mint
};

}  // namespace wattmint::domain
