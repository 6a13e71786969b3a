// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>
#include <vector>

namespace wattmint::bench {

enum class Better { kHigher, kLower };

// One figure of a topic, measured again and again, on our side and beside it.
struct Figure {
  std::string name;
  std::string unit;
  Better better = Better::kHigher;
  std::vector<double> ours;
  std::vector<double> other;  // empty: nothing is beside it
};

double Median(std::vector<double> values);
// The value below which `share` of them lie.
double Quantile(std::vector<double> values, double share);

// What a topic has measured. The ratio says how good we are as a part of the other, round by round:
// 1 is as good, 0.5 half as good, whether more is better or less.
class Figures {
 public:
  explicit Figures(std::string topic) : topic_(std::move(topic)) {}
  // The figure of this name, for values to be added. References stay valid.
  Figure& Of(const std::string& name, const std::string& unit, Better better);
  // Medians; the ratio of the medians, and its least and greatest in a round. As a table, or one
  // JSON object a line.
  void PrintTable() const;
  void PrintJson() const;

 private:
  const std::string topic_;
  std::deque<Figure> figures_;
};

}  // namespace wattmint::bench
