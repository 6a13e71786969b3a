// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/filter.h"

#include <absl/status/statusor.h>

#include <compare>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wattmint::bridge {

// What a client subscribes to by name, such as "meter:AUS-17". A value.
struct Channel {
  enum class Kind { kUser, kMeter, kWallet, kJob, kTask, kBatches, kSystemAlerts, kSystem };

  Kind kind = Kind::kSystem;
  std::string id;  // of the user, meter ...; empty for the last three

  // Total: kInvalidArgument with a sentence for what is no channel, or not offered here.
  static absl::StatusOr<Channel> Parse(std::string_view text);
  // The spelling {"type": type, "params": {name: value}}. Errors: as Parse.
  using Params = std::vector<std::pair<std::string, std::string>>;
  static absl::StatusOr<Channel> FromObject(std::string_view type, const Params& params);

  // What there is of a kind. All texts are ours.
  struct Shape {
    Kind kind;
    std::string_view prefix;     // of the name; the whole name if there is no id
    std::string_view type;       // in the object spelling
    std::string_view parameter;  // the id's name there; empty if there is no id
    std::string_view carries;    // in words
    std::string_view who;        // may subscribe it
  };
  // One of each kind.
  static std::span<const Shape> Shapes();

  // The canonical spelling.
  std::string Name() const;

  // One user's, one object's, or neither: what the limits count.
  bool IsOfUser() const { return kind == Kind::kUser; }
  bool IsOfObject() const { return kind >= Kind::kMeter && kind <= Kind::kTask; }
  // Whether it carries events of the log.
  bool HasEvents() const { return kind <= Kind::kSystemAlerts; }
  // Which events it carries. REQUIRES: HasEvents().
  domain::EventFilter ToFilter() const;

  friend auto operator<=>(const Channel&, const Channel&) = default;
};

}  // namespace wattmint::bridge
