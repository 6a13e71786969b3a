// SPDX-License-Identifier: Apache-2.0
#include "cli/message_tables.h"

namespace wattmint::cli {

const std::vector<Column<v1::Meter>>& MeterColumns() {
  static const std::vector<Column<v1::Meter>> columns = {
      {"meter", Align::kLeft, [](const v1::Meter& m) { return m.meter_id(); }},
      {"owner", Align::kLeft, [](const v1::Meter& m) { return m.user_id(); }},
      {"wallet", Align::kLeft, [](const v1::Meter& m) { return m.wallet_address(); }},
      {"registered", Align::kLeft, [](const v1::Meter& m) { return TimeText(m.register_time()); }},
      {"changed", Align::kLeft, [](const v1::Meter& m) { return TimeText(m.update_time()); }},
      {"key", Align::kLeft, [](const v1::Meter& m) { return m.public_key(); }},
  };
  return columns;
}

const std::vector<Column<v1::MintTask>>& MintTaskColumns() {
  using Task = v1::MintTask;
  static const std::vector<Column<Task>> columns = {
      {"task", Align::kRight, [](const Task& t) { return std::to_string(t.task_id()); }},
      {"state", Align::kLeft, [](const Task& t) { return MintStateText(t.state()); }},
      {"meter", Align::kLeft, [](const Task& t) { return t.meter_id(); }},
      {"owner", Align::kLeft, [](const Task& t) { return t.user_id(); }},
      {"kWh", Align::kRight, [](const Task& t) { return t.energy_kwh(); }},
      {"GRX", Align::kRight,
       [](const Task& t) { return t.base_units() == 0 ? "" : GrxText(t.base_units()); }},
      {"reading", Align::kLeft, [](const Task& t) { return t.reading_id(); }},
      {"changed", Align::kLeft, [](const Task& t) { return TimeText(t.update_time()); }},
      {"reason", Align::kLeft, [](const Task& t) { return t.reason(); }},
  };
  return columns;
}

const std::vector<Column<v1::Reading>>& ReadingColumns() {
  using Reading = v1::Reading;
  static const std::vector<Column<Reading>> columns = {
      {"reading", Align::kLeft, [](const Reading& r) { return r.reading_id(); }},
      {"meter", Align::kLeft, [](const Reading& r) { return r.meter_id(); }},
      {"owner", Align::kLeft, [](const Reading& r) { return r.user_id(); }},
      {"start", Align::kLeft, [](const Reading& r) { return TimeText(r.interval_start()); }},
      {"seconds", Align::kRight,
       [](const Reading& r) { return std::to_string(r.interval().seconds()); }},
      {"kWh", Align::kRight, [](const Reading& r) { return r.energy_kwh(); }},
      {"quality", Align::kLeft, [](const Reading& r) { return QualityText(r.quality()); }},
      {"mint", Align::kLeft, [](const Reading& r) { return MintStateText(r.mint_state()); }},
  };
  return columns;
}

const std::vector<Column<v1::Correction>>& CorrectionColumns() {
  using Correction = v1::Correction;
  static const std::vector<Column<Correction>> columns = {
      {"change", Align::kRight,
       [](const Correction& c) { return std::to_string(c.correction_id()); }},
      {"what", Align::kLeft,
       [](const Correction& c) {
         return ShortName(v1::CorrectionKind_Name(c.kind()), "CORRECTION_KIND_");
       }},
      {"when", Align::kLeft, [](const Correction& c) { return TimeText(c.time()); }},
      {"by", Align::kLeft, [](const Correction& c) { return c.user_id(); }},
      {"kWh before", Align::kRight, [](const Correction& c) { return c.old_energy_kwh(); }},
      {"quality before", Align::kLeft,
       [](const Correction& c) { return QualityText(c.old_quality()); }},
      {"kWh", Align::kRight, [](const Correction& c) { return c.energy_kwh(); }},
      {"quality", Align::kLeft, [](const Correction& c) { return QualityText(c.quality()); }},
      {"reason", Align::kLeft, [](const Correction& c) { return c.reason(); }},
  };
  return columns;
}

const std::vector<Column<v1::ApiKey>>& ApiKeyColumns() {
  using Key = v1::ApiKey;
  static const std::vector<Column<Key>> columns = {
      {"key", Align::kLeft, [](const Key& k) { return k.key_id(); }},
      {"user", Align::kLeft, [](const Key& k) { return k.user_id(); }},
      {"roles", Align::kLeft, [](const Key& k) { return RolesText(k.roles()); }},
      {"for", Align::kLeft, [](const Key& k) { return k.display_name(); }},
      {"made", Align::kLeft, [](const Key& k) { return TimeText(k.create_time()); }},
      {"ends", Align::kLeft, [](const Key& k) { return TimeText(k.expire_time()); }},
      {"revoked", Align::kLeft, [](const Key& k) { return TimeText(k.revoke_time()); }},
      {"a second", Align::kRight,
       [](const Key& k) {
         return k.requests_per_second() == 0 ? "" : std::to_string(k.requests_per_second());
       }},
      {"used", Align::kLeft,
       [](const Key& k) { return k.has_last_use_time() ? TimeText(k.last_use_time()) : "never"; }},
  };
  return columns;
}

const std::vector<Column<v1::Balance>>& BalanceColumns() {
  static const std::vector<Column<v1::Balance>> columns = {
      {"wallet", Align::kLeft, [](const v1::Balance& b) { return b.wallet_address(); }},
      {"GRX", Align::kRight, [](const v1::Balance& b) { return GrxText(b.base_units()); }},
  };
  return columns;
}

const std::vector<Column<v1::Discrepancy>>& DiscrepancyColumns() {
  using Mint = v1::Discrepancy;
  static const std::vector<Column<Mint>> columns = {
      {"disagrees", Align::kLeft,
       [](const Mint& d) {
         return ShortName(v1::DiscrepancyKind_Name(d.kind()), "DISCREPANCY_KIND_");
       }},
      {"key", Align::kLeft, [](const Mint& d) { return d.idempotency_key(); }},
      {"task", Align::kRight,
       [](const Mint& d) { return d.task_id() == 0 ? "" : std::to_string(d.task_id()); }},
      {"state", Align::kLeft,
       [](const Mint& d) { return d.task_id() == 0 ? "" : MintStateText(d.task_state()); }},
      {"GRX", Align::kRight,
       [](const Mint& d) { return d.task_id() == 0 ? "" : GrxText(d.log_base_units()); }},
      {"height", Align::kRight,
       [](const Mint& d) {
         return d.ledger_height() == 0 ? "" : std::to_string(d.ledger_height());
       }},
      {"GRX on the ledger", Align::kRight,
       [](const Mint& d) { return d.ledger_height() == 0 ? "" : GrxText(d.ledger_base_units()); }},
  };
  return columns;
}

const std::vector<Column<v1::MeterStats>>& MeterStatsColumns() {
  using Stats = v1::MeterStats;
  static const std::vector<Column<Stats>> columns = {
      {"meter", Align::kLeft,
       [](const Stats& s) { return s.meter_id().empty() ? "all" : s.meter_id(); }},
      {"readings", Align::kRight, [](const Stats& s) { return CountText(s.readings()); }},
      {"minted", Align::kRight, [](const Stats& s) { return CountText(s.minted()); }},
      {"nothing to mint", Align::kRight,
       [](const Stats& s) { return CountText(s.not_applicable()); }},
      {"kWh", Align::kRight, [](const Stats& s) { return s.energy_kwh(); }},
      {"minted kWh", Align::kRight, [](const Stats& s) { return s.minted_kwh(); }},
      {"GRX", Align::kRight, [](const Stats& s) { return GrxText(s.minted_base_units()); }},
  };
  return columns;
}

std::string MintStateText(v1::MintState state) {
  return ShortName(v1::MintState_Name(state), "MINT_STATE_");
}

std::string QualityText(v1::ReadingQuality quality) {
  return ShortName(v1::ReadingQuality_Name(quality), "READING_QUALITY_");
}

}  // namespace wattmint::cli
