// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <vector>

namespace wattmint::base {

// A page of metrics on its way to Prometheus' text format. Families come in the order in which they
// are named; what belongs to one family is named without another between.
class MetricFamilies {
 public:
  template <typename Number>
  void Gauge(const char* name, const char* help, Number value) {
    Add(name, help, prometheus::MetricType::Gauge).gauge.value = static_cast<double>(value);
  }
  template <typename Number>
  void Counter(const char* name, const char* help, Number value) {
    Add(name, help, prometheus::MetricType::Counter).counter.value = static_cast<double>(value);
  }
  // One more member of a family.
  template <typename Number>
  void Gauge(const char* name, const char* help, const char* label, std::string_view label_value,
             Number value) {
    Labelled(name, help, prometheus::MetricType::Gauge, label, label_value).gauge.value =
        static_cast<double>(value);
  }
  template <typename Number>
  void Counter(const char* name, const char* help, const char* label, std::string_view label_value,
               Number value) {
    Labelled(name, help, prometheus::MetricType::Counter, label, label_value).counter.value =
        static_cast<double>(value);
  }

  // May throw what memory and the serializer throw.
  std::string ToText() const;

 private:
  prometheus::ClientMetric& Add(const char* name, const char* help, prometheus::MetricType type);
  prometheus::ClientMetric& Labelled(const char* name, const char* help,
                                     prometheus::MetricType type, const char* label,
                                     std::string_view label_value);

  std::vector<prometheus::MetricFamily> all_;
};

}  // namespace wattmint::base
