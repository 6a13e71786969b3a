// SPDX-License-Identifier: Apache-2.0
#include "core/mint/ratio_history.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/store/run_op.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>

namespace wattmint::mint {
namespace {

constexpr std::string_view kRatiosSwitch = "token_ratios";

}  // namespace

absl::StatusOr<std::vector<domain::Ratio>> LoadRatios(store::Queries& queries) {
  WATTMINT_ASSIGN_OR_RETURN(const auto texts, queries.GetSwitch(kRatiosSwitch));
  std::vector<domain::Ratio> ratios;
  std::istringstream words(texts.value_or(""));
  for (std::string word; words >> word;) {
    const auto ratio = domain::Ratio::Parse(word);
    if (!ratio.ok()) return base::DataLoss("switch {} holds \"{}\"", kRatiosSwitch, *texts);
    ratios.push_back(*ratio);
  }
  return ratios;
}

absl::Status RecordRatio(store::CommitQueue& queue, store::Queries& queries, domain::Ratio ratio) {
  WATTMINT_ASSIGN_OR_RETURN(const auto known, LoadRatios(queries));
  if (std::ranges::find(known, ratio) != known.end()) return absl::OkStatus();
  std::string texts;
  for (const domain::Ratio& earlier : known) texts += earlier.ToString() + " ";
  texts += ratio.ToString();
  return store::RunOp(queue, [&texts](store::WriteContext& context) {
    return context.transaction().SetSwitch(kRatiosSwitch, texts);
  });
}

}  // namespace wattmint::mint
