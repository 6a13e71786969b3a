// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bridge/counters.h"
#include "core/access/audit_log.h"

#include <string>

namespace wattmint::bridge {

// In Prometheus' text format: bridge/README.md, "Metrics". Threads: any.
std::string MetricsPage(const Counters& counters, const access::AuditLog& audit);

}  // namespace wattmint::bridge
