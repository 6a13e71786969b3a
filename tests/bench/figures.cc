// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/figures.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace wattmint::bench {
namespace {

double RatioOf(Better better, double ours, double other) {
  return better == Better::kHigher ? ours / other : other / ours;
}

std::vector<double> RatiosOf(const Figure& figure) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(figure.ours.size(), figure.other.size()); ++i) {
    ratios.push_back(RatioOf(figure.better, figure.ours[i], figure.other[i]));
  }
  return ratios;
}

}  // namespace

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto place = static_cast<std::size_t>(share * static_cast<double>(values.size()));
  return values[std::min(place, values.size() - 1)];
}

double Median(std::vector<double> values) { return Quantile(std::move(values), 0.5); }

Figure& Figures::Of(const std::string& name, const std::string& unit, Better better) {
  const auto found = std::ranges::find(figures_, name, &Figure::name);
  if (found != figures_.end()) return *found;
  return figures_.emplace_back(Figure{name, unit, better, {}, {}});
}

void Figures::PrintTable() const {
  fmt::print("{:48} {:>14} {:>14}  {}\n", topic_, "ours", "beside it", "ratio (least to greatest)");
  for (const Figure& figure : figures_) {
    fmt::print("  {:46} {:>14.2f}", figure.name + ", " + figure.unit, Median(figure.ours));
    if (const auto ratios = RatiosOf(figure); !ratios.empty()) {
      fmt::print(" {:>14.2f}  {:.2f} ({:.2f} to {:.2f})", Median(figure.other),
                 RatioOf(figure.better, Median(figure.ours), Median(figure.other)),
                 *std::ranges::min_element(ratios), *std::ranges::max_element(ratios));
    }
    fmt::print("\n");
  }
  std::fflush(stdout);
}

void Figures::PrintJson() const {
  for (const Figure& figure : figures_) {
    nlohmann::ordered_json line{{"topic", topic_},
                                {"figure", figure.name},
                                {"unit", figure.unit},
                                {"rounds", figure.ours.size()},
                                {"ours", Median(figure.ours)}};
    if (const auto ratios = RatiosOf(figure); !ratios.empty()) {
      line["other"] = Median(figure.other);
      line["ratio"] = RatioOf(figure.better, Median(figure.ours), Median(figure.other));
      line["ratio_least"] = *std::ranges::min_element(ratios);
      line["ratio_greatest"] = *std::ranges::max_element(ratios);
    }
    fmt::print("{}\n", line.dump());
  }
  std::fflush(stdout);
}

}  // namespace wattmint::bench
