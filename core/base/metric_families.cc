// SPDX-License-Identifier: Apache-2.0
#include "core/base/metric_families.h"

#include <prometheus/text_serializer.h>

namespace wattmint::base {

using prometheus::ClientMetric;
using prometheus::MetricType;

std::string MetricFamilies::ToText() const { return prometheus::TextSerializer().Serialize(all_); }

ClientMetric& MetricFamilies::Add(const char* name, const char* help, MetricType type) {
  if (all_.empty() || all_.back().name != name) all_.push_back({name, help, type, {}});
  return all_.back().metric.emplace_back();
}

ClientMetric& MetricFamilies::Labelled(const char* name, const char* help, MetricType type,
                                       const char* label, std::string_view label_value) {
  ClientMetric& metric = Add(name, help, type);
  metric.label.push_back({label, std::string(label_value)});
  return metric;
}

}  // namespace wattmint::base
