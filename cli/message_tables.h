// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/output.h"
#include "wattmint/v1/access.pb.h"
#include "wattmint/v1/meter.pb.h"
#include "wattmint/v1/mint.pb.h"
#include "wattmint/v1/reading.pb.h"

#include <string>
#include <vector>

// How lists of messages look as tables.
namespace wattmint::cli {

const std::vector<Column<v1::Meter>>& MeterColumns();
const std::vector<Column<v1::MintTask>>& MintTaskColumns();
const std::vector<Column<v1::Reading>>& ReadingColumns();
const std::vector<Column<v1::Correction>>& CorrectionColumns();
const std::vector<Column<v1::ApiKey>>& ApiKeyColumns();
const std::vector<Column<v1::Balance>>& BalanceColumns();
const std::vector<Column<v1::Discrepancy>>& DiscrepancyColumns();
const std::vector<Column<v1::MeterStats>>& MeterStatsColumns();

// "admin, relay".
template <typename Roles>
std::string RolesText(const Roles& roles) {
  std::string text;
  for (const int role : roles) {
    if (!text.empty()) text += ", ";
    text += ShortName(v1::Role_Name(static_cast<v1::Role>(role)), "ROLE_");
  }
  return text;
}

// "PENDING".
std::string MintStateText(v1::MintState state);
// "FINAL".
std::string QualityText(v1::ReadingQuality quality);
// "12.5 GRX on the ledger = 10 confirmed + 2.5 in work", and what is left to explain.
template <typename Response>
std::string SupplyText(std::int64_t on_ledger, const Response& response) {
  std::string text = GrxText(on_ledger) +
                     " GRX on the ledger = " + GrxText(response.confirmed_base_units()) +
                     " confirmed + " + GrxText(response.in_work_base_units()) + " in work";
  if (response.unexplained_base_units() == 0) return text;
  return text + " + " + GrxText(response.unexplained_base_units()) + " UNEXPLAINED";
}

}  // namespace wattmint::cli
