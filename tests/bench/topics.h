// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bench/figures.h"

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace wattmint::bench {

// How often everything is measured, ours and what is beside it in turn.
struct Rounds {
  int count = 5;
};

// Measures, and returns what it found.
using TopicBody = std::function<Figures(const Rounds&)>;

// Each declares the flags of one topic, and returns what measures it. One file for each.
TopicBody DeclareFanOut(CLI::App& app);
TopicBody DeclareFanOutSingle(CLI::App& app);
TopicBody DeclareReplay(CLI::App& app);
TopicBody DeclareIngest(CLI::App& app);
TopicBody DeclareStored(CLI::App& app);
TopicBody DeclareUnary(CLI::App& app);
TopicBody DeclareLatency(CLI::App& app);
TopicBody DeclareStalled(CLI::App& app);
TopicBody DeclareMeters(CLI::App& app);
TopicBody DeclareBroadcast(CLI::App& app);
TopicBody DeclareBursts(CLI::App& app);
TopicBody DeclareCompressed(CLI::App& app);
TopicBody DeclareIdle(CLI::App& app);
TopicBody DeclareOwn(CLI::App& app);
TopicBody DeclareStorm(CLI::App& app);

struct Topic {
  std::string_view name;
  std::string_view summary;
  TopicBody (*declare)(CLI::App& app);
};

std::span<const Topic> TopicTable();

}  // namespace wattmint::bench
